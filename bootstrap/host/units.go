package host

import (
	"context"
	"fmt"

	"github.com/coreos/go-systemd/v22/dbus"
)

// Units is the machine's systemd.
func (h *Host) Units() Units { return hooked{h} }

// hooked tells the test's hook of each effect.
type hooked struct{ h *Host }

func (u hooked) State(ctx context.Context, name string) (string, error) {
	s, err := u.h.units.State(ctx, name)
	if err != nil {
		return "", fmt.Errorf("ask systemd for %s: %w", name, err)
	}
	return s, nil
}

func (u hooked) Enqueue(ctx context.Context, verb, name string) error {
	u.h.point("unit", verb+" "+name, "enqueue")
	if err := u.h.units.Enqueue(ctx, verb, name); err != nil {
		return fmt.Errorf("ask systemd to %s %s: %w", verb, name, err)
	}
	u.h.point("unit", verb+" "+name, "done")
	return nil
}

func (u hooked) Reload(ctx context.Context) error {
	u.h.point("unit", "daemon-reload", "enqueue")
	if err := u.h.units.Reload(ctx); err != nil {
		return fmt.Errorf("ask systemd to read its unit files again: %w", err)
	}
	u.h.point("unit", "daemon-reload", "done")
	return nil
}

func (u hooked) Knows(ctx context.Context, name, file string) (bool, error) {
	known, err := u.h.units.Knows(ctx, name, file)
	if err != nil {
		return false, fmt.Errorf("ask systemd for the file of %s: %w", name, err)
	}
	return known, nil
}

// systemd is the real one. It connects for each call: a connection that is kept
// breaks when its other end restarts.
type systemd struct{}

// connect takes systemd's own socket, as systemctl does for root. The bus is for
// everybody else: early in the boot its socket is there and nobody answers yet.
func connect(ctx context.Context) (*dbus.Conn, error) {
	c, err := dbus.NewSystemdConnectionContext(ctx)
	if err == nil {
		return c, nil
	}
	return dbus.NewWithContext(ctx)
}

func (systemd) State(ctx context.Context, name string) (string, error) { return stateOf(ctx, name) }

// Enqueue passes no channel to go-systemd, which then returns as soon as the
// job is accepted.
func (systemd) Enqueue(ctx context.Context, verb, name string) error {
	c, err := connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	ask := map[string]func(context.Context, string, string, chan<- string) (int, error){
		"start":       c.StartUnitContext,
		"stop":        c.StopUnitContext,
		"restart":     c.RestartUnitContext,
		"try-restart": c.TryRestartUnitContext,
		"reload":      c.ReloadUnitContext,
	}[verb]
	if ask == nil {
		return fmt.Errorf("no such verb: %q", verb)
	}
	_, err = ask(ctx, name, "replace", nil)
	return err
}

func (systemd) Reload(ctx context.Context) error {
	c, err := connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.ReloadContext(ctx)
}

// Knows asks for a unit's properties, which loads one that is not loaded. What
// was looked for in vain before is looked for again by systemd 246 and later
// alone.
func (systemd) Knows(ctx context.Context, name, file string) (bool, error) {
	c, err := connect(ctx)
	if err != nil {
		return false, err
	}
	defer c.Close()
	p, err := c.GetUnitPropertiesContext(ctx, name)
	if err != nil {
		return false, err
	}
	load, _ := p["LoadState"].(string)
	from, _ := p["FragmentPath"].(string)
	old, told := p["NeedDaemonReload"].(bool)
	return load == "loaded" && from == file && told && !old, nil
}
