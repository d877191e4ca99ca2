package roles

import (
	"io/fs"

	"reveille/bootstrap/resource"
)

const (
	nmDropIn       = "/etc/NetworkManager/conf.d/zz-reveille.conf"
	dhcpcdHook     = "/etc/dhcpcd.enter-hook"
	resolvconfConf = "/etc/resolvconf.conf"
	resolvconfHook = "/etc/dhcp/dhclient-enter-hooks.d/resolvconf" // Debian's, of both packages
)

// keepOff is the file that tells one writer to leave resolv.conf alone. Each
// is read anew whenever the writer would write (NetworkManager's at a reload,
// which a step asks for), so that no network daemon is restarted under people's
// feet.
func keepOff(w writer, pl platform, p Profile) resource.File {
	switch w {
	case networkManager:
		// Not dns=none, which would also cut off a local cache that somebody set up.
		return whole(nmDropIn, header("resolver", p)+"[main]\nrc-manager=unmanaged\n")
	case dhclient:
		return dhclientFile(pl, p)
	case dhcpcd:
		// dhcpcd's script hands its servers to resolvconf where there is one, which
		// is told by itself; the local caches that subscribe to it still want them.
		return shared(dhcpcdHook, 0, `type resolvconf >/dev/null 2>&1 || skip_hooks="${skip_hooks:+$skip_hooks }resolv.conf"`)
	}
	// openresolv goes on telling the daemons that subscribe to it. Debian's
	// resolvconf reads no such file and leaves what is no link of its own.
	return shared(resolvconfConf, 0, "resolv_conf=/run/resolvconf/resolv.conf")
}

// dhclientFile takes make_resolv_conf out of dhclient's script. A supersede
// line in dhclient.conf would not do: the script would still write the file,
// and without the time-outs. Where resolvconf's own hook has taken it out
// already, that hook stays: local caches get their servers by it.
func dhclientFile(pl platform, p Profile) resource.File {
	if pl.HookIsShared {
		// The script passes over a hook that it could not execute.
		return shared(pl.DhclientHook, 0o755, "make_resolv_conf() { :; }")
	}
	return whole(pl.DhclientHook, header("resolver", p)+
		"# dhclient-script sources this and then calls make_resolv_conf for each lease.\n"+
		"# resolvconf's hook does not write resolv.conf, and others live by what it hands on.\n"+
		"if [ ! -x /sbin/resolvconf ] || [ ! -e "+resolvconfHook+" ]; then\n"+
		"  make_resolv_conf() { :; }\n"+
		"fi\n")
}

func whole(path, text string) resource.File {
	return resource.File{Path: path, Mode: 0o644, Content: []byte(text), Concern: "resolver"}
}

// shared is a file that others may use as well: only our block in it is ours.
func shared(path string, mode fs.FileMode, lines ...string) resource.File {
	return resource.File{
		Path: path, Mode: mode, Concern: "resolver",
		Edit: resource.Block{Name: "resolver", Lines: lines},
	}
}
