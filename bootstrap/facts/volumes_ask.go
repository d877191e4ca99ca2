package facts

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"time"

	"reveille/bootstrap/host"
)

// AskVolumes asks EC2 which volumes are attached and how they are tagged, and,
// where names are wanted, the disks what they were called at their attachment.
// It is for a machine whose role has to do with disks: a private subnet has no
// way to EC2, and who has no question must not wait for the answer.
//
// Where EC2 was not asked or did not answer, its last answer for this same
// instance counts. What went wrong is added to Problems; nothing is written.
func AskVolumes(ctx context.Context, h *host.Host, f *Facts, names bool, o Options) {
	o = o.withDefaults()
	told := f.dataVolumes()
	var unnamed []Problem
	var naming sync.WaitGroup
	if names {
		naming.Go(func() { unnamed = nameDisks(ctx, h, f.Disks) })
	}
	if told {
		f.askEC2(ctx, h, o)
	}
	naming.Wait()
	f.Problems = append(f.Problems, unnamed...)
}

// askEC2 asks it for less long where an earlier answer is there to count.
func (f *Facts) askEC2(ctx context.Context, h *host.Host, o Options) {
	kept, err := f.volumesKept(h)
	if o.Volumes {
		within := o.Timeout
		if err == nil {
			within = o.api.kept
		}
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		c := &crawl{ctx: ctx, cancel: cancel}
		f.Volumes = f.volumesNow(c, o)
		f.Problems = append(f.Problems, c.told()...)
	} else {
		f.Volumes = Unknown[map[string]EBSVolume](NotAsked, "no timer asks EC2")
	}
	switch {
	case f.Volumes.IsKnown():
		f.VolumesRead = f.Now
	case err == nil:
		f.volumesStandIn(kept, o.Volumes)
	case !errors.Is(err, fs.ErrNotExist):
		f.Problems = append(f.Problems, Problem{Path: VolumesCachePath(f.InstanceID()), Reason: Unreadable, Detail: err.Error()})
	}
}

// volumesNow asks a metadata service that has just answered, and EC2 with the
// credentials that it gives. One that was silent is not waited for again.
func (f *Facts) volumesNow(c *crawl, o Options) Fact[map[string]EBSVolume] {
	if !f.Instance.ID.IsKnown() || f.trouble(idPath) {
		c.problem(VolumesPath, errNobody.reason, errNobody.detail)
		return Unknown[map[string]EBSVolume](errNobody.reason, errNobody.detail)
	}
	return c.volumes(f.Instance, o)
}

// volumesKept is EC2's last answer for this instance; fs.ErrNotExist where there
// is none, and where nobody knows whose it would be.
func (f *Facts) volumesKept(h *host.Host) (keptVolumes, error) {
	id := f.InstanceID()
	if _, err := instanceID(id); err != nil {
		return keptVolumes{}, fs.ErrNotExist
	}
	return readKeptVolumes(h, id)
}

// volumesStandIn puts the last answer in the place of one that was not had, or
// not asked for, and tells of it where there should have been one.
func (f *Facts) volumesStandIn(k keptVolumes, asked bool) {
	r, _ := f.Volumes.Why()
	f.Volumes, f.VolumesRead = Known(k.Volumes), k.Read
	if asked {
		f.Problems = append(f.Problems, Problem{Path: VolumesPath, Reason: r, Detail: "what EC2 said at " + k.Read.Format(time.RFC3339) + " counts"})
	}
}

// trouble says that something did not answer.
func (f *Facts) trouble(path string) bool {
	return slices.ContainsFunc(f.Problems, func(p Problem) bool { return p.Path == path })
}
