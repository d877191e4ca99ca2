package storage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/unit"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

const (
	// mountsDir keeps, until the next boot, what each mount was begun with: what a
	// person unmounts is not mounted a second time.
	mountsDir = "/run/reveille/mounts"
	// mountSeen stands there for one that others mounted.
	mountSeen = "mounted\n"
	// runUnits are unit files of this boot alone. What is of the same name in
	// etcUnits goes before them.
	runUnits, etcUnits = "/run/systemd/system", "/etc/systemd/system"
	// fsckWithin bounds a check before a mount.
	fsckWithin = 10 * time.Minute
)

// unit is the name that systemd wants for a mount at this path.
func (m Mount) unit() string { return unit.UnitNamePathEscape(m.Path) + ".mount" }

// text is the unit file. It has no place in the boot's order: only the end of
// the machine knows of it.
func (m Mount) text(s sight) string {
	options := slices.Clone(m.Options)
	if s.readOnly {
		options = append(options, "ro") // of two the last one counts
	}
	if len(options) == 0 {
		options = []string{"defaults"}
	}
	plain := strings.NewReplacer("%", "%%")
	return fmt.Sprintf(`# Written by reveille for this boot alone. What reads it waits for the volume.
[Unit]
Description=%s of %s
DefaultDependencies=no
Conflicts=umount.target
Before=umount.target

[Mount]
What=%s
Where=%s
Type=%s
Options=%s
DirectoryMode=0755
TimeoutSec=90
`, m.From.Type, plain.Replace(called(m.From.On)), plain.Replace(s.name), plain.Replace(m.Path), m.From.Type, plain.Replace(strings.Join(options, ",")))
}

// unmounted judges one that is not there: by its unit's state, and by whether
// it was there in this boot.
func (m Mount) unmounted(ctx context.Context, h *host.Host, s sight) ([]plan.Change, error) {
	state, err := h.Units().State(ctx, m.unit())
	if err != nil {
		return nil, err
	}
	kept, err := m.begun(h)
	if err != nil {
		return nil, err
	}
	again := "`systemctl start " + quoted(m.unit()) + "`"
	switch {
	case state == "activating", state == "active":
		return nil, &plan.NotYet{For: m.unit() + " to mount it"}
	case state == "deactivating":
		return nil, &plan.NotYet{For: m.unit() + " to unmount it"}
	case state == "masked":
		return nil, fmt.Errorf("%s is masked; `systemctl unmask %s` lets it be mounted", m.unit(), quoted(m.unit()))
	case state == "failed" && kept == m.text(s):
		return nil, fmt.Errorf("%s could not be mounted%s; %s; then %s", called(m.From.On), m.said(ctx, h), cmp.Or(m.twin(ctx, h, s), m.remedy(s)), again)
	case kept != "" && (kept == mountSeen || state != "failed"):
		return nil, fmt.Errorf("it was mounted in this boot: somebody unmounted it, or its device went away; it is not mounted again by itself; %s does", again)
	}
	if err := m.point(h, s); err != nil {
		return nil, err
	}
	say := fmt.Sprintf("mount %s on %s (%s)", called(m.From.On), m.Path, m.From.Type)
	if s.readOnly {
		say += ", read-only"
	}
	return []plan.Change{{Say: say, Risk: plan.Disrupts, Do: func(ctx context.Context) error { return m.do(ctx, h) }}}, nil
}

// do looks once more, checks the file system, and leaves the rest to systemd and
// the waiting to the next looks.
func (m Mount) do(ctx context.Context, h *host.Host) error {
	s, err := m.see(ctx, h)
	if err != nil {
		return err
	}
	if s.on.Path != "" {
		return &plan.NotYet{For: "a look at what somebody else has just mounted"}
	}
	if err := m.point(h, s); err != nil {
		return err
	}
	// A name of the kernel's may have come to be another device's, and e2fsck
	// mends what it can.
	holds, err := block.Probe(ctx, h, s.node)
	if err != nil {
		return err
	}
	if holds.Type != m.From.Type {
		return fmt.Errorf("nothing was mounted, as %s does not hold %s: %s is there", called(m.From.On), m.From.Type, orNothing(holds.String()))
	}
	if m.From.Type == "ext4" && !s.readOnly && !s.busy {
		if err := m.fsck(ctx, h, s); err != nil {
			return err
		}
	}
	text := m.text(s)
	file := path.Join(runUnits, m.unit())
	if err := h.Write(file, []byte(text), host.Public); err != nil {
		return err
	}
	known, err := h.Units().Knows(ctx, m.unit(), file)
	if err == nil && !known { // it holds on to something older, and all units are read again
		err = h.Units().Reload(ctx)
	}
	if err != nil {
		return err
	}
	if err := h.Units().Enqueue(ctx, "start", m.unit()); err != nil {
		return err
	}
	if err := m.note(h, text); err != nil {
		return err
	}
	return &plan.NotYet{For: m.unit() + " to mount it"}
}

// fsck replays the journal of an ext4 and mends what needs no person. xfs does
// the like when it is mounted.
func (m Mount) fsck(ctx context.Context, h *host.Host, s sight) error {
	err := tool(ctx, h, m.ID(), fsckWithin, "e2fsck", "-p", s.node)
	var failed *toolFailed
	switch {
	case errors.As(err, &failed) && failed.Code == 1 && failed.Result == "exit-code": // mended
		return nil
	case errors.As(err, &failed) && failed.Result == "exit-code" && failed.Code&8 != 0: // it could not look
		return fmt.Errorf("%s is left unmounted: %w; the next pass tries again", called(m.From.On), err)
	case errors.As(err, &failed):
		return fmt.Errorf("%s is left unmounted: %w; %s, and the next pass mounts it", called(m.From.On), err, m.remedy(s))
	}
	return err
}

// remedy is what a person can do about a file system that cannot be mounted.
func (m Mount) remedy(s sight) string {
	at := s.node + ", now " + called(m.From.On)
	switch {
	case s.readOnly:
		return "a journal that was not written back cannot be replayed on a device that may not be written to (" + at + "): attach what is missing, or set degraded: start"
	case m.From.Type == "ext4":
		return "`e2fsck -f " + s.node + "` checks it and asks before it mends (" + at + ")"
	}
	return "`xfs_repair -n " + s.node + "` looks at it and changes nothing (" + at + ")"
}

// said is what mount said, as far as the system's log has it.
func (m Mount) said(ctx context.Context, h *host.Host) string {
	i, err := h.Stat(m.kept())
	if err != nil || !i.Exists {
		return ""
	}
	return h.WordsSince(ctx, m.unit(), i.Modified.Add(-fsckWithin))
}

func (m Mount) kept() string { return path.Join(mountsDir, m.unit()) }

// begun is the unit file with which it was begun in this boot; "" where it was not.
func (m Mount) begun(h *host.Host) (string, error) {
	text, err := h.ReadFile(m.kept())
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("was it mounted in this boot: %w", err)
	}
	return string(text), nil
}

func (m Mount) note(h *host.Host, text string) error {
	if err := h.Mkdir(mountsDir, 0o700); err != nil {
		return err
	}
	if err := h.Sweep(mountsDir); err != nil {
		return err
	}
	return h.Write(m.kept(), []byte(text), host.Attr{Mode: 0o600})
}

// quoted is a unit's name as a shell wants it: an escaped path has backslashes.
func quoted(name string) string {
	if strings.Contains(name, `\`) {
		return "'" + name + "'"
	}
	return name
}
