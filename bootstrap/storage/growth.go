package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// Growth makes a layer as large as what it lies upon, while it is in use, and
// never smaller. Its ID is "grow:" and the layer's; it is live. It is a step of
// its own that nothing needs: what cannot grow serves as it did.
type Growth struct{ Of Layer }

// Layer is what can be made larger in its place: an array, a group's physical
// volumes, a logical volume, a mounted file system.
type Layer interface {
	plan.Resource
	// room is what the layer leaves of that which it lies upon; nil where that
	// is nothing worth a tool.
	room(ctx context.Context, h *host.Host) (*room, error)
}

// room is by how much a layer may grow, and what makes it.
type room struct {
	say    string   // what is larger than what, for people
	stays  string   // why it keeps its size, which is no fault: it waits for something, or never grows
	held   string   // why it must not grow as things are, which somebody should put right
	on     []Device // that the tool writes to
	within time.Duration
	tools  [][]string
}

// least is how many bytes of growth count: EC2 enlarges by whole GiB, and what is
// less is how each layer rounds.
const least = 256 << 20

// ID is "grow:" and the layer's.
func (g Growth) ID() string { return "grow:" + g.Of.ID() }

// Live is true: devices are the running kernel's.
func (Growth) Live() bool { return true }

// Describe says what is wanted, for golden plans.
func (Growth) Describe() string {
	return "as large as what it lies upon, while it is in use; never smaller\n"
}

// Check looks whether what the layer lies upon has become larger.
func (g Growth) Check(ctx context.Context, h *host.Host) ([]plan.Change, error) {
	if !h.Live() {
		return nil, fmt.Errorf("%s: %w", g.ID(), host.ErrOffline)
	}
	r, err := g.look(ctx, h)
	if err != nil || r == nil {
		return nil, err
	}
	return []plan.Change{{Say: "grow " + r.say, Risk: plan.Disrupts, Do: func(ctx context.Context) error { return g.do(ctx, h) }}}, nil
}

// look is what is to be done; nil for nothing.
func (g Growth) look(ctx context.Context, h *host.Host) (*room, error) {
	if err := toolRuns(ctx, h, g.ID()); err != nil {
		return nil, err
	}
	r, err := g.Of.room(ctx, h)
	switch {
	case err != nil:
		return nil, fmt.Errorf("whether %s can grow: %w", g.Of.ID(), err)
	case r == nil || r.stays != "":
		return nil, nil
	case r.held != "":
		return nil, fmt.Errorf("%s, and it is not made larger: %s", r.say, r.held)
	}
	return r, nil
}

// do looks again, right before it writes.
func (g Growth) do(ctx context.Context, h *host.Host) error {
	before, err := g.look(ctx, h)
	if err != nil || before == nil {
		return err
	}
	at, err := placeOf(ctx, h, before.on...)
	if err != nil {
		return err
	}
	r, err := g.look(ctx, h)
	if err != nil || r == nil {
		return err
	}
	for _, argv := range r.tools {
		if err := at.still(ctx, h, r.on...); err != nil {
			return err
		}
		if err := tool(ctx, h, g.ID(), r.within, argv...); err != nil {
			return err
		}
	}
	return nil
}

// Notes tells what it waits for, or why it never grows.
func (g Growth) Notes(h *host.Host) []string {
	if r := roomNow(h, g.Of); r != nil && r.stays != "" {
		return []string{r.say + ": " + r.stays}
	}
	return nil
}

// ungrown tells of room that a layer leaves where the profile does not let it
// grow, and what a person may do.
func (s Common) ungrown(h *host.Host, l Layer) []string {
	if s.Grow {
		return nil // its growth says so
	}
	r := roomNow(h, l)
	switch {
	case r == nil:
		return nil
	case r.stays != "" || r.held != "":
		return []string{r.say + ": " + r.stays + r.held}
	}
	var by []string
	for _, argv := range r.tools {
		by = append(by, strings.Join(argv, " "))
	}
	return []string{fmt.Sprintf("%s, and is left as it is: set storage: {grow: yes} and `systemctl reload reveille`, or `%s`", r.say, strings.Join(by, " && "))}
}

// roomNow is a layer's room for who only tells of it: what cannot be seen is
// nothing to tell.
func roomNow(h *host.Host, l Layer) *room {
	if !h.Live() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), block.LookWithin)
	defer cancel()
	r, err := l.room(ctx, h)
	if err != nil {
		return nil
	}
	return r
}

// unfit says why nothing on a device may grow now; "" where it may. What is
// degraded or read-only has a person's attention first.
func unfit(h *host.Host, kernel string) (string, error) {
	ro, err := readOnly(h, kernel)
	if err == nil && ro {
		return "it lies on what may not be written to", nil
	}
	if err != nil {
		return "", err
	}
	return degraded(h, kernel)
}

func degraded(h *host.Host, kernel string) (string, error) {
	text, err := h.ReadFile(path.Join("/sys/block", kernel, "md/degraded"))
	if n := strings.TrimSpace(string(text)); err == nil && n != "0" {
		return fmt.Sprintf("the array %s lacks members", kernel), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	below, err := h.ReadDir(path.Join("/sys/block", kernel, "slaves"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("what %s lies upon: %w", kernel, err)
	}
	for _, name := range below {
		if why, err := degraded(h, name); err != nil || why != "" {
			return why, err
		}
	}
	return "", nil
}

// gib is a size for people.
func gib(n int64) string { return fmt.Sprintf("%.4g GiB", float64(n)/(1<<30)) }
