package integration_test

import (
	"errors"

	"reveille/integration/guest"
	"reveille/roles/logins"
)

// fileServer is the NFS server: the machine's own kernel, at an address of its
// loopback interface. It is the one thing of the lab that the fabric cannot
// have, since this computer's kernel has no NFS.
const fileServer = "10.0.0.9"

const homesWhat = "is that of `agent` with homes on NFS: `autofs: {path: /nfs/home, server: " + fileServer + ", export: /srv/homes, options: [nosuid, nodev, nobind]}`. " +
	"It is a virtual one, for a kernel with NFS, which is its own server, and its processor is emulated: a login takes one to two seconds there before it waits for anybody. " +
	"The rows of `none` show that, and are held to no bound; the others are held to theirs without it. The directory's user is dora, whose home lies there. Where NFS alone is dropped, `computed` is the login and the budget's waits for the home. " +
	"A home that was mounted when its server went is worked out as that: the client of NFS 4 waits for the server's lease, 90 s, before it gives up the first file, and sshd hangs up on dora at its LoginGraceTime; nobody else waits"

// homesFiles are a role with homes, and the rules that cut the machine off from
// their server. Without nobind autofs would not ask a server of its own machine.
func homesFiles() []guest.File {
	role := loginRole("ldap", "auto")[0]
	role.Data = append(role.Data, "autofs: {path: /nfs/home, server: "+fileServer+", export: /srv/homes, options: [nosuid, nodev, nobind]}\n"...)
	return []guest.File{role,
		{Path: "/etc/exports", Data: []byte("/srv/homes *(rw,no_subtree_check)\n")},
		{Path: "/root/drop", Data: []byte("table inet homes {\nchain in {\ntype filter hook input priority 0\nip daddr " + fileServer + " drop\n}\n}\n")},
	}
}

// serveHomes starts the server. The client's modules are loaded now, which takes
// an emulated processor as long as autofs waits for a mount.
const serveHomes = `modprobe nfsv4
ip addr add ` + fileServer + `/32 dev lo
mkdir -p /srv/homes/dora/.ssh
cp /usr/lib/guest/key.pub /srv/homes/dora/.ssh/authorized_keys
chown -R 5003:5000 /srv/homes/dora
systemctl start nfs-server`

// leaveHomes has nobody's home mounted any more, and autofs know of none that
// could not be.
const leaveHomes = `set -e
systemctl stop autofs
! grep ' /nfs/home/dora ' /proc/self/mounts || umount /nfs/home/dora
systemctl start autofs
grep ' /nfs/home autofs ' /proc/self/mounts
! grep ' /nfs/home/dora ' /proc/self/mounts`

// enterHome has her home mounted, as a mount of NFS.
const enterHome = "ls /nfs/home/dora && grep ' /nfs/home/dora nfs4 ' /proc/self/mounts"

// answersHomes is that the pass has taken the kernel's own server for one that
// answers.
const answersHomes = `jq -e '.steps[] | select(.id == "servers:/etc/auto.reveille-home") | .state == "ok"' /run/reveille/report.json`

// homesFaults are what befalls the machine with homes.
var homesFaults = []loginFault{
	{name: "none", servers: logins.AllUp, set: func(*loginLab) error { return nil }},
	{name: "NFS dropped", servers: logins.AllSlow, homes: true, set: (*loginLab).dropHomes},
	{name: "NFS dropped, with the home mounted", servers: logins.AllSlow, homes: true, mounted: true, set: (*loginLab).dropHomes},
	{name: "DNS, LDAP and NFS dropped", servers: logins.AllDown, dropped: true, set: func(l *loginLab) error {
		return errors.Join(l.dropHomes(), l.drop(nameFirst, nameSecond, ldapFirst, ldapSecond))
	}},
}

func (l *loginLab) dropHomes() error {
	_, err := l.try("nft", "-f", "/root/drop")
	return err
}

// mendHomes lets the machine reach its file server again.
func (l *loginLab) mendHomes() error {
	_, err := l.try("sh", "-c", "! nft list table inet homes || nft delete table inet homes")
	return err
}

// faults are those that are set on this machine.
func (c loginConfig) faults() []loginFault {
	if c.homes {
		return homesFaults
	}
	return loginFaults
}

// people are whose logins are measured on this machine.
func (c loginConfig) people() []loginUser {
	var out []loginUser
	for _, u := range loginUsers {
		switch {
		case u.who == logins.DirectoryUser && c.client == "":
			continue
		case u.who == logins.DirectoryUser && c.homes:
			u.name = "dora"
		}
		out = append(out, u)
	}
	return out
}

// computed is the case of the budget that a login is held to. Where the file
// server alone fails it is the budget's waits for the home, and no others.
func (f loginFault) computed(b logins.Budget, who logins.Who) logins.Case {
	c := b.Case(who, f.servers)
	if !f.homes {
		return c
	}
	var own []logins.Term
	c.Total = logins.Bound{}
	for _, t := range c.Terms {
		if t.Of == logins.OfLogin || t.Of == logins.OfHome {
			own = append(own, t)
			c.Total = c.Total.Plus(t.Takes)
		}
	}
	c.Terms = own
	return c
}

// kind is what the machine is made of.
func (c loginConfig) kind() guest.Kind {
	if c.homes {
		return guest.VM
	}
	return guest.Container
}
