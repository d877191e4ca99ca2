package facts

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Where the brake is put on. The tag is read with the other tags.
const (
	DisabledPath = "/etc/reveille/disabled"
	PausePath    = "/var/lib/reveille/pause"
	KernelWord   = "reveille=off"
)

// Pause is what `reveille pause` leaves at PausePath, as JSON:
// {"reason": "…", "until": "RFC 3339, or empty: until resume", "instance": "i-…"}.
type Pause struct {
	Reason   string
	Until    time.Time
	Instance string // the machine that was paused, "" where its id was not known
}

type pauseWire struct {
	Reason   string `json:"reason"`
	Until    string `json:"until"`
	Instance string `json:"instance"`
}

// MarshalJSON writes the form that the type's comment shows.
func (p Pause) MarshalJSON() ([]byte, error) {
	w := pauseWire{Reason: p.Reason, Instance: p.Instance}
	if !p.Until.IsZero() {
		w.Until = p.Until.UTC().Format(time.RFC3339)
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads it back, strictly.
func (p *Pause) UnmarshalJSON(b []byte) error {
	var w pauseWire
	if err := strict(b, &w); err != nil {
		return err
	}
	*p = Pause{Reason: w.Reason, Instance: w.Instance}
	if w.Until == "" {
		return nil
	}
	t, err := time.Parse(time.RFC3339, w.Until)
	if err != nil {
		return fmt.Errorf("until: %w", err)
	}
	p.Until = t
	return nil
}

// On is the brake as it holds the instance of this id. A pause came with the
// image where another instance is known to have been paused: it would keep
// that one's files here. Where either id is "" it holds.
func (b Brake) On(id string) Brake {
	if b.PausedOn != "" && id != "" && b.PausedOn != id {
		b.Paused, b.Until, b.PausedOn = "", time.Time{}, ""
	}
	return b
}

// brake reads the brake. A pause that cannot be read holds: somebody wanted
// nothing to be changed.
func (l *looker) brake(now time.Time) Brake {
	b := Brake{
		Disabled: l.disabled(),
		Kernel:   slices.Contains(strings.Fields(l.line("/proc/cmdline")), KernelWord),
	}
	before := len(l.problems)
	text, ok := l.text(PausePath)
	if !ok {
		if len(l.problems) > before {
			b.Paused = "the pause cannot be read: " + l.problems[before].Detail
		}
		return b
	}
	var p Pause
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		b.Paused = fmt.Sprintf("%s cannot be read (%v); `reveille resume` removes it", PausePath, err)
		return b
	}
	if !p.Until.IsZero() && !now.Before(p.Until) {
		return b
	}
	b.Paused, b.Until, b.PausedOn = p.Reason, p.Until, p.Instance
	if b.Paused == "" {
		b.Paused = "no reason was given"
	}
	return b
}

// disabled takes a name that leads nowhere, or that cannot be looked at, for
// the brake as well: somebody wanted nothing to be changed.
func (l *looker) disabled() bool {
	i, err := l.h.Lstat(DisabledPath)
	if err != nil {
		l.fail(DisabledPath, err)
	}
	return i.Exists || err != nil
}
