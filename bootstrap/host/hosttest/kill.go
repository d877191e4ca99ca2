package hosttest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"reveille/bootstrap/host"
)

// killed is what a dying hook panics with.
type killed struct{}

// Kill runs f and lets it die at the n-th hook point, counted from 1: at once,
// with no clean-up of host's. It returns false where f ended before. f must
// stay in one goroutine; for more, see Child.
//
//	for n := 1; m.Kill(n, pass); n++ { … }
func (m *Machine) Kill(n int, f func(*host.Host)) (died bool) {
	m.t.Helper()
	m.arm(n, func() { panic(killed{}) })
	defer m.arm(0, nil)
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok {
				panic(r)
			}
			died = true
		}
	}()
	f(m.Host())
	return false
}

// KillSelf lets this very process die by SIGKILL at the n-th hook point from
// now. It belongs into the child that Child starts.
func (m *Machine) KillSelf(n int) {
	m.arm(n, func() {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // nothing happens between the signal and the end
	})
}

func (m *Machine) arm(n int, die func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.killAt, m.passed, m.die = n, 0, die
}

// The environment that a child is started with.
const (
	envRoot = "REVEILLE_TEST_CHILD_ROOT"
	envKill = "REVEILLE_TEST_CHILD_KILL"
)

// Child runs the calling test again, in a process of its own that dies by
// SIGKILL at the n-th hook point on the machine's root. It returns false where
// the child ended well before; any other end fails the test. The test begins
// with
//
//	if m, ok := hosttest.InChild(t); ok { pass(m.Host()); return }
func (m *Machine) Child(t *testing.T, n int) (died bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), envRoot+"="+m.Root, envKill+"="+strconv.Itoa(n))
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() && ws.Signal() == syscall.SIGKILL && ctx.Err() == nil {
			return true
		}
	}
	t.Fatalf("the child ended in its own way: %v\n%s", err, out)
	return false
}

// InChild is the machine of the process that Child has started, armed to die.
func InChild(t *testing.T) (*Machine, bool) {
	t.Helper()
	root := os.Getenv(envRoot)
	if root == "" {
		return nil, false
	}
	n, err := strconv.Atoi(os.Getenv(envKill))
	if err != nil {
		t.Fatalf("%s: %v", envKill, err)
	}
	m := In(t, root, nil)
	m.KillSelf(n)
	return m, true
}
