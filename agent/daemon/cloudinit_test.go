package daemon

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
	"reveille/coordinator/api"
)

const (
	cloudComing  = `{"v1": {"init": {"errors": [], "finished": null, "start": null}, "stage": null}}`
	cloudRunning = `{"v1": {"init": {"errors": [], "finished": null, "start": 1795573024.7}, "stage": "init"}}`
	cloudEnded   = `{"v1": {"init": {"errors": [], "finished": 1795573025.9, "start": 1795573024.7}, "stage": null}}`
)

// asking tells each time systemd is asked for cloud-init's stage.
type asking struct {
	host.Units
	asked chan struct{}
	state func() string
}

func (a asking) State(ctx context.Context, name string) (string, error) {
	if name != "cloud-init.service" {
		return a.Units.State(ctx, name)
	}
	s := a.state()
	select {
	case a.asked <- struct{}{}:
	default:
	}
	return s, nil
}

// cloudy is a machine on its first boot, with cloud-init's network stage in
// this state.
func cloudy(t *testing.T, m *hosttest.Machine, state func() string) (*host.Host, chan struct{}) {
	t.Helper()
	m.Put("/run/cloud-init/enabled", "", 0o644)
	m.Put("/run/cloud-init/status.json", "-> ../../var/lib/cloud/data/status.json", 0o777)
	m.Put("/var/lib/cloud/data/status.json", cloudRunning, 0o644)
	plain := m.Host()
	asked := make(chan struct{}, 8)
	h, err := host.New(host.Options{Root: m.Root, Commands: m, Units: asking{plain.Units(), asked, state}, Names: names{plain}})
	if err != nil {
		t.Fatal(err)
	}
	return h, asked
}

// names is a host's name door, for a second host of the same machine.
type names struct{ h *host.Host }

func (n names) Hostname() (string, error)     { return n.h.Hostname() }
func (n names) SetHostname(name string) error { return n.h.SetHostname(name) }

func activating() string { return "activating" }

func phases(r api.Report) string {
	var all []string
	for _, p := range r.Phases {
		all = append(all, p.Name)
	}
	return strings.Join(all, " ")
}

// What cloud-init writes on the first boot is there before we read, and stays.
func TestAFirstBootWaitsForCloudInit(t *testing.T) {
	m := machine(t, thisID)
	h, asked := cloudy(t, m, activating)
	before := m.Tree("/run")
	done := make(chan Outcome, 1)
	go func() { done <- boot(t, h, crawl(thisID)) }()
	<-asked
	for path, was := range before {
		if now := m.Tree("/run")[path]; now != was {
			t.Errorf("%s was changed before cloud-init had ended: %s", path, now)
		}
	}
	m.Put("/etc/hosts", "127.0.0.1 localhost\n10.0.0.9 cloud-init-wrote-this\n", 0o644)
	m.Put("/etc/resolv.conf", "# cloud-init's\n", 0o644)
	m.Put("/var/lib/cloud/data/status.json", cloudEnded, 0o644)
	out := <-done
	if out.Report.State != api.Ready || !strings.Contains(phases(out.Report), "facts cloud-init profile") {
		t.Errorf("phases %s\n%s", phases(out.Report), text(out.Report))
	}
	if got := m.Read("/etc/hosts"); !strings.Contains(got, "cloud-init-wrote-this") || !strings.Contains(got, "dev-mysql01") {
		t.Errorf("hosts:\n%s", got)
	}
	if got := out.Wanted.Facts.Machine.Resolv; got.Link != "" || !strings.Contains(got.Comment, "cloud-init") {
		t.Errorf("the plan was made from %+v", got)
	}
}

// A stage that has crashed never says that it has ended.
func TestACrashOfCloudInitEndsTheWait(t *testing.T) {
	m := machine(t, thisID)
	m.Put("/run/systemd/units/invocation:cloud-init.service", "-> 1234", 0o777)
	crashed := make(chan struct{})
	h, asked := cloudy(t, m, func() string {
		select {
		case <-crashed:
			return "failed"
		default:
			return "activating"
		}
	})
	done := make(chan Outcome, 1)
	go func() { done <- boot(t, h, crawl(thisID)) }()
	<-asked
	close(crashed)
	if err := m.Offline().Remove("/run/systemd/units/invocation:cloud-init.service"); err != nil {
		t.Fatal(err)
	}
	if out := <-done; out.Report.State != api.Ready || !strings.Contains(phases(out.Report), "cloud-init") {
		t.Errorf("phases %s\n%s", phases(out.Report), text(out.Report))
	}
}

// Nobody waits for what will not come: a later boot, a stage that is over, one
// that has started this very pass.
func TestNobodyWaitsForCloudInitWithoutNeed(t *testing.T) {
	for name, put := range map[string]func(*hosttest.Machine){
		"a later boot": func(m *hosttest.Machine) { m.Put("/var/lib/cloud/instances/"+thisID+"/sem/config_runcmd", "", 0o644) },
		"from runcmd":  func(m *hosttest.Machine) { m.Put("/var/lib/cloud/data/status.json", cloudEnded, 0o644) },
		"from bootcmd": func(m *hosttest.Machine) {
			m.Put("/proc/self/cgroup", "0::/system.slice/cloud-init.service\n", 0o444)
		},
		"switched off": func(m *hosttest.Machine) {
			m.Put("/run/cloud-init/disabled", "", 0o644)
			if err := m.Offline().Remove("/run/cloud-init/enabled"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := machine(t, thisID)
			h, _ := cloudy(t, m, activating)
			put(m)
			if out := boot(t, h, crawl(thisID)); out.Report.State != api.Ready || strings.Contains(phases(out.Report), "cloud-init") {
				t.Errorf("phases %s\n%s", phases(out.Report), text(out.Report))
			}
		})
	}
}

// A stage that hangs is waited for no longer than the bound, and told.
func TestTheWaitForCloudInitIsBounded(t *testing.T) {
	m := machine(t, thisID)
	h, _ := cloudy(t, m, activating)
	waited, err := settled(t.Context(), h, thisID, time.Now().Add(-cloudInitWithin))
	if !waited || err == nil || !strings.Contains(err.Error(), "cloud-init status --long") {
		t.Errorf("waited %v: %v", waited, err)
	}
}

// The image's own files are back before cloud-init begins: it reads there
// whether it may name the host.
func TestACloneIsTheImageBeforeCloudInitBegins(t *testing.T) {
	m := machine(t, thisID)
	boot(t, m.Host(), crawl(thisID))
	m.Put("/sys/class/dmi/id/board_asset_tag", otherID+"\n", 0o444)
	h, asked := cloudy(t, m, activating)
	m.Put("/var/lib/cloud/data/status.json", cloudComing, 0o644)
	done := make(chan Outcome, 1)
	go func() { done <- boot(t, h, crawl(otherID)) }()
	<-asked
	for path, text := range m.Tree("/var/lib/reveille") {
		if strings.Contains(text, "dev-mysql01") && strings.HasPrefix(path, "/etc/") {
			t.Errorf("cloud-init finds in %s what was written for another instance: %s", path, text)
		}
	}
	m.Put("/var/lib/cloud/data/status.json", cloudEnded, 0o644)
	if out := <-done; out.Report.State != api.Ready || !strings.Contains(phases(out.Report), "facts cloud-init") {
		t.Errorf("phases %s, report:\n%s", phases(out.Report), text(out.Report))
	}
}

// An image of a used machine boots while cloud-init writes as well: the
// image's files go back after it, and the name is the new instance's.
func TestACloneWaitsBeforeItPutsBack(t *testing.T) {
	m := machine(t, thisID)
	boot(t, m.Host(), crawl(thisID))
	m.Put("/sys/class/dmi/id/board_asset_tag", otherID+"\n", 0o444)
	m.Put("/var/lib/cloud/instances/"+thisID+"/sem/config_runcmd", "", 0o644)
	h, asked := cloudy(t, m, activating)
	done := make(chan Outcome, 1)
	go func() { done <- boot(t, h, crawl(otherID)) }()
	<-asked
	m.Put("/etc/hosts", m.Read("/etc/hosts")+"10.0.0.9 cloud-init-wrote-this\n", 0o644)
	m.Put("/var/lib/cloud/data/status.json", cloudEnded, 0o644)
	if out := <-done; out.Report.State != api.Ready || out.Report.InstanceID != otherID || !strings.HasPrefix(phases(out.Report), "cloud-init facts") {
		t.Errorf("phases %s, report:\n%s", phases(out.Report), text(out.Report))
	}
	if got := m.Read("/etc/hosts"); !strings.Contains(got, "cloud-init-wrote-this") {
		t.Errorf("hosts:\n%s", got)
	}
}

// A pass that cloud-init starts (bootcmd) while the daemon's waits for that very
// stage would keep the stage, and with it logins, waiting for itself.
func TestAPassWithinCloudInitDoesNotWaitForOneThatWaitsForIt(t *testing.T) {
	for name, c := range map[string]struct {
		cgroup, status string
		wait           time.Duration
	}{
		"in the network stage":  {"0::/system.slice/cloud-init.service\n", cloudRunning, time.Second},
		"in the last stage":     {"0::/system.slice/cloud-final.service\n", cloudEnded, lockWait},
		"in one for all stages": {"0::/system.slice/cloud-init-main.service\n", cloudEnded, lockWait},
		"by a person meanwhile": {"0::/user.slice/session-1.scope\n", cloudRunning, lockWait},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := machine(t, thisID)
				h, _ := cloudy(t, m, activating)
				m.Put("/proc/self/cgroup", c.cgroup, 0o444)
				m.Put("/var/lib/cloud/data/status.json", c.status, 0o644)
				release, err := m.Host().Lock(t.Context(), LockPath)
				if err != nil {
					t.Fatal(err)
				}
				defer release()
				began := time.Now()
				if _, err := (Pass{Config: config(t, h, crawl(thisID)), Kind: Boot}).Run(t.Context()); err == nil {
					t.Error("two passes at once")
				}
				if took := time.Since(began); took != c.wait {
					t.Errorf("it waited %s, want %s", took, c.wait)
				}
			})
		})
	}
}
