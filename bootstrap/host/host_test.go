package host_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
)

func TestNewRefusesARootThatIsNotThere(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for root, want := range map[string]string{filepath.Join(dir, "no"): "does not exist", file: "not a folder"} {
		if _, err := host.New(host.Options{Root: root}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", root, err, want)
		}
	}
}

func TestNothingRunsUnderAnotherRoot(t *testing.T) {
	h := hosttest.New(t, nil).Offline()
	ctx := context.Background()
	_, run := h.Run(ctx, "true")
	_, state := h.Units().State(ctx, "a.service")
	_, name := h.Hostname()
	for what, err := range map[string]error{
		"command": run, "state": state, "host name": name,
		"enqueue": h.Units().Enqueue(ctx, "start", "a.service"),
		"reload":  h.Units().Reload(ctx), "set": h.SetHostname("x"),
	} {
		if !errors.Is(err, host.ErrOffline) {
			t.Errorf("%s: %v, want ErrOffline", what, err)
		}
	}
	if h.Live() {
		t.Error("it says that it runs")
	}
}

func TestReadStaysInsideTheRoot(t *testing.T) {
	m := hosttest.New(t, map[string]string{
		"/etc/abs":     "-> /run/x",
		"/etc/up":      "-> ../../../../run/x",
		"/etc/loop":    "-> loop",
		"/etc/dang":    "-> /run/none",
		"/run/x":       "inside",
		"/etc/dir/":    "",
		"/etc/big":     strings.Repeat("x", host.MaxFile+1),
		"/etc/passwd":  "root:x:0:0::/:\nnslcd:x:110:111::/:\nbad:x:y:0\nnslcd2:x:9:9\n",
		"/etc/group":   "nslcd:x:112:\n",
		"/sys/a/one":   "",
		"/sys/b/one":   "",
		"/sys/c/other": "",
	})
	if err := syscall.Mkfifo(filepath.Join(m.Root, "etc/fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := m.Host()
	for _, path := range []string{"/etc/abs", "/etc/up", "/run/x", "/run/../run/x"} {
		if data, err := h.ReadFile(path); string(data) != "inside" {
			t.Errorf("%s: %q, %v", path, data, err)
		}
	}
	for path, want := range map[string]error{
		"/etc/none": fs.ErrNotExist, "/etc/dang": fs.ErrNotExist, "/etc/loop": syscall.ELOOP, "/etc/big": host.ErrTooLarge,
	} {
		if _, err := h.ReadFile(path); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
	for _, path := range []string{"/etc/dir", "/etc/fifo"} {
		if _, err := h.ReadFile(path); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if p, err := h.Resolve("/etc/dang"); p != "/run/none" {
		t.Errorf("Resolve: %s, %v", p, err)
	}
	if i, err := h.Stat("/etc/none/deeper"); i.Exists || err != nil {
		t.Errorf("absent: %+v, %v", i, err)
	}
	if i, _ := h.Lstat("/etc/abs"); i.Link != "/run/x" {
		t.Errorf("link: %+v", i)
	}
	got, err := h.Glob("/sys/*/one")
	if want := []string{"/sys/a/one", "/sys/b/one"}; !slices.Equal(got, want) {
		t.Errorf("Glob: %v, %v", got, err)
	}
	if got, err := h.Glob("/no/*/x"); len(got) != 0 || err != nil {
		t.Errorf("Glob of nothing: %v, %v", got, err)
	}
}

func TestUsersComeFromTheRootsOwnFiles(t *testing.T) {
	h := hosttest.New(t, map[string]string{
		"/etc/passwd": "root:x:7:0::/:\nnslcd:x:110:111::/:\nbad:x:y:0\n", "/etc/group": "nslcd:x:112:\n",
	}).Host()
	empty := hosttest.New(t, nil).Host()
	for _, c := range []struct {
		look func(string) (int, error)
		name string
		want int
		err  string
	}{
		{h.User, "nslcd", 110, ""},
		{h.Group, "nslcd", 112, ""},
		{h.User, "root", 0, ""},
		{empty.User, "root", 0, ""},
		{h.User, "42", 42, ""},
		{h.User, "nslc", 0, `no user "nslc"`},
		{h.User, "", 0, "no user"},
		{h.User, "bad", 0, "has no number"},
		{empty.Group, "nslcd", 0, "install the package"},
	} {
		got, err := c.look(c.name)
		if got != c.want || (err == nil) != (c.err == "") || (err != nil && !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%q: %d, %v; want %d, %q", c.name, got, err, c.want, c.err)
		}
	}
}

func TestLockIsHeldByOne(t *testing.T) {
	m := hosttest.New(t, nil)
	release, err := m.Host().Lock(context.Background(), "/run/reveille/lock")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = m.Host().Lock(ctx, "/run/reveille/lock")
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "held by process") {
		t.Errorf("a second holder: %v", err)
	}
	release()
	again, err := m.Host().Lock(context.Background(), "/run/reveille/lock")
	if err != nil {
		t.Fatal(err)
	}
	again()
}

func TestRemoveChattrMkdir(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": "x", "/etc/l": "-> a", "/var/d/e/f": "x"})
	h := m.Host()
	for what, err := range map[string]error{
		"remove what is not there": h.Remove("/etc/none"),
		"remove a link":            h.Remove("/etc/l"),
		"remove a tree":            h.RemoveAll("/var/d"),
		"change the mode":          h.Chattr("/etc/a", attr(0o600)),
		"make a folder":            h.Mkdir("/var/x/y", 0o700),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := h.RemoveAll("/"); err == nil {
		t.Error("the root was removed")
	}
	if err := h.Chattr("/etc/none", attr(0o600)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("chattr of nothing: %v", err)
	}
	for path, mode := range map[string]fs.FileMode{"/etc/a": 0o600, "/var/x": fs.ModeDir | 0o755, "/var/x/y": fs.ModeDir | 0o700} {
		if i, _ := h.Lstat(path); i.Mode != mode {
			t.Errorf("%s: %v, want %v", path, i.Mode, mode)
		}
	}
	for _, path := range []string{"/etc/l", "/var/d"} {
		if i, _ := h.Lstat(path); i.Exists {
			t.Errorf("%s is still there", path)
		}
	}
}

func TestEffectsAreCounted(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/a": "x"})
	h := m.Host()
	if _, err := h.ReadFile("/etc/a"); err != nil || m.Writes() != 0 {
		t.Errorf("reading counts as %v", m.Effects())
	}
	for range 2 {
		if err := h.Write("/etc/a", []byte("y"), attr(0)); err != nil {
			t.Fatal(err)
		}
	}
	m.Command([]string{"true"}, host.Output{}, nil)
	if _, err := h.Run(context.Background(), "true"); err != nil {
		t.Fatal(err)
	}
	want := []string{"write:/etc/a", "write:/etc/a", "run:true"}
	if got := m.Effects(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestScriptedExitCodeIsAnError(t *testing.T) {
	m := hosttest.New(t, nil)
	m.Command([]string{"mdadm", "--detail"}, host.Output{Code: 2, Stderr: []byte("no array")}, nil)
	out, err := m.Host().Run(context.Background(), "mdadm", "--detail")
	var exit *host.ExitError
	if !errors.As(err, &exit) || exit.Code != 2 || !strings.Contains(err.Error(), "no array") || !bytes.Equal(out.Stderr, exit.Stderr) {
		t.Errorf("%+v, %v", out, err)
	}
}

// What is no folder has no temporary file of ours, and must not stop a pass.
func TestSweepOfWhatIsNoFolder(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "ganglia"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	h, err := host.New(host.Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"/ganglia", "/ganglia/below", "/absent"} {
		if err := h.Sweep(dir); err != nil {
			t.Errorf("Sweep(%s): %v", dir, err)
		}
	}
}
