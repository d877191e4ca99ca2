package daemon

import (
	"encoding/json"
	"path"
	"slices"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
)

// whomPath is where the coordinators of the last pass that was decided are
// kept: a pass that is refused does not know its own, and is the one that an
// operator most wants to hear of.
func whomPath(id string) string { return path.Join(path.Dir(facts.CachePath(id)), "coordinators.json") }

// whom is who should be told of this pass. What was decided is kept for the
// next one, and written only where it is news. It is called under the lock: a
// clean that waits for that must be the last to write.
func (p Pass) whom(out Outcome) []string {
	id := out.Report.InstanceID
	if id == "" {
		return nil
	}
	kept := readWhom(p.Host, id)
	var now []string
	switch c := out.Wanted.Profile.Coordinator; {
	case c != nil:
		now = c.URLs
	case !out.Decided:
		return kept
	}
	if out.Decided && !slices.Equal(now, kept) {
		if err := writeWhom(p.Host, id, now); err != nil {
			p.log().Warn("who is to be told could not be kept for a pass that is refused", "error", err)
		}
	}
	return now
}

func readWhom(h *host.Host, id string) []string {
	var urls []string
	if b, err := h.ReadFile(whomPath(id)); err == nil {
		_ = json.Unmarshal(b, &urls) // a torn file tells of nobody
	}
	return urls
}

func writeWhom(h *host.Host, id string, urls []string) error {
	if len(urls) == 0 {
		return h.Remove(whomPath(id))
	}
	b, err := json.Marshal(urls)
	if err != nil {
		return err
	}
	if err := h.Mkdir(path.Dir(whomPath(id)), 0o700); err != nil {
		return err
	}
	return h.Write(whomPath(id), append(b, '\n'), host.Attr{Mode: 0o600, UID: -1, GID: -1})
}
