package storage

import (
	"context"
	"fmt"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
)

// nearlyFull is the part of a file system, in percent, from which on it is told.
const nearlyFull = 90

// fill tells of a file system that is nearly full, of bytes or of files. What to
// throw away, or to grow, is a person's to say.
func (m Mount) fill(h *host.Host) []string {
	f, err := block.Fill(context.Background(), h, m.Path)
	if err != nil {
		return []string{fmt.Sprintf("how full %s is cannot be told: %v; %s", m.ID(), err, unread(err))}
	}
	var notes []string
	if f.Percent >= nearlyFull {
		notes = append(notes, fmt.Sprintf("%s is %d%% full: %d MiB are left", m.ID(), f.Percent, f.Left>>20))
	}
	if f.Files >= nearlyFull {
		notes = append(notes, fmt.Sprintf("%s has used %d%% of the files that it can hold", m.ID(), f.Files))
	}
	return notes
}
