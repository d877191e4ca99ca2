package hosttest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// SetUnit says what systemd answers for a unit; one that is not set is "absent".
func (m *Machine) SetUnit(name, state string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.units[name] = state
}

// Busy makes systemd take so long to say how a unit is.
func (m *Machine) Busy(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.busy = d
}

// OnJob replaces what a job does to a unit. Without it, start and restart make
// it active, try-restart and reload leave it, stop makes it inactive.
func (m *Machine) OnJob(f func(verb, name string)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.onJob = f
}

// Jobs is what systemd was asked for, in order: "restart nslcd.service",
// "daemon-reload".
func (m *Machine) Jobs() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.jobs...)
}

// Hostname is the live host name now.
func (m *Machine) Hostname() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.hostname
}

// SetHostname sets the live host name behind everybody's back.
func (m *Machine) SetHostname(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hostname = name
}

// unitDoor is the machine as host.Units.
type unitDoor struct{ m *Machine }

func (d unitDoor) State(ctx context.Context, name string) (string, error) {
	d.m.mu.Lock()
	busy := d.m.busy
	d.m.mu.Unlock()
	if busy > 0 {
		select {
		case <-time.After(busy):
		case <-ctx.Done():
		}
	}
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if s, ok := d.m.units[name]; ok {
		return s, nil
	}
	return "absent", nil
}

func (d unitDoor) Enqueue(ctx context.Context, verb, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m := d.m
	m.mu.Lock()
	m.jobs = append(m.jobs, verb+" "+name)
	state, known := m.units[name]
	act := m.onJob
	m.mu.Unlock()
	if !known || state == "absent" {
		return errors.New("Unit " + name + " not found.")
	}
	if act != nil {
		act(verb, name)
		return nil
	}
	switch verb {
	case "start", "restart":
		m.SetUnit(name, "active")
	case "stop":
		m.SetUnit(name, "inactive")
	}
	return nil
}

// ReadsAlone makes systemd one that reads the file of a unit that it does not
// know yet as soon as it is asked for it, as 246 and later do.
func (m *Machine) ReadsAlone() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.readsNew = true
}

func (d unitDoor) Knows(ctx context.Context, name, file string) (bool, error) {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	_, err := os.Stat(filepath.Join(d.m.Root, file))
	if d.m.units[name] != "" || !d.m.readsNew || err != nil {
		return false, ctx.Err()
	}
	d.m.units[name] = "inactive"
	return true, ctx.Err()
}

// Reload makes mounts known whose unit files have come.
func (d unitDoor) Reload(ctx context.Context) error {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	d.m.jobs = append(d.m.jobs, "daemon-reload")
	files, err := filepath.Glob(filepath.Join(d.m.Root, "/run/systemd/system/*.mount"))
	for _, f := range files {
		if name := filepath.Base(f); d.m.units[name] == "" {
			d.m.units[name] = "inactive"
		}
	}
	return errors.Join(ctx.Err(), err)
}

// nameDoor is the machine as host.Names.
type nameDoor struct{ m *Machine }

func (d nameDoor) Hostname() (string, error) { return d.m.Hostname(), nil }

func (d nameDoor) SetHostname(name string) error {
	d.m.SetHostname(name)
	return nil
}
