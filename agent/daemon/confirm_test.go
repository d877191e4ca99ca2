package daemon

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"reveille/agent"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/probe/probetest"
	"reveille/coordinator/api"
)

// The image's name server and directory, and those that the role asks for.
const (
	oldNames, newNames = "10.0.0.2", "10.0.0.53"
	oldLDAP, newLDAP   = "10.9.9.8", "10.9.9.7"
)

const oldResolv = "nameserver " + oldNames + "\n"

func resolverRole(servers string) string {
	return "role: mysql\nmatch: {security_groups: [mysql]}\nidentity: {domain: acme.private}\nresolver: {nameservers: [" + servers + "]}\n"
}

func directoryRole(uris string) string {
	return resolverRole(newNames) + "directory:\n  uris: [" + uris + "]\n  base: dc=acme,dc=private\n  break_glass: admin\n"
}

// namesOnDisk is a Debian whose resolv.conf names a server.
func namesOnDisk(t *testing.T) *hosttest.Machine {
	t.Helper()
	m := hosttest.New(t, withFile(fresh(thisID), "/etc/resolv.conf", oldResolv))
	return withUnits(m)
}

func withFile(files map[string]string, path, text string) map[string]string {
	files[path] = text
	return files
}

func oneStep(t *testing.T, r api.Report, id string) api.Step {
	t.Helper()
	for _, s := range r.Steps {
		if s.ID == id {
			return s
		}
	}
	t.Fatalf("no step %s:\n%s", id, text(r))
	return api.Step{}
}

func wantStep(t *testing.T, r api.Report, id, state string, words ...string) {
	t.Helper()
	s := oneStep(t, r, id)
	for _, w := range words {
		if !strings.Contains(s.Error, w) {
			t.Errorf("no %q in the error of %s: %s", w, id, s.Error)
		}
	}
	if s.State != state {
		t.Errorf("%s is %s, want %s: %s", id, s.State, state, s.Error)
	}
}

const resolvStep, nslcdStep = "file:/etc/resolv.conf", "file:/etc/nslcd.conf"

func TestAResolverThatWorksStays(t *testing.T) {
	m := namesOnDisk(t)
	answersNames(t, m, oldNames)
	for range 2 {
		r := gatePass(t, m, resolverRole(newNames))
		wantStep(t, r, resolvStep, "failed", "tried before it is written, and what is there stays", "10.0.0.53: connection refused", "10.0.0.2 does, which /etc/resolv.conf names now",
			"correct resolver.nameservers from role file /etc/reveille/roles.d/mysql.yaml:4, then `reveille boot`")
		if got := m.Read("/etc/resolv.conf"); got != oldResolv || r.State != api.Failed {
			t.Errorf("resolv.conf is now %q:\n%s", got, text(r))
		}
	}
	if got := m.Read("/etc/hostname"); !strings.HasPrefix(got, "dev-mysql01") {
		t.Errorf("it stopped the others: hostname %q", got)
	}
	// A new one answers.
	answersNames(t, m, newNames)
	r := gatePass(t, m, resolverRole(newNames))
	if got := m.Read("/etc/resolv.conf"); r.State != api.Ready || len(r.Notes) != 0 || !strings.Contains(got, "nameserver "+newNames) {
		t.Errorf("resolv.conf is %q:\n%s", got, text(r))
	}
}

// Where nothing answers either way, what was asked for is written.
func TestADeadResolverIsReplaced(t *testing.T) {
	m := namesOnDisk(t)
	r := gatePass(t, m, resolverRole(newNames))
	wantStep(t, r, resolvStep, "changed")
	if notes := strings.Join(r.Notes, "\n"); r.State != api.Ready || !strings.Contains(notes, "no new one of the name servers answers (10.0.0.53: connection refused), nor one of those that /etc/resolv.conf named before") {
		t.Errorf("%s", text(r))
	}
}

// Nobody is asked where the file on disk names no other server, where nothing
// may be changed, and on a machine that does not run.
func TestNobodyIsAskedForNothing(t *testing.T) {
	m := namesOnDisk(t)
	asked := answersNames(t, m, oldNames)
	if r := gatePass(t, m, resolverRole(newNames+", "+oldNames)); r.State != api.Ready || asked.Load() != 0 {
		t.Errorf("one more server: asked %d times\n%s", asked.Load(), text(r))
	}
	// The new one waits for the old one to be asked: it may well be quicker.
	old := make(chan struct{})
	answersNamesAfter(t, m, newNames, old)
	probetest.NameServer(t, m, oldNames, func(q dnsmessage.Message) [][]byte {
		select {
		case <-old:
		default:
			close(old)
		}
		return nil
	})
	r := gatePass(t, m, resolverRole(newNames))
	select {
	case <-old:
	default:
		t.Errorf("one less: the one that goes was not asked\n%s", text(r))
	}
	asked = answersNames(t, m, oldNames)
	if r := gatePass(t, m, resolverRole(newNames+", 10.0.0.99")); r.State != api.Ready || asked.Load() != 0 {
		t.Errorf("one more: asked %d times\n%s", asked.Load(), text(r))
	}

	other := namesOnDisk(t)
	asked = answersNames(t, other, oldNames)
	other.Put("/etc/reveille/roles.d/mysql.yaml", resolverRole(newNames), 0o644)
	c := config(t, other.Host(), crawl(thisID))
	c.RoleDirs = nil
	other.Put(facts.PausePath, `{"reason": "mail", "until": "", "instance": ""}`, 0o644)
	out, err := Pass{Config: c, Kind: Boot}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantStep(t, out.Report, resolvStep, "drifted")
	if said := oneStep(t, out.Report, resolvStep).Changes[0]; !strings.HasSuffix(said, ", if 10.0.0.53 answers or 10.0.0.2 does not") || asked.Load() != 0 {
		t.Errorf("a paused machine says %q, and asked %d times", said, asked.Load())
	}
	if err := os.Remove(filepath.Join(other.Root, facts.PausePath)); err != nil {
		t.Fatal(err)
	}
	// A timer's pass would not write it, so it does not ask.
	out, err = Pass{Config: c, Kind: Timer}.Run(t.Context())
	if err != nil || asked.Load() != 0 {
		t.Errorf("a timer asked %d times: %v", asked.Load(), err)
	}
	wantStep(t, out.Report, resolvStep, "drifted")
	c.Host = other.Offline()
	if out, err = (Pass{Config: c, Kind: Boot}).Run(t.Context()); err != nil || asked.Load() != 0 || other.Read("/etc/resolv.conf") == oldResolv || strings.Contains(strings.Join(out.Report.Notes, "\n"), "answers") {
		t.Errorf("in a folder: asked %d times, %v\n%s", asked.Load(), err, text(out.Report))
	}
}

func TestADirectoryThatWorksStays(t *testing.T) {
	m := namesOnDisk(t)
	old := "uri ldap://" + oldLDAP + "\nbase dc=old\ntimelimit 5\nbind_timelimit 2\nreconnect_retrytime 1\n"
	m.Put("/etc/nslcd.conf", old, 0o640)
	answersNames(t, m, oldNames)
	answersNames(t, m, newNames)
	answersLDAP(t, m, oldLDAP)
	r := gatePass(t, m, directoryRole("ldap://"+newLDAP))
	wantStep(t, r, nslcdStep, "failed", "no new one of the directory's servers answers (ldap://10.9.9.7:389: connection refused), while ldap://10.9.9.8:389 does, which /etc/nslcd.conf names now",
		"correct directory.uris from role file /etc/reveille/roles.d/mysql.yaml:6")
	wantStep(t, r, resolvStep, "changed")
	wantStep(t, r, "file:/etc/nsswitch.conf", "blocked")
	wantStep(t, r, "unit:nslcd.service", "blocked")
	if got := m.Read("/etc/nslcd.conf"); got != old {
		t.Errorf("nslcd.conf is now %q", got)
	}
	for _, j := range m.Jobs() {
		if strings.Contains(j, "nslcd") {
			t.Errorf("it did %s", j)
		}
	}
	asked := answersLDAP(t, m, newLDAP)
	if r = gatePass(t, m, directoryRole("ldap://"+newLDAP)); r.State != api.Ready || asked.Load() != 1 || len(r.Notes) != 0 {
		t.Errorf("it answers, asked %d times:\n%s", asked.Load(), text(r))
	}
}

// A directory's name is found by the name servers that will be in force: the
// new ones, and where those are refused, the old.
func TestADirectoryIsFoundByTheServersToCome(t *testing.T) {
	for name, tt := range map[string]struct {
		answers string // which name server does
		resolv  string
	}{
		"the new":                        {newNames, "changed"},
		"the old, as the new are silent": {oldNames, "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			m := namesOnDisk(t)
			m.Put("/etc/resolv.conf", oldResolv+"options timeout:1 attempts:1\n", 0o644)
			m.Put("/etc/nslcd.conf", "uri ldap://"+oldLDAP+"\nbase dc=old\n", 0o640)
			answersNames(t, m, tt.answers)
			answersLDAP(t, m, oldLDAP)
			asked := answersLDAP(t, m, newLDAP)
			r := gatePass(t, m, directoryRole("ldap://ldap.acme.private"))
			wantStep(t, r, resolvStep, tt.resolv)
			wantStep(t, r, nslcdStep, "changed")
			if asked.Load() != 1 {
				t.Errorf("asked %d times", asked.Load())
			}
		})
	}
}

// The gate judges what will be there: beside an old resolver that stays, the
// new files may take longer than beside the new one.
func TestTheGateKnowsWhatStays(t *testing.T) {
	m := loginMachine(t, nil)
	m.Put("/etc/resolv.conf", oldResolv+"nameserver 10.0.0.3\noptions timeout:30 attempts:5\n", 0o644)
	answersNames(t, m, oldNames)
	answersLDAP(t, m, newLDAP)
	before := nameFiles(m)
	r := gatePass(t, m, directoryRole("ldap://ldap.acme.private"))
	wantStep(t, r, resolvStep, "failed", "tried before it is written")
	wantStep(t, r, nslcdStep, "failed", "refused, and what is there stays: the login of admin (break_glass), servers all_down")
	after := nameFiles(m)
	for path, is := range before {
		if after[path] != is {
			t.Errorf("%s was written", path)
		}
	}
	answersNames(t, m, newNames)
	if r = gatePass(t, m, directoryRole("ldap://ldap.acme.private")); r.State != api.Ready {
		t.Errorf("with the new resolver:\n%s", text(r))
	}
}

// A password is changed together with the file that says whose it is.
func TestASecretStaysWithItsFile(t *testing.T) {
	files := fresh(thisID)
	delete(files, "/usr/sbin/nslcd")
	files["/etc/resolv.conf"] = oldResolv
	files["/lib/x86_64-linux-gnu/libnss_ldap.so.2"] = ""
	files["/usr/lib/libnss_ldap.so.2"] = ""
	files["/etc/libnss-ldap.conf"] = "uri ldap://" + oldLDAP + "\nbind_policy soft\ntimelimit 1\nbind_timelimit 1\n"
	files["/etc/libnss-ldap.secret"] = "old\n"
	files["/etc/reveille/ldap.password"] = "hunter2\n"
	m := withUnits(hosttest.New(t, files))
	answersNames(t, m, newNames)
	answersLDAP(t, m, oldLDAP)
	if !facts.ReadMachine(m.Host()).Has.NSSLDAP {
		t.Fatal("PADL's module is not seen")
	}
	role := directoryRole("ldap://"+newLDAP) + "  client: nss_ldap\n  bind_dn: cn=x,dc=acme\n  password_file: /etc/reveille/ldap.password\n"
	r := gatePass(t, m, role)
	wantStep(t, r, "file:/etc/libnss-ldap.secret", "failed", "tried before it is written")
	if got := m.Read("/etc/libnss-ldap.secret"); got != "old\n" || strings.Contains(text(r), "hunter2") {
		t.Errorf("the password is now %q:\n%s", got, text(r))
	}
}

// An image's resolver that is put back is tried as well.
func TestAnImagesResolverIsTried(t *testing.T) {
	m := namesOnDisk(t)
	answersNames(t, m, newNames)
	if r := gatePass(t, m, resolverRole(newNames)); r.State != api.Ready {
		t.Fatalf("%s", text(r))
	}
	ours := m.Read("/etc/resolv.conf")
	none := "role: mysql\nmatch: {security_groups: [mysql]}\n"
	r := gatePass(t, m, none)
	wantStep(t, r, "original:/etc/resolv.conf", "failed", "10.0.0.53 does, which /etc/resolv.conf names now", "ask for others in the profile")
	if got := m.Read("/etc/resolv.conf"); got != ours {
		t.Errorf("resolv.conf is now %q", got)
	}
	if _, err := Restore(t.Context(), agent.Config{Host: m.Host()}, false, nil); err != nil || m.Read("/etc/resolv.conf") != oldResolv {
		t.Errorf("a person may have it back: %v", err)
	}
}

// A pass that is cut short in a trial has written nothing, and waits for nobody.
func TestATrialEndsWithItsPass(t *testing.T) {
	m := namesOnDisk(t)
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	m.Forward(newNames+":53", pc.LocalAddr().String())
	m.Forward(oldNames+":53", pc.LocalAddr().String())
	m.Put("/etc/reveille/roles.d/mysql.yaml", resolverRole(newNames), 0o644)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _, _ = pc.ReadFrom(make([]byte, 512))
		cancel()
	}()
	c := config(t, m.Host(), crawl(thisID))
	c.RoleDirs = nil
	out, err := Pass{Config: c, Kind: Boot}.Run(ctx)
	if err != nil || out.Done || m.Read("/etc/resolv.conf") != oldResolv || len(out.Report.Notes) != 0 {
		t.Errorf("done %v, %v\n%s", out.Done, err, text(out.Report))
	}
	wantStep(t, out.Report, resolvStep, "failed", "canceled")
	answersNames(t, m, newNames)
	if r := gatePass(t, m, resolverRole(newNames)); r.State != api.Ready {
		t.Errorf("the next one:\n%s", text(r))
	}
}

// What a package leaves in its file, a server on this machine that is not there,
// is nothing to lose: nobody is asked before the fleet's servers are written. One
// that is there counts.
func TestWhatPackagesLeaveIsNothingToLose(t *testing.T) {
	for _, here := range []bool{false, true} {
		m := namesOnDisk(t)
		answersNames(t, m, oldNames)
		answersNames(t, m, newNames)
		m.Put("/etc/nslcd.conf", "uri ldap://127.0.0.1/\nbase dc=old\ntimelimit 5\nbind_timelimit 2\n", 0o640)
		if here {
			answersLDAP(t, m, "127.0.0.1")
		}
		r := gatePass(t, m, directoryRole("ldap://"+newLDAP))
		state, said := "changed", false
		if here {
			state = "failed"
		}
		wantStep(t, r, nslcdStep, state)
		for _, n := range r.Notes {
			said = said || strings.Contains(n, "directory's servers answers")
		}
		if said {
			t.Errorf("with one here %v:\n%s", here, text(r))
		}
	}
}
