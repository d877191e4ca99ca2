package logins

// Login is all that decides how long a login takes at worst: the files that a
// login passes through, as they are on disk or as they would be, and what
// runs. It is plain data, so that what would be written can be judged before a
// byte is, and any machine's login can be worked out anywhere.
//
// A file that is not in the map is a file that is not there. None of them has
// to be.
type Login struct {
	// Files is text by absolute path: resolv.conf, nsswitch.conf, hosts,
	// hostname, nslcd.conf, sssd/sssd.conf (and its conf.d), PADL's files,
	// nscd.conf, autofs.conf, auto.master and its maps, both pam.d, passwd, group,
	// security/access.conf, ssh/sshd_config (for its Match lines alone),
	// update-motd.d.
	Files map[string]string
	// Sshd is what `sshd -T` prints; "" is sshd's own defaults, with Debian's
	// UsePAM yes.
	Sshd string
	// Mounts is /proc/self/mounts.
	Mounts string
	// Running says what answers.
	Running Running
	// BreakGlass is the local account that must always get in.
	BreakGlass string
	// Local is another local user to work out; "" is whoever of /etc/passwd
	// has it worst, and a made-up user where there is none.
	Local string
	// Judged has only that worked out which Over and Exceeds judge: no states
	// without a limit, no passwords and no totals. A pass waits for it.
	Judged bool
}

// Running is which of the programs that stand in a login's way run. What does
// not run is asked in vain, at once, and costs nothing.
type Running struct {
	Nslcd     bool
	SSSD      bool
	Nscd      bool
	Resolved  bool // systemd-resolved, behind nsswitch's resolve
	Automount bool // autofs's daemon
	PADL      bool // the modules called ldap are PADL's, which ask by themselves
}

// With counts the client that a file is for as running. Where nslcd is there
// the modules called ldap are its own, whatever lies there for PADL's.
func (r Running) With(file string) Running {
	switch file {
	case nslcdPath:
		r.Nslcd = true
	case sssdPath:
		r.SSSD = true
	case "/etc/libnss-ldap.conf", "/etc/pam_ldap.conf", "/etc/ldap.conf":
		r.PADL = !r.Nslcd
	}
	return r
}

// The files that are looked for by name.
const (
	nslcdPath      = "/etc/nslcd.conf"
	sssdPath       = "/etc/sssd/sssd.conf"
	nscdPath       = "/etc/nscd.conf"
	passwdPath     = "/etc/passwd"
	groupPath      = "/etc/group"
	autoMasterPath = "/etc/auto.master"
	autofsPath     = "/etc/autofs.conf"
	resolvPath     = "/etc/resolv.conf"
	nsswitchPath   = "/etc/nsswitch.conf"
	sshdPath       = "/etc/ssh/sshd_config"
)
