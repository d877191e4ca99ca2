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

// laid is a device and where it lies now.
type laid struct {
	Device
	node string
}

// proveBlank is nil where nobody has ever put anything on a device: samples are
// enough where something beside it says that it is new, or where we made it just
// now: what an earlier boot made may have been used since.
func (s Common) proveBlank(ctx context.Context, h *host.Host, d Device, node string) error {
	witnessed, err := s.provable(ctx, h, d, node)
	if err != nil {
		return err
	}
	return blank(ctx, h, node, witnessed)
}

// proveAll is proveBlank of several devices, an answer for each. They are proven
// at once, and one by one where that tells anything of any of them.
func (s Common) proveAll(ctx context.Context, h *host.Host, devices []laid) []error {
	errs, samples := make([]error, len(devices)), make([]bool, len(devices))
	alike := true
	var nodes []string
	for i, d := range devices {
		samples[i], errs[i] = s.provable(ctx, h, d.Device, d.node)
		alike = alike && errs[i] == nil && samples[i] == samples[0]
		nodes = append(nodes, d.node)
	}
	if alike && len(nodes) > 1 && block.AllBlank(ctx, h, nodes, samples[0]) {
		return errs
	}
	block.Beside(len(devices), func(i int) {
		if errs[i] == nil {
			errs[i] = blank(ctx, h, devices[i].node, samples[i])
		}
	})
	return errs
}

// provable refuses a device of which no look at it proves anything, and says
// whether samples prove it.
func (s Common) provable(ctx context.Context, h *host.Host, d Device, node string) (samples bool, err error) {
	if err := s.heard(d.Volumes()); err != nil {
		return false, err
	}
	noted := true
	if m, ok := d.(madeHere); ok && !s.witnessed(d.Volumes()) { // else nothing rests on it
		if noted, err = m.asNoted(ctx, h); err != nil {
			return false, err
		}
	}
	witnessed := len(d.Volumes()) > 0
	for _, v := range d.Volumes() {
		if s.Snapshot[v] {
			return false, fmt.Errorf("volume %s was made from a snapshot, so that it is not blank: nothing is made on it", v)
		}
		made, err := s.justMade(h, v, d.ID())
		if err != nil {
			return false, err
		}
		witnessed = witnessed && (made && noted || s.Witnessed[v])
	}
	if !witnessed && !named(ctx, d.Volumes()) {
		if err := s.hours(h, d, node); err != nil {
			return false, err
		}
	}
	return witnessed, nil
}

// witnessed says that of each of these volumes something beside it says that it
// is new.
func (s Common) witnessed(volumes []string) bool {
	return !slices.ContainsFunc(volumes, func(v string) bool { return !s.Witnessed[v] })
}

func blank(ctx context.Context, h *host.Host, node string, witnessed bool) error {
	err := block.Blank(ctx, h, node, witnessed)
	var not *block.NotBlank
	if errors.As(err, &not) {
		return &notBlank{not.Found, not.Known}
	}
	if err != nil {
		err = fmt.Errorf("whether it is blank cannot be told, and nothing was written: %w; %s", err, unread(err))
	}
	return err
}

// unread is what to do about a device that could not be looked at.
func unread(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "it does not answer: see what state EC2 says the volume is in; once it answers, the next pass goes on"
	}
	return "`journalctl -k -b` has what the kernel says of the device"
}

// notBlank is a proof that found something.
type notBlank struct {
	found string
	known []string // as of block.NotBlank
}

func (e *notBlank) Error() string {
	return "nothing is made there, as it is not blank: " + e.found + " was found; see what it is, or give another device"
}

// madeHere is a device that tells whether it is the very one that this instance
// noted to have made, on what was proven blank: another of its name may lie where
// somebody's data did.
type madeHere interface {
	asNoted(ctx context.Context, h *host.Host) (bool, error)
}

// readSpeed is what a gp3 volume gives for which nobody pays more, in bytes a
// second.
const readSpeed = 125 << 20

// hours refuses a device of which every byte would have to be read: that takes
// longer than any pass that nobody waits for.
func (s Common) hours(h *host.Host, d Device, node string) error {
	size, err := block.Size(h, node)
	if err != nil || size <= block.SampleLimit {
		return err
	}
	// It is read once before anything is planned, and once before it is written to.
	need := 1 + (2*size+readSpeed*3600-1)/(readSpeed*3600)
	tagged, volumes := "the volume", strings.Join(d.Volumes(), ",")
	if len(d.Volumes()) > 1 {
		tagged = "each of its volumes"
	}
	return fmt.Errorf("it has %.4g GiB, and nothing says that it is new, so that samples do not prove it blank: tag %s %s, or read every byte of it by `reveille boot --allow-create %s --timeout %dh`",
		float64(size)/(1<<30), tagged, s.Witness, volumes, need)
}
