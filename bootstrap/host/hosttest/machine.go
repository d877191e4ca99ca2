// Package hosttest is a machine in a folder, for tests: files below a temporary
// root, commands, units and a host name that answer from a script, a record of
// every effect, and ways to die at any of them. It must not know what is
// tested on it.
package hosttest

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"reveille/bootstrap/host"
)

// Machine is a scripted machine. Its methods may be used from many goroutines.
type Machine struct {
	Root string
	t    testing.TB

	mu       sync.Mutex
	script   map[string][]answer // by argv, joined by zero bytes
	units    map[string]string
	busy     time.Duration // systemd answers after this
	jobs     []string
	tasks    map[string]host.TaskState // by unit
	onLaunch func(host.Task) host.TaskState
	ends     map[string][]chan struct{} // by unit: who is told; nil: nobody
	readsNew bool
	onRun    func(argv []string)
	answerer func(argv []string) (host.Output, error, bool)
	forwards map[string]string // by address
	links    *links
	disks    *disks
	onJob    func(verb, name string)
	hostname string
	points   []string
	killAt   int // the hook point to die at, counted from 1; 0: live for ever
	passed   int // hook points since killAt was set
	die      func()
}

type answer struct {
	out host.Output
	err error
}

// New makes a machine with these files: path to content. Content that begins
// with "-> " makes a symbolic link, a path that ends in "/" a folder. Files
// get mode 0644 and folders 0755. The host name is "localhost".
func New(t testing.TB, files map[string]string) *Machine {
	t.Helper()
	return In(t, t.TempDir(), files)
}

// In is New in a folder of the caller's.
func In(t testing.TB, root string, files map[string]string) *Machine {
	t.Helper()
	m := &Machine{Root: root, t: t, hostname: "localhost",
		tasks: map[string]host.TaskState{}, script: map[string][]answer{}, units: map[string]string{}, forwards: map[string]string{}, links: newLinks(), disks: &disks{on: map[int]func(string){}}}
	for path, content := range files {
		m.Put(path, content, 0o644)
	}
	return m
}

// Put makes or replaces a file, link or folder as New does, behind the back of
// whatever is tested: it is no effect.
func (m *Machine) Put(path, content string, mode fs.FileMode) {
	m.t.Helper()
	real := filepath.Join(m.Root, path)
	must := func(err error) {
		m.t.Helper()
		if err != nil {
			m.t.Fatalf("make %s: %v", path, err)
		}
	}
	if strings.HasSuffix(path, "/") {
		must(os.MkdirAll(real, 0o755))
		return
	}
	must(os.MkdirAll(filepath.Dir(real), 0o755))
	must(os.RemoveAll(real))
	if target, ok := strings.CutPrefix(content, "-> "); ok {
		must(os.Symlink(target, real))
		return
	}
	must(os.WriteFile(real, []byte(content), mode))
	must(os.Chmod(real, mode)) // the umask has no say
}

// Read is a file's content; the test fails where it cannot be read.
func (m *Machine) Read(path string) string {
	m.t.Helper()
	data, err := os.ReadFile(filepath.Join(m.Root, path))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(data)
}

// Host opens the machine as a running one. Each call is a new process, as far
// as left-over temporary files are concerned.
func (m *Machine) Host() *host.Host {
	m.t.Helper()
	return m.open(host.Options{Root: m.Root, Commands: m, Units: unitDoor{m}, Names: nameDoor{m}, Dialer: dialDoor{m}, Links: m.links, Disks: m.disks, Hook: m.hook})
}

// Offline opens the machine as a folder: no commands, no units, no host name.
func (m *Machine) Offline() *host.Host {
	m.t.Helper()
	return m.open(host.Options{Root: m.Root, Hook: m.hook})
}

func (m *Machine) open(o host.Options) *host.Host {
	m.t.Helper()
	h, err := host.New(o)
	if err != nil {
		m.t.Fatal(err)
	}
	return h
}

// Command scripts what a command answers: exactly this argv. Several answers
// for one argv come in turn, the last one again and again. A code other than
// 0 is an error, as with a real command.
func (m *Machine) Command(argv []string, out host.Output, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := strings.Join(argv, "\x00")
	m.script[key] = append(m.script[key], answer{out, err})
}

// OnRun has a function do on the machine what a scripted command would, just
// before it answers.
func (m *Machine) OnRun(f func(argv []string)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.onRun = f
}

// Answer has a function answer the commands that are not scripted one by one:
// programs whose answers follow from a state of the test's own. It returns
// false for a command that it does not know, and must not ask the machine.
func (m *Machine) Answer(f func(argv []string) (host.Output, error, bool)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answerer = f
}

// Run answers from the script; a command that is not in it fails the test.
func (m *Machine) Run(ctx context.Context, name string, args ...string) (host.Output, error) {
	argv := append([]string{name}, args...)
	key := strings.Join(argv, "\x00")
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil { // none is begun any more
		return host.Output{Code: -1}, err
	}
	answers := m.script[key]
	if len(answers) == 0 && m.answerer != nil {
		if out, err, ok := m.answerer(argv); ok {
			return out, err
		}
	}
	if len(answers) == 0 {
		m.t.Errorf("unexpected command: %q", argv)
		return host.Output{Code: -1}, fmt.Errorf("unexpected command: %q", argv)
	}
	a := answers[0]
	if len(answers) > 1 {
		m.script[key] = answers[1:]
	}
	if m.onRun != nil {
		m.onRun(argv)
	}
	return a.out, a.err
}
