package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
)

// mdMember is an attached volume of an array.
type mdMember struct {
	block.Disk
	super block.Member
	has   bool // it has a superblock
	deaf  bool // it cannot be read, while others of the array can
}

// mdSight is what there is of an array.
type mdSight struct {
	members []mdMember    // the attached volumes, by id
	missing []string      // ids of those that are not attached
	unknown int           // how many there should be whose ids nobody knows
	arrays  []block.Array // the kernel's that have any of them, or their UUID
	names   map[string]string
	intent  intent // ours to create it on these very volumes
	known   bool   // there is one
}

// half says that we began to create it, and nobody saw it whole.
func (s mdSight) half() bool { return s.known && s.intent.half() }

// uuids are the arrays that the superblocks name, in the volumes' order.
func (s mdSight) uuids() []string {
	var all []string
	for _, m := range s.members {
		if m.has && !slices.ContainsFunc(all, func(u string) bool { return sameUUID(u, m.super.UUID) }) {
			all = append(all, m.super.UUID)
		}
	}
	return all
}

// with are the members that have a superblock, without those that have none.
func (s mdSight) with() (with, without []mdMember) {
	for _, m := range s.members {
		if m.has {
			with = append(with, m)
		} else {
			without = append(without, m)
		}
	}
	return with, without
}

// eventsApart is by how much the events of members may differ that mdadm still
// starts as one: a cut may come between two of them.
const eventsApart = 1

// fresh are the members that mdadm starts without being forced: a stale one has
// been without what the others know since.
func (s mdSight) fresh() (fresh, stale []mdMember) {
	with, _ := s.with()
	var newest uint64
	for _, m := range with {
		newest = max(newest, m.super.Events)
	}
	for _, m := range with {
		if m.super.Events+eventsApart >= newest {
			fresh = append(fresh, m)
		} else {
			stale = append(stale, m)
		}
	}
	return fresh, stale
}

// lacks are the volumes that an array does not have, in words.
func (a MDArray) lacks(s mdSight, has func(mdMember) bool) string {
	var said []string
	if len(s.missing) > 0 {
		verb := " is missing"
		if len(s.missing) > 1 {
			verb = " are missing"
		}
		said = append(said, many("volume", s.missing)+verb)
	}
	if s.unknown > 0 {
		said = append(said, fmt.Sprintf("%d of its %d volumes are not known", s.unknown, a.Count))
	}
	_, stale := s.fresh()
	for _, m := range s.members {
		switch {
		case has(m):
		case m.deaf:
			said = append(said, fmt.Sprintf("volume %s (%s) cannot be read", m.Volume, m.Kernel))
		case !m.has:
			said = append(said, fmt.Sprintf("volume %s (%s) holds nothing of it", m.Volume, m.Kernel))
		case slices.ContainsFunc(stale, func(o mdMember) bool { return o.Volume == m.Volume }):
			said = append(said, fmt.Sprintf("volume %s (%s) was left behind by the others", m.Volume, m.Kernel))
		default:
			said = append(said, fmt.Sprintf("volume %s (%s) is no longer part of it", m.Volume, m.Kernel))
		}
	}
	return strings.Join(said, ", ")
}

func (a MDArray) look(ctx context.Context, h *host.Host) (mdSight, error) {
	var s mdSight
	disks, missing, err := attached(h, a.Over)
	if err != nil {
		return s, err
	}
	s.missing, s.unknown = missing, a.Count-len(a.Over)
	s.names = map[string]string{}
	for _, id := range a.Over {
		if d, there := disks[id]; there {
			s.members = append(s.members, mdMember{Disk: d})
			s.names[d.Kernel] = id
		}
	}
	if err := s.examine(ctx, h); err != nil {
		return s, err
	}
	if s.intent, s.known, err = a.intendedFor(h, a.Over, a.ID()); err != nil {
		return s, err
	}
	s.listen(ctx, h)
	err = a.lookAtArrays(ctx, h, &s)
	return s, err
}

// examine reads the members' superblocks.
func (s mdSight) examine(ctx context.Context, h *host.Host) error {
	var nodes []string
	for _, m := range s.members {
		nodes = append(nodes, m.Node())
	}
	supers, has, errs := block.ExamineAll(ctx, h, nodes)
	for i := range s.members {
		m := &s.members[i]
		m.super, m.has = supers[i], has[i]
		if errs[i] != nil {
			errs[i] = fmt.Errorf("what volume %s holds: %w; %s", m.Volume, errs[i], unread(errs[i]))
		}
	}
	return errors.Join(errs...)
}

// listen tells a member that cannot be read from one that holds nothing, where
// others hold an array: mdadm says the same of both.
func (s mdSight) listen(ctx context.Context, h *host.Host) {
	with, without := s.with()
	if len(with) == 0 || len(without) == 0 {
		return
	}
	block.Beside(len(s.members), func(i int) {
		m := &s.members[i]
		m.deaf = !m.has && block.Readable(ctx, h, m.Node()) != nil
	})
}

// lookAtArrays finds what the kernel has made of the volumes. An array that
// cannot be read counts only where it may be this one.
func (a MDArray) lookAtArrays(ctx context.Context, h *host.Host, s *mdSight) error {
	arrays, unread := block.Assembled(h)
	uuids := s.uuids()
	held := map[string]bool{}
	for _, r := range arrays {
		ours := slices.ContainsFunc(slices.Concat(r.Members, r.Faulty), func(m string) bool { return s.names[m] != "" })
		if !ours && len(uuids) == 0 {
			continue // whatever its UUID is, it is none of theirs
		}
		if err := r.Identify(ctx, h); err != nil {
			unread = errors.Join(unread, fmt.Errorf("array %s: %w", r.Kernel, err))
			continue
		}
		if !ours && !slices.ContainsFunc(uuids, func(u string) bool { return sameUUID(u, r.UUID) }) {
			continue
		}
		s.arrays = append(s.arrays, r)
		for _, m := range r.Members {
			held[m] = true
		}
	}
	if unread == nil {
		return nil
	}
	for _, m := range s.members {
		if !held[m.Kernel] { // it may be in the one that could not be read
			return unread
		}
	}
	return nil
}

// memberNames are an array's members by their volumes' ids, where they have any.
func (s mdSight) memberNames(kernels []string) string {
	var all []string
	for _, k := range kernels {
		if id := s.names[k]; id != "" {
			k = id + " (" + k + ")"
		}
		all = append(all, k)
	}
	return strings.Join(all, ", ")
}
