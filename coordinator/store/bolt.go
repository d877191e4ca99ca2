package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"
)

// Two buckets with the same keys: heads are small, so a list walks few pages
// and reads only the reports that it returns.
var (
	bucketHeads   = []byte("heads")
	bucketReports = []byte("reports")
	bucketMeta    = []byte("meta")
	keyFormat     = []byte("format")
)

// format is of the data file; a coordinator refuses one that it does not know.
const format = "1"

// Bolt is a Store in one file of a folder, held by one process at a time.
type Bolt struct{ db *bbolt.DB }

var _ Store = (*Bolt)(nil)

// Put commits together with other Puts of the same few milliseconds: one sync
// of the disk is shared by all of them, and none returns before it.
func (b *Bolt) Put(ctx context.Context, r Record) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("put %s: %w", r.ID, err)
	}
	head, err := json.Marshal(r.Head)
	if err != nil {
		return fmt.Errorf("put %s: encode: %w", r.ID, err)
	}
	err = b.db.Batch(func(tx *bbolt.Tx) error {
		if err := tx.Bucket(bucketHeads).Put([]byte(r.ID), head); err != nil {
			return err
		}
		return tx.Bucket(bucketReports).Put([]byte(r.ID), r.Report)
	})
	if err != nil {
		return fmt.Errorf("put %s: %w", r.ID, err)
	}
	return nil
}

// Get reads one record.
func (b *Bolt) Get(ctx context.Context, id string) (Record, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, fmt.Errorf("get %s: %w", id, err)
	}
	var r Record
	err := b.db.View(func(tx *bbolt.Tx) error {
		raw := tx.Bucket(bucketHeads).Get([]byte(id))
		if raw == nil {
			return ErrNotFound
		}
		var err error
		r, err = record(tx, []byte(id), raw)
		return err
	})
	if err != nil {
		return Record{}, fmt.Errorf("get %s: %w", id, err)
	}
	return r, nil
}

// List reads one page in one view of the data: a Put meanwhile is seen by the
// next page.
func (b *Bolt) List(ctx context.Context, q Query) (Page, error) {
	if err := q.check(); err != nil {
		return Page{}, err
	}
	var page Page
	size := 0
	err := b.walk(ctx, q.After, func(tx *bbolt.Tx, key, raw []byte, h Head) (bool, error) {
		if !q.Match(h) {
			return true, nil
		}
		next := len(tx.Bucket(bucketReports).Get(key))
		if n := len(page.Records); n == q.Limit || n > 0 && size+next > MaxPageBytes {
			page.Next = page.Records[n-1].ID
			return false, nil
		}
		r, err := record(tx, key, raw)
		page.Records = append(page.Records, r)
		size += next
		return true, err
	})
	if err != nil {
		return Page{}, fmt.Errorf("list: %w", err)
	}
	return page, nil
}

// Heads reads no report.
func (b *Bolt) Heads(ctx context.Context, q Query, f func(Head) bool) error {
	err := b.walk(ctx, "", func(_ *bbolt.Tx, _, _ []byte, h Head) (bool, error) {
		return !q.Match(h) || f(h), nil
	})
	if err != nil {
		return fmt.Errorf("list heads: %w", err)
	}
	return nil
}

// walk calls f for each head behind an id, until it says false. raw is valid
// only within the call.
func (b *Bolt) walk(ctx context.Context, after string, f func(tx *bbolt.Tx, key, raw []byte, h Head) (bool, error)) error {
	return b.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketHeads).Cursor()
		key, raw := c.Seek([]byte(after))
		if after != "" && bytes.Equal(key, []byte(after)) {
			key, raw = c.Next()
		}
		for ; key != nil; key, raw = c.Next() {
			if err := ctx.Err(); err != nil {
				return err
			}
			h, err := head(key, raw)
			if err != nil {
				return err
			}
			if more, err := f(tx, key, raw, h); err != nil || !more {
				return err
			}
		}
		return nil
	})
}

// Close waits for transactions under way and lets go of the file.
func (b *Bolt) Close() error {
	if err := b.db.Close(); err != nil {
		return fmt.Errorf("close %s: %w", b.db.Path(), err)
	}
	return nil
}

func head(key, raw []byte) (Head, error) {
	var h Head
	if err := json.Unmarshal(raw, &h); err != nil {
		return Head{}, fmt.Errorf("head of %q: %w", key, err)
	}
	h.ID = string(key)
	return h, nil
}

// record copies out of the file's memory, which is the transaction's own.
func record(tx *bbolt.Tx, key, raw []byte) (Record, error) {
	h, err := head(key, raw)
	if err != nil {
		return Record{}, err
	}
	report := tx.Bucket(bucketReports).Get(key)
	if report == nil {
		return Record{}, fmt.Errorf("report of %q: its head is there, it is not", key)
	}
	return Record{Head: h, Report: bytes.Clone(report)}, nil
}
