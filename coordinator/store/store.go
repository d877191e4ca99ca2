// Package store keeps the newest report of each instance. It knows what can be
// asked for (role, state, zone, host name), but neither HTTP nor what a report
// means: the bytes that were put are the bytes that are got.
//
// Every Store passes package storetest, and says the same in the same case.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"reveille/coordinator/api"
)

// ErrNotFound is what Get answers for an instance that never reported.
var ErrNotFound = errors.New("no such instance")

// Bounds of one page of List.
const (
	MaxLimit     = 1000    // records
	MaxPageBytes = 8 << 20 // bytes of reports; the first record always fits
)

// Head is what can be asked for without reading a report. Region is kept for
// the sake of those who list heads alone.
type Head struct {
	ID       string    `json:"-"` // the key
	Role     string    `json:"role,omitempty"`
	State    api.State `json:"state"`
	Region   string    `json:"region,omitempty"`
	Zone     string    `json:"zone,omitempty"`
	Host     string    `json:"host,omitempty"`
	Received time.Time `json:"received"`
}

// Record is the newest report of an instance.
type Record struct {
	Head
	Report json.RawMessage // as it was put; nil in a list of heads
}

// Query chooses records. An empty field asks for nothing; the others must be
// equal, all of them.
type Query struct {
	Role  string
	State api.State
	Zone  string
	Host  string
	After string // only ids behind this one, in byte order
	Limit int    // 1 to MaxLimit
}

// Page is a part of a list, ordered by id. Next is the After of the next page,
// "" on the last one.
type Page struct {
	Records []Record
	Next    string
}

// Store is where reports are kept. Its methods may be called by many
// goroutines; each returns early when its context has ended.
type Store interface {
	// Put keeps a record in the place of an older one with its ID. The last
	// Put wins, whatever the clock in it says. When it returns nil, the record
	// outlives a crash of the machine.
	Put(ctx context.Context, r Record) error
	// Get returns a record, or ErrNotFound.
	Get(ctx context.Context, id string) (Record, error)
	// List returns a page of the records that match.
	List(ctx context.Context, q Query) (Page, error)
	// Heads calls f for every record that matches, in order of id, without its
	// report; After and Limit are not looked at. It stops when f returns false.
	// f must not call the store.
	Heads(ctx context.Context, q Query, f func(Head) bool) error
	// Close waits for what is under way. A closed store answers with errors.
	Close() error
}

// Open opens the store that a command line names: "bolt:DIR".
func Open(ctx context.Context, spec string) (Store, error) {
	kind, where, _ := strings.Cut(spec, ":")
	switch {
	case kind == "bolt" && where != "":
		return OpenBolt(ctx, where)
	case kind == "bolt":
		return nil, &SpecError{Spec: spec, Why: "it names no folder; want bolt:DIR"}
	default:
		return nil, &SpecError{Spec: spec, Why: "this version has only the embedded store, bolt:DIR"}
	}
}

// SpecError is a store that cannot be meant: an error of usage.
type SpecError struct{ Spec, Why string }

// Error names the store as it was given.
func (e *SpecError) Error() string { return fmt.Sprintf("store %q: %s", e.Spec, e.Why) }

// Match says whether a record is asked for. Limit and After are not looked at.
func (q Query) Match(h Head) bool {
	return (q.Role == "" || q.Role == h.Role) &&
		(q.State == "" || q.State == h.State) &&
		(q.Zone == "" || q.Zone == h.Zone) &&
		(q.Host == "" || q.Host == h.Host)
}

func (q Query) check() error {
	if q.Limit < 1 || q.Limit > MaxLimit {
		return fmt.Errorf("list: limit %d, want 1 to %d", q.Limit, MaxLimit)
	}
	return nil
}
