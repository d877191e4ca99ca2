package block

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"reveille/bootstrap/host"
)

// Content is what a device says that it holds. The zero value is nothing that
// anybody recognises, which proves nothing.
type Content struct {
	Type  string // "xfs", "ext4", "linux_raid_member", "LVM2_member", "crypto_LUKS", "swap"; "gpt", "dos" for a partition table
	Usage string // "filesystem", "raid", "crypto", "other", "parttable"
	UUID  string
	Label string
}

// String is the content in words, with what tells it from others of its type.
func (c Content) String() string {
	text := c.Type
	switch c.Usage {
	case "filesystem":
		text = "a file system, " + text
	case "parttable":
		text = "a partition table, " + text
	case "raid":
		text = "a member of an array or group, " + text
	}
	if c.Label != "" {
		text += fmt.Sprintf(", labelled %q", c.Label)
	}
	if c.UUID != "" {
		text += ", UUID " + c.UUID
	}
	return text
}

// ErrAmbivalent says that a device claims to be several things at once.
var ErrAmbivalent = errors.New("signatures of several things at once")

// Probe asks blkid what a device holds. It is silent about one that cannot be
// read as well: Readable tells.
func Probe(ctx context.Context, h *host.Host, node string) (Content, error) {
	// blkid ends with one code where there is nothing on it and where there is no device.
	i, err := h.Stat(node)
	if err != nil {
		return Content{}, err
	}
	if !i.Exists {
		return Content{}, fmt.Errorf("probe %s: %w", node, fs.ErrNotExist)
	}
	out, err := look(ctx, h, "blkid", "-p", "-o", "export", node)
	var exit *host.ExitError
	if errors.As(err, &exit) {
		switch said := strings.TrimSpace(string(out.Stderr)); {
		case exit.Code == 2 && said == "":
			return Content{}, nil
		case exit.Code == 8:
			return Content{}, fmt.Errorf("%s: %w", node, ErrAmbivalent)
		}
	}
	if err != nil {
		return Content{}, err
	}
	return parseProbe(string(out.Stdout)), nil
}

// parseProbe reads blkid -p -o export. A partition is told of its place in the
// table as well, which says nothing of what it holds.
func parseProbe(text string) Content {
	said := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimRight(line, "\n"), "="); ok {
			said[key] = unquote(value)
		}
	}
	if said["TYPE"] != "" {
		return Content{Type: said["TYPE"], Usage: said["USAGE"], UUID: said["UUID"], Label: said["LABEL"]}
	}
	if said["PTTYPE"] != "" {
		return Content{Type: said["PTTYPE"], Usage: "parttable", UUID: said["PTUUID"]}
	}
	return Content{}
}

// unquote takes away the backslashes by which blkid makes a value fit for a
// shell.
func unquote(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// signature is one that wipefs found, anywhere on a device.
type signature struct {
	Offset string `json:"offset"` // "0x438"
	Type   string `json:"type"`
}

// signatures asks wipefs, which knows of more places than blkid and changes
// nothing here.
func signatures(ctx context.Context, h *host.Host, node string) ([]signature, error) {
	out, err := look(ctx, h, "wipefs", "--no-act", "--json", node)
	if err != nil {
		return nil, err
	}
	found, err := parseSignatures(out.Stdout)
	if err != nil {
		return nil, fmt.Errorf("wipefs --no-act --json %s: %w", node, err)
	}
	return found, nil
}

// parseSignatures reads wipefs --json. Silence is none: so say older ones of a
// device without any.
func parseSignatures(data []byte) ([]signature, error) {
	if strings.TrimSpace(string(data)) == "" {
		return nil, nil
	}
	var said struct {
		Signatures *[]signature `json:"signatures"`
	}
	if err := json.Unmarshal(data, &said); err != nil {
		return nil, err
	}
	if said.Signatures == nil {
		return nil, errors.New("it says nothing of signatures")
	}
	return *said.Signatures, nil
}
