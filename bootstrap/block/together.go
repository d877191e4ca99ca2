package block

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"reveille/bootstrap/host"
)

// AllBlank proves several devices blank at once, by the looks that Blank takes at
// each: a program a device costs more than what it reads. True is the same proof.
// False is none, and no verdict either: each is to be asked for by itself then,
// which says what was found where, or names the one that hangs.
func AllBlank(ctx context.Context, h *host.Host, nodes []string, witnessed bool) bool {
	for _, node := range nodes {
		if !mayBeBlank(h, node, witnessed) {
			return false
		}
	}
	ctx, cancel := halfOf(ctx)
	defer cancel()
	looks := []func() bool{
		func() bool { return allSilent(ctx, h, nodes) && noSignatures(ctx, h, nodes) },
		func() bool { return readZero(ctx, h, nodes, witnessed) },
	}
	said := make([]bool, len(looks))
	Beside(len(looks), func(i int) {
		if said[i] = looks[i](); !said[i] {
			cancel()
		}
	})
	return said[0] && said[1]
}

// halfOf is half of the time that there is: one that hangs is named in the other.
func halfOf(ctx context.Context) (context.Context, context.CancelFunc) {
	end, bounded := ctx.Deadline()
	if !bounded {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(end)/2)
}

// mayBeBlank is false of a device that others lie upon, or of which so much would
// have to be read that it is not done a second time.
func mayBeBlank(h *host.Host, node string, witnessed bool) bool {
	size, err := Size(h, node)
	if err != nil || size <= 0 || size > SampleLimit && !witnessed {
		return false
	}
	kernel, err := kernelAt(h, node)
	if err != nil {
		return false
	}
	held, err := Holders(h, kernel)
	return err == nil && len(held) == 0
}

// allSilent asks blkid, a device at a time: told several, it asks for none after
// the first that is blank, and says nothing of that.
func allSilent(ctx context.Context, h *host.Host, nodes []string) bool {
	held := make([]bool, len(nodes))
	Beside(len(nodes), func(i int) {
		c, err := Probe(ctx, h, nodes[i])
		held[i] = err != nil || c.Type != ""
	})
	return !slices.Contains(held, true)
}

// noSignatures asks wipefs, whose list has those of all devices.
func noSignatures(ctx context.Context, h *host.Host, nodes []string) bool {
	out, err := look(ctx, h, "wipefs", append([]string{"--no-act", "--json"}, nodes...)...)
	if err != nil || strings.TrimSpace(string(out.Stderr)) != "" {
		return false
	}
	found, err := parseSignatures(out.Stdout)
	return err == nil && len(found) == 0
}

// readZero has one child read them.
func readZero(ctx context.Context, h *host.Host, nodes []string, witnessed bool) bool {
	args := []string{"look", "blank"}
	if witnessed {
		args = append(args, "--witnessed")
	}
	out, err := h.Self(ctx, append(args, nodes...)...)
	if err != nil {
		return false
	}
	var said map[string]Verdict
	if json.Unmarshal(out.Stdout, &said) != nil {
		return false
	}
	for _, node := range nodes {
		if v, ok := said[node]; !ok || !v.proves() {
			return false
		}
	}
	return true
}
