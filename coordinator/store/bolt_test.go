package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"reveille/coordinator/api"
	"reveille/coordinator/store"
	"reveille/coordinator/store/storetest"
)

func TestBolt(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Opener {
		dir := filepath.Join(t.TempDir(), "data")
		return func() (store.Store, error) { return store.Open(context.Background(), "bolt:"+dir) }
	})
}

func TestOpenNames(t *testing.T) {
	for spec, want := range map[string]string{
		"":                        `only the embedded store, bolt:DIR`,
		"bolt":                    `names no folder`,
		"bolt:":                   `names no folder`,
		"etcd:http://127.0.0.1:1": `only the embedded store, bolt:DIR`,
		"/var/lib/x":              `only the embedded store, bolt:DIR`,
	} {
		_, err := store.Open(t.Context(), spec)
		var bad *store.SpecError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q): %v, want a SpecError with %q", spec, err, want)
		}
	}
}

// filled makes a closed store with n instances and returns its data file.
func filled(t *testing.T, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a", "b")
	b, err := store.OpenBolt(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		r := store.Record{
			Head:   store.Head{ID: fmt.Sprintf("i-%04d", i), State: api.Ready, Received: time.Unix(0, 0)},
			Report: []byte(`{"filler":"` + strings.Repeat("x", 2000) + `"}`),
		}
		if err := b.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "coordinator.db")
}

func TestBoltModes(t *testing.T) {
	path := filled(t, 0)
	for name, want := range map[string]os.FileMode{filepath.Dir(path): os.ModeDir | 0o700, path: 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode() != want {
			t.Errorf("%s: %v %v, want %v", name, info.Mode(), err, want)
		}
	}
}

func TestBoltTaken(t *testing.T) {
	dir := filepath.Dir(filled(t, 1))
	held, err := store.OpenBolt(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.OpenBolt(t.Context(), dir)
	if !errors.Is(err, store.ErrTaken) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second open: %v, want ErrTaken naming the folder", err)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := store.OpenBolt(t.Context(), dir)
	if err != nil {
		t.Fatalf("open after the first was closed: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

// inUse is how many bytes of the file the newest state of the data may lie in.
func inUse(t *testing.T, path string) int64 {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var size int64
	if err := db.View(func(tx *bbolt.Tx) error { size = tx.Size(); return nil }); err != nil {
		t.Fatal(err)
	}
	return size
}

// A report that lies at the end and spans pages is read only when it is asked
// for; that it was cut off must be told before that.
func TestBoltCutReport(t *testing.T) {
	path := filled(t, 0)
	b, err := store.OpenBolt(t.Context(), filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	big := store.Record{Head: store.Head{ID: "i-1", State: api.Ready}, Report: bytes.Repeat([]byte("x"), 200_000)}
	if err := errors.Join(b.Put(t.Context(), big), b.Close()); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, inUse(t, path)-1); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenBolt(t.Context(), filepath.Dir(path)); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("open: %v, want ErrDamaged", err)
	}
}

// A damaged file is refused with the remedy, and stays as it is.
func TestBoltDamaged(t *testing.T) {
	page := int64(os.Getpagesize())
	for name, damage := range map[string]func([]byte) []byte{
		"not a database":      func([]byte) []byte { return []byte(strings.Repeat("no database at all\n", 5000)) },
		"one byte":            func([]byte) []byte { return []byte("x") },
		"cut between pages":   func(b []byte) []byte { return b[:6*page] },
		"cut inside a page":   func(b []byte) []byte { return b[:6*page+17] },
		"only the meta pages": func(b []byte) []byte { return b[:2*page] },
		"meta pages zeroed":   func(b []byte) []byte { clear(b[:2*page]); return b },
		"all else zeroed":     func(b []byte) []byte { clear(b[2*page:]); return b },
		// The number of a bucket's root page stands right behind its name.
		"a page far outside": func(b []byte) []byte {
			return regexp.MustCompile("(?s)heads.{8}").ReplaceAllLiteral(b, []byte("heads\xff\xff\xff\x0f\x00\x00\x00\x00"))
		},
		"all else noise": func(b []byte) []byte {
			noise := rand.NewChaCha8([32]byte{1})
			_, _ = noise.Read(b[2*page:])
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filled(t, 40)
			good, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			bad := damage(bytes.Clone(good))
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err = store.OpenBolt(t.Context(), filepath.Dir(path))
			if !errors.Is(err, store.ErrDamaged) {
				t.Fatalf("open: %v, want ErrDamaged", err)
			}
			for _, want := range []string{path, "move the file away"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q: %v", want, err)
				}
			}
			if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, bad) {
				t.Errorf("the damaged file was written to (%v)", err)
			}
		})
	}
}

// Whatever a flipped byte does, it is an answer and not a crash.
func TestBoltFlips(t *testing.T) {
	path := filled(t, 20)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		bad := bytes.Clone(good)
		at := random.IntN(len(bad))
		bad[at] ^= byte(1 + random.IntN(255))
		// Each its own file: one that faulted stays locked by this process.
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "coordinator.db"), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := store.OpenBolt(t.Context(), dir)
		if err != nil {
			if !errors.Is(err, store.ErrDamaged) && !strings.Contains(err.Error(), "another") {
				t.Errorf("byte %d flipped: %v, want ErrDamaged", at, err)
			}
			continue
		}
		if err := b.Heads(t.Context(), store.Query{}, func(store.Head) bool { return true }); err != nil {
			t.Errorf("byte %d flipped: opened, and then Heads: %v", at, err)
		}
		if err := b.Close(); err != nil {
			t.Errorf("byte %d flipped: Close: %v", at, err)
		}
	}
}

func TestBoltForeign(t *testing.T) {
	for name, c := range map[string]struct {
		bucket, key, value, want string
	}{
		"another program's":     {"theirs", "a", "b", "another program's data"},
		"a later coordinator's": {"meta", "format", "2", "written by another version (format \"2\""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			db, err := bbolt.Open(filepath.Join(dir, "coordinator.db"), 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = db.Update(func(tx *bbolt.Tx) error {
				b, err := tx.CreateBucket([]byte(c.bucket))
				return errors.Join(err, b.Put([]byte(c.key), []byte(c.value)))
			})
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
			if _, err := store.OpenBolt(t.Context(), dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("open: %v, want %q", err, c.want)
			}
		})
	}
}
