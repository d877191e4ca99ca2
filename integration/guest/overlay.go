package guest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// mountOver mounts layers with a writable one on top, upper, at a folder below
// scratch, which has to be on upper's file system.
func mountOver(layers []string, upper, scratch string) (root string, release func() error, err error) {
	root, work := filepath.Join(scratch, "root"), filepath.Join(scratch, "work")
	for _, dir := range []string{root, work, upper} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", nil, fmt.Errorf("make room for a machine's files: %w", err)
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", strings.Join(layers, ":"), upper, work)
	// Its source is its owner's name, for removeLeftovers.
	if err := unix.Mount(fmt.Sprintf("%s%d", prefix, os.Getpid()), root, "overlay", 0, options); err != nil {
		return "", nil, fmt.Errorf("mount a machine's files at %s: %w", root, err)
	}
	return root, func() error {
		// Lazily: a process of the machine that is about to end may still be in there.
		if err := unix.Unmount(root, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("unmount %s: %w", root, err)
		}
		return nil
	}, nil
}

// removeTree removes a folder of an image, but never through something that is
// mounted in it: that could be this computer's own /dev.
func removeTree(dir string) error {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 4 && (f[4] == dir || strings.HasPrefix(f[4], dir+"/")) {
			return fmt.Errorf("remove %s: %s is mounted in it; umount it first", dir, f[4])
		}
	}
	return os.RemoveAll(dir)
}

// put writes a file below the root of a machine's files. The image has no
// folder that is a link out of them.
func put(root string, f File) error {
	path := filepath.Join(root, f.Path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("put %s into a machine: %w", f.Path, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("put %s into a machine: %w", f.Path, err)
	}
	if f.Link != "" {
		return os.Symlink(f.Link, path)
	}
	mode := f.Mode
	if mode == 0 {
		mode = 0o644
	}
	if err := os.WriteFile(path, f.Data, mode); err != nil {
		return fmt.Errorf("put %s into a machine: %w", f.Path, err)
	}
	return os.Chmod(path, mode) // whatever the umask
}

// run runs a program to its end; its error has what the program said.
func run(cmd *exec.Cmd) error {
	var said bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &said
	}
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, tail(said.Bytes(), 4000))
	}
	return nil
}

// tail is the end of a text.
func tail(b []byte, n int) []byte { return b[max(0, len(b)-n):] }
