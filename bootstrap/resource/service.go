package resource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// servicesDir holds, until the next boot, a file for each service that the
// agent has started or found running: it starts none a second time.
const servicesDir = "/run/reveille/services"

// Service is a unit of the role's own, installed disabled, that the agent
// starts once a boot. Its ID is "service:" + Name; it is live.
type Service struct {
	Name   string
	Reload bool // files of the unit are ours: systemd reads them again before it starts
}

// ID is "service:" and the name.
func (s Service) ID() string { return "service:" + s.Name }

// Live is true: units are the running systemd's.
func (Service) Live() bool { return true }

// Describe says what is wanted, for golden plans.
func (Service) Describe() string {
	return "started once a boot; not again where somebody stopped it\n"
}

// Check looks at the unit's state, and waits for no job: a service on its way
// is NotYet. Unit is for daemons that read our files and restarts them; this is
// for the role's work, which the agent never stops.
func (s Service) Check(ctx context.Context, h *host.Host) ([]plan.Change, error) {
	if s.Name == "" || strings.ContainsAny(s.Name, "/\x00") {
		return nil, fmt.Errorf("service %q: no unit has such a name", s.Name)
	}
	state, err := h.Units().State(ctx, s.Name)
	if err != nil {
		return nil, err
	}
	started, err := s.started(h)
	if err != nil {
		return nil, fmt.Errorf("was %s started in this boot: %w", s.Name, err)
	}
	switch state {
	case "active", "reloading", "refreshing":
		return nil, nil
	case "activating":
		return nil, &plan.NotYet{For: "service " + s.Name + " to start"}
	case "deactivating":
		return nil, &plan.NotYet{For: "service " + s.Name + " to stop"}
	case "absent":
		return nil, fmt.Errorf("service %s is not installed; install the package that brings it, or take it out of services", s.Name)
	case "masked":
		return nil, fmt.Errorf("service %s is masked; systemctl unmask %s lets it start", s.Name, s.Name)
	}
	switch {
	case started && state == "failed":
		// Where it is told to try again, systemd calls it activating meanwhile.
		return nil, fmt.Errorf("service %s has failed; journalctl -u %s says why, systemctl restart %s tries again", s.Name, s.Name, s.Name)
	case started:
		return nil, fmt.Errorf("service %s is %s, and it ran in this boot: somebody stopped it, or it ended; it is not started again by itself; systemctl start %s does", s.Name, state, s.Name)
	}
	do := func(ctx context.Context) error { return s.start(ctx, h) }
	return []plan.Change{{Say: "start " + s.Name, Risk: plan.Disrupts, Do: do}}, nil
}

// start notes it after systemd has taken the job: a kill between the two asks
// for a start once more, which is nothing to a service that runs.
func (s Service) start(ctx context.Context, h *host.Host) error {
	if s.Reload {
		if err := h.Units().Reload(ctx); err != nil {
			return err
		}
	}
	if err := h.Units().Enqueue(ctx, "start", s.Name); err != nil {
		return err
	}
	return s.note(h)
}

// Confirm remembers a service that runs, also one that others started: who
// stops it later means it.
func (s Service) Confirm(h *host.Host) error {
	if started, err := s.started(h); err != nil || started {
		return err
	}
	return s.note(h)
}

// Notes tells of a service that systemd starts by itself: before its mounts
// and scripts are so, and behind the brake's back.
func (s Service) Notes(h *host.Host) []string {
	by, err := EnabledBy(h, s.Name)
	switch {
	case err != nil:
		return []string{fmt.Sprintf("whether %s is enabled cannot be seen: %v", s.Name, err)}
	case len(by) == 0:
		return nil
	}
	return []string{fmt.Sprintf("%s is enabled (%s), so that systemd starts it before this machine is ready for it; systemctl disable %s leaves that to reveille",
		s.Name, strings.Join(by, ", "), s.Name)}
}

// EnabledBy is the links by which systemd starts a unit at boot; none for one
// that is disabled.
func EnabledBy(h *host.Host, name string) ([]string, error) {
	var all []string
	for _, dir := range []string{"/etc/systemd/system/*.wants/", "/etc/systemd/system/*.requires/"} {
		links, err := h.Glob(dir + globQuote(name))
		if err != nil {
			return nil, fmt.Errorf("look for what enables %s: %w", name, err)
		}
		all = append(all, links...)
	}
	return all, nil
}

// globQuote lets a pattern match a name alone.
func globQuote(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}

func (s Service) kept() string { return path.Join(servicesDir, s.Name) }

func (s Service) started(h *host.Host) (bool, error) {
	_, err := h.ReadFile(s.kept())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (s Service) note(h *host.Host) error {
	if err := h.Mkdir(servicesDir, 0o700); err != nil {
		return err
	}
	if err := h.Sweep(servicesDir); err != nil {
		return err
	}
	return h.Write(s.kept(), []byte("started\n"), host.Attr{Mode: 0o600})
}
