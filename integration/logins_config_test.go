package integration_test

import "reveille/integration/guest"

// loginConfig is one way to set a machine up for its directory.
type loginConfig struct {
	name, what string
	ours       bool // the agent writes it
	chosen     bool // measured by make test
	files      []guest.File
	run        [][]string // after the boot, with every server up
}

// loginNames are the servers by the names that the machine knows them by.
var loginNames = map[string]string{"ldap1.acme.private": ldapFirst, "ldap2.acme.private": ldapSecond}

// loginRole is a role with a resolver and a directory that is asked by ldap or
// ldaps.
func loginRole(scheme string) []guest.File {
	return []guest.File{{Path: "/etc/reveille/roles.d/mysql.yaml", Data: []byte(`role: mysql
identity: {domain: acme.private}
resolver: {nameservers: [10.0.0.2, 10.0.0.3], search: [acme.private]}
directory:
  uris: [` + scheme + `://ldap1.acme.private, ` + scheme + `://ldap2.acme.private]
  base: dc=acme,dc=private
  ca_cert_file: /etc/ssl/acme.pem
  break_glass: admin
`)}}
}

// filesFirst is nsswitch.conf as people write it: local files before the
// directory, and no initgroups line.
const filesFirst = "passwd: files ldap\ngroup: files ldap\nshadow: files ldap\nhosts: files dns\n"

const nslcdAsPackaged = "uid nslcd\ngid nslcd\nuri ldap://ldap1.acme.private/\nuri ldap://ldap2.acme.private/\nbase dc=acme,dc=private\n"

var startNslcdUnit = [][]string{{"systemctl", "start", "nslcd"}}

// loginConfigs are the agent's own, and two that it is set against.
var loginConfigs = []loginConfig{
	{
		name: "agent", what: "is as the agent writes it, from a role with a resolver and a directory, `break_glass: admin`", ours: true, chosen: true,
		files: loginRole("ldap"), run: [][]string{{"reveille", "boot"}},
	},
	{
		name: "agent-tls", what: "is the same with `ldaps://` servers", ours: true,
		files: loginRole("ldaps"), run: [][]string{{"reveille", "boot"}},
	},
	{
		name: "packages", what: "has the packages' own defaults with `passwd`, `group` and `shadow: files ldap`",
		files: []guest.File{
			{Path: "/etc/nsswitch.conf", Data: []byte(filesFirst)},
			{Path: "/etc/nslcd.conf", Data: []byte(nslcdAsPackaged), Mode: 0o640},
			{Path: "/etc/resolv.conf", Data: []byte("search acme.private\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n")},
		},
		run: startNslcdUnit,
	},
	{
		name: "lisa11", what: "has the quick fixes of LISA'11: `bind_timelimit 5`, `timelimit 15`, files before ldap, `attempts:1 timeout:1`, no initgroups line",
		files: []guest.File{
			{Path: "/etc/nsswitch.conf", Data: []byte(filesFirst)},
			{Path: "/etc/nslcd.conf", Data: []byte(nslcdAsPackaged + "bind_timelimit 5\ntimelimit 15\n"), Mode: 0o640},
			{Path: "/etc/resolv.conf", Data: []byte("search acme.private\nnameserver 10.0.0.2\nnameserver 10.0.0.3\noptions attempts:1 timeout:1\n")},
		},
		run: startNslcdUnit,
	},
}
