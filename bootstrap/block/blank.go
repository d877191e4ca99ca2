package block

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"reveille/bootstrap/host"
)

// NotBlank says what was found where on a device that should have been blank.
type NotBlank struct {
	Node  string
	Found string   // "a file system, xfs", "data at byte 4096"
	Known []string // types of what the tools recognise, or the devices upon it; none where it is bytes alone
}

func (e *NotBlank) Error() string { return e.Node + " is not blank: " + e.Found }

// Blank proves that nobody has ever put anything on a device. The error is a
// *NotBlank where something was found; any other says why it could not be
// proven. Above SampleLimit every byte is read, unless witnessed: something
// beside the device says that it is new. That takes its time, which ctx alone
// bounds.
func Blank(ctx context.Context, h *host.Host, node string, witnessed bool) error {
	found, known, err := recognised(ctx, h, node)
	if err == nil && found == "" {
		found, err = scanned(ctx, h, node, witnessed)
	}
	if err != nil {
		return fmt.Errorf("prove %s blank: %w", node, err)
	}
	if found != "" {
		return &NotBlank{Node: node, Found: found, Known: known}
	}
	return nil
}

// recognised is what the kernel or the tools know of the device, in words and by
// its types; "" where that is nothing.
func recognised(ctx context.Context, h *host.Host, node string) (found string, known []string, err error) {
	kernel, err := kernelAt(h, node)
	if err != nil {
		return "", nil, err
	}
	held, err := Holders(h, kernel)
	if err != nil {
		return "", nil, err
	}
	if len(held) > 0 {
		return strings.Join(held, ", ") + " on it", held, nil
	}
	content, err := Probe(ctx, h, node)
	if errors.Is(err, ErrAmbivalent) {
		return ErrAmbivalent.Error(), []string{"several"}, nil
	}
	if err != nil {
		return "", nil, err
	}
	if content.Type != "" {
		return content.String(), []string{content.Type}, nil
	}
	left, err := signatures(ctx, h, node)
	if err != nil {
		return "", nil, err
	}
	var all []string
	for _, s := range left {
		all = append(all, fmt.Sprintf("a signature of %s at byte %s", s.Type, s.Offset))
		known = append(known, s.Type)
	}
	return strings.Join(all, ", "), known, nil
}

// Readable says whether a device can be read at all. Tools are silent about one
// that cannot, as they are about one without anything on it.
func Readable(ctx context.Context, h *host.Host, node string) error {
	ctx, cancel := context.WithTimeout(ctx, LookWithin)
	defer cancel()
	_, err := h.Self(ctx, "look", "ends", node)
	return err
}

// scanned has a child read the device: what was found there, "" where nothing
// but zeros.
func scanned(ctx context.Context, h *host.Host, node string, witnessed bool) (string, error) {
	args := []string{"look", "blank", node}
	if witnessed {
		args = []string{"look", "blank", "--witnessed", node}
	}
	out, err := h.Self(ctx, args...)
	if err != nil {
		return "", err
	}
	var v Verdict
	if err := json.Unmarshal(out.Stdout, &v); err != nil {
		return "", fmt.Errorf("what was read is not said in words that are known: %w", err)
	}
	if v.Found == "" && !v.proves() {
		return "", errors.New("what was read proves nothing")
	}
	return v.Found, nil
}
