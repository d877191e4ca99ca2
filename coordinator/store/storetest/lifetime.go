package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"reveille/coordinator/store"
)

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
