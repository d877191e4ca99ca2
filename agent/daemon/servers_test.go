package daemon

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/probe/probetest"
	"reveille/coordinator/api"
)

// serversPass is a pass that asks whether the servers answer, and its steps of that.
func serversPass(t *testing.T, m *hosttest.Machine, role string) (api.Report, map[string]api.Step) {
	t.Helper()
	m.Put("/etc/reveille/roles.d/mysql.yaml", role, 0o644)
	c := config(t, m.Host(), crawl(thisID))
	c.RoleDirs, c.Servers = nil, true
	out, err := Pass{Config: c, Kind: Boot}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]api.Step{}
	for _, s := range out.Report.Steps {
		if s.Concern == "servers" {
			asked[s.ID] = s
		}
	}
	return out.Report, asked
}

// Dead servers degrade a machine, and fail nothing: each list of them is named,
// with what came of each. Then they answer, and it is ready.
func TestDeadServersDegrade(t *testing.T) {
	m := machine(t, thisID)
	role := withLimits("")
	r, asked := serversPass(t, m, role)
	names, users := asked["servers:/etc/resolv.conf"], asked["servers:/etc/nslcd.conf"]
	if r.State != api.Degraded || names.State != "failed" || names.Required || users.State != "failed" {
		t.Fatalf("%s", text(r))
	}
	for _, want := range []string{"none of the name servers in /etc/resolv.conf answers: 10.0.0.2: ", "or name others in resolver.nameservers from role file /etc/reveille/roles.d/mysql.yaml:4"} {
		if !strings.Contains(names.Error, want) {
			t.Errorf("no %q in: %s", want, names.Error)
		}
	}
	if !strings.Contains(users.Error, "none of the directory's servers in /etc/nslcd.conf answers: ldap://10.9.9.7:389: ") {
		t.Error(users.Error)
	}
	// All else is as it would be without them, and before them.
	for _, s := range r.Steps {
		if s.Concern != "servers" && s.State != "changed" && s.State != "ok" {
			t.Errorf("%s is %s: %s", s.ID, s.State, s.Error)
		}
	}
	if slices.Contains(early, "servers") {
		t.Error("READY waits for servers")
	}

	answersNames(t, m, "10.0.0.2")
	answersLDAP(t, m, "10.9.9.7")
	m.Forget()
	if r, _ := serversPass(t, m, role); r.State != api.Ready || m.Writes() > 2 { // lock and report, in /run
		t.Errorf("they answer: %d writes %v\n%s", m.Writes(), m.Effects(), text(r))
	}
}

// The homes' file server is asked as well, by a name that the machine's name
// servers know, and not tried: a dead one has its map written all the same.
func TestADeadFileServerDegrades(t *testing.T) {
	const role = "role: mysql\nmatch: {security_groups: [mysql]}\nresolver: {nameservers: [10.0.0.2]}\n"
	const homes = "autofs: {path: /nfs/home, server: nas.acme.private, export: /export/home}\n"
	m := machine(t, thisID)
	m.Put("/proc/self/mountinfo", "20 1 259:1 / / rw - ext4 /dev/root rw\n", 0o444)
	m.Put("/etc/auto.master", "+dir:/etc/auto.master.d\n", 0o644)
	m.Put("/etc/auto.reveille-home", "* -fstype=nfs 10.0.0.8:/export/home/&\n", 0o644)
	probetest.NameServer(t, m, "10.0.0.2", func(q dnsmessage.Message) [][]byte {
		return [][]byte{probetest.Reply(q, dnsmessage.RCodeSuccess, "10.0.0.9")}
	})
	probetest.Directory(t, m, "10.0.0.8:2049", probetest.Replies(1, 0, 0, 0, 0))
	r, asked := serversPass(t, m, role+homes)
	s := asked["servers:/etc/auto.reveille-home"]
	if r.State != api.Degraded || s.State != "failed" || s.Required || asked["servers:/etc/resolv.conf"].State != "ok" {
		t.Fatalf("%s", text(r))
	}
	const want = "none of the homes' file servers in /etc/auto.reveille-home answers: nas.acme.private:2049: connection refused; see that one does, or name others in autofs.server from role file /etc/reveille/roles.d/mysql.yaml:4"
	if s.Error != want {
		t.Errorf("%s\nwant %s", s.Error, want)
	}
	if got := m.Read("/etc/auto.reveille-home"); !strings.Contains(got, "nas.acme.private:/export/home/&") {
		t.Errorf("the map: %s", got)
	}

	probetest.Directory(t, m, "10.0.0.9:2049", probetest.Replies(1, 0, 0, 0, 0))
	if r, asked := serversPass(t, m, role+homes); r.State != api.Ready || asked["servers:/etc/auto.reveille-home"].State != "ok" {
		t.Errorf("it answers: %s", text(r))
	}
	if _, asked := serversPass(t, m, role); len(asked) != 1 {
		t.Errorf("no homes any more: %v", asked)
	}
}

// What is on disk is asked, where what should be there was refused.
func TestTheServersInForceAreAsked(t *testing.T) {
	m := loginMachine(t, map[string]string{"/etc/nslcd.conf": "uri ldap://10.9.9.9\nbase dc=acme\nbind_timelimit 1\ntimelimit 1\n"})
	answersLDAP(t, m, "10.9.9.9")
	r, asked := serversPass(t, m, withLimits(longest))
	if s := asked["servers:/etc/nslcd.conf"]; r.State != api.Failed || s.State != "ok" {
		t.Errorf("%+v\n%s", s, text(r))
	}
}

// A role that configures no server asks none.
func TestNoServersAreAskedForNothing(t *testing.T) {
	if r, asked := serversPass(t, machine(t, thisID), "role: mysql\nmatch: {security_groups: [mysql]}\n"); len(asked) > 0 || r.State != api.Ready {
		t.Errorf("%s", text(r))
	}
}
