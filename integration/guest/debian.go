package guest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
)

// WithDebian is the image with one of Debian's own packages more and all that it
// needs, installed as apt and its maintainer scripts do: services are enabled as
// the package has them. The layer is kept as the image is.
func (i Image) WithDebian(ctx context.Context, log *slog.Logger, name string) (Image, error) {
	unlock, err := lock(filepath.Join(i.cache, "lock"))
	if err != nil {
		return i, fmt.Errorf("wait for another build of the image: %w", err)
	}
	defer unlock()
	return i.over(ctx, log, "with-"+name, []byte(name), func(ctx context.Context, root string) error {
		return install(ctx, root, name)
	})
}

// install has this computer's apt fetch for the tree, which has no network of
// its own, and the tree's own apt install.
func install(ctx context.Context, root, name string) (err error) {
	scratch, err := os.MkdirTemp("", "reveille-apt-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	const fetched = "/var/cache/reveille-debs"
	archives := filepath.Join(root, fetched)
	lists := filepath.Join(scratch, "lists")
	for _, dir := range []string{filepath.Join(archives, "partial"), filepath.Join(lists, "partial")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	options := []string{"-q", "-y", "-o", "APT::Sandbox::User=root", "--no-install-recommends", "--download-only",
		"-o", "Dir::State::lists=" + lists, "-o", "Dir::Cache=" + scratch,
		"-o", "Dir::State::status=" + filepath.Join(root, "var/lib/dpkg/status"), "-o", "Dir::Cache::archives=" + archives}
	for _, what := range [][]string{{"update"}, {"install", name}} {
		if err := run(exec.CommandContext(ctx, "apt-get", append(options[:len(options):len(options)], what...)...)); err != nil {
			return fmt.Errorf("fetch the package %s for the machines' image: %w", name, err)
		}
	}
	// apt knows in which order: some packages must be configured before others are unpacked.
	return inside(ctx, root, []byte("set -e\napt-get -q -y -o APT::Sandbox::User=root -o Dpkg::Options::=--force-unsafe-io --no-install-recommends install "+fetched+"/*.deb\nrm -r "+fetched))
}
