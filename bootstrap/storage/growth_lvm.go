package storage

import (
	"context"
	"fmt"
	"path"
	"strings"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
)

// room is what the group's physical volumes leave of their devices.
func (g VolumeGroup) room(ctx context.Context, h *host.Host) (*room, error) {
	s, err := g.look(ctx, h)
	if err != nil {
		return nil, err
	}
	if err := g.strangers(s); err != nil || s.group == nil {
		return nil, err
	}
	in, _ := s.in(g.Name)
	r := &room{within: lvmWithin}
	argv := []string{"pvresize", "--devices", s.list()}
	var said []string
	for _, d := range in {
		size, err := block.Size(h, d.node)
		if err != nil {
			return nil, err
		}
		if size-d.pv.Size < least+s.group.Extent {
			continue
		}
		if r.held == "" {
			if r.held, err = unfit(h, path.Base(d.node)); err != nil {
				return nil, err
			}
		}
		argv = append(argv, d.node)
		r.on = append(r.on, d.Device)
		said = append(said, fmt.Sprintf("%s of %s on %s", gib(d.pv.Size), gib(size), called(d.Device)))
	}
	if len(said) == 0 {
		return nil, nil
	}
	if why := s.lacks(); why != "" {
		r.held = why
	}
	r.say = fmt.Sprintf("%s, which uses %s", g.ID(), strings.Join(said, ", "))
	r.tools = [][]string{argv}
	return r, nil
}

// room is what the volume lacks of the size that the profile says, of a group
// that may have grown.
func (l LogicalVolume) room(ctx context.Context, h *host.Host) (*room, error) {
	if err := l.sound(h); err != nil {
		return nil, err
	}
	s, err := l.Group.look(ctx, h)
	if err != nil {
		return nil, err
	}
	v, err := l.find(s)
	if err != nil || v == nil || !v.Active {
		return nil, err // its step says why
	}
	want := l.bytes(*s.group)
	if want-v.Size <= l.filling(*s.group) {
		return nil, nil
	}
	r := &room{say: fmt.Sprintf("%s, which has %s, and by the profile (%s) %s", l.ID(), gib(v.Size), l.size(), gib(want)), within: lvmWithin, on: l.Group.Over}
	r.tools = [][]string{{"lvextend", "--devices", s.list(), "--size", fmt.Sprintf("%db", want), l.path()}}
	if r.held = s.lacks(); r.held != "" {
		return r, nil
	}
	node, err := l.Node(ctx, h)
	if err != nil {
		return nil, err
	}
	if r.held, err = unfit(h, path.Base(node)); err != nil {
		return nil, err
	}
	if r.held == "" && s.group.Free < want-v.Size {
		r.stays = fmt.Sprintf("it can grow once the group has room for that, of which %s is left", gib(s.group.Free))
	}
	return r, nil
}

// lacks says that nothing of a group may grow that is not whole; "" of one that is.
func (s lvmSight) lacks() string {
	if s.group.Missing > 0 || len(s.missing) > 0 {
		return "the group lacks devices: attach them first"
	}
	return ""
}
