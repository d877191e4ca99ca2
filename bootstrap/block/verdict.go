package block

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"reveille/bootstrap/host"
)

// Verdict is what the child says of a device that it has read.
type Verdict struct {
	Blank bool   `json:"blank"`
	Found string `json:"found,omitempty"` // where it is not
	Size  int64  `json:"size"`            // bytes
	Read  int64  `json:"read"`            // how many of them were read
}

// proves says that the device was read, and that nothing was found.
func (v Verdict) proves() bool { return v.Blank && v.Found == "" && v.Size > 0 && v.Read > 0 }

// ReadBlank is what the child does: it reads a device, as Scan says. One that is
// in use is not even read.
func ReadBlank(ctx context.Context, node string, witnessed bool) (Verdict, error) {
	d, err := host.OpenDevice(node)
	if errors.Is(err, host.ErrInUse) {
		return Verdict{Found: "it is in use: mounted, swapped to, or part of an array or a group"}, nil
	}
	if err != nil {
		return Verdict{}, err
	}
	defer d.Close()
	var seed [32]byte
	_, _ = rand.Read(seed[:]) // never fails: the program would have ended
	return Scan(ctx, d, d.Size(), witnessed, seed)
}

// ReadAllBlank is ReadBlank of several devices, by their nodes. What one of them
// fails with is the error, and no verdict is there then.
func ReadAllBlank(ctx context.Context, nodes []string, witnessed bool) (map[string]Verdict, error) {
	verdicts, errs := make([]Verdict, len(nodes)), make([]error, len(nodes))
	Beside(len(nodes), func(i int) {
		if verdicts[i], errs[i] = ReadBlank(ctx, nodes[i], witnessed); errs[i] != nil {
			errs[i] = fmt.Errorf("%s: %w", nodes[i], errs[i])
		}
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	said := map[string]Verdict{}
	for i, node := range nodes {
		said[node] = verdicts[i]
	}
	return said, nil
}
