package facts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Reason says why a fact is unknown, in one word that tests and tables can hold.
type Reason string

// The reasons.
const (
	NotAsked     Reason = "not-asked"
	Unauthorized Reason = "unauthorized" // 401: no token, or an expired one
	Forbidden    Reason = "forbidden"    // 403: IMDS is disabled
	Throttled    Reason = "throttled"    // 429
	ServerError  Reason = "server-error" // 5xx
	Refused      Reason = "refused"      // nobody listens
	NoRoute      Reason = "no-route"     // the kernel knows no way there
	NoName       Reason = "no-name"      // no name server tells the address
	TimedOut     Reason = "timed-out"    // no answer before the deadline
	HalfBody     Reason = "half-body"    // the connection ended inside an answer
	TooLarge     Reason = "too-large"    // more bytes than the bound
	Malformed    Reason = "malformed"    // an answer that is not what was asked for
	Unreadable   Reason = "unreadable"   // a file of the machine could not be read
)

type state uint8

const (
	unknown state = iota // the zero value: nothing has been asked
	absent
	known
)

// Fact is one answer: known, absent, or unknown with a reason. The zero value
// is unknown.
//
// As JSON: {"value": …}, {"absent": true} or {"unknown": REASON, "detail": …}.
type Fact[T any] struct {
	state  state
	value  T
	reason Reason
	detail string
}

// Known is an answer.
func Known[T any](v T) Fact[T] { return Fact[T]{state: known, value: v} }

// Absent is the answer that there is no such thing.
func Absent[T any]() Fact[T] { return Fact[T]{state: absent} }

// Unknown is a question that was not answered.
func Unknown[T any](r Reason, detail string) Fact[T] { return Fact[T]{reason: r, detail: detail} }

// Get returns the value and whether it is known.
func (f Fact[T]) Get() (T, bool) { return f.value, f.state == known }

// Or returns the value, or the given one where the fact is absent or unknown.
// Use it only where both may be treated alike.
func (f Fact[T]) Or(v T) T {
	if f.state == known {
		return f.value
	}
	return v
}

// IsKnown says that there is a value.
func (f Fact[T]) IsKnown() bool { return f.state == known }

// IsAbsent says that there is certainly none.
func (f Fact[T]) IsAbsent() bool { return f.state == absent }

// Why returns the reason and the detail of an unknown fact, "" and "" of others.
func (f Fact[T]) Why() (Reason, string) {
	if f.state != unknown {
		return "", ""
	}
	if f.reason == "" {
		return NotAsked, f.detail
	}
	return f.reason, f.detail
}

// String is the value, "absent", or "unknown (reason)".
func (f Fact[T]) String() string {
	switch f.state {
	case known:
		return fmt.Sprint(f.value)
	case absent:
		return "absent"
	}
	r, _ := f.Why()
	return "unknown (" + string(r) + ")"
}

type wire[T any] struct {
	Value   *T     `json:"value,omitempty"`
	Absent  bool   `json:"absent,omitempty"`
	Unknown Reason `json:"unknown,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

// MarshalJSON writes the form that the type's comment shows.
func (f Fact[T]) MarshalJSON() ([]byte, error) {
	switch f.state {
	case known:
		return json.Marshal(wire[T]{Value: &f.value})
	case absent:
		return json.Marshal(wire[T]{Absent: true})
	}
	r, d := f.Why()
	return json.Marshal(wire[T]{Unknown: r, Detail: d})
}

// UnmarshalJSON reads it back. Anything but one of the three forms is an error.
func (f *Fact[T]) UnmarshalJSON(b []byte) error {
	var w struct {
		Value   json.RawMessage `json:"value"`
		Absent  bool            `json:"absent"`
		Unknown Reason          `json:"unknown"`
		Detail  string          `json:"detail"`
	}
	if err := strict(b, &w); err != nil {
		return err
	}
	switch {
	case w.Value != nil && !w.Absent && w.Unknown == "":
		var v T
		if err := strict(w.Value, &v); err != nil {
			return err
		}
		*f = Known(v)
	case w.Absent && w.Value == nil && w.Unknown == "":
		*f = Absent[T]()
	case w.Unknown != "" && w.Value == nil && !w.Absent:
		*f = Unknown[T](w.Unknown, w.Detail)
	default:
		return fmt.Errorf(`%.80s: a fact has one of "value", "absent" and "unknown"`, b)
	}
	return nil
}

// strict decodes one JSON value without unknown fields and with nothing
// behind it. A type's own UnmarshalJSON must ask for that again.
func strict(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return jsonError(b, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more behind its end")
	}
	return nil
}
