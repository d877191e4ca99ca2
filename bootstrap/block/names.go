package block

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
	"sync"
	"time"

	"reveille/bootstrap/host"
)

// Names asks NVMe disks what they were called at their attachment: kernel name
// to "sdf". Others, and those that do not say, are left out. The error names
// each that could not be asked; the others are there beside it.
func Names(ctx context.Context, h *host.Host, kernels []string) (map[string]string, error) {
	var nodes []string
	for _, k := range kernels {
		if strings.HasPrefix(k, "nvme") {
			nodes = append(nodes, path.Join("/dev", k))
		}
	}
	if len(nodes) == 0 {
		return map[string]string{}, nil
	}
	said, err := askNames(ctx, h, nodes, LookWithin/4)
	if err == nil || len(nodes) == 1 || ctx.Err() != nil {
		return said, err
	}
	return namesApart(ctx, h, nodes)
}

// namesApart asks in a child a disk: one of them hangs, or fails, and must not
// take the others' names with it.
func namesApart(ctx context.Context, h *host.Host, nodes []string) (map[string]string, error) {
	all, errs := map[string]string{}, make([]error, len(nodes))
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i, node := range nodes {
		wg.Go(func() {
			said, err := askNames(ctx, h, []string{node}, LookWithin/2)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs[i] = fmt.Errorf("ask %s for its name: %w", node, err)
			}
			for k, name := range said {
				all[k] = name
			}
		})
	}
	wg.Wait()
	return all, errors.Join(errs...)
}

func askNames(ctx context.Context, h *host.Host, nodes []string, within time.Duration) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	out, err := h.Self(ctx, append([]string{"look", "names"}, nodes...)...)
	if err != nil {
		return nil, err
	}
	said := map[string]string{}
	if err := json.Unmarshal(out.Stdout, &said); err != nil {
		return nil, fmt.Errorf("read the disks' names: %w", err)
	}
	for k, name := range said {
		if name == "" {
			delete(said, k)
		}
	}
	return said, nil
}

// ReadNames is what the child does: it asks the disks themselves.
func ReadNames(nodes []string) (map[string]string, error) {
	said := map[string]string{}
	var errs []error
	for _, node := range nodes {
		data, err := host.IdentifyNVMe(node)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		said[path.Base(node)] = attachmentName(data)
	}
	return said, errors.Join(errs...)
}

var validName = regexp.MustCompile(`^[a-z][a-z0-9]*$`)

// attachmentName is in the vendor's part of what a controller says of itself:
// "/dev/sdf" or "sdf", padded with blanks, of EBS; "ephemeral0:sdb", with zeros
// after it, of an instance's own. Anything else is no name.
func attachmentName(identity []byte) string {
	const vendor, length = 3072, 32
	if len(identity) < vendor+length {
		return ""
	}
	text, _, _ := strings.Cut(string(identity[vendor:vendor+length]), "\x00")
	name := strings.TrimPrefix(strings.TrimSpace(text), "/dev/")
	if before, after, ok := strings.Cut(name, ":"); ok && strings.HasPrefix(before, "ephemeral") {
		name = strings.TrimPrefix(after, "/dev/")
	}
	if name == "none" || !validName.MatchString(name) {
		return ""
	}
	return name
}
