package hosttest

import (
	"context"
	"fmt"

	"reveille/bootstrap/host"
)

// SetTask says how far a launched program is; one that is not set, and the
// zero state, are "absent", as after a reboot.
func (m *Machine) SetTask(unit string, s host.TaskState) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tasks[unit] = s
	for _, ends := range m.ends[unit] {
		select {
		case ends <- struct{}{}:
		default:
		}
	}
}

// OnLaunch says how far a program is at once after its launch. Without it, it
// has ended well ("active"). F must not ask the machine itself.
func (m *Machine) OnLaunch(f func(host.Task) host.TaskState) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.onLaunch = f
}

// Tell has the machine tell of the end of programs, whenever SetTask is called.
// Without it, nobody does.
func (m *Machine) Tell() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ends = map[string][]chan struct{}{}
}

func (d unitDoor) Ends(_ context.Context, unit string) (<-chan struct{}, error) {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	if d.m.ends == nil {
		return nil, host.ErrOffline
	}
	ends := make(chan struct{}, 1)
	d.m.ends[unit] = append(d.m.ends[unit], ends)
	return ends, nil
}

func (d unitDoor) Launch(ctx context.Context, t host.Task) error {
	m := d.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if s := m.tasks[t.Unit].State; s != "" && s != "absent" {
		return fmt.Errorf("unit %s was already loaded", t.Unit)
	}
	s := host.TaskState{State: "active"}
	if m.onLaunch != nil {
		s = m.onLaunch(t)
	}
	m.jobs = append(m.jobs, "launch "+t.Unit)
	m.tasks[t.Unit] = s
	return nil
}

func (d unitDoor) Task(ctx context.Context, unit string) (host.TaskState, error) {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	s := d.m.tasks[unit]
	if s.State == "" {
		s.State = "absent"
	}
	return s, ctx.Err()
}

func (d unitDoor) Forget(ctx context.Context, unit string) error {
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	d.m.jobs = append(d.m.jobs, "forget "+unit)
	delete(d.m.tasks, unit)
	return ctx.Err()
}
