package daemon

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/coordinator/api"
)

func TestTheDaemonBootsAndSaysSo(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.start()
		r.after(time.Second)
		if got := r.report(); got.State != api.Ready || got.Pass != "boot" {
			t.Errorf("the report:\n%s", text(got))
		}
		if !r.heard("READY=1") || !r.heard("STATUS=ready: dev-mysql01 (mysql), boot pass of") {
			t.Errorf("systemd was told %q", r.said)
		}
		if took := r.stop(); took > time.Second || !r.heard("STOPPING=1") {
			t.Errorf("the stop took %s, and systemd was told %q", took, r.said)
		}
	})
}

// What hangs, the lock here, keeps a boot waiting for no more than ten seconds,
// and the pass is made when it can be.
func TestReadyDoesNotWaitForAPassThatHangs(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		release, err := r.m.Host().Lock(t.Context(), LockPath)
		if err != nil {
			t.Fatal(err)
		}
		r.start()
		r.after(10*time.Second - time.Millisecond)
		if r.heard("READY=1") {
			t.Error("READY was told before anything was settled")
		}
		r.after(time.Millisecond)
		if !r.heard("READY=1") {
			t.Error("READY was not told after ten seconds")
		}
		r.after(time.Minute)
		release()
		r.after(2 * time.Minute)
		if got := r.report(); got.State != api.Ready || got.Pass != "boot" {
			t.Errorf("the report:\n%s", text(got))
		}
	})
}

// A service manager that is too busy to take READY is told again: it would end
// the agent for its silence.
func TestReadyIsToldUntilItArrives(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		began, heard := time.Now(), time.Duration(0)
		r.d.Notify = func(state string) error {
			if time.Since(began) < 15*time.Second {
				return syscall.EAGAIN
			}
			if state == "READY=1" {
				heard = time.Since(began)
			}
			return r.notify(state)
		}
		r.start()
		r.after(time.Minute)
		if heard == 0 || heard > 20*time.Second {
			t.Errorf("READY was heard after %s, by a manager that listens after 15s", heard)
		}
	})
}

func TestLooksAreWholePassesAndApart(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.start()
		r.after(5 * time.Second)
		for range 3 { // three questions are one
			r.hup <- syscall.SIGHUP
			r.m.ChangeAddress(eni)
			r.after(time.Second)
		}
		if got := r.passes(); got != "boot" {
			t.Errorf("within 30 s of a pass: %s", got)
		}
		r.after(30 * time.Second)
		if got := r.passes(); got != "boot hup" {
			t.Errorf("passes: %s", got)
		}
		r.after(7 * time.Minute)
		if got := r.passes(); got != "boot hup" {
			t.Errorf("nobody asked, and it looked too soon: %s", got)
		}
		r.after(6 * time.Minute)
		if got := r.passes(); got != "boot hup timer" {
			t.Errorf("after ten minutes, more or less: %s", got)
		}
	})
}

// eni is the instance's own interface.
var eni = host.Link{Name: "eth0", MAC: "02:00:00:00:00:05"}

// listed is a whole crawl, in which IMDS lists the instance's interfaces.
func listed() facts.Facts {
	f := crawl(thisID)
	f.Instance.PublicHostname = facts.Absent[string]()
	f.Instance.Interfaces = facts.Known([]facts.Interface{{MAC: eni.MAC, IPv4: []string{"10.0.0.5"}}})
	return f
}

func TestOnlyTheInstancesOwnAddressesAskForALook(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.set(listed())
		r.start()
		r.after(time.Minute)
		for i := range 500 {
			r.m.ChangeAddress(host.Link{Name: fmt.Sprintf("veth%d", i), MAC: fmt.Sprintf("06:00:00:00:%02x:%02x", i/256, i%256), Virtual: true})
		}
		r.after(2 * time.Minute)
		if got := r.passes(); got != "boot" {
			t.Errorf("500 containers made passes: %s", got)
		}
		moved := listed()
		moved.Instance.PrivateIP = facts.Known("10.0.0.7")
		r.set(moved)
		r.m.ChangeAddress(eni)
		r.after(10 * time.Second)
		got := r.report()
		if got.Pass != "address" || got.State != api.Ready {
			t.Errorf("the report:\n%s", text(got))
		}
		wantNote(t, got, "private address changed from 10.0.0.5 to 10.0.0.7")
		if hosts := stepOf(got, "file:/etc/hosts"); hosts.State != "changed" {
			t.Errorf("what holds the address was not rendered anew:\n%s", text(got))
		}
		// It is told once: the next look finds it as it is.
		r.hup <- syscall.SIGHUP
		r.after(time.Minute)
		if n := len(r.report().Notes); n != 0 {
			t.Errorf("the notes of the next pass: %v", r.report().Notes)
		}
	})
}

// Before IMDS has said which interfaces are the instance's, any that is not
// made by software may be.
func TestAnAddressBeforeAnyFacts(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		f := crawl(thisID)
		f.Source, f.Instance = facts.FromNone, facts.Instance{}
		r.set(f)
		r.start()
		r.after(time.Second)
		r.m.ChangeAddress(host.Link{Name: "docker0", Virtual: true})
		r.set(listed())
		r.m.ChangeAddress(host.Link{Name: "eth0"})
		r.after(32 * time.Second)
		if got := r.report(); got.State != api.Ready || got.Pass != "boot" {
			t.Errorf("the report:\n%s", text(got))
		}
	})
}

// An agent that is started anew makes no second boot pass in one boot.
func TestAnAgentStartedAnewLooksAsIfAsked(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.start()
		r.after(time.Second)
		r.stop()
		r.start()
		r.after(time.Second)
		r.stop()
		if got := r.passes(); got != "boot hup" {
			t.Errorf("in one boot: %s", got)
		}
		r.m.Put("/proc/sys/kernel/random/boot_id", "another\n", 0o444)
		r.set(crawl(thisID))
		r.start()
		r.after(time.Second)
		if got := r.passes(); got != "boot hup boot" {
			t.Errorf("in the next boot: %s", got)
		}
	})
}

// READY waits for names and accounts alone: what else is slow may be slow.
func TestReadyComesBeforeTheRestOfAPass(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.m.OnJob(func(_, unit string) {
			if unit == "ganglia-monitor.service" {
				time.Sleep(5 * time.Second)
			}
		})
		r.start()
		r.after(time.Second)
		if !r.heard("READY=1") || r.passes() != "" {
			t.Errorf("READY %v, and these passes have ended: %q", r.heard("READY=1"), r.passes())
		}
	})
}

// An agent that was stopped in the middle of its boot pass makes it again.
func TestABootPassThatWasCutShortIsMadeAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.m.OnJob(func(string, string) { time.Sleep(500 * time.Millisecond) })
		r.start()
		r.after(100 * time.Millisecond)
		r.stop()
		if got := r.report().State; got == api.Ready {
			t.Fatalf("it was not cut short: %s", got)
		}
		r.m.OnJob(nil)
		r.mu.Lock()
		r.said = nil
		r.mu.Unlock()
		r.start()
		r.after(time.Minute)
		if got := r.passes(); got != "boot" || r.report().State != api.Ready {
			t.Errorf("the next start made: %s\n%s", got, text(r.report()))
		}
	})
}

// A boot pass that could not decide is made again, as a boot pass, ever less
// often; one that a brake held is made when the brake is gone.
func TestABootPassIsMadeAgainUntilItHasDecided(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		f := crawl(thisID)
		f.UserData = facts.UserData{State: facts.Unknown[facts.Digest](facts.TimedOut, "")}
		r.set(f)
		r.start()
		r.after(5 * time.Minute)
		if got := r.passes(); got != "boot boot boot boot" && got != "boot boot boot" {
			t.Errorf("in five minutes: %s", got)
		}
		r.m.Put(facts.DisabledPath, "", 0o644)
		r.set(crawl(thisID))
		r.after(20 * time.Minute)
		if got := r.report(); got.Pass != "boot" || len(r.m.Jobs()) > 0 || r.m.Hostname() != "localhost" {
			t.Errorf("disabled, and yet:\n%s%v", text(got), r.m.Jobs())
		}
		r.remove(facts.DisabledPath)
		r.set(crawl(thisID))
		r.after(20 * time.Minute)
		if got := r.report(); got.State != api.Ready || r.m.Hostname() != "dev-mysql01" {
			t.Errorf("enabled again:\n%s", text(got))
		}
	})
}

// A tag that changes is looked at, and shown as drift: nobody watches.
func TestATagThatChangesIsShownAsDrift(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		f := crawl(thisID)
		f.Instance.Tags = facts.Known(map[string]string{"hostname": "dev-mysql01"})
		f.UserData.Parts[0].Text = "role=mysql\n"
		r.polled = f.Instance.Watched()
		r.set(f)
		r.start()
		r.after(5 * time.Minute)
		if got := r.passes(); got != "boot" {
			t.Errorf("nothing has changed: %s", got)
		}
		r.mu.Lock()
		r.polled.Tags = facts.Known(map[string]string{"hostname": "dev-mysql02"})
		r.mu.Unlock()
		f.Instance.Tags = r.polled.Tags
		r.set(f)
		r.after(80 * time.Second)
		got := r.report()
		if s := stepOf(got, "file:/etc/hosts"); got.Pass != "timer" || s.State != "drifted" || r.m.Hostname() != "dev-mysql01" {
			t.Errorf("the report:\n%s", text(got))
		}
		r.mu.Lock()
		r.polled = facts.Watched{} // IMDS does not answer
		r.mu.Unlock()
		r.after(5 * time.Minute)
		if got := r.passes(); got != "boot timer" {
			t.Errorf("an IMDS without an answer made passes: %s", got)
		}
	})
}

func wantNote(t *testing.T, r api.Report, want string) {
	t.Helper()
	for _, n := range r.Notes {
		if n == want {
			return
		}
	}
	t.Errorf("no note says %q: %q", want, r.Notes)
}
