package daemon

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reveille/agent"
	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/originals"
	"reveille/bootstrap/resource"
	"reveille/coordinator/api"
)

// spoil damages what is kept of a path and returns what puts it right again.
func spoil(m *hosttest.Machine, path string) (mend func()) {
	return damage(m, path, func(string) string { return "{" })
}

// damage does it in a manner of the caller's.
func damage(m *hosttest.Machine, path string, how func(was string) string) (mend func()) {
	file := originals.Dir + "/" + originals.Name(path) + ".original"
	was := m.Read(file)
	m.Put(file, how(was), 0o600)
	return func() { m.Put(file, was, 0o600) }
}

// A restore that cannot put one file back puts back the others, says so, and
// ends what it began once the damage is mended.
func TestRestoreGoesOnPastADamagedOriginal(t *testing.T) {
	for kind, how := range map[string]func(string) string{
		"the record": func(string) string { return "{" },
		"the bytes":  func(was string) string { return was + "more" },
	} {
		t.Run(kind, func(t *testing.T) {
			m := machine(t, thisID)
			image := m.Tree("/run", "/var")
			boot(t, m.Host(), crawl(thisID))
			ours := m.Read("/etc/nsswitch.conf")
			mend := damage(m, "/etc/nsswitch.conf", how)

			_, err := Restore(t.Context(), agent.Config{Host: m.Host()}, false, nil)
			if err == nil || !strings.Contains(err.Error(), "nsswitch.conf") {
				t.Errorf("restore: %v", err)
			}
			if now := m.Read("/etc/nsswitch.conf"); now != ours {
				t.Errorf("the damaged original was used:\n%s", now)
			}
			if now := m.Tree()["/etc/resolv.conf"]; now != image["/etc/resolv.conf"] {
				t.Errorf("resolv.conf was not put back: %s", now)
			}
			if now := m.Tree()["/etc/hosts"]; now != image["/etc/hosts"] || m.Hostname() != "localhost" {
				t.Errorf("the name was not put back: %s, %s", m.Hostname(), now)
			}
			mend()
			if _, err := Restore(t.Context(), agent.Config{Host: m.Host()}, false, nil); err != nil {
				t.Errorf("the second restore: %v", err)
			}
			if diff := cmp.Diff(image, m.Tree("/run", "/var")); diff != "" {
				t.Errorf("the second restore left (-want +got)\n%s", diff)
			}
		})
	}
}

// One damaged record is its own step's failure, not that of every step.
func TestADamagedRecordHoldsUpNoOtherStep(t *testing.T) {
	m := machine(t, thisID)
	boot(t, m.Host(), crawl(thisID))
	spoil(m, "/etc/nsswitch.conf")
	m.Put("/etc/resolv.conf", "somebody else's\n", 0o644)
	m.Put("/etc/cloud/cloud.cfg.d/99-reveille.cfg", "", 0o644)
	if err := originals.Forget(m.Host(), "/etc/cloud/cloud.cfg.d/99-reveille.cfg"); err != nil {
		t.Fatal(err)
	}
	out := boot(t, m.Host(), crawl(thisID))
	if got := m.Read("/etc/resolv.conf"); !strings.Contains(got, "nameserver 10.") {
		t.Errorf("resolv.conf was left: %s\n%s", got, text(out.Report))
	}
	if got := m.Read("/etc/cloud/cloud.cfg.d/99-reveille.cfg"); got == "" {
		t.Errorf("a file that is new to us was left:\n%s", text(out.Report))
	}
	if out.Report.State != api.Failed {
		t.Errorf("the damage was passed over:\n%s", text(out.Report))
	}
}

// What rests on another file is put back after it: no source of nsswitch.conf
// without its client, no name without its line in /etc/hosts.
func TestRestoreKeepsWhatOthersRestOn(t *testing.T) {
	for _, c := range []struct{ damaged, stays string }{
		{"/etc/nsswitch.conf", "/etc/nslcd.conf"},
		{"/etc/hostname", "/etc/hosts"},
	} {
		m := machine(t, thisID)
		boot(t, m.Host(), crawl(thisID))
		ours := m.Read(c.stays)
		spoil(m, c.damaged)
		if _, err := Restore(t.Context(), agent.Config{Host: m.Host()}, false, nil); err == nil {
			t.Errorf("%s: no error", c.damaged)
		}
		if now := m.Tree()[c.stays]; !strings.HasSuffix(now, ours) {
			t.Errorf("%s could not go back, yet %s did: %s", c.damaged, c.stays, now)
		}
	}
}

// Who has read a file of ours is told when the image's own is back, and again
// when ours returns.
func TestUnitsFollowARestore(t *testing.T) {
	m := machine(t, thisID)
	boot(t, m.Host(), crawl(thisID))
	before := m.Jobs()
	if _, err := Restore(t.Context(), agent.Config{Host: m.Host()}, false, nil); err != nil {
		t.Fatal(err)
	}
	jobs := m.Jobs()[len(before):]
	for _, want := range []string{"try-restart nslcd.service", "try-restart ganglia-monitor.service"} {
		if !slices.Contains(jobs, want) {
			t.Errorf("no %s after restore: %q", want, jobs)
		}
	}
	before = m.Jobs()
	boot(t, m.Host(), crawl(thisID))
	if jobs := m.Jobs()[len(before):]; !slices.Contains(jobs, "restart nslcd.service") {
		t.Errorf("nslcd runs on the image's file, yet is not restarted on ours: %q", jobs)
	}
}

// A folder that was a running machine has a kept host name and no kernel to
// give it back to: that must not tie the folder to its first instance for ever.
func TestRestoreOfAFolderThatWasAMachine(t *testing.T) {
	m := machine(t, thisID)
	boot(t, m.Host(), crawl(thisID))
	if out := boot(t, m.Offline(), crawl(otherID)); out.Report.State != api.Ready {
		t.Errorf("another instance's pass over the folder:\n%s", text(out.Report))
	}
	if _, err := Restore(t.Context(), agent.Config{Host: m.Offline()}, false, nil); err != nil {
		t.Error(err)
	}
	if s, err := originals.Load(m.Offline()); err != nil || !s.Empty() {
		t.Errorf("restore left %v, host name %q, %v", s.List(), s.Hostname(), err)
	}
}

// No pass may begin between a clean's restore and its removal of what is kept:
// its originals would be lost.
func TestCleanIsOnePass(t *testing.T) {
	m := machine(t, thisID)
	boot(t, m.Host(), crawl(thisID))
	seen := 0
	hook := func(point string) {
		if !strings.HasPrefix(point, "remove:/var/lib/reveille remove") {
			return
		}
		seen++
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if release, err := m.Offline().Lock(ctx, LockPath); err == nil {
			release()
			t.Error("another pass could begin in the midst of a clean")
		}
	}
	h, err := host.New(host.Options{Root: m.Root, Hook: hook})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Clean(t.Context(), agent.Config{Host: h}, false, nil); err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Error("clean removed nothing that is kept")
	}
}

func TestALockThatCannotBeMadeIsNotAnotherPass(t *testing.T) {
	m := machine(t, thisID)
	if err := os.WriteFile(filepath.Join(m.Root, "run/reveille"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Pass{Config: config(t, m.Host(), crawl(thisID)), Kind: Boot}.Run(t.Context())
	if err == nil || strings.Contains(err.Error(), "another pass") {
		t.Errorf("%v", err)
	}
}

// What a person wrote over a file of ours is saved by the restore that a clean
// begins with: it must not go with the rest.
func TestCleanThrowsNobodysWorkAway(t *testing.T) {
	m := machine(t, thisID)
	image := m.Tree("/run", "/var")
	boot(t, m.Host(), crawl(thisID))
	m.Put("/etc/resolv.conf", "nameserver 192.0.2.1 # a person's\n", 0o644)
	_, err := Clean(t.Context(), agent.Config{Host: m.Host()}, false, nil)
	if err == nil || !strings.Contains(err.Error(), resource.SavedDir+"/%2Fetc%2Fresolv.conf") {
		t.Errorf("%v", err)
	}
	if got := m.Read(resource.SavedDir + "/%2Fetc%2Fresolv.conf"); !strings.Contains(got, "a person's") {
		t.Errorf("saved: %s", got)
	}
	if diff := cmp.Diff(image, m.Tree("/run", "/var")); diff != "" {
		t.Errorf("the image's files are not back (-want +got)\n%s", diff)
	}
	if err := m.Host().RemoveAll(resource.SavedDir); err != nil {
		t.Fatal(err)
	}
	if _, err := Clean(t.Context(), agent.Config{Host: m.Host()}, false, nil); err != nil {
		t.Error(err)
	}
	if _, there := m.Tree()["/var/lib/reveille"]; there {
		t.Error("a clean that nothing hinders left what is kept")
	}
}
