package host

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Hostname is the live host name.
func (h *Host) Hostname() (string, error) {
	name, err := h.names.Hostname()
	if err != nil {
		return "", fmt.Errorf("read the live host name: %w", err)
	}
	return name, nil
}

// SetHostname sets the live host name; it lasts until the next boot.
func (h *Host) SetHostname(name string) error {
	h.point("hostname", name, "set")
	if err := h.names.SetHostname(name); err != nil {
		return fmt.Errorf("set the live host name to %s: %w", name, err)
	}
	h.point("hostname", name, "done")
	return nil
}

// kernel is the real host name.
type kernel struct{}

func (kernel) Hostname() (string, error) { return os.Hostname() }

func setHostname(name string) error { return unix.Sethostname([]byte(name)) }

// offline answers for a machine that does not run.
type offline struct{}

func (offline) Run(context.Context, string, ...string) (Output, error) {
	return Output{Code: -1}, ErrOffline
}
func (offline) State(context.Context, string) (string, error) { return "", ErrOffline }
func (offline) Enqueue(context.Context, string, string) error { return ErrOffline }
func (offline) Reload(context.Context) error                  { return ErrOffline }
func (offline) Knows(context.Context, string, string) (bool, error) {
	return false, ErrOffline
}
func (offline) Ends(context.Context, string) (<-chan struct{}, error) { return nil, ErrOffline }
func (offline) Launch(context.Context, Task) error                    { return ErrOffline }
func (offline) Task(context.Context, string) (TaskState, error) {
	return TaskState{}, ErrOffline
}
func (offline) Forget(context.Context, string) error { return ErrOffline }
func (offline) Hostname() (string, error)            { return "", ErrOffline }
func (offline) SetHostname(string) error             { return ErrOffline }
