package integration_test

import "reveille/integration/guest"

// loginConfig is one way to set a machine up for its directory.
type loginConfig struct {
	name, what string
	ours       bool     // the agent writes it
	chosen     bool     // measured by make test
	tight      bool     // the bound is: nothing between nslcd and the login asks less often than was worked out
	client     string   // the directory's client, by its unit; "": none, and no user of a directory
	debs       []string // packages that the image has not, each with what it needs
	files      []guest.File
	run        [][]string // after the boot, with every server up
	homes      bool       // the directory's people have their homes on NFS, for which the machine needs its own kernel
}

const resolverRole = `role: mysql
identity: {domain: acme.private}
resolver: {nameservers: [` + nameFirst + `, ` + nameSecond + `], search: [acme.private]}
`

// loginRole is a role with a resolver and a directory that is asked by ldap or
// ldaps, by this client.
func loginRole(scheme, client string) []guest.File {
	return []guest.File{{Path: "/etc/reveille/roles.d/mysql.yaml", Data: []byte(resolverRole + `directory:
  client: ` + client + `
  uris: [` + scheme + `://ldap1.acme.private, ` + scheme + `://ldap2.acme.private]
  base: dc=acme,dc=private
  ca_cert_file: /etc/ssl/acme.pem
  break_glass: admin
`)}}
}

// filesFirst is nsswitch.conf as people write it: local files before the
// directory, and no initgroups line.
const filesFirst = "passwd: files ldap\ngroup: files ldap\nshadow: files ldap\nhosts: files dns\n"

// bothNames is resolv.conf before anybody has set it up.
const bothNames = "search acme.private\nnameserver " + nameFirst + "\nnameserver " + nameSecond + "\n"

const nslcdAsPackaged = "uid nslcd\ngid nslcd\nuri ldap://ldap1.acme.private/\nuri ldap://ldap2.acme.private/\nbase dc=acme,dc=private\n"

var startNslcdUnit = [][]string{{"systemctl", "start", "nslcd"}}

// loginConfigs are the agent's own, and two that it is set against.
var loginConfigs = []loginConfig{
	{
		name: "agent", what: "is as the agent writes it, from a role with a resolver and a directory, `break_glass: admin`", ours: true, chosen: true, tight: true,
		client: "nslcd", files: loginRole("ldap", "auto"), run: [][]string{{"reveille", "boot"}},
	},
	{
		name: "agent-tls", what: "is the same with `ldaps://` servers", ours: true, tight: true,
		client: "nslcd", files: loginRole("ldaps", "auto"), run: [][]string{{"reveille", "boot"}},
	},
	{
		name: "agent-sssd", what: "is the same with `client: sssd`, of Debian's sssd-ldap, libnss-sss and libpam-sss, which keeps nothing of before", ours: true,
		client: "sssd", debs: []string{"sssd-ldap", "libnss-sss", "libpam-sss", "libnl-3-200", "libnl-route-3-200", "liblmdb0"}, files: loginRole("ldaps", "sssd"), run: [][]string{{"reveille", "boot"}},
	},
	{
		name: "agent-nscd", what: "is that of `agent` with `nscd: {}`", ours: true, client: "nslcd", run: [][]string{{"reveille", "boot"}},
		files: []guest.File{{Path: "/etc/reveille/roles.d/mysql.yaml", Data: append(loginRole("ldap", "auto")[0].Data, "nscd: {}\n"...)}},
	},
	{
		name: "agent-none", what: "has a role with a resolver and no directory, and no client runs", ours: true,
		files: []guest.File{{Path: "/etc/reveille/roles.d/mysql.yaml", Data: []byte(resolverRole)}}, run: [][]string{{"reveille", "boot"}},
	},
	{
		name: "agent-homes", what: homesWhat, ours: true, homes: true,
		client: "nslcd", files: homesFiles(), run: [][]string{{"sh", "-ec", serveHomes}, {"reveille", "boot"}, {"sh", "-ec", answersHomes}, {"systemctl", "start", "autofs"}, {"sh", "-ec", enterHome}},
	},
	{
		client: "nslcd", name: "packages", what: "has the packages' own defaults with `passwd`, `group` and `shadow: files ldap`",
		files: []guest.File{
			{Path: "/etc/nsswitch.conf", Data: []byte(filesFirst)},
			{Path: "/etc/nslcd.conf", Data: []byte(nslcdAsPackaged), Mode: 0o640},
		},
		run: startNslcdUnit,
	},
	{
		client: "nslcd", name: "lisa11", what: "has the quick fixes of LISA'11: `bind_timelimit 5`, `timelimit 15`, files before ldap, `attempts:1 timeout:1`, no initgroups line",
		files: []guest.File{
			{Path: "/etc/nsswitch.conf", Data: []byte(filesFirst)},
			{Path: "/etc/nslcd.conf", Data: []byte(nslcdAsPackaged + "bind_timelimit 5\ntimelimit 15\n"), Mode: 0o640},
			{Path: "/etc/resolv.conf", Data: []byte(bothNames + "options attempts:1 timeout:1\n")},
		},
		run: startNslcdUnit,
	},
}
