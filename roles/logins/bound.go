package logins

import (
	"encoding/json"
	"fmt"
	"time"
)

// Bound is the longest that something can take. The zero Bound is no time.
type Bound struct {
	// Most is the bound, or where there is none what is known to come on top
	// of the waiting without end, so that two such can still be told apart.
	Most      time.Duration
	Unbounded bool
}

func secs(n int) Bound { return Bound{Most: time.Duration(n) * time.Second} }

var forEver = Bound{Unbounded: true}

// Plus is one wait after the other.
func (b Bound) Plus(c Bound) Bound {
	return Bound{b.Most + c.Most, b.Unbounded || c.Unbounded}
}

// Times is n of them in a row.
func (b Bound) Times(n int) Bound {
	return Bound{b.Most * time.Duration(n), b.Unbounded && n > 0}
}

// Less says whether b is the shorter. Without end is longer than anything; of
// two such the rest decides.
func (b Bound) Less(c Bound) bool {
	if b.Unbounded != c.Unbounded {
		return c.Unbounded
	}
	return b.Most < c.Most
}

// Over says whether it can take longer than a limit.
func (b Bound) Over(limit time.Duration) bool { return b.Unbounded || b.Most > limit }

// String is "12.5s", or "no limit".
func (b Bound) String() string {
	if b.Unbounded {
		return "no limit"
	}
	return fmt.Sprintf("%gs", b.Most.Seconds())
}

// MarshalJSON is the seconds, and null for no bound.
func (b Bound) MarshalJSON() ([]byte, error) {
	if b.Unbounded {
		return []byte("null"), nil
	}
	return json.Marshal(b.Most.Seconds())
}

// UnmarshalJSON reads what MarshalJSON writes.
func (b *Bound) UnmarshalJSON(data []byte) error {
	var s *float64
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("a bound is a number of seconds or null: %w", err)
	}
	*b = forEver
	if s != nil {
		*b = Bound{Most: time.Duration(*s * float64(time.Second))}
	}
	return nil
}

func longer(b, c Bound) Bound {
	if b.Less(c) {
		return c
	}
	return b
}

func shorter(b, c Bound) Bound {
	if b.Less(c) {
		return b
	}
	return c
}

// MarshalJSON writes durations as seconds, as all of a budget does.
func (b Budget) MarshalJSON() ([]byte, error) {
	return json.Marshal(budgetJSON{b.Grace.Seconds(), orEmpty(b.Cases), orEmpty(b.Notes)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (b *Budget) UnmarshalJSON(data []byte) error {
	var j budgetJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	*b = Budget{time.Duration(j.Grace * float64(time.Second)), j.Cases, j.Notes}
	return nil
}

type budgetJSON struct {
	Grace float64  `json:"grace_s"`
	Cases []Case   `json:"cases"`
	Notes []string `json:"notes"`
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
