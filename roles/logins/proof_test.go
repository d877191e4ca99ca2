package logins

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
)

// proofWay is a way to a path, each step root's but for those below the home.
func proofWay(p string, mode fs.FileMode) facts.Way {
	w := facts.Way{Path: p}
	at := ""
	parts := strings.Split(strings.TrimPrefix(p, "/"), "/")
	w.Steps = append(w.Steps, facts.WayStep{Path: "/", Info: host.Info{Exists: true, Mode: fs.ModeDir | 0o755}})
	for i, part := range parts {
		at += "/" + part
		s := facts.WayStep{Path: at, Info: host.Info{Exists: true, Mode: fs.ModeDir | 0o755}}
		if i == len(parts)-1 {
			s.Mode = mode
		}
		if strings.HasPrefix(at, "/home/admin") {
			s.UID, s.GID = 1000, 1000
		}
		w.Steps = append(w.Steps, s)
	}
	return w
}

// sound is an account that gets in.
func sound() *facts.Account {
	return &facts.Account{
		Name: "admin", Looked: true, Today: 20000,
		Login: facts.Login{
			Files: map[string]string{
				"/etc/passwd":        "root:x:0:0::/root:/bin/sh\nadmin:x:1000:1000::/home/admin:/bin/bash\n",
				"/etc/group":         "root:x:0:\nsudo:x:27:admin\nadmin:x:1000:\n",
				"/etc/nsswitch.conf": "passwd: files systemd ldap\ngroup: files ldap\nshadow: files ldap\ninitgroups: files ldap\n",
				"/etc/nslcd.conf":    "uri ldap://10.9.9.9\ntimelimit 5\nnss_initgroups_ignoreusers ALLLOCAL\n",
				"/etc/hosts":         "127.0.1.1 db01.acme.private db01\n",
				"/etc/hostname":      "db01\n",
				"/etc/pam.d/sshd":    "account required pam_nologin.so\naccount sufficient pam_localuser.so\naccount required pam_ldap.so\n",
				"/etc/shadow":        "",
			},
			Running: facts.LoginRunning{Nslcd: true},
		},
		Shadow:  facts.Shadow{There: true, Password: facts.PasswordLocked, Changed: 19000, Most: 99999, Inactive: -1, Expires: -1},
		Shells:  []string{"/bin/bash"},
		Shell:   proofWay("/bin/bash", 0o755),
		Home:    proofWay("/home/admin", fs.ModeDir|0o750),
		Keys:    []facts.KeyFile{{Way: proofWay("/home/admin/.ssh/authorized_keys", 0o600), Said: ".ssh/authorized_keys", Keys: []facts.AuthorizedKey{{Type: "ssh-ed25519"}}}},
		Sudoers: facts.Sudoers{There: true, Lines: []facts.SudoersLine{{File: "/etc/sudoers", Line: 5, Text: "%sudo ALL=(ALL:ALL) NOPASSWD: ALL"}}},
	}
}

func foundCodes(all []facts.Finding) string {
	var out []string
	for _, f := range all {
		out = append(out, strings.TrimPrefix(f.Code, "break-glass-")+map[facts.Severity]string{facts.Info: "~", facts.Warning: "?", facts.Error: ""}[f.Severity])
	}
	return strings.Join(out, " ")
}

// One thing is wrong, or two: what is found of it. "?" is a warning, "~" a
// remark, which leaves an account proven.
func TestProveBreakGlass(t *testing.T) {
	file := func(p, text string) func(*facts.Account) {
		return func(a *facts.Account) { a.Login.Files[p] = text }
	}
	sshd := func(text string) func(*facts.Account) {
		return func(a *facts.Account) { a.Login.Sshd = text }
	}
	conf := func(text string) func(*facts.Account) { return file("/etc/ssh/sshd_config", text) }
	sudo := func(lines ...string) func(*facts.Account) {
		return func(a *facts.Account) {
			a.Sudoers.Lines = nil
			for i, l := range lines {
				a.Sudoers.Lines = append(a.Sudoers.Lines, facts.SudoersLine{File: "/etc/sudoers", Line: i + 1, Text: l})
			}
		}
	}
	step := func(p string, change func(*facts.WayStep)) func(*facts.Account) {
		return func(a *facts.Account) {
			for i, s := range a.Keys[0].Steps {
				if s.Path == p {
					change(&a.Keys[0].Steps[i])
				}
			}
		}
	}
	options := func(o ...string) func(*facts.Account) {
		return func(a *facts.Account) { a.Keys[0].Keys[0].Options = o }
	}
	for name, c := range map[string]struct {
		spoil func(*facts.Account)
		want  string
	}{
		"nothing": {func(*facts.Account) {}, ""},

		"not in passwd":           {file("/etc/passwd", "administrator:x:1000:1000::/home/a:/bin/sh\n"), "missing"},
		"in passwd by nss_compat": {file("/etc/passwd", "+admin\nadmin:x:1000\n"), "missing"},
		"nologin":                 {file("/etc/passwd", "admin:x:1000:1000::/home/admin:/usr/sbin/nologin\n"), "shell"},
		"a shell that is gone":    {func(a *facts.Account) { a.Shell.Missing = "/bin/bash" }, "shell"},
		"a shell elsewhere":       {func(a *facts.Account) { a.Shell.Remote = "nfs on /bin" }, "shell"},
		"a shell not looked at":   {func(a *facts.Account) { a.Shell.Unread = "x" }, "shell?"},
		"a folder for a shell":    {func(a *facts.Account) { a.Shell = proofWay("/bin", fs.ModeDir|0o755) }, "shell"},
		"a shell nobody runs":     {func(a *facts.Account) { a.Shell = proofWay("/bin/bash", 0o644) }, "shell"},
		"a shell for some":        {func(a *facts.Account) { a.Shell = proofWay("/bin/bash", 0o010) }, ""},
		"an unlisted shell":       {func(a *facts.Account) { a.Shells = []string{"/bin/sh"} }, "shells~"},
		"no list of shells":       {func(a *facts.Account) { a.Shells = nil }, ""},
		"an unlisted shell and pam_shells": {func(a *facts.Account) {
			a.Shells = []string{}
			a.Login.Files["/etc/pam.d/sshd"] = "account required pam_shells.so\n"
		}, "shells"},

		"no shadow line":      {func(a *facts.Account) { a.Shadow = facts.Shadow{} }, "shadow"},
		"shadow not read":     {func(a *facts.Account) { a.Shadow = facts.Shadow{Unread: "x"} }, "shadow?"},
		"expires today":       {func(a *facts.Account) { a.Shadow.Expires = 20000 }, "expired"},
		"expires tomorrow":    {func(a *facts.Account) { a.Shadow.Expires = 20001 }, ""},
		"expired in 1970":     {func(a *facts.Account) { a.Shadow.Expires = 0 }, "expired"},
		"must change":         {func(a *facts.Account) { a.Shadow.Changed = 0 }, "password-age"},
		"too old a password":  {func(a *facts.Account) { a.Shadow.Most = 1000 }, "password-age"},
		"old, not too old":    {func(a *facts.Account) { a.Shadow.Most = 1001 }, ""},
		"locked, and PAM":     {func(a *facts.Account) { a.Shadow.Password = facts.PasswordLocked }, ""},
		"locked, without PAM": {sshd("usepam no\n"), "locked"},
		"*LK*, without PAM":   {func(a *facts.Account) { a.Login.Sshd, a.Shadow.Password = "usepam no\n", facts.PasswordNone }, ""},

		"closed to all but root": {func(a *facts.Account) { a.NoLogin = true }, "nologin"},
		"closed, and nobody looks": {func(a *facts.Account) {
			a.NoLogin = true
			file("/etc/pam.d/sshd", "account required pam_permit.so\n")(a)
		}, ""},
		"closed, without PAM": {func(a *facts.Account) {
			a.NoLogin, a.Login.Sshd = true, "usepam no\n"
			a.Shadow.Password = facts.PasswordNone
		}, "nologin"},
		"closed by another file": {file("/etc/pam.d/sshd", "account required pam_nologin.so file=/etc/shut\n"), "nologin?"},
		"closed by that file named": {func(a *facts.Account) {
			a.NoLogin = true
			file("/etc/pam.d/sshd", "account required pam_nologin.so file=/etc/nologin\n")(a)
		}, "nologin"},

		"no keys by sshd":        {sshd("pubkeyauthentication no\n"), "sshd"},
		"a password too":         {sshd("authenticationmethods publickey,password\n"), "sshd"},
		"either":                 {sshd("authenticationmethods publickey,password publickey\n"), ""},
		"denied":                 {sshd("denyusers eve\ndenyusers a*\n"), "sshd"},
		"denied from somewhere":  {sshd("denyusers admin@10.0.0.0/8\n"), "sshd?"},
		"others are denied":      {sshd("denyusers administrator adm ?admin\n"), ""},
		"not among the allowed":  {sshd("allowusers ops eve\n"), "sshd"},
		"among the allowed":      {sshd("allowusers ops\nallowusers adm?n\n"), ""},
		"allowed from somewhere": {sshd("allowusers admin@10.*\n"), "sshd?"},
		"a group denied":         {sshd("denygroups wheel sudo\n"), "sshd"},
		"his own group denied":   {sshd("denygroups admin\n"), "sshd"},
		"no group allowed":       {sshd("allowgroups wheel directory-admins\n"), "sshd"},
		"a group allowed":        {sshd("allowgroups wheel su*\n"), ""},
		"root, and no root": {func(a *facts.Account) {
			a.Name, a.Login.Sshd = "root", "permitrootlogin no\n"
			a.Home, a.Keys[0].Way = proofWay("/root", fs.ModeDir|0o700), proofWay("/root/.ssh/authorized_keys", 0o600)
		}, "sshd group-line?"},
		"a block for all":      {conf("Match all\n AllowGroups ldap\n"), "sshd-match?"},
		"a block for him":      {conf("Match User ops,adm*\n PubkeyAuthentication no\n"), "sshd-match?"},
		"a block by address":   {conf("Match Address 10.0.0.0/8\n ForceCommand /bin/x\n"), "sshd-match?"},
		"a block for others":   {conf("Match User ops,!admin,*\n PubkeyAuthentication no\nMatch Group wheel\n DenyUsers admin\n"), ""},
		"a block of no matter": {conf("Match all\n X11Forwarding no\n"), ""},

		"no key file":        {func(a *facts.Account) { a.Keys[0].Missing = "/home/admin/.ssh" }, "key"},
		"no key":             {func(a *facts.Account) { a.Keys[0].Keys, a.Keys[0].Odd = nil, 2 }, "key"},
		"no file named":      {func(a *facts.Account) { a.Keys = nil }, "key"},
		"a forced command":   {options("command"), "key"},
		"an authority":       {options("cert-authority"), "key"},
		"from somewhere":     {options("from"), "key?"},
		"without a terminal": {options("no-pty", "restrict"), ""},
		"keys elsewhere":     {func(a *facts.Account) { a.Keys[0].Remote = "nfs on /home" }, "key"},
		"a second file":      {func(a *facts.Account) { a.Keys = append([]facts.KeyFile{{Way: facts.Way{Missing: "/x"}}}, a.Keys...) }, ""},
		"0777 on .ssh":       {step("/home/admin/.ssh", func(s *facts.WayStep) { s.Mode = fs.ModeDir | 0o777 }), "modes key"},
		"0777 on the home":   {step("/home/admin", func(s *facts.WayStep) { s.Mode = fs.ModeDir | 0o777 }), "modes key"},
		"above the home":     {step("/home", func(s *facts.WayStep) { s.Mode = fs.ModeDir | 0o777 }), ""},
		"0777 without StrictModes": {func(a *facts.Account) {
			a.Login.Sshd = "strictmodes no\n"
			step("/home/admin/.ssh", func(s *facts.WayStep) { s.Mode = fs.ModeDir | 0o777 })(a)
		}, ""},
		"another's file":          {step("/home/admin/.ssh/authorized_keys", func(s *facts.WayStep) { s.UID, s.Mode = 1001, 0o644 }), "modes key"},
		"root's file":             {step("/home/admin/.ssh/authorized_keys", func(s *facts.WayStep) { s.UID, s.GID, s.Mode = 0, 0, 0o644 }), ""},
		"root's own file":         {step("/home/admin/.ssh/authorized_keys", func(s *facts.WayStep) { s.UID, s.GID, s.Mode = 0, 0, 0o600 }), "modes key"},
		"root's folder":           {step("/home/admin/.ssh", func(s *facts.WayStep) { s.UID, s.GID, s.Mode = 0, 0, fs.ModeDir|0o700 }), "modes key"},
		"his group may write":     {step("/home/admin/.ssh", func(s *facts.WayStep) { s.Mode = fs.ModeDir | 0o770 }), "modes?"},
		"another group may write": {step("/home/admin/.ssh", func(s *facts.WayStep) { s.GID, s.Mode = 27, fs.ModeDir|0o770 }), "modes key"},
		"no file":                 {step("/home/admin/.ssh/authorized_keys", func(s *facts.WayStep) { s.Mode = fs.ModeDir | 0o755 }), "modes key"},
		"keys of the system":      {func(a *facts.Account) { a.Keys[0].Way = proofWay("/etc/keys/admin", 0o644) }, ""},
		"keys of the system, open": {func(a *facts.Account) {
			a.Keys[0].Way = proofWay("/etc/keys/admin", 0o644)
			step("/etc", func(s *facts.WayStep) { s.Mode = fs.ModeDir | 0o777 })(a)
		}, "modes key"},

		"a home on NFS":          {func(a *facts.Account) { a.Login.Mounts = "nas:/home /home nfs4 rw 0 0\n" }, "home"},
		"a home by fstab":        {fstab("/dev/sda1 / ext4 defaults 0 1\nnas:/home /home nfs4 defaults,_netdev 0 0\n"), "home"},
		"a home by fstab, later": {fstab("nas:/home /home nfs noauto,x-systemd.automount\n"), "home"},
		"a home of its own":      {fstab("nas:/home /home nfs4\n/dev/sdb1 /home/admin ext4\n"), ""},
		"no home by fstab":       {fstab("# nas:/home /home nfs4\nnas:/home /homes nfs4\nnas:/x /home nfs4 noauto\nnas:/y none nfs4\n"), ""},
		"a home of an odd kind":  {func(a *facts.Account) { a.Home.Remote = "oddfs on /home" }, "home?"},
		"no home":                {func(a *facts.Account) { a.Home.Missing = "/home/admin" }, "home?"},
		"a file for a home":      {func(a *facts.Account) { a.Home = proofWay("/home/admin", 0o644) }, "home"},

		"the directory first":     {file("/etc/nsswitch.conf", "passwd: ldap files\ngroup: files\nshadow: files\n"), "nsswitch waits?"},
		"files not at all":        {file("/etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: systemd\n"), "nsswitch"},
		"no initgroups line":      {file("/etc/nsswitch.conf", "passwd: files ldap\ngroup: files ldap\nshadow: files\n"), "initgroups?"},
		"initgroups goes on":      {file("/etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\ninitgroups: files [SUCCESS=continue] ldap\n"), "initgroups?"},
		"initgroups elsewhere":    {file("/etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\ninitgroups: ldap files\n"), "initgroups"},
		"in no group line":        {file("/etc/group", "sudo:x:27:administrator\nadmin:x:1000:\n"), "group-line? sudo"},
		"in his own group's line": {file("/etc/group", "admin:x:1000:admin\n"), "group-line? sudo"},
		"in no group line, alone": {func(a *facts.Account) {
			a.Login.Files["/etc/group"], a.Login.Files["/etc/nsswitch.conf"] = "admin:x:1000:\n", ""
		}, "group-line~ sudo"},

		"PAM asks and bounds":     {file("/etc/pam.d/sshd", "account sufficient pam_unix.so\naccount required pam_ldap.so\n"), ""},
		"PAM needs the directory": {file("/etc/pam.d/sshd", "account required pam_ldap.so\n"), "pam waits~"},
		"PAM lets nobody in":      {file("/etc/pam.d/sshd", "account required pam_deny.so\n"), "pam"},
		"PAM may go either way":   {file("/etc/pam.d/sshd", "account required pam_unix.so\naccount required pam_odd.so\n"), "pam?"},
		"PAM waits for too long": {func(a *facts.Account) {
			a.Login.Files["/etc/pam.d/sshd"] = "account required pam_unix.so\naccount optional pam_ldap.so\n"
			a.Login.Sshd = "logingracetime 30\n"
		}, "waits?"},
		"PAM waits beyond sshd": {func(a *facts.Account) {
			a.Login.Files["/etc/pam.d/sshd"] = "account required pam_unix.so\naccount optional pam_ldap.so\n"
			a.Login.Sshd = "logingracetime 5\n"
		}, "waits"},

		"silent beyond sshd":  {silent("logingracetime 30\n"), "waits"}, // a minute, and the dead two seconds
		"silent for too long": {silent(""), "waits?"},

		"sssd stuck in TLS":         {stuckSSSD("session optional pam_sss.so\n"), "waits?"},
		"sssd stuck, and passed by": {stuckSSSD("session [success=1 default=ignore] pam_localuser.so\nsession optional pam_sss.so\n"), ""},

		"access to him":     {access("+:admin:ALL\n-:ALL:ALL\n"), ""},
		"access to a group": {access("+:root (sudo):ALL\n-:ALL:ALL\n"), ""},
		"access to others":  {access("# x\n+:ops:ALL\n-:ALL:ALL\n"), "access"},
		"access from":       {access("+:admin:10.0.0.0/8\n-:ALL:ALL\n"), "access?"},
		"access except":     {access("-:ALL EXCEPT root:ALL\n"), "access?"},
		"no rule":           {access("-:ops:ALL\n"), ""},
		"local alone":       {access("-:ALL:LOCAL\n-:admin:ALL\n"), "access"},
		"another file":      {file("/etc/pam.d/sshd", "account required pam_access.so accessfile=/etc/x\n"), "access?"},

		"sudo asks ldap first": {file("/etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nsudoers: ldap files\n"), "sudo-source"},
		"no rule of sudo's":    {sudo("root ALL=(ALL) ALL", "%wheel ALL=(ALL) ALL"), "sudo"},
		"a rule not read":      {sudo("+admins ALL=(ALL) NOPASSWD: ALL"), "sudo?"},
		"a file not read":      {func(a *facts.Account) { a.Sudoers.Lines, a.Sudoers.Unread = nil, []string{"x"} }, "sudo?"},
		"no sudo":              {func(a *facts.Account) { a.Sudoers = facts.Sudoers{} }, "sudo?"},
		"a password he lacks":  {sudo("admin ALL=(ALL) ALL"), "sudo-password"},
		"a password he has": {func(a *facts.Account) {
			a.Shadow.Password = facts.PasswordSet
			sudo("admin ALL=(ALL) ALL")(a)
		}, ""},
		"its own name": {file("/etc/hosts", "127.0.0.1 localhost db\n"), "own-name?"},
	} {
		t.Run(name, func(t *testing.T) {
			a := sound()
			c.spoil(a)
			found := ProveBreakGlass(*a, "The account", 0)
			if got := foundCodes(found); got != c.want {
				t.Errorf("found %q, want %q\n%+v", got, c.want, found)
			}
			grave := slices.ContainsFunc(strings.Fields(c.want), func(code string) bool { return !strings.HasSuffix(code, "~") })
			if Proven(found) == grave {
				t.Errorf("proven: %v of %q", Proven(found), c.want)
			}
			for _, f := range found {
				if !strings.HasPrefix(f.Title, "The account ") || !strings.HasSuffix(f.Title, ".") || f.Remedy == "" {
					t.Errorf("%+v", f)
				}
				if _, of, ok := strings.Cut(f.Remedy, "login-budget "); ok {
					if state, _, _ := strings.Cut(of, "`"); !slices.Contains([]Servers{AllUp, OneDown, AllDown, AllHung, AllSlow}, Servers(state)) {
						t.Errorf("login-budget knows no %q: %s", state, f.Remedy)
					}
				}
			}
		})
	}
}
