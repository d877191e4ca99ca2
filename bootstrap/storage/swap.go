package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"time"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// Swap is a swap area in use, until the next boot. Its ID is "swap:" + the
// device's ID; it is live. One that a person has switched off stays so.
type Swap struct {
	From FileSystem // of type "swap"
}

// swapsDir holds, until the next boot, a file for each area that was in use.
const swapsDir = "/run/reveille/swaps"

// ID is "swap:" and the device's.
func (s Swap) ID() string { return "swap:" + s.From.On.ID() }

// Live is true: swap is the running kernel's.
func (Swap) Live() bool { return true }

// Describe says what is wanted, for golden plans.
func (s Swap) Describe() string {
	return "swap on " + s.From.On.ID() + ", until the next boot; not again where somebody switched it off\n"
}

// Check asks the kernel what it swaps to.
func (s Swap) Check(ctx context.Context, h *host.Host) ([]plan.Change, error) {
	if !h.Live() {
		return nil, fmt.Errorf("%s: %w", s.ID(), host.ErrOffline)
	}
	if err := toolRuns(ctx, h, s.ID()); err != nil {
		return nil, err
	}
	node, on, err := s.see(ctx, h)
	if err != nil || on {
		return nil, err
	}
	kept, err := h.Stat(s.kept())
	if err != nil {
		return nil, err
	}
	ro, err := readOnly(h, path.Base(node))
	switch {
	case err != nil:
		return nil, err
	case ro:
		return nil, fmt.Errorf("swap on %s: it may not be written to%s", called(s.From.On), notesOf(h, s.From.On))
	case kept.Exists:
		return nil, fmt.Errorf("swap on %s was in use in this boot: somebody switched it off; it is not switched on again by itself; `swapon %s` does", called(s.From.On), node)
	}
	do := func(ctx context.Context) error {
		node, on, err := s.see(ctx, h)
		if err != nil || on {
			return err
		}
		if err := tool(ctx, h, s.ID(), time.Minute, "swapon", node); err != nil {
			return err
		}
		return s.note(h)
	}
	return []plan.Change{{Say: "swap on " + called(s.From.On), Risk: plan.Disrupts, Do: do}}, nil
}

// see is the device's node, and whether the kernel swaps to it.
func (s Swap) see(ctx context.Context, h *host.Host) (node string, on bool, err error) {
	if node, err = s.From.On.Node(ctx, h); err != nil {
		return "", false, fmt.Errorf("swap on %s: %w", called(s.From.On), err)
	}
	text, err := h.ReadFile("/proc/swaps")
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, errors.New("the kernel of this machine cannot swap: there is no /proc/swaps")
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[1] == "partition" {
			on = on || kernelNode(h, f[0]) == node
		}
	}
	return node, on, err
}

// Confirm remembers one that is in use, also by others.
func (s Swap) Confirm(h *host.Host) error {
	if i, err := h.Stat(s.kept()); err != nil || i.Exists {
		return err
	}
	return s.note(h)
}

func (s Swap) kept() string { return path.Join(swapsDir, url.PathEscape(s.From.On.ID())) }

func (s Swap) note(h *host.Host) error {
	if err := h.Mkdir(swapsDir, 0o700); err != nil {
		return err
	}
	if err := h.Sweep(swapsDir); err != nil {
		return err
	}
	return h.Write(s.kept(), []byte("in use\n"), host.Attr{Mode: 0o600})
}
