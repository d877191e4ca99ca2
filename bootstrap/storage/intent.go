package storage

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"reveille/bootstrap/host"
)

// intentCreate is what an intent is about to do.
const intentCreate = "create"

// intent says that something was about to be made on these volumes. It is on
// the disk before the first byte of it is, so that what a cut has left half
// made is known for ours, by a UUID that was chosen beforehand.
type intent struct {
	For     string   `json:"for"`     // the ID of its step
	Do      string   `json:"do"`      // intentCreate
	UUID    string   `json:"uuid"`    // of what is made, as RFC 9562 writes it
	Volumes []string `json:"volumes"` // all that it lies upon, sorted
	Began   string   `json:"began"`   // RFC 3339
	Boot    string   `json:"boot"`    // the kernel's id of the boot in which it began
	Ended   string   `json:"ended"`   // "" until it was seen whole: nothing half made is taken away after that
}

// half says that what the intent is about was never seen whole.
func (i intent) half() bool { return i.Ended == "" }

// intents are a volume's, in a file of its own.
type intents struct {
	Version int      `json:"version"`
	Intents []intent `json:"intents"`
}

// intend notes an intent with each of its volumes, durably, in the place of an
// earlier one of the same step.
func (s Common) intend(h *host.Host, i intent) error {
	boot, err := h.BootID()
	if err != nil {
		return err
	}
	i.Do, i.Began, i.Boot, i.Ended = intentCreate, now(), boot, ""
	return s.note(h, i)
}

// ended notes that what was intended is whole. The rest of it stays as it was
// noted, whatever of it the caller knows.
func (s Common) ended(h *host.Host, i intent) error {
	noted, known, err := s.intendedFor(h, i.Volumes, i.For)
	if err != nil {
		return err
	}
	if known && noted.UUID == i.UUID {
		i = noted
	}
	i.Ended = now()
	return s.note(h, i)
}

// seenWhole is ended for what lies on its volumes now: they keep it first. LVM and
// mdadm leave what they write to the volume's own cache, and a note that outlived
// that would make of a power cut somebody who has taken it away.
func (s Common) seenWhole(ctx context.Context, h *host.Host, i intent) error {
	disks, _, err := attached(h, i.Volumes)
	if err != nil {
		return err
	}
	var nodes []string
	for _, v := range i.Volumes {
		if d, there := disks[v]; there {
			nodes = append(nodes, d.Node())
		}
	}
	if len(nodes) > 0 {
		if _, err := h.Run(ctx, "sync", nodes...); err != nil {
			return fmt.Errorf("have %s keep what was made on them: %w", many("volume", i.Volumes), err)
		}
	}
	return s.ended(h, i)
}

func (s Common) note(h *host.Host, i intent) error {
	if i.For == "" || i.UUID == "" || len(i.Volumes) == 0 {
		return fmt.Errorf("an intent of %q for %d volumes, UUID %q: not one of these may be missing", i.For, len(i.Volumes), i.UUID)
	}
	files := make([]intents, len(i.Volumes))
	for n, volume := range i.Volumes { // all are read first: one that is damaged keeps the others as they are
		f, err := s.intentsOf(h, volume)
		if err != nil {
			return err
		}
		f.Intents = slices.DeleteFunc(f.Intents, func(old intent) bool { return old.For == i.For })
		f.Intents = append(f.Intents, i)
		files[n] = f
	}
	dir := path.Join(s.Folder, "intents")
	if err := h.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if err := h.Sweep(dir); err != nil {
		return err
	}
	return s.write(h, dir, i.Volumes, files)
}

// write brings the files of several volumes to the disk side by side, which makes
// one work of them, and their names at once.
func (s Common) write(h *host.Host, dir string, volumes []string, files []intents) error {
	fail := func(volume string, err error) error {
		return fmt.Errorf("note what is about to be made on %s: %w", volume, err)
	}
	var staged []*host.Staged
	defer func() {
		for _, f := range staged {
			f.Close()
		}
	}()
	for n, volume := range volumes {
		text, err := json.MarshalIndent(files[n], "", "  ")
		if err != nil {
			return err
		}
		f, err := h.Stage(s.intentFile(volume), append(text, '\n'), host.Attr{Mode: 0o600})
		if err == nil && f == nil {
			err = fs.ErrNotExist // the folder has just been made
		}
		if err != nil {
			return fail(volume, err)
		}
		staged = append(staged, f)
	}
	for n, f := range staged {
		if err := f.Place(); err != nil {
			return fail(volumes[n], err)
		}
	}
	if err := h.Flush(dir); err != nil {
		return fail(strings.Join(volumes, ", "), err)
	}
	return nil
}

// intended is a volume's intent of a step; false where there is none.
func (s Common) intended(h *host.Host, volume, stepID string) (intent, bool, error) {
	f, err := s.intentsOf(h, volume)
	if err != nil {
		return intent{}, false, err
	}
	at := slices.IndexFunc(f.Intents, func(i intent) bool { return i.For == stepID })
	if at < 0 {
		return intent{}, false, nil
	}
	return f.Intents[at], true, nil
}

// justMade says that a step is making something on a volume, or has made it in
// this very boot.
func (s Common) justMade(h *host.Host, volume, stepID string) (bool, error) {
	i, known, err := s.intended(h, volume, stepID)
	if err != nil || !known || i.half() {
		return known, err
	}
	boot, err := h.BootID()
	return err == nil && i.Boot == boot, err
}

// intendedFor is the intent of a step about exactly these volumes, which must be
// sorted. Any of their files has it: a cut may have come between two of them.
func (s Common) intendedFor(h *host.Host, volumes []string, stepID string) (intent, bool, error) {
	var found intent
	known := false
	for _, volume := range volumes {
		i, ok, err := s.intended(h, volume, stepID)
		switch {
		case err != nil:
			return intent{}, false, err
		case !ok || !slices.Equal(i.Volumes, volumes):
			continue
		case known && i.UUID != found.UUID:
			return intent{}, false, fmt.Errorf("%s and %s do not know the same intent of %s; nothing was done; see what is on their volumes, and remove the one that is wrong",
				s.intentFile(found.Volumes[0]), s.intentFile(volume), stepID)
		case !known || !i.half():
			found, known = i, true
		}
	}
	return found, known, nil
}

func (s Common) intentFile(volume string) string {
	return path.Join(s.Folder, "intents", volume+".json")
}

// intentsOf reads a volume's intents. A file that cannot be understood is an
// error: what it tells of may lie half made on the volume.
func (s Common) intentsOf(h *host.Host, volume string) (intents, error) {
	if !path.IsAbs(s.Folder) || volume == "" || strings.ContainsAny(volume, "/\x00") {
		return intents{}, fmt.Errorf("volume %q with the folder %q: a volume id and an absolute path are wanted", volume, s.Folder)
	}
	file := s.intentFile(volume)
	text, err := h.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return intents{Version: 1}, nil
	}
	if err != nil {
		return intents{}, fmt.Errorf("was anything begun on volume %s: %w", volume, err)
	}
	var f intents
	if err := json.Unmarshal(text, &f); err != nil {
		return intents{}, fmt.Errorf("%s is damaged (%w), so that nobody knows what was begun on volume %s; see what is on it, then `rm %s`", file, err, volume, file)
	}
	if f.Version != 1 {
		return intents{}, fmt.Errorf("%s is of another version of reveille, so that this one does not know what was begun on volume %s; nothing is made on it", file, volume)
	}
	return f, nil
}

// newUUID is a random UUID, as RFC 9562 writes it.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: the program would have ended
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return grouped(hex.EncodeToString(b[:]), "-", 8, 4, 4, 4, 12)
}

// grouped writes the hexadecimal digits of a UUID as another program does: cut
// into groups of these lengths.
func grouped(uuid, sep string, lengths ...int) string {
	digits := digitsOf(uuid)
	var groups []string
	for _, n := range lengths {
		n = min(n, len(digits))
		groups, digits = append(groups, digits[:n]), digits[n:]
	}
	return strings.Join(groups, sep)
}

// digitsOf are the digits of a UUID, however it is written.
func digitsOf(uuid string) string { return strings.NewReplacer("-", "", ":", "").Replace(uuid) }

// sameUUID compares two, however they are written.
func sameUUID(a, b string) bool { return a != "" && digitsOf(a) == digitsOf(b) }

// mdUUID is a UUID as mdadm writes it.
func mdUUID(uuid string) string { return grouped(strings.ToLower(uuid), ":", 8, 8, 8, 8) }

// pvUUID is a UUID as LVM writes it.
func pvUUID(uuid string) string { return grouped(uuid, "-", 6, 4, 4, 4, 4, 4, 6) }

func now() string { return time.Now().UTC().Format(time.RFC3339) }
