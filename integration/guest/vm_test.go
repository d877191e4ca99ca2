package guest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// needVM makes a machine of the plain image, with what it needs on this computer.
func needVM(t *testing.T, s Spec) *vm {
	t.Helper()
	if os.Geteuid() != 0 {
		skip(t, "boot a machine: only root can")
	}
	for _, program := range []string{"/usr/bin/mmdebstrap", "/usr/bin/qemu-system-x86_64", "/usr/bin/qemu-img"} {
		if _, err := os.Stat(program); err != nil {
			skip(t, fmt.Sprintf("%v; integration/scripts/packages installs it", err))
		}
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	image, err := Build(t.Context(), log)
	if err == nil {
		image, err = image.ForVM(t.Context(), log)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Image, s.Dir, s.Log = image, t.TempDir(), log
	m, err := New(VM, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m.(*vm)
}

// leaksNothing is called first, so that it looks after all else has ended.
func leaksNothing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

func skip(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// soon bounds what a test waits for, so that it fails with what was waited for.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestVMRunsCommandsBesideOneAnother(t *testing.T) {
	leaksNothing(t)
	m := needVM(t, Spec{Files: []File{{Path: "/etc/of-the-case", Data: []byte("laid down"), Mode: 0o640}}})
	if err := m.Boot(soon(t)); err != nil {
		t.Fatal(err)
	}
	if r := shell(t, m, "cat /etc/of-the-case; stat -c %a /etc/of-the-case"); string(r.Stdout) != "laid down640\n" {
		t.Errorf("a file of the case came as %q", r.Stdout)
	}
	if r := shell(t, m, "echo out; echo err >&2; exit 7"); string(r.Stdout) != "out\n" || string(r.Stderr) != "err\n" || r.Code != 7 {
		t.Errorf("got %q, %q and code %d", r.Stdout, r.Stderr, r.Code)
	}
	if r := shell(t, m, "kill -TERM $$"); r.Code != 128+15 {
		t.Errorf("a command ended by SIGTERM has code %d", r.Code)
	}
	if r, err := m.Run(soon(t), "/no/such"); err != nil || r.Code != 127 || !strings.Contains(string(r.Stderr), "/no/such") {
		t.Errorf("a program that is not there: code %d, %q, %v", r.Code, r.Stderr, err)
	}
	if r := shell(t, m, "cat"); len(r.Stdout) != 0 {
		t.Errorf("standard input is not empty: %q", r.Stdout)
	}

	all := make([]byte, 3<<20)
	for i := range all {
		all[i] = byte(i * 7 / 3)
	}
	if err := m.Put(soon(t), File{Path: "/srv/new/folder/all bytes", Data: all, Mode: 0o751}); err != nil {
		t.Fatal(err)
	}
	if r := shell(t, m, "cat '/srv/new/folder/all bytes'"); string(r.Stdout) != string(all) {
		t.Errorf("%d bytes were put, %d others came back", len(all), len(r.Stdout))
	}
	if err := m.Put(soon(t), File{Path: "/srv/link", Link: "new/folder"}); err != nil {
		t.Fatal(err)
	}
	if r := shell(t, m, "stat -c %a '/srv/link/all bytes'"); string(r.Stdout) != "751\n" {
		t.Errorf("mode is %q", r.Stdout)
	}

	// A command that waits for one that comes later ends, so they run side by side.
	var waits sync.WaitGroup
	waits.Go(func() {
		if r, err := m.Run(soon(t), "sh", "-c", "until test -e /run/later; do sleep 0.1; done"); err != nil || r.Code != 0 {
			t.Errorf("the command that waits: code %d, %v", r.Code, err)
		}
	})
	shell(t, m, "touch /run/later")
	waits.Wait()

	// One that nobody waits for any more is ended in the machine.
	short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := m.Run(short, "sleep", "4242"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a command beyond its time: %v", err)
	}
	if r := shell(t, m, "while pgrep -f '[s]leep 4242'; do sleep 0.1; done"); r.Code != 0 {
		t.Errorf("code %d", r.Code)
	}

	// Its processor time is that of the process it is.
	if cpuTime(m.PID()) == 0 {
		t.Errorf("process %d has used no time", m.PID())
	}
	if err := m.PowerOff(soon(t)); err != nil {
		t.Error(err)
	}
	if _, err := m.Run(soon(t), "true"); !errors.Is(err, errOff) || m.PID() != 0 {
		t.Errorf("off, it is process %d, and a command says %v", m.PID(), err)
	}
}

func shell(t *testing.T, m *vm, script string) Result {
	t.Helper()
	r, err := m.Run(soon(t), "sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestVMWithoutAShellIsReportedWithItsConsole(t *testing.T) {
	leaksNothing(t)
	m := needVM(t, Spec{Files: []File{
		{Path: "/etc/systemd/system/guest-shell.service", Link: "/dev/null"},
	}})
	m.boots = patience{idle: 10 * time.Second, cpu: time.Hour}
	err := m.Boot(soon(t))
	var hung *Hang
	if !errors.As(err, &hung) || hung.Registers == "" || !strings.Contains(err.Error(), "systemd") || !strings.Contains(err.Error(), "RIP=") {
		t.Errorf("a machine whose shell never starts: %v", err)
	}
	if m.Retries() != 1 || !strings.Contains(string(m.Console()), "begun once more (retry 1)") {
		t.Errorf("%d boots more were made, and the console says:\n%s", m.Retries(), m.Console())
	}
	if m.PID() != 0 {
		t.Errorf("process %d is left", m.PID())
	}
}

func TestVMThatStopsAnsweringIsReportedToWhoWaits(t *testing.T) {
	leaksNothing(t)
	m := needVM(t, Spec{})
	m.answers = patience{idle: 3 * time.Second, cpu: time.Hour}
	if err := m.Boot(soon(t)); err != nil {
		t.Fatal(err)
	}
	pid := m.PID()
	if err := m.on.monitor.do(soon(t), "stop", nil, nil); err != nil {
		t.Fatal(err)
	}
	_, err := m.Run(soon(t), "true")
	var hung *Hang
	if !errors.As(err, &hung) || !strings.Contains(hung.Registers, "RIP=") {
		t.Errorf("a command in a machine that stands still: %v", err)
	}
	// What is left of it boots: it is one that was cut off.
	if err := m.Boot(soon(t)); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat("/proc/" + strconv.Itoa(pid)); err == nil {
		t.Errorf("process %d is left", pid)
	}
}
