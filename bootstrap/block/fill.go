package block

import (
	"context"
	"encoding/json"
	"fmt"

	"reveille/bootstrap/host"
)

// Fill is how full the file system is that is mounted on a path, asked in a
// child.
func Fill(ctx context.Context, h *host.Host, path string) (host.Fill, error) {
	ctx, cancel := context.WithTimeout(ctx, LookWithin/2)
	defer cancel()
	var f host.Fill
	out, err := h.Self(ctx, "look", "fill", path)
	if err != nil {
		return f, err
	}
	if err := json.Unmarshal(out.Stdout, &f); err != nil {
		return f, fmt.Errorf("read how full %s is: %w", path, err)
	}
	return f, nil
}
