// Package storetest is what every Store must do, as one suite that each
// implementation runs. It knows only the interface.
package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
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

func filters(t *testing.T, o Opener) {
	s := open(t, o)
	for _, h := range []store.Head{
		{ID: "i-1", Role: "mysql", State: api.Ready, Zone: "a", Host: "db1"},
		{ID: "i-2", Role: "mysql", State: api.Failed, Zone: "b", Host: "db2"},
		{ID: "i-3", Role: "web", State: api.Ready, Zone: "a", Host: "web1"},
		{ID: "i-4", State: api.Booting},
	} {
		r := record(h.ID)
		h.Received = start
		r.Head = h
		put(t, s, r)
	}
	for _, c := range []struct {
		q    store.Query
		want []string
	}{
		{store.Query{}, []string{"i-1", "i-2", "i-3", "i-4"}},
		{store.Query{Role: "mysql"}, []string{"i-1", "i-2"}},
		{store.Query{Role: "mys"}, nil},
		{store.Query{State: api.Ready}, []string{"i-1", "i-3"}},
		{store.Query{Zone: "a"}, []string{"i-1", "i-3"}},
		{store.Query{Host: "db2"}, []string{"i-2"}},
		{store.Query{Role: "mysql", State: api.Ready, Zone: "a", Host: "db1"}, []string{"i-1"}},
		{store.Query{Role: "mysql", Zone: "c"}, nil},
		{store.Query{After: "i-2"}, []string{"i-3", "i-4"}},
		{store.Query{After: "i-20"}, []string{"i-3", "i-4"}},
		{store.Query{After: "j"}, nil},
	} {
		c.q.Limit = 10
		if d := cmp.Diff(c.want, ids(list(t, s, c.q))); d != "" {
			t.Errorf("List(%+v) (-want +got):\n%s", c.q, d)
		}
	}
}

// all walks every page and fails the test if the walk does not end.
func all(t *testing.T, s store.Store, q store.Query, between func()) []string {
	t.Helper()
	var out []string
	for range 1000 {
		p := list(t, s, q)
		if len(p.Records) > q.Limit {
			t.Fatalf("a page of %d records, the limit is %d", len(p.Records), q.Limit)
		}
		out = append(out, ids(p)...)
		if p.Next == "" {
			return out
		}
		q.After = p.Next
		between()
	}
	t.Fatal("the pages do not end")
	return nil
}

func pages(t *testing.T, o Opener) {
	s := open(t, o)
	var want []string
	for i := range 25 {
		id := fmt.Sprintf("i-%02d", i)
		r := record(id)
		if i%2 == 0 {
			r.Role, want = "mysql", append(want, id)
		}
		put(t, s, r)
	}
	for _, limit := range []int{1, 5, 12, 13, 14, store.MaxLimit} {
		if d := cmp.Diff(want, all(t, s, store.Query{Role: "mysql", Limit: limit}, func() {})); d != "" {
			t.Errorf("limit %d (-want +got):\n%s", limit, d)
		}
	}
}

func pageBytes(t *testing.T, o Opener) {
	s := open(t, o)
	n := 2*store.MaxPageBytes/api.MaxReport + 1
	var want []string
	for i := range n {
		r := record(fmt.Sprintf("i-%03d", i))
		r.Report = json.RawMessage(`"` + strings.Repeat("x", api.MaxReport-2) + `"`)
		want = append(want, r.ID)
		put(t, s, r)
	}
	p := list(t, s, store.Query{Limit: n})
	if len(p.Records) != (n-1)/2 || p.Next == "" {
		t.Errorf("the first page holds %d of %d reports, want %d and a next page", len(p.Records), n, (n-1)/2)
	}
	if d := cmp.Diff(want, all(t, s, store.Query{Limit: n}, func() {})); d != "" {
		t.Errorf("all pages (-want +got):\n%s", d)
	}
}

func pagingUnderPuts(t *testing.T, o Opener) {
	s := open(t, o)
	var want []string
	for i := range 10 {
		id := fmt.Sprintf("i-%d", i)
		want = append(want, id)
		put(t, s, record(id))
	}
	// Puts of what was listed already, before the cursor, neither show nor hide anything.
	got := all(t, s, store.Query{Limit: 3}, func() { put(t, s, record("h-new"), record("i-0")) })
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func heads(t *testing.T, o Opener) {
	s := open(t, o)
	for i := range 5 {
		r := record(fmt.Sprintf("i-%d", i))
		r.Role = []string{"mysql", "web"}[i%2]
		put(t, s, r)
	}
	var got []string
	collect := func(stop int) func(store.Head) bool {
		got = nil
		return func(h store.Head) bool { got = append(got, h.ID+" "+h.Role); return len(got) < stop }
	}
	for _, c := range []struct {
		q    store.Query
		stop int
		want []string
	}{
		{store.Query{}, 9, []string{"i-0 mysql", "i-1 web", "i-2 mysql", "i-3 web", "i-4 mysql"}},
		{store.Query{Role: "web"}, 9, []string{"i-1 web", "i-3 web"}},
		{store.Query{}, 2, []string{"i-0 mysql", "i-1 web"}},
	} {
		if err := s.Heads(t.Context(), c.q, collect(c.stop)); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("Heads(%+v) (-want +got):\n%s", c.q, d)
		}
	}
}

func parallel(t *testing.T, o Opener) {
	s := open(t, o)
	const writers, each = 8, 20
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprintf("i-%d-%d", w, i)
				if err := s.Put(t.Context(), record(id)); err != nil {
					t.Errorf("Put: %v", err)
				}
				// What was acknowledged is seen at once, by everyone.
				if _, err := s.Get(t.Context(), id); err != nil {
					t.Errorf("Get after Put: %v", err)
				}
				if _, err := s.List(t.Context(), store.Query{Limit: 10}); err != nil {
					t.Errorf("List: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if got := all(t, s, store.Query{Limit: 50}, func() {}); len(got) != writers*each || !slices.IsSorted(got) {
		t.Errorf("%d records, want %d in order", len(got), writers*each)
	}
}

func ended(t *testing.T, o Opener) {
	s := open(t, o)
	put(t, s, record("i-1"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Put(ctx, record("i-2")); !errors.Is(err, context.Canceled) {
		t.Errorf("Put: %v", err)
	}
	if _, err := s.Get(ctx, "i-1"); !errors.Is(err, context.Canceled) {
		t.Errorf("Get: %v", err)
	}
	if _, err := s.List(ctx, store.Query{Limit: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("List: %v", err)
	}
	if err := s.Heads(ctx, store.Query{}, func(store.Head) bool { return true }); !errors.Is(err, context.Canceled) {
		t.Errorf("Heads: %v", err)
	}
	if _, err := s.Get(t.Context(), "i-2"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the Put that failed was kept: %v", err)
	}
}

func closed(t *testing.T, o Opener) {
	s := open(t, o)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), record("i-1")); err == nil {
		t.Error("Put: no error")
	}
	if _, err := s.Get(t.Context(), "i-1"); err == nil || errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get: %v, want an error other than ErrNotFound", err)
	}
	if _, err := s.List(t.Context(), store.Query{Limit: 1}); err == nil {
		t.Error("List: no error")
	}
}

func limits(t *testing.T, o Opener) {
	s := open(t, o)
	for _, n := range []int{-1, 0, store.MaxLimit + 1} {
		if _, err := s.List(t.Context(), store.Query{Limit: n}); err == nil {
			t.Errorf("List with limit %d: no error", n)
		}
	}
}
