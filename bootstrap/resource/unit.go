package resource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"reveille/bootstrap/host"
	"reveille/bootstrap/originals"
	"reveille/bootstrap/plan"
)

// unitsDir keeps, until the next boot, what each unit's files should have held
// when we last started it. A restart is so a state, not an event: a kill
// between the file and the restart still ends in a restart.
const unitsDir = "/run/reveille/units"

// packages says what to install for a unit that plans ask for and that is not
// there.
var packages = map[string]string{
	"nslcd.service":           "nslcd (Debian, Ubuntu) or nss-pam-ldapd (RHEL)",
	"sssd.service":            "sssd",
	"nscd.service":            "nscd",
	"autofs.service":          "autofs",
	"ganglia-monitor.service": "ganglia-monitor",
	"gmond.service":           "ganglia-gmond",
}

// ID is "unit:" and the name.
func (u Unit) ID() string { return "unit:" + u.Name }

// Live is true: units are the running systemd's.
func (Unit) Live() bool { return true }

// Describe says what is wanted, for golden plans.
func (u Unit) Describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%sed when its files change, started where it does not run: %v\n", u.again(), u.Start)
	for _, f := range u.Reads {
		fmt.Fprintf(&b, "reads %s\n", f.Path)
	}
	if len(u.Users) > 0 {
		fmt.Fprintf(&b, "keeps who is local: %s\n", strings.Join(u.Users, " "))
	}
	return b.String()
}

// Check asks systemd, and never waits for a job: one that was enqueued is
// NotYet until the unit is active.
func (u Unit) Check(ctx context.Context, h *host.Host) ([]plan.Change, error) {
	if u.Name == "" || strings.ContainsAny(u.Name, "/\x00") {
		return nil, fmt.Errorf("unit %q: no unit has such a name", u.Name)
	}
	state, err := h.Units().State(ctx, u.Name)
	if err != nil {
		return nil, err
	}
	want, err := u.digest(h)
	if err != nil {
		return nil, fmt.Errorf("unit %s: what its files should hold: %w", u.Name, err)
	}
	kept, err := h.ReadFile(u.kept())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("unit %s: %w", u.Name, err)
	}
	return u.judge(h, state, string(kept) == want+"\n", want)
}

// judge decides from the unit's state and from whether it was started by us
// since its files last changed.
func (u Unit) judge(h *host.Host, state string, started bool, want string) ([]plan.Change, error) {
	switch state {
	case "absent":
		if u.own() {
			return u.change(h, "start", want), nil // its unit file has just been written
		}
		return nil, u.notInstalled()
	case "masked":
		if !u.Start {
			return nil, nil
		}
		return nil, fmt.Errorf("unit %s is masked; systemctl unmask %s lets it start", u.Name, u.Name)
	case "active", "reloading", "refreshing":
		if started || len(u.Reads) == 0 {
			return nil, nil
		}
		return u.change(h, u.again(), want), nil
	case "activating":
		if !started && !u.Reload {
			return u.change(h, "restart", want), nil // nobody knows which files it has read
		}
		return nil, &plan.NotYet{For: "unit " + u.Name + " to start"}
	case "deactivating":
		return nil, &plan.NotYet{For: "unit " + u.Name + " to stop"}
	}
	switch {
	case started && state == "failed":
		return nil, fmt.Errorf("unit %s has failed since it was started; journalctl -u %s says why, systemctl restart %s tries again", u.Name, u.Name, u.Name)
	case !u.Start:
		return nil, nil
	case !started:
		return u.change(h, "start", want), nil
	}
	// What a person stopped is not started behind that person's back.
	return nil, fmt.Errorf("unit %s is %s: somebody stopped it; systemctl start %s starts it again", u.Name, state, u.Name)
}

// again is how a unit that runs is made to read its files.
func (u Unit) again() string {
	if u.Reload {
		return "reload"
	}
	return "restart"
}

func (u Unit) change(h *host.Host, verb, want string) []plan.Change {
	do := func(ctx context.Context) error { return u.do(ctx, h, verb, want) }
	say := verb + " " + u.Name
	if verb == u.again() {
		say += " (its files are not those that it was last started with)"
		if len(u.Users) > 0 {
			say = verb + " " + u.Name + " (its files, or the local users, are not those that it was last started with)"
		}
	}
	return []plan.Change{{Say: say, Risk: plan.Disrupts, Do: do}}
}

// do notes the digest once systemd has taken the job: a kill between the two
// restarts the unit once more, and never too seldom.
func (u Unit) do(ctx context.Context, h *host.Host, verb, want string) error {
	if u.readsUnits() {
		if err := h.Units().Reload(ctx); err != nil {
			return err
		}
	}
	switch {
	case verb == "restart" && !u.Start:
		verb = "try-restart" // who stops it in this moment means it
	case verb == "start":
		verb = "restart" // the same for a unit that does not run, and right for one that just came up
	}
	// Before the job, so that no unit runs on our files without their record
	// knowing of it.
	if err := u.noteReader(h); err != nil {
		return err
	}
	if err := h.Units().Enqueue(ctx, verb, u.Name); err != nil {
		return err
	}
	if err := h.Mkdir(unitsDir, 0o700); err != nil {
		return err
	}
	if err := h.Sweep(unitsDir); err != nil {
		return err
	}
	return h.Write(u.kept(), []byte(want+"\n"), host.Attr{Mode: 0o600})
}

func (u Unit) digest(h *host.Host) (string, error) {
	var all strings.Builder
	for _, f := range u.Reads {
		d, err := f.digest(h)
		if err != nil {
			return "", err
		}
		all.WriteString(f.Path + " " + d + "\n")
	}
	if len(u.Users) > 0 { // /etc/passwd is not ours: who is in it counts, and not its bytes
		all.WriteString("users " + strings.Join(u.Users, " ") + "\n")
	}
	return originals.Digest([]byte(all.String())), nil
}

func (u Unit) kept() string { return unitsDir + "/" + u.Name }

// readsUnits says that systemd itself must read some of the files again.
func (u Unit) readsUnits() bool {
	for _, f := range u.Reads {
		if strings.HasPrefix(f.Path, "/etc/systemd/system/") || strings.HasPrefix(f.Path, "/run/systemd/system/") {
			return true
		}
	}
	return false
}

// own says that one of the files is the unit itself.
func (u Unit) own() bool {
	for _, f := range u.Reads {
		if f.Path == "/etc/systemd/system/"+u.Name || f.Path == "/run/systemd/system/"+u.Name {
			return u.Start
		}
	}
	return false
}

func (u Unit) notInstalled() error {
	if p, ok := packages[u.Name]; ok {
		return fmt.Errorf("unit %s is not installed; install the package %s", u.Name, p)
	}
	return fmt.Errorf("unit %s is not installed; install the package that brings it", u.Name)
}
