package guest

import (
	"context"
	"fmt"
	"slices"
)

// Fault is what is wrong with a volume that is attached. Its bytes are as they
// were once it is over.
type Fault string

// The faults.
const (
	Sound Fault = ""     // none
	Hangs Fault = "hang" // no request is answered, and none fails: EBS has no time-out
	Fails Fault = "fail" // every request fails at once
)

// hangGroup is QEMU's bucket from which a volume that hangs is served: a byte a
// second, so that the next page comes in an hour.
const hangGroup = "nothing-a-second"

// Afflict gives a volume of the machine a fault, or ends it with Sound: what it
// had been asked while it hung is answered then. A fault outlives the boot.
func (v *vm) Afflict(ctx context.Context, id string, fault Fault) error {
	at := slices.IndexFunc(v.volumes, func(have Volume) bool { return have.ID == id })
	if at < 0 {
		return fmt.Errorf("give %s the fault %q: it is not attached", id, fault)
	}
	if q := v.on; q != nil {
		if err := q.refile(ctx, id, fault); err != nil {
			return fmt.Errorf("give %s the fault %q: %w", id, fault, err)
		}
	}
	v.volumes[at].Fault = fault
	return nil
}

// refile puts what has the fault between the disk and its file, or takes it away.
func (q *qemu) refile(ctx context.Context, id string, fault Fault) error {
	below := fileNode(id)
	if fault != Sound {
		below = faultNode(id, fault)
	}
	if fault != Sound && !slices.Contains(q.faulty[id], fault) {
		if err := q.makeFaulty(ctx, id, fault); err != nil {
			return err
		}
	}
	return q.monitor.do(ctx, "blockdev-reopen", map[string]any{"options": []any{
		map[string]any{"driver": "raw", "node-name": node(id), "discard": "unmap", "file": below},
	}}, nil)
}

// makeFaulty makes the node with the fault, which then stands ready.
func (q *qemu) makeFaulty(ctx context.Context, id string, fault Fault) error {
	options := map[string]any{"node-name": faultNode(id, fault), "driver": "throttle", "throttle-group": hangGroup, "file": fileNode(id)}
	if fault == Fails {
		options = map[string]any{"node-name": faultNode(id, fault), "driver": "blkdebug", "image": fileNode(id), "inject-error": []any{
			map[string]any{"event": "none", "iotype": "read"}, map[string]any{"event": "none", "iotype": "write"}}}
	} else if !q.hangs {
		err := q.monitor.do(ctx, "object-add", map[string]any{"qom-type": "throttle-group", "id": hangGroup, "limits": map[string]any{"bps-total": 1}}, nil)
		if err != nil {
			return err
		}
		q.hangs = true
	}
	if err := q.monitor.do(ctx, "blockdev-add", options, nil); err != nil {
		return err
	}
	if q.faulty == nil {
		q.faulty = map[string][]Fault{}
	}
	q.faulty[id] = append(q.faulty[id], fault)
	return nil
}

// dropFaulty takes away what stands ready for a volume that has gone.
func (q *qemu) dropFaulty(ctx context.Context, id string) error {
	for _, fault := range q.faulty[id] {
		if err := q.monitor.do(ctx, "blockdev-del", map[string]any{"node-name": faultNode(id, fault)}, nil); err != nil {
			return err
		}
	}
	delete(q.faulty, id)
	return nil
}

func faultNode(id string, f Fault) string { return string(f) + "-" + id }
