package resource

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"sort"
	"strings"

	"reveille/bootstrap/host"
)

// present is a path as it is.
type present struct {
	target string // the path that would be written
	info   host.Info
	data   []byte // of a regular file
}

// look reads a path; with through, the file that a link there leads to.
func look(h *host.Host, path string, through bool) (present, error) {
	p := present{target: path}
	var err error
	if through {
		if p.target, err = h.Resolve(path); err != nil {
			return p, err
		}
	}
	if p.info, err = h.Lstat(p.target); err != nil || !p.info.Exists {
		return p, err
	}
	switch {
	case p.info.Mode.IsRegular():
		p.data, err = h.ReadFile(p.target)
	case p.info.Link != "":
		// Shown in the diff; what cannot be read is shown as nothing.
		p.data, _ = h.ReadFile(p.target)
	default:
		err = fmt.Errorf("it is %v, neither a file nor a link; remove it by hand", p.info.Mode)
	}
	return p, err
}

// wanted is a path as it should be.
type wanted struct {
	data   []byte
	shown  []byte // data with the secrets masked
	secret bool   // data holds secrets
	mode   fs.FileMode
	uid    int
	gid    int
}

// whole is what a whole file of ours should be.
func (f File) whole(h *host.Host, now present) (wanted, error) {
	w := wanted{secret: len(f.Secrets) > 0}
	var errs []error
	var err error
	w.data, err = f.fill(h)
	errs = append(errs, err)
	w.shown = f.masked()
	w.uid, err = h.User(cmp.Or(f.Owner, "root"))
	errs = append(errs, err)
	w.gid, err = h.Group(cmp.Or(f.Group, "root"))
	errs = append(errs, err)
	w.mode, err = f.mode(now.info)
	return w, errors.Join(append(errs, err)...)
}

// edited is what a file that is not ours should be.
func (f File) edited(h *host.Host, now present, base []byte) (wanted, error) {
	var w wanted
	var err error
	if len(f.Secrets) > 0 {
		return w, errors.New("secrets can be filled into a whole file only, not into an edit")
	}
	if w.data, err = f.Edit.Apply(base); err != nil {
		return w, fmt.Errorf("edit: %w", err)
	}
	again, err := f.Edit.Apply(w.data)
	if err != nil {
		return w, fmt.Errorf("edit what was edited: %w", err)
	}
	if !bytes.Equal(again, w.data) {
		return w, fmt.Errorf("the %s edit changes what it has just made, and would never end", f.Edit.Kind())
	}
	w.shown = w.data
	if w.mode, err = f.mode(now.info); err != nil {
		return w, err
	}
	w.uid, w.gid = now.info.UID, now.info.GID
	if f.Owner != "" {
		if w.uid, err = h.User(f.Owner); err != nil {
			return w, err
		}
	}
	if f.Group != "" {
		w.gid, err = h.Group(f.Group)
	}
	return w, err
}

// mode is the permission bits. A file with secrets is never readable for all.
func (f File) mode(now host.Info) (fs.FileMode, error) {
	const world = 0o007
	secret := len(f.Secrets) > 0
	switch {
	case f.Mode.Perm() != 0 && secret && f.Mode&world != 0:
		return 0, fmt.Errorf("mode %04o lets everybody read the secrets in it; ask for 0600 or 0640", f.Mode.Perm())
	case f.Mode.Perm() != 0:
		return f.Mode.Perm(), nil
	case now.Exists && now.Mode.IsRegular() && secret:
		return now.Mode.Perm() &^ world, nil
	case now.Exists && now.Mode.IsRegular():
		return now.Mode.Perm(), nil
	case secret:
		return 0o600, nil
	}
	return 0o644, nil
}

// fill puts the secrets into the content. Errors name the file that a secret
// should come from, never what is in it.
func (f File) fill(h *host.Host) ([]byte, error) {
	var pairs []string
	var errs []error
	for _, placeholder := range f.placeholders() {
		value, err := f.secret(h, placeholder)
		errs = append(errs, err)
		pairs = append(pairs, placeholder, value)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	// All at once: a secret that looks like another placeholder stays as it is.
	return []byte(strings.NewReplacer(pairs...).Replace(string(f.Content))), nil
}

func (f File) secret(h *host.Host, placeholder string) (string, error) {
	from := f.Secrets[placeholder]
	if placeholder == "" || !bytes.Contains(f.Content, []byte(placeholder)) {
		return "", fmt.Errorf("the secret from %s has no place in the file", from)
	}
	data, err := h.ReadFile(from)
	if err != nil {
		return "", fmt.Errorf("the secret that goes into it: %w; create that file, mode 0600", err)
	}
	value, _, _ := strings.Cut(string(data), "\n")
	value = strings.TrimSuffix(value, "\r")
	if value == "" {
		return "", fmt.Errorf("the secret that goes into it: the first line of %s is empty", from)
	}
	if strings.ContainsAny(value, "\x00\r") {
		return "", fmt.Errorf("the secret that goes into it: the first line of %s holds a zero byte or a carriage return", from)
	}
	return value, nil
}

// masked is the content with stars for the secrets.
func (f File) masked() []byte {
	var pairs []string
	for _, p := range f.placeholders() {
		if p != "" {
			pairs = append(pairs, p, mask)
		}
	}
	return []byte(strings.NewReplacer(pairs...).Replace(string(f.Content)))
}

// placeholders is the longest first, so that one may begin with another.
func (f File) placeholders() []string {
	var all []string
	for p := range f.Secrets {
		all = append(all, p)
	}
	sort.Slice(all, func(i, j int) bool {
		if len(all[i]) != len(all[j]) {
			return len(all[i]) > len(all[j])
		}
		return all[i] < all[j]
	})
	return all
}
