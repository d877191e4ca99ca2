package storage

import (
	"context"
	"fmt"
	"strings"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
)

// twin is what to do about an xfs that the kernel does not mount beside another of
// its UUID, as of a volume that was restored from a snapshot; "" where there is
// none. The kernel says that in its own log alone, and mount guesses. The others'
// UUIDs are read from udev's notes: a volume of theirs may hang.
func (m Mount) twin(ctx context.Context, h *host.Host, s sight) string {
	if m.From.Type != "xfs" {
		return ""
	}
	mounts, err := block.Mounts(h)
	if err != nil {
		return ""
	}
	mine, err := block.Probe(ctx, h, s.node)
	if err != nil || mine.UUID == "" {
		return ""
	}
	for _, o := range mounts {
		if o.Type != "xfs" || o.Major == s.major && o.Minor == s.minor {
			continue
		}
		noted, err := h.ReadFile(fmt.Sprintf("/run/udev/data/b%d:%d", o.Major, o.Minor))
		if err == nil && strings.Contains("\n"+string(noted), "\nE:ID_FS_UUID="+mine.UUID+"\n") {
			return fmt.Sprintf("it has the UUID (%s) of %s, which is mounted on %s: one is a copy, as of a snapshot; detach the one that is not meant, or have both by options: [nouuid] here",
				mine.UUID, whatIs(h, o), o.Path)
		}
	}
	return ""
}
