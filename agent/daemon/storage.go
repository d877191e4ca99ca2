package daemon

import (
	"context"
	"errors"
	"fmt"
	"path"
	"sync"

	"reveille/bootstrap/converge"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// storageConcern is the room of the steps about a role's disks.
const storageConcern = "storage"

// completePath is a file whose presence says that this instance's storage was
// complete once: from then on nothing is created by the profile's consent.
func completePath(id string) string {
	return path.Join(facts.InstancesPath, id, storageConcern, "complete")
}

// neverComplete says that this instance's storage has never yet been complete.
// It is known of an instance that says itself who it is, and of no other: what
// was remembered, or is doubted, lets nothing be created.
func neverComplete(h *host.Host, f facts.Facts) (bool, error) {
	id, ok := f.Instance.ID.Get()
	if !ok || f.Source != facts.FromIMDS || f.Machine.DMI != "" && f.Machine.DMI != id {
		return false, nil
	}
	i, err := h.Stat(completePath(id))
	if err != nil {
		return false, fmt.Errorf("nothing is created on any disk, as nobody knows whether this instance's storage was ever complete: %w", err)
	}
	return !i.Exists, nil
}

// noteComplete is on the disk before anything else happens: from the moment
// when all of the storage is there, blank or not, nothing of it is made again.
func (p Pass) noteComplete(f facts.Facts, walked converge.Report, max plan.Risk) error {
	id, ok := f.Instance.ID.Get()
	if !ok || max < plan.Disrupts || !complete(walked) {
		return nil
	}
	at := completePath(id)
	if i, err := p.Host.Stat(at); err != nil || i.Exists {
		return err
	}
	err := p.Host.Mkdir(path.Dir(at), 0o700)
	if err == nil {
		err = p.Host.Write(at, []byte(f.Now.Format("2006-01-02T15:04:05Z07:00")+"\n"), host.Attr{Mode: 0o600})
	}
	if err != nil {
		return fmt.Errorf("note that this instance's storage has been complete: %w", err)
	}
	return nil
}

// complete says that there is storage in the plan, and all of it is so.
func complete(walked converge.Report) bool {
	any := false
	for _, r := range walked.Results {
		if r.Step.Concern == storageConcern {
			if !r.State.So() {
				return false
			}
			any = true
		}
	}
	return any
}

// wantsDisks says that a plan has something to do with disks.
func wantsDisks(p plan.Plan) bool {
	for _, s := range p {
		if s.Concern == storageConcern {
			return true
		}
	}
	return false
}

// wake is how a step that waits for a disk hears of one: at once, and not by
// looking again and again. Close it when the walk has ended.
func (p Pass) wake(ctx context.Context, steps plan.Plan, max plan.Risk) (wake func() <-chan struct{}, unwatch func()) {
	if max == plan.Nothing || !wantsDisks(steps) {
		return nil, func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var mu sync.Mutex
	next := make(chan struct{})
	var listening sync.WaitGroup
	listening.Go(func() {
		err := p.Host.Disks().Changes(ctx, func(string) {
			mu.Lock()
			defer mu.Unlock()
			close(next)
			next = make(chan struct{})
		})
		if err != nil && !errors.Is(err, host.ErrOffline) {
			p.log().Warn("disks that come are seen by looking again", "error", err)
		}
	})
	wake = func() <-chan struct{} {
		mu.Lock()
		defer mu.Unlock()
		return next
	}
	return wake, func() { cancel(); listening.Wait() }
}
