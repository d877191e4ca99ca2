package daemon

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"reveille/agent"
	"reveille/agent/report"
	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
	"reveille/coordinator/api"
)

// On a disk with less and less room every file is the image's or ours, whole;
// with room again, the next pass ends well and a restore finds everything.
func TestAFullDiskTearsNothing(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a small disk is needed, and none can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	whole := machine(t, thisID)
	image := whole.Tree("/run", "/var")
	boot(t, whole.Host(), crawl(thisID))
	ours := whole.Tree("/run", "/var")

	failed := 0
	for pages := 0; pages <= 30; pages += 3 {
		root := filepath.Join(dir, strconv.Itoa(pages))
		if err := os.Mkdir(root, 0o755); err != nil {
			t.Fatal(err)
		}
		m := withUnits(hosttest.In(t, root, fresh(thisID)))
		empty := fill(t, dir, pages)
		out, err := Pass{Config: config(t, m.Host(), crawl(thisID)), Kind: Boot}.Run(t.Context())
		if err != nil || out.Report.State == api.Failed {
			failed++
		}
		for path, is := range m.Tree("/run", "/var") {
			if _, known := ours[path]; !known || is != image[path] && is != ours[path] {
				t.Errorf("with %d pages left, %s is neither: %s", pages, path, is)
			}
		}
		if temps := m.Temps(); len(temps) > 0 {
			t.Errorf("with %d pages left: left %v", pages, temps)
		}
		empty()
		if out := boot(t, m.Host(), crawl(thisID)); out.Report.State != api.Ready {
			t.Errorf("after %d pages, with room again:\n%s", pages, text(out.Report))
		}
		restored(t, pages, m, image)
		if err := os.RemoveAll(root); err != nil {
			t.Fatal(err)
		}
	}
	if failed < 3 {
		t.Errorf("only %d passes met a full disk", failed)
	}
}

// fill leaves so many pages free, and returns what frees the rest again.
func fill(t *testing.T, dir string, pages int) (empty func()) {
	t.Helper()
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "filler")
	n := max(0, (int64(st.Bavail)-int64(pages))*st.Bsize)
	if err := os.WriteFile(file, make([]byte, n), 0o600); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}

// A pass that is told to end leaves a report that says so, no half-written
// file, and nothing that the next pass or a restore would trip over.
func TestAPassThatIsToldToEnd(t *testing.T) {
	total := toldToEnd(t, 0)
	if total < 50 {
		t.Errorf("only %d points", total)
	}
	for n := 1; n <= total; n += max(1, total/20) {
		toldToEnd(t, n)
	}
}

// toldToEnd tells a pass to end at the n-th point, and returns how many it
// came to. Zero lets it go on to its end.
func toldToEnd(t *testing.T, n int) int {
	t.Helper()
	m := machine(t, thisID)
	image := m.Tree("/run", "/var")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var points atomic.Int32
	hook := func(string) {
		if int(points.Add(1)) == n {
			cancel()
		}
	}
	h, err := host.New(host.Options{Root: m.Root, Hook: hook})
	if err != nil {
		t.Fatal(err)
	}
	out, err := Pass{Config: config(t, h, crawl(thisID)), Kind: Boot}.Run(ctx)
	if err != nil {
		t.Errorf("told to end at point %d: %v", n, err)
	}
	kept, err := report.Load(h)
	if err != nil || kept.State == api.Booting || kept.State != out.Report.State {
		t.Errorf("told to end at point %d: kept %s, %v", n, kept.State, err)
	}
	if temps := m.Temps(); len(temps) > 0 {
		t.Errorf("told to end at point %d: left %v", n, temps)
	}
	if out := boot(t, m.Host(), crawl(thisID)); out.Report.State != api.Ready {
		t.Errorf("after being told to end at point %d:\n%s", n, text(out.Report))
	}
	restored(t, n, m, image)
	return int(points.Load())
}

// A machine whose /etc lies elsewhere, by a link, is changed and put back there.
func TestEtcMayBeALink(t *testing.T) {
	for _, target := range []string{"/private/etc", "private/etc"} {
		files := map[string]string{}
		for path, content := range fresh(thisID) {
			files[strings.Replace(path, "/etc/", "/private/etc/", 1)] = content
		}
		files["/private/etc/resolv.conf"] = "-> ../../run/systemd/resolve/stub-resolv.conf"
		files["/etc"] = "-> " + target
		m := withUnits(hosttest.New(t, files))
		image := m.Tree("/run", "/var")
		if out := boot(t, m.Host(), crawl(thisID)); out.Report.State != api.Ready {
			t.Errorf("%s:\n%s", target, text(out.Report))
		}
		if out := boot(t, m.Host(), crawl(thisID)); out.Report.State != api.Ready || m.Read("/private/etc/hostname") != "dev-mysql01\n" {
			t.Errorf("%s: a second pass:\n%s", target, text(out.Report))
		}
		if _, err := Clean(t.Context(), agent.Config{Host: m.Host()}, false, nil); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(image, m.Tree("/run", "/var")); diff != "" {
			t.Errorf("%s: clean left (-want +got)\n%s", target, diff)
		}
	}
}
