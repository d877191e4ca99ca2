package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// diskSize is how large a virtual machine's root is, in bytes; the file is sparse.
const diskSize = 4 << 30

// ForVM fills in Disk and Kernel, made at first use: containers need neither.
func (i Image) ForVM(ctx context.Context, log *slog.Logger) (Image, error) {
	unlock, err := lock(filepath.Join(i.cache, "lock"))
	if err != nil {
		return i, fmt.Errorf("wait for another build of the image: %w", err)
	}
	defer unlock()
	disk, kernel := i.Layers[0]+".ext4", i.Layers[len(i.Layers)-1]+".vmlinux"
	if err := once(kernel, func(to string) error { return i.unpackKernel(ctx, to) }); err != nil {
		return i, fmt.Errorf("unpack the image's kernel: %w", err)
	}
	began := time.Now()
	err = once(disk, func(to string) error {
		defer func() {
			log.Info("made the disk of the virtual machines' image", "file", disk, "took", time.Since(began).Round(time.Millisecond))
		}()
		return i.writeDisk(ctx, to)
	})
	if err != nil {
		return i, fmt.Errorf("make a disk of the image: %w", err)
	}
	i.Disk, i.Kernel = disk, kernel
	return i, nil
}

// once makes a file unless it is there; half a file never is.
func once(path string, do func(to string) error) error {
	if _, err := os.Stat(path); err == nil {
		now := time.Now()
		return os.Chtimes(path, now, now)
	}
	to := path + ".unfinished"
	if err := do(to); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return os.Rename(to, path)
}

// writeDisk makes a file system of the tree, whole disk, no partition table:
// the kernel mounts it by itself.
func (i Image) writeDisk(ctx context.Context, to string) (err error) {
	scratch, err := os.MkdirTemp(i.cache, "making-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	root, release, err := mountOver(i.Layers, filepath.Join(scratch, "upper"), scratch)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(diskSize), f.Close()); err != nil {
		return err
	}
	return run(exec.CommandContext(ctx, "mkfs.ext4", "-q", "-F", "-d", root, "-L", "root", "-m", "0",
		"-E", "root_owner=0:0,nodiscard,lazy_itable_init=1", "-O", "^metadata_csum_seed", to))
}

// lz4Magic begins the payload of Debian's cloud kernel (lz4's legacy frame).
var lz4Magic = []byte{0x02, 0x21, 0x4c, 0x18}

// unpackKernel takes the kernel proper out of its self-extracting image: QEMU
// boots it as it is, and a second of emulated unpacking is saved a boot.
func (i Image) unpackKernel(ctx context.Context, to string) error {
	packed, err := os.ReadFile(filepath.Join(i.Layers[len(i.Layers)-1], "vmlinuz"))
	if err != nil {
		return err
	}
	at := bytes.Index(packed, lz4Magic)
	if at < 0 {
		return errors.New("its payload is not lz4; see how this Debian packs it")
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.CommandContext(ctx, "lz4", "-dc")
	cmd.Stdin, cmd.Stdout = bytes.NewReader(packed[at:]), out
	_ = cmd.Run() // it complains about what follows the payload: what it wrote is the judge
	magic := make([]byte, 4)
	if _, err := out.ReadAt(magic, 0); err != nil && !errors.Is(err, io.EOF) || string(magic) != "\x7fELF" {
		return errors.New("lz4 did not yield a kernel; is the package lz4 installed?")
	}
	return nil
}
