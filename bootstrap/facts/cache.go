package facts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"reveille/bootstrap/host"
)

// InstancesPath holds a folder for each instance id that this disk has been
// the root of.
const InstancesPath = "/var/lib/reveille/instances"

// CachePath is where the last good crawl of an instance is kept.
func CachePath(id string) string { return path.Join(InstancesPath, id, "facts.json") }

// keepFor is the age at which a crawl that says the same is kept anew, so
// that the age which is shown stays true to a day.
const keepFor = 24 * time.Hour

// kept is a good crawl as it lies on the disk.
type kept struct {
	Version  int       `json:"version"`
	Read     time.Time `json:"read"`
	BootID   string    `json:"boot_id"`
	Instance Instance  `json:"instance"`
	UserData UserData  `json:"user_data"`
}

// good says that everything a profile can turn on was answered.
func good(f Facts) bool {
	i := f.Instance
	if !i.ID.IsKnown() {
		return false
	}
	for _, s := range []Fact[string]{i.Region, i.Zone, i.Hostname, i.LocalHostname, i.PublicHostname, i.PrivateIP} {
		if !answered(s) {
			return false
		}
	}
	return answered(i.SecurityGroups) && answered(i.Tags) && answered(i.Interfaces) && answered(f.UserData.State)
}

func answered[T any](f Fact[T]) bool { return f.IsKnown() || f.IsAbsent() }

// Keep writes a good crawl of IMDS, and EC2's word about the volumes, to the
// instance's folder, readable by root alone, when they say something new or
// what is kept is a day old. Facts that are not a good crawl are not kept,
// which is no error.
func Keep(ctx context.Context, h *host.Host, f Facts) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("keep the facts: %w", err)
	}
	id, ok := f.Instance.ID.Get()
	if !ok {
		return nil
	}
	if _, err := instanceID(id); err != nil {
		return fmt.Errorf("keep the facts: %w", err) // a folder is about to have this name
	}
	return errors.Join(keepCrawl(h, id, f), keepVolumes(h, id, f))
}

func keepCrawl(h *host.Host, id string, f Facts) error {
	if f.Source != FromIMDS || !good(f) {
		return nil
	}
	k := kept{Version: Version, Read: f.Read, BootID: f.Machine.BootID, Instance: f.Instance, UserData: f.UserData}
	old, err := readKept(h, id)
	// A kept file that cannot be read is replaced: it is of no use to anyone.
	if err == nil && old.sameAs(k) && f.Now.Sub(old.Read) < keepFor && !f.Now.Before(old.Read) {
		return nil
	}
	return placed(h, id, CachePath(id), k)
}

// placed writes a document into the instance's folder, for root alone.
func placed(h *host.Host, id, at string, document any) error {
	b, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("keep the facts of %s: %w", id, err)
	}
	if err := h.Mkdir(path.Dir(at), 0o700); err != nil {
		return fmt.Errorf("keep the facts of %s: %w", id, err)
	}
	if err := h.Place(at, append(b, '\n'), host.Attr{Mode: 0o600}); err != nil {
		return fmt.Errorf("keep the facts of %s: %w", id, err)
	}
	return nil
}

// sameAs compares all but the time of reading.
func (k kept) sameAs(other kept) bool {
	other.Read = k.Read
	a, errA := json.Marshal(k)
	b, errB := json.Marshal(other)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

func readKept(h *host.Host, id string) (kept, error) {
	var k kept
	b, err := h.ReadFile(CachePath(id))
	if err != nil {
		return k, err
	}
	if err := decodeStrict(bytes.NewReader(b), &k); err != nil {
		return k, fmt.Errorf("read %s: %w", CachePath(id), err)
	}
	if got, _ := k.Instance.ID.Get(); got != id {
		return k, fmt.Errorf("read %s: it is about %q; remove it", CachePath(id), got)
	}
	return k, nil
}

// standIn puts the last good crawl of this instance in the place of one that
// was not good, and returns what it could not read or would not believe.
func (f *Facts) standIn(h *host.Host) []Problem {
	id, sure, err := f.whose(h)
	if err != nil {
		return []Problem{{Path: InstancesPath, Reason: Unreadable, Detail: err.Error()}}
	}
	if id == "" {
		return nil
	}
	k, err := readKept(h, id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return []Problem{{Path: CachePath(id), Reason: Unreadable, Detail: err.Error()}}
	}
	if !sure && (k.BootID == "" || k.BootID != f.Machine.BootID) {
		return []Problem{{Path: CachePath(id), Reason: NotAsked, Detail: "the kept facts are not used: they are of another boot, " +
			"and nothing says that this machine is still " + id}}
	}
	f.Source, f.Read, f.Instance, f.UserData = FromCache, k.Read, k.Instance, k.UserData
	return nil
}

// whose is the instance id to look for: IMDS's, else DMI's, else, not for
// sure, the only one that was ever kept here.
func (f *Facts) whose(h *host.Host) (id string, sure bool, err error) {
	if id, ok := f.Instance.ID.Get(); ok {
		return id, true, nil
	}
	if f.Machine.DMI != "" {
		return f.Machine.DMI, true, nil
	}
	names, err := h.ReadDir(InstancesPath)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil || len(names) != 1 {
		return "", false, err
	}
	if _, err := instanceID(names[0]); err != nil {
		return "", false, nil // not a folder of ours
	}
	return names[0], false, nil
}

// LastPrivateIP is the private address in the last good crawl of an instance
// that was kept, "" where none was or it had none.
func LastPrivateIP(h *host.Host, id string) (string, error) {
	if _, err := instanceID(id); err != nil {
		return "", err
	}
	k, err := readKept(h, id)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return k.Instance.PrivateIP.Or(""), err
}
