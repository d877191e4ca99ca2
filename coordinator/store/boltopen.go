package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// boltFile is the data file in the folder of a bolt store.
const boltFile = "coordinator.db"

// lockWait is how long a new coordinator waits for an old one that is just
// ending, before it says that the folder is taken.
const lockWait = time.Second

// ErrTaken is what OpenBolt answers while another process has the folder.
var ErrTaken = errors.New("another coordinator has it open")

// ErrDamaged is what OpenBolt answers for a file that cannot be trusted.
var ErrDamaged = errors.New("damaged")

// OpenBolt opens or makes the store in a folder. A folder that is not there is
// made for its owner alone. A damaged file is refused and left as it is:
// starting anew is for a person to decide.
func OpenBolt(ctx context.Context, dir string) (*Bolt, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the store (--store bolt:DIR names another): %w", err)
	}
	path := filepath.Join(dir, boltFile)
	db, err := openSound(path)
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("open store %s: %w; stop it, or give this one a folder of its own", path, ErrTaken)
	case errors.Is(err, ErrDamaged):
		return nil, fmt.Errorf("open store: %w; put back a copy, or move the file away and start again: "+
			"each instance is known again with its next report", err)
	case err != nil:
		return nil, fmt.Errorf("open store: %w", err)
	}
	return &Bolt{db: db}, nil
}

// openSound opens the file and proves that all of it can be read. bbolt reads
// through mapped memory: a file cut short would end the process much later,
// with a fault, so faults and panics are caught here and named.
func openSound(path string) (db *bbolt.DB, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			// The file stays open and locked: closing could fault again.
			db, err = nil, fmt.Errorf("%s: %w: %v", path, ErrDamaged, r)
		}
	}()
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockWait, FreelistType: bbolt.FreelistMapType})
	switch {
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return nil, fmt.Errorf("%s: %w: %w", path, ErrDamaged, err)
	case err != nil:
		return nil, err
	}
	if err = db.View(verify); err == nil {
		if err = db.Update(prepare); err == nil {
			err = syncFolder(filepath.Dir(path))
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), db.Close())
	}
	return db, nil
}

// verify reads every key and head, then has bbolt check its pages. The order
// matters: bbolt checks in a goroutine of its own, where a fault cannot be
// caught, so what can fault is read here first.
func verify(tx *bbolt.Tx) error {
	info, err := os.Stat(tx.DB().Path())
	if err != nil {
		return err
	}
	if info.Size() < tx.Size() {
		return fmt.Errorf("%w: %d bytes long, at least %d are in use", ErrDamaged, info.Size(), tx.Size())
	}
	err = tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
		return b.ForEach(func(key, raw []byte) error {
			if string(name) != string(bucketHeads) {
				return nil
			}
			_, err := head(key, raw)
			return err
		})
	})
	for e := range tx.Check() {
		err = errors.Join(err, e)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}

// prepare makes what a new file lacks, and refuses a file of another make.
func prepare(tx *bbolt.Tx) error {
	if first, _ := tx.Cursor().First(); first != nil && tx.Bucket(bucketMeta) == nil {
		return errors.New("another program's data, no coordinator's: name another folder")
	}
	for _, name := range [][]byte{bucketMeta, bucketHeads, bucketReports} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	meta := tx.Bucket(bucketMeta)
	switch have := meta.Get(keyFormat); {
	case have == nil:
		return meta.Put(keyFormat, []byte(format))
	case string(have) != format:
		return fmt.Errorf("written by another version (format %.20q, this one reads %s): start that one", have, format)
	}
	return nil
}

// syncFolder makes the file's name as durable as its bytes.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
