// Package storetest is what every Store must do, as one suite that each
// implementation runs. It knows only the interface.
package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reveille/coordinator/api"
	"reveille/coordinator/store"
)

// Opener opens a store. Each call opens the same data again; the suite closes
// one store before it opens the next.
type Opener func() (store.Store, error)

// Run runs the suite. fresh is called once a test, for an Opener on empty data.
func Run(t *testing.T, fresh func(t *testing.T) Opener) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Opener)
	}{
		{"an empty store has nothing", empty},
		{"what was put is got, to the byte", putGet},
		{"the last put wins, even with an older clock", lastWins},
		{"what was put outlives a close", outlives},
		{"filters", filters},
		{"pages hold each record once, in order", pages},
		{"a page is bounded in bytes", pageBytes},
		{"paging goes on while others put", pagingUnderPuts},
		{"heads", heads},
		{"many at once", parallel},
		{"an ended context is an error", ended},
		{"a closed store answers with errors", closed},
		{"a limit out of range is refused", limits},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, fresh(t)) })
	}
}

var start = time.Date(2030, 1, 2, 3, 4, 5, 678, time.UTC)

func record(id string) store.Record {
	return store.Record{
		Head:   store.Head{ID: id, State: api.Ready, Received: start},
		Report: json.RawMessage(fmt.Sprintf(`{"instance_id":%q,"future":[1, 2],"name":"\u009b<é>"}`, id)),
	}
}

func open(t *testing.T, o Opener) store.Store {
	t.Helper()
	s, err := o()
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func put(t *testing.T, s store.Store, rs ...store.Record) {
	t.Helper()
	for _, r := range rs {
		if err := s.Put(t.Context(), r); err != nil {
			t.Fatalf("Put(%s): %v", r.ID, err)
		}
	}
}

func list(t *testing.T, s store.Store, q store.Query) store.Page {
	t.Helper()
	p, err := s.List(t.Context(), q)
	if err != nil {
		t.Fatalf("List(%+v): %v", q, err)
	}
	return p
}

func ids(p store.Page) []string {
	var out []string
	for _, r := range p.Records {
		out = append(out, r.ID)
	}
	return out
}

func empty(t *testing.T, o Opener) {
	s := open(t, o)
	if _, err := s.Get(t.Context(), "i-1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get: %v, want ErrNotFound", err)
	}
	if p := list(t, s, store.Query{Limit: 1}); len(p.Records) != 0 || p.Next != "" {
		t.Errorf("List: %+v, want an empty page", p)
	}
}

func putGet(t *testing.T, o Opener) {
	s := open(t, o)
	want := record("i-1")
	want.Role, want.Zone, want.Region, want.Host = "mysql", "us-east-1a", "us-east-1", "dev-mysql01"
	put(t, s, want, record("i-2"))
	got, err := s.Get(t.Context(), "i-1")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Get (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]store.Record{want, record("i-2")}, list(t, s, store.Query{Limit: 10}).Records); d != "" {
		t.Errorf("List (-want +got):\n%s", d)
	}
}

func lastWins(t *testing.T, o Opener) {
	s := open(t, o)
	first, second := record("i-1"), record("i-1")
	first.Role, second.Role = "web", "mysql"
	second.Received = start.Add(-time.Hour)
	second.Report = json.RawMessage(`{"second":true}`)
	put(t, s, first, second)
	got, err := s.Get(t.Context(), "i-1")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(second, got); d != "" {
		t.Errorf("Get (-want +got):\n%s", d)
	}
	if got := ids(list(t, s, store.Query{Role: "web", Limit: 10})); got != nil {
		t.Errorf("the role that it no longer has still finds %v", got)
	}
}

func outlives(t *testing.T, o Opener) {
	s := open(t, o)
	put(t, s, record("i-1"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := open(t, o).Get(t.Context(), "i-1")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(record("i-1"), got); d != "" {
		t.Errorf("after a restart (-want +got):\n%s", d)
	}
}
