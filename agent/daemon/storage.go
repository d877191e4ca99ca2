package daemon

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"

	"reveille/bootstrap/converge"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/storage"
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
	id, ok := saysItself(f)
	if !ok {
		return false, nil
	}
	i, err := h.Stat(completePath(id))
	if err != nil {
		return false, fmt.Errorf("nothing is created on any disk, as nobody knows whether this instance's storage was ever complete: %w", err)
	}
	return !i.Exists, nil
}

// saysItself is the id of an instance that has just told who it is, and whose
// firmware does not say otherwise.
func saysItself(f facts.Facts) (id string, ok bool) {
	id, ok = f.Instance.ID.Get()
	return id, ok && f.Source == facts.FromIMDS && (f.Machine.DMI == "" || f.Machine.DMI == id)
}

// grant is what this pass may create at most, and on whose word.
func (p Pass) grant(f facts.Facts, steps plan.Plan, max plan.Risk) (plan.Grant, plan.Risk, error) {
	g := plan.Grant{IfBlank: max >= plan.Destroys}
	if _, ok := saysItself(f); ok && max > plan.Nothing && mayDo[p.Kind].scratch >= plan.Destroys {
		if g.Scratch = scratchOf(steps); len(g.Scratch) > 0 {
			max = plan.Destroys
		}
	}
	if len(p.AllowCreate) == 0 || max == plan.Nothing {
		return g, max, nil
	}
	if _, ok := saysItself(f); !ok {
		return g, max, errors.New("--allow-create: nothing is created on a machine that has not just said who it is, or whose firmware says otherwise; `reveille debug imds` says why")
	}
	var on []string
	for _, s := range steps {
		if d, ok := s.Resource.(interface{ Volumes() []string }); ok {
			on = append(on, d.Volumes()...)
		}
	}
	g.Volumes = p.AllowCreate
	var errs []error
	for _, id := range p.AllowCreate {
		if !slices.Contains(on, id) {
			errs = append(errs, fmt.Errorf("--allow-create: nothing of this role lies on %s", id))
		}
	}
	return g, plan.Destroys, errors.Join(errs...)
}

// scratchOf are the instance's own disks of which the role makes something.
func scratchOf(steps plan.Plan) (ids []string) {
	for _, s := range steps {
		if v, ok := s.Resource.(storage.Volumes); ok && v.Scratch {
			ids = append(ids, v.IDs...)
		}
	}
	return ids
}

// noteComplete is on the disk before the role's programs are waited for: from the
// moment when all of the storage is there, blank or not, nothing of it is made
// again.
func (p Pass) noteComplete(f facts.Facts, max plan.Risk) error {
	id, ok := f.Instance.ID.Get()
	if !ok || max < plan.Disrupts {
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

// tally counts the storage's steps that are not so yet.
type tally struct {
	open int
	any  bool
}

func tallyOf(steps plan.Plan) *tally {
	t := &tally{}
	for _, s := range steps {
		if s.Concern == storageConcern {
			t.open, t.any = t.open+1, true
		}
	}
	return t
}

// saw takes a result, and says that it was the last of a storage that is all so.
func (t *tally) saw(r converge.Result) bool {
	if r.Step.Concern != storageConcern || !r.State.So() {
		return false
	}
	t.open--
	return t.any && t.open == 0
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
