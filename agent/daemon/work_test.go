package daemon

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
	"reveille/coordinator/api"
)

// worker is a machine with a role that has work to do, and the server that its
// service would be.
func worker(t *testing.T, id string) *hosttest.Machine {
	t.Helper()
	m := machine(t, id)
	m.Put("/usr/local/sbin/prepare", "", 0o755)
	m.Put("/usr/local/bin/check", "", 0o755)
	m.Command([]string{"/usr/local/bin/check"}, host.Output{}, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	m.SetUnit("mysql.service", "inactive")
	m.OnJob(func(verb, name string) {
		m.SetUnit(name, "active")
		if name == "mysql.service" {
			m.Forward("127.0.0.1:3306", l.Addr().String())
		}
	})
	return m
}

func workPass(t *testing.T, h *host.Host, f facts.Facts, kind Kind) api.Report {
	t.Helper()
	c := config(t, h, f)
	c.RoleDirs = []string{"testdata/work"}
	out, err := Pass{Config: c, Kind: kind}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return out.Report
}

// done is what a pass has run and started, in its order.
func done(m *hosttest.Machine) []string {
	var all []string
	for _, e := range m.Effects() {
		if strings.HasPrefix(e, "run:") || strings.HasPrefix(e, "unit:launch") || strings.HasPrefix(e, "unit:") && strings.Contains(e, "mysql") {
			all = append(all, e)
		}
	}
	return all
}

func did(t *testing.T, m *hosttest.Machine, r api.Report, state api.State, want ...string) {
	t.Helper()
	if got := done(m); r.State != state || !slices.Equal(got, want) {
		t.Errorf("%s after %v, want %s after %v:\n%s", r.State, got, state, want, text(r))
	}
	m.Forget()
}

const (
	itsTask    = "reveille-script-usr-local-sbin-prepare.service"
	ranScript  = "unit:launch " + itsTask
	startedIt  = "unit:start mysql.service"
	ranTheTest = "run:/usr/local/bin/check"
)

// The machine is prepared once in its life, its service is started once a
// boot, and whether it is ready is asked by every pass.
func TestTheRolesWorkIsDone(t *testing.T) {
	m := worker(t, thisID)
	did(t, m, workPass(t, m.Host(), crawl(thisID), Boot), api.Ready, ranScript, startedIt, ranTheTest)
	did(t, m, workPass(t, m.Host(), crawl(thisID), Timer), api.Ready, ranTheTest)

	m.SetUnit("mysql.service", "inactive") // a person stops it
	did(t, m, workPass(t, m.Host(), crawl(thisID), Hup), api.Failed)

	if err := m.Host().RemoveAll("/run/reveille"); err != nil { // the next boot
		t.Fatal(err)
	}
	m.Forget()
	did(t, m, workPass(t, m.Host(), crawl(thisID), Boot), api.Ready, startedIt, ranTheTest)
}

// A file that cannot be written keeps a machine from being prepared, and not
// one that was prepared before from doing its work.
func TestABrokenFileKeepsNoServiceDown(t *testing.T) {
	m := worker(t, thisID)
	inTheWay := func() {
		if err := m.Host().Remove("/etc/resolv.conf"); err != nil {
			t.Fatal(err)
		}
		m.Put("/etc/resolv.conf/", "", 0)
		m.Forget()
	}
	inTheWay()
	did(t, m, workPass(t, m.Host(), crawl(thisID), Boot), api.Failed)
	m.Put("/etc/resolv.conf", "nameserver 10.0.0.2\n", 0o644)
	did(t, m, workPass(t, m.Host(), crawl(thisID), Hup), api.Ready, ranScript, startedIt, ranTheTest)
	m.SetUnit("mysql.service", "inactive")
	if err := m.Host().RemoveAll("/run/reveille"); err != nil { // the next boot
		t.Fatal(err)
	}
	inTheWay()
	did(t, m, workPass(t, m.Host(), crawl(thisID), Boot), api.Failed, startedIt, ranTheTest)
}

// A pass whose time is over leaves the script running. A timer's pass notes its
// end, and may do no more; whatever may more goes on from there.
func TestAPassThatIsShorterThanItsScript(t *testing.T) {
	m := worker(t, thisID)
	m.OnLaunch(func(host.Task) host.TaskState { return host.TaskState{State: "activating"} })
	ctx, cancel := context.WithCancel(t.Context())
	c := config(t, m.Host(), crawl(thisID))
	c.RoleDirs = []string{"testdata/work"}
	units := endsOn{m.Host().Units(), cancel}
	var err error
	if c.Host, err = host.New(host.Options{Root: m.Root, Commands: m, Units: units, Names: names{m.Host()}}); err != nil {
		t.Fatal(err)
	}
	out, err := Pass{Config: c, Kind: Boot}.Run(ctx)
	if err != nil || out.Done || bootedNow(m.Host()) {
		t.Errorf("done %v, %v: it will not be made again", out.Done, err)
	}
	did(t, m, out.Report, api.Failed, ranScript)

	m.SetTask(itsTask, host.TaskState{State: "active"})
	did(t, m, workPass(t, m.Host(), crawl(thisID), Timer), api.Failed)
	m.SetTask(itsTask, host.TaskState{}) // the note is what counts
	did(t, m, workPass(t, m.Host(), crawl(thisID), Boot), api.Ready, startedIt, ranTheTest)
}

// endsOn is a systemd that takes a launch, and then the pass is over.
type endsOn struct {
	host.Units
	cancel func()
}

func (e endsOn) Launch(ctx context.Context, task host.Task) error {
	defer e.cancel()
	return e.Units.Launch(ctx, task)
}

// A timer's pass starts no service: nobody is watching.
func TestATimerStartsNothing(t *testing.T) {
	m := worker(t, thisID)
	did(t, m, workPass(t, m.Host(), crawl(thisID), Timer), api.Failed)
}

// The brake holds programs, too: those that only look as well.
func TestABrakedPassRunsNothing(t *testing.T) {
	m := worker(t, thisID)
	m.Put(facts.DisabledPath, "", 0o644)
	m.SetUnit("mysql.service", "active")
	r := workPass(t, m.Host(), crawl(thisID), Boot)
	did(t, m, r, api.Failed)
	if i := slices.IndexFunc(r.Steps, func(s api.Step) bool { return s.ID == "script:/usr/local/sbin/prepare" }); i < 0 || r.Steps[i].State != "drifted" {
		t.Errorf("it does not say what it would run:\n%s", text(r))
	}
}

// A machine that lies in a folder has no work to do.
func TestAFolderDoesNoWork(t *testing.T) {
	m := worker(t, thisID)
	did(t, m, workPass(t, m.Offline(), crawl(thisID), Boot), api.Ready)
}

// What was baked into an image has prepared the other instance, not this one.
func TestACloneIsPreparedAnew(t *testing.T) {
	m := worker(t, thisID)
	did(t, m, workPass(t, m.Host(), crawl(thisID), Boot), api.Ready, ranScript, startedIt, ranTheTest)
	m.Put("/sys/class/dmi/id/board_asset_tag", otherID+"\n", 0o444)
	m.SetTask(itsTask, host.TaskState{}) // a boot lies between
	m.Forget()
	did(t, m, workPass(t, m.Host(), crawl(otherID), Hup), api.Ready, ranScript, ranTheTest)
}

// A service that systemd starts by itself comes before its machine is ready
// for it: the report says so.
func TestAnEnabledServiceIsNoted(t *testing.T) {
	m := worker(t, thisID)
	m.Put("/etc/systemd/system/multi-user.target.wants/mysql.service", "-> /lib/systemd/system/mysql.service", 0)
	m.SetUnit("mysql.service", "inactive")
	r := workPass(t, m.Host(), crawl(thisID), Boot)
	if !strings.Contains(strings.Join(r.Notes, "\n"), "systemctl disable mysql.service") {
		t.Errorf("no note:\n%s", text(r))
	}
}
