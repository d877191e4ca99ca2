package guest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Image is a Debian that machines are booted from; none of them changes it.
type Image struct {
	// Layers are the folders that make the tree, the uppermost first. They
	// are overlays, so that a package more costs what it brings.
	Layers []string
	Disk   string // the same as a raw ext4 file system, without partitions; "" until ForVM
	Kernel string // its kernel, uncompressed; "" until ForVM
	Key    string // file with the private key that its users root and admin let in

	cache string // folder of all layers
}

// suite is the Debian that instances of the cases run.
const suite = "bookworm"

// Build makes the image, or finds the one that was made of the same packages,
// sources and files before. It needs root and Debian's mmdebstrap.
func Build(ctx context.Context, log *slog.Logger) (Image, error) {
	if os.Geteuid() != 0 {
		return Image{}, errors.New("build the machines' image: only root can; run it as root, or in a container where you are")
	}
	dir, err := cacheFolder()
	if err != nil {
		return Image{}, err
	}
	unlock, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		return Image{}, fmt.Errorf("wait for another build of the image: %w", err)
	}
	defer unlock()
	sources, err := aptSources(os.DirFS("/etc/apt"))
	if err != nil {
		return Image{}, err
	}
	image := Image{cache: dir}
	image, err = image.with(ctx, log, "debian", []byte(suite+sources+packages), func(ctx context.Context, into string) error {
		return bootstrap(ctx, into, sources)
	})
	if err != nil {
		return Image{}, err
	}
	image, err = image.over(ctx, log, "instance", recipe(), customize)
	if err != nil {
		return Image{}, err
	}
	image.Key = filepath.Join(image.Layers[0], keyPath)
	return image, image.sweep()
}

func cacheFolder() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a cache folder for the machines' image: %w", err)
	}
	dir := filepath.Join(base, "reveille", "guest")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make the cache of the machines' image: %w", err)
	}
	return dir, nil
}

// bootstrap unpacks a Debian into a folder. Manual pages and translations stay
// out; /usr/share/slapd must not, slapd's own installation reads it.
func bootstrap(ctx context.Context, into, sources string) error {
	list := filepath.Join(filepath.Dir(into), filepath.Base(into)+".sources")
	if err := os.WriteFile(list, []byte(sources), 0o644); err != nil {
		return err
	}
	defer os.Remove(list)
	args := []string{"--mode=root", "--variant=minbase", "--format=directory", "--include=" + strings.Join(strings.Fields(packages), ","),
		"--aptopt=Acquire::Languages \"none\"", "--dpkgopt=force-unsafe-io"}
	for _, out := range []string{"man", "locale", "doc"} {
		args = append(args, "--dpkgopt=path-exclude=/usr/share/"+out+"/*")
	}
	// What it mounts in there ends with it, however it ends.
	args = append([]string{"--mount", "--propagation=slave", "mmdebstrap"}, append(args, suite, into, list)...)
	return run(exec.CommandContext(ctx, "unshare", args...))
}

// with puts one more layer on top, made by do unless it is there already. Its
// folder is named by what it is made of and everything below it.
func (i Image) with(ctx context.Context, log *slog.Logger, name string, made []byte, do func(ctx context.Context, into string) error) (Image, error) {
	sum := sha256.New()
	for _, l := range i.Layers {
		fmt.Fprintln(sum, filepath.Base(l))
	}
	sum.Write(made)
	dir := filepath.Join(i.cache, fmt.Sprintf("%s-%x", name, sum.Sum(nil)[:8]))
	i.Layers = append([]string{dir}, i.Layers...)
	i.Disk, i.Kernel = "", ""
	if _, err := os.Stat(dir); err == nil {
		now := time.Now() // what sweep goes by
		return i, os.Chtimes(dir, now, now)
	}
	began := time.Now()
	unfinished := dir + ".unfinished"
	if err := removeTree(unfinished); err != nil {
		return i, err
	}
	if err := do(ctx, unfinished); err != nil {
		return i, fmt.Errorf("make the layer %q of the machines' image: %w", name, err)
	}
	log.Info("made a layer of the machines' image", "layer", name, "folder", dir, "took", time.Since(began).Round(time.Millisecond))
	return i, os.Rename(unfinished, dir)
}

// over makes a layer by changing the whole tree, as do sees it.
func (i Image) over(ctx context.Context, log *slog.Logger, name string, made []byte, do func(ctx context.Context, root string) error) (Image, error) {
	return i.with(ctx, log, name, made, func(ctx context.Context, into string) (err error) {
		scratch, err := os.MkdirTemp(i.cache, "making-")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
		root, release, err := mountOver(i.Layers, into, scratch)
		if err != nil {
			return err
		}
		return errors.Join(do(ctx, root), release())
	})
}

// keepFor is how long a layer that nobody asked for stays.
const keepFor = 7 * 24 * time.Hour

// sweep removes what no build has asked for in a while, and at once what a
// build that was killed left. The caller holds the lock.
func (i Image) sweep() error {
	entries, err := os.ReadDir(i.cache)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return err
		}
		left := strings.Contains(e.Name(), ".unfinished") || strings.HasPrefix(e.Name(), "making-")
		if e.Name() == "lock" || !left && time.Since(info.ModTime()) < keepFor {
			continue
		}
		if err := removeTree(filepath.Join(i.cache, e.Name())); err != nil {
			return fmt.Errorf("remove an image that is no longer used: %w", err)
		}
	}
	return nil
}

// lock waits until no other process holds the file.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil // which lets go of it
}
