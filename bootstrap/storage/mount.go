package storage

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// Mount is a mounted file system, by a unit of this boot alone. Its ID is
// "mount:" + Path; it is live. One that a person unmounted stays so until the
// next boot, and fstab is never written: a volume that is gone holds up nobody's
// boot.
type Mount struct {
	Path    string
	From    FileSystem
	Options []string
	Owner   string // "" leaves it
	Group   string // "" leaves it
	Mode    string // "0750"; "" leaves it
}

// ID is "mount:" and the path.
func (m Mount) ID() string { return "mount:" + m.Path }

// Live is true: mounts are the running kernel's.
func (Mount) Live() bool { return true }

// Describe says what is wanted, for golden plans.
func (m Mount) Describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s, by a unit of this boot alone; not again where somebody unmounted it\n", m.From.Type, m.From.On.ID())
	if len(m.Options) > 0 {
		fmt.Fprintf(&b, "options %s\n", strings.Join(m.Options, ","))
	}
	for _, a := range [][2]string{{"owner", m.Owner}, {"group", m.Group}, {"mode", m.Mode}} {
		if a[1] != "" {
			fmt.Fprintf(&b, "%s %s\n", a[0], a[1])
		}
	}
	return b.String()
}

// Check looks at what is mounted and at the unit, and waits for no job.
func (m Mount) Check(ctx context.Context, h *host.Host) ([]plan.Change, error) {
	if !h.Live() {
		return nil, fmt.Errorf("%s: %w", m.ID(), host.ErrOffline)
	}
	changes, err := m.check(ctx, h)
	if err != nil {
		return nil, fmt.Errorf("mount on %s: %w", m.Path, err)
	}
	return changes, nil
}

func (m Mount) check(ctx context.Context, h *host.Host) ([]plan.Change, error) {
	attr, err := m.attr(h)
	if err != nil {
		return nil, err
	}
	if err := m.sound(); err != nil {
		return nil, err
	}
	if err := toolRuns(ctx, h, m.ID()); err != nil {
		return nil, err
	}
	s, err := m.see(ctx, h)
	switch {
	case err != nil:
		return nil, err
	case s.on.Path == "":
		return m.unmounted(ctx, h, s)
	case s.on.Major == s.major && s.on.Minor == s.minor && s.on.Root != "/":
		return nil, fmt.Errorf("only its folder %s is mounted there: `umount %s`, or give another path", s.on.Root, m.Path)
	case s.on.Major == s.major && s.on.Minor == s.minor:
		return m.mounted(h, s, attr)
	}
	return nil, fmt.Errorf("%s is mounted there, and not %s: `umount %s`, or give another path", whatIs(h, s.on), called(m.From.On), m.Path)
}

// sound refuses what no unit file could say.
func (m Mount) sound() error {
	if !path.IsAbs(m.Path) || path.Clean(m.Path) != m.Path || m.Path == "/" {
		return fmt.Errorf("%q is no place for it: an absolute path below / is wanted, without . and .. and a last slash", m.Path)
	}
	for _, word := range append([]string{m.Path}, m.Options...) {
		if strings.ContainsFunc(word, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return fmt.Errorf("%q has a control character", word)
		}
	}
	if len(m.unit()) > host.MaxUnit {
		return fmt.Errorf("the path is too long: no unit has a name of more than %d characters", host.MaxUnit)
	}
	return nil
}

// mounted judges one that is there, whoever mounted it.
func (m Mount) mounted(h *host.Host, s sight, attr host.Attr) ([]plan.Change, error) {
	switch {
	case !s.on.ReadOnly:
	case m.readOnly():
		return nil, nil // nobody can change its owner
	case s.readOnly:
		return nil, fmt.Errorf("mounted read-only, as %s may not be written to%s; attach what is missing, or set degraded: start; then `mount -o remount,rw %s`",
			called(m.From.On), notesOf(h, m.From.On), m.Path)
	default:
		return nil, fmt.Errorf("mounted read-only, and nobody asked for that: the kernel does so after an error; `journalctl -k -b` says why, `mount -o remount,rw %s` takes it back", m.Path)
	}
	now, err := h.Stat(m.Path)
	if err != nil {
		return nil, err
	}
	if (attr.UID < 0 || attr.UID == now.UID) && (attr.GID < 0 || attr.GID == now.GID) && (m.Mode == "" || attr.Mode == now.Mode.Perm()) {
		return nil, nil
	}
	say := fmt.Sprintf("set owner and mode of %s (%s, was %d:%d %04o)", m.Path, m.wants(), now.UID, now.GID, now.Mode.Perm())
	do := func(ctx context.Context) error {
		// It is looked at once more: unmounted meanwhile, the path is the root disk's.
		if s, err := m.see(ctx, h); err != nil || s.on.Path == "" {
			return fmt.Errorf("nothing is mounted on %s any more: %w", m.Path, err)
		}
		return h.Chattr(m.Path, attr)
	}
	return []plan.Change{{Say: say, Risk: plan.Disrupts, Do: do}}, nil
}

// wants is the owner and mode that the profile asks for, "mysql:mysql 0750".
func (m Mount) wants() string {
	var words []string
	if m.Owner != "" || m.Group != "" {
		words = append(words, m.Owner+":"+m.Group)
	}
	if m.Mode != "" {
		words = append(words, m.Mode)
	}
	return strings.Join(words, " ")
}

// attr is what the root of the file system should look like.
func (m Mount) attr(h *host.Host) (host.Attr, error) {
	a := host.Attr{UID: -1, GID: -1}
	var err error
	if m.Owner != "" {
		if a.UID, err = h.User(m.Owner); err != nil {
			return a, err
		}
	}
	if m.Group != "" {
		if a.GID, err = h.Group(m.Group); err != nil {
			return a, err
		}
	}
	if m.Mode != "" {
		mode, err := strconv.ParseUint(m.Mode, 8, 9)
		if err != nil || mode == 0 {
			return a, fmt.Errorf("mode %q: an octal number from 0001 to 0777 is wanted", m.Mode)
		}
		a.Mode = fs.FileMode(mode)
	}
	return a, nil
}

// readOnly says that the profile asks for no more; the last word counts.
func (m Mount) readOnly() bool {
	ro := false
	for _, o := range m.Options {
		for _, word := range strings.Split(o, ",") {
			ro = word == "ro" || ro && word != "rw"
		}
	}
	return ro
}

// Confirm remembers one that is mounted, also by others: who unmounts it later
// means it.
func (m Mount) Confirm(h *host.Host) error {
	if kept, err := m.begun(h); err != nil || kept != "" {
		return err
	}
	return m.note(h, mountSeen)
}

// Notes tells of lines in fstab about this path or this device, of a file system
// that is nearly full, and of one that is smaller than its device.
func (m Mount) Notes(h *host.Host) []string {
	notes := m.FstabNotes(h)
	if h.Live() && mountedFrom(h, m.Path) != "" {
		notes = append(append(notes, m.fill(h)...), m.From.ungrown(h, m)...)
	}
	return notes
}

// FstabNotes tells of lines in fstab about this path or this device: systemd
// would mount it by them at the next boot, before anybody has looked at it.
func (m Mount) FstabNotes(h *host.Host) []string {
	lines, err := FstabLines(h)
	if err != nil {
		return []string{fmt.Sprintf("whether fstab mounts %s cannot be seen: %v", m.Path, err)}
	}
	node := mountedFrom(h, m.Path)
	lines = slices.DeleteFunc(lines, func(l FstabLine) bool {
		return l.Path != m.Path && (node == "" || l.node(h) != node)
	})
	var notes []string
	for _, l := range lines {
		notes = append(notes, fmt.Sprintf("%s, line %d, mounts what this profile mounts on %s (%s): take the line out, so that a volume that is gone never holds up a boot", Fstab, l.Number, m.Path, l.Text))
	}
	return notes
}
