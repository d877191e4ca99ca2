package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/coordinator/api"
	"reveille/coordinator/store"
)

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
