package storage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
)

// room is what the array leaves of its members. An array takes as much of each
// as the smallest has, so that it grows once all are larger.
func (a MDArray) room(_ context.Context, h *host.Host) (*room, error) {
	r, disks, err := a.running(h)
	if err != nil || r == nil {
		return nil, err // its step says why
	}
	var larger, others []string
	unused := int64(-1)
	for _, id := range a.Over {
		d, there := disks[id]
		if !there || !slices.Contains(r.Members, d.Kernel) {
			continue
		}
		spare, err := block.Spare(h, *r, d)
		if err != nil {
			return nil, fmt.Errorf("how much of volume %s it uses: %w", id, err)
		}
		if spare >= least {
			larger = append(larger, id)
		} else {
			others = append(others, id)
		}
		if unused < 0 || spare < unused {
			unused = spare
		}
	}
	if len(larger) == 0 {
		return nil, nil
	}
	verb := "is"
	if len(larger) > 1 {
		verb = "are"
	}
	g := &room{say: fmt.Sprintf("%s, of which %s %s larger than what it uses", a.ID(), many("volume", larger), verb), within: mdWithin, on: a.members()}
	if g.stays, err = fixed(h, *r); err != nil {
		return nil, err
	}
	if g.held, err = a.hurt(h, *r); err != nil {
		return nil, err
	}
	switch {
	case g.stays != "" || g.held != "":
	case len(others) > 0:
		g.stays = "it can grow once " + strings.Join(others, ", ") + " is as large"
	case r.Sync != "":
		g.stays = "it can grow once it is not busy any more (" + r.Sync + ")"
	default:
		g.say = fmt.Sprintf("%s: it leaves %s of each of its volumes (%s) unused", a.ID(), gib(unused), strings.Join(larger, ", "))
	}
	if r.State == "read-auto" {
		// Nobody has written to it yet, and until then it takes no other size.
		g.tools = append(g.tools, []string{"mdadm", "--readwrite", r.Node()})
	}
	g.tools = append(g.tools, []string{"mdadm", "--grow", r.Node(), "--size=max"})
	return g, nil
}

// fixed says why an array keeps its size for good; "" where it does not.
func fixed(h *host.Host, r block.Array) (string, error) {
	const forGood = "keeps the size that it was made with; a larger one has to be made of other volumes"
	version, layout, err := block.Format(h, r)
	switch {
	case err != nil:
		return "", err
	case r.Level == "raid0":
		return "a raid0 " + forGood, nil
	case r.Level == "raid10" && layout>>8&0xff > 1 && layout>>16 == 0:
		return "a raid10 of the layout far " + forGood, nil
	case !strings.HasPrefix(version, "1.1") && !strings.HasPrefix(version, "1.2"):
		// Their superblocks lie at the end, where the volume ended before: nobody
		// finds them at the next boot, until mdadm has moved them.
		return fmt.Sprintf("its superblocks (version %s) lie where its volumes ended before, and the next boot may not find them: `mdadm --grow %s --size=max` moves them; have a backup first", version, r.Node()), nil
	}
	return "", nil
}

// hurt says what somebody should put right before the array grows.
func (a MDArray) hurt(h *host.Host, r block.Array) (string, error) {
	if len(r.Members) < a.Count || r.Degraded > 0 {
		return "it is degraded: bring its members back first", nil
	}
	return unfit(h, r.Kernel)
}
