package host

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/dbus"
	godbus "github.com/godbus/dbus/v5"
)

// Task is a program that systemd runs once, in a unit of its own: it goes on
// when the agent is stopped, started anew or killed. Startup scripts are
// tasks; storage tools, which a kill would leave half done, belong here too.
type Task struct {
	Unit        string // "reveille-script-….service"
	Description string // for people who read systemctl
	Argv        []string
	Within      time.Duration // then SIGTERM, and SIGKILL KillAfter later
}

// TaskState is what systemd knows of a task. The zero value is none.
type TaskState struct {
	// State is "absent" where systemd knows no such unit, "activating" and
	// "deactivating" while the program runs, "active" once it ended well,
	// "failed" once it did not, "inactive" where somebody stopped it.
	State  string
	Result string // of one that failed, systemd's word: "exit-code", "signal", "timeout"…
	Code   int    // of one that failed: the exit code, or the signal's number
}

// ErrNotBegun says that a task was certainly not begun. Without it, one that
// could not be launched may run all the same.
var ErrNotBegun = errors.New("not begun")

func (u hooked) Launch(ctx context.Context, t Task) error {
	u.h.point("unit", "launch "+t.Unit, "enqueue")
	if err := u.h.units.Launch(ctx, t); err != nil {
		return fmt.Errorf("ask systemd to run %s as %s: %w", strings.Join(t.Argv, " "), t.Unit, err)
	}
	u.h.point("unit", "launch "+t.Unit, "done")
	return nil
}

func (u hooked) Task(ctx context.Context, unit string) (TaskState, error) {
	s, err := u.h.units.Task(ctx, unit)
	if err != nil {
		return TaskState{}, fmt.Errorf("ask systemd for %s: %w", unit, err)
	}
	return s, nil
}

func (u hooked) Ends(ctx context.Context, unit string) (<-chan struct{}, error) {
	return u.h.units.Ends(ctx, unit)
}

func (u hooked) Forget(ctx context.Context, unit string) error {
	u.h.point("unit", "forget "+unit, "enqueue")
	if err := u.h.units.Forget(ctx, unit); err != nil {
		return fmt.Errorf("ask systemd to forget %s: %w", unit, err)
	}
	u.h.point("unit", "forget "+unit, "done")
	return nil
}

// Launch never takes the place of a job that is queued: a machine that goes
// down is not kept from it.
func (systemd) Launch(ctx context.Context, t Task) error {
	if len(t.Argv) == 0 {
		return fmt.Errorf("no program is named: %w", ErrNotBegun)
	}
	c, err := connect(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotBegun, err)
	}
	defer c.Close()
	_, err = c.StartTransientUnitContext(ctx, t.Unit, "fail", t.properties(), nil)
	if refused(err) {
		return fmt.Errorf("%w: %w", ErrNotBegun, err)
	}
	return err
}

// refused tells systemd's own no from an answer that never came. A unit that
// exists is no such answer: it may be this very task, launched by another.
func refused(err error) bool {
	var e godbus.Error
	return errors.As(err, &e) && strings.HasPrefix(e.Name, "org.freedesktop.systemd1.") && e.Name != "org.freedesktop.systemd1.UnitExists"
}

// properties are the unit. It stays when the program has ended (a oneshot that
// remains), for whoever looks later; and it waits for nothing of the boot, as
// the agent itself does, but ends with the machine.
func (t Task) properties() []dbus.Property {
	property := func(name string, value any) dbus.Property {
		return dbus.Property{Name: name, Value: godbus.MakeVariant(value)}
	}
	argv := make([]string, len(t.Argv))
	for i, a := range t.Argv {
		argv[i] = strings.ReplaceAll(a, "$", "$$") // systemd would put variables in
	}
	type exec struct {
		Path   string
		Args   []string
		Ignore bool // a failure is none, as after a "-" in a unit file; D-Bus's own documentation has it the other way round
	}
	down := []string{"shutdown.target"}
	return []dbus.Property{
		dbus.PropDescription(t.Description),
		dbus.PropType("oneshot"),
		dbus.PropRemainAfterExit(true),
		property("ExecStart", []exec{{Path: t.Argv[0], Args: argv}}),
		property("Environment", []string{"LC_ALL=C"}),
		property("TimeoutStartUSec", uint64(t.Within.Microseconds())),
		property("TimeoutStopUSec", uint64(KillAfter.Microseconds())),
		property("StandardOutput", "journal"),
		property("DefaultDependencies", false),
		property("Conflicts", down),
		property("Before", down),
	}
}

func (systemd) Task(ctx context.Context, unit string) (TaskState, error) {
	var t TaskState
	var err error
	if t.State, err = stateOf(ctx, unit); err != nil || t.State != "failed" {
		return t, err
	}
	c, err := connect(ctx)
	if err != nil {
		return TaskState{}, err
	}
	defer c.Close()
	p, err := c.GetUnitTypePropertiesContext(ctx, unit, "Service")
	if err != nil {
		return TaskState{}, err
	}
	t.Result, _ = p["Result"].(string)
	code, _ := p["ExecMainStatus"].(int32)
	t.Code = int(code)
	return t, nil
}

// Forget lets systemd go of a unit that it would otherwise keep until the next
// boot: one that failed by its failure, another by its stop.
func (systemd) Forget(ctx context.Context, unit string) error {
	c, err := connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.StopUnitContext(ctx, unit, "replace", nil); err != nil && !unknownUnit(err) {
		return err
	}
	if err := c.ResetFailedUnitContext(ctx, unit); err != nil && !unknownUnit(err) {
		return err
	}
	return nil
}

func unknownUnit(err error) bool {
	var e godbus.Error
	return errors.As(err, &e) && e.Name == "org.freedesktop.systemd1.NoSuchUnit"
}
