package guest

import (
	"archive/tar"
	"bytes"
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
)

// A machine's disk is the image's file system and, behind it, room for the
// files that a case wants laid over it before the first process starts: a
// disk more for them would be seen by whatever looks at disks.
const (
	seedRoom = 512 << 20
	block    = 4096
)

// rootPartition names the disk's only partition, which begins at its first
// byte: ext4 leaves room for a partition table, and the kernel finds a root by
// nothing else that stays the same.
const rootPartition = "0ec20000-01"

//go:embed image/shell
var shellProgram []byte

//go:embed image/guest-shell.service
var shellUnit []byte

// RootSize is how large a root of the image has to be, in bytes.
func (i Image) RootSize() (int64, error) {
	base, err := os.Stat(i.Disk)
	if err != nil {
		return 0, fmt.Errorf("look at the image's disk: %w", err)
	}
	return base.Size() + seedRoom, nil
}

// prepareRoot makes the machine's disk at its first boot, and puts Spec.Files
// where image/init finds them; seed tells it where, "" where there are none.
func (v *vm) prepareRoot(ctx context.Context) (seed string, err error) {
	base, err := os.Stat(v.spec.Image.Disk)
	if err != nil {
		return "", fmt.Errorf("look at the image's disk: %w", err)
	}
	if err := v.makeRoot(ctx, base.Size()); err != nil {
		return "", fmt.Errorf("make the machine's disk: %w", err)
	}
	if v.seeded {
		return "", nil
	}
	files, err := archive(v.seedFiles())
	if err == nil && len(files) > seedRoom {
		err = fmt.Errorf("they are %d bytes, and there is room for %d", len(files), seedRoom)
	}
	if err == nil {
		err = v.writeRoot(ctx, base.Size(), files)
	}
	if err != nil {
		return "", fmt.Errorf("put the case's files onto the machine's disk: %w", err)
	}
	return fmt.Sprintf("%d,%d", base.Size()/block, len(files)/block), nil
}

// makeRoot makes it of the image's, whose size is given, unless it is there.
func (v *vm) makeRoot(ctx context.Context, size int64) error {
	if _, ok := v.spec.Served[RootVolume]; ok {
		if v.seeded {
			return nil
		}
		return v.writeRoot(ctx, 0, partitionTable(size))
	}
	root := v.path("root.qcow2")
	if _, err := os.Stat(root); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := run(exec.CommandContext(ctx, "qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", v.spec.Image.Disk,
		root, fmt.Sprint(size+seedRoom)))
	if err == nil {
		err = v.writeRoot(ctx, 0, partitionTable(size))
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(root))
	}
	return nil
}

// writeRoot writes at a place of the machine's disk while it is off.
func (v *vm) writeRoot(ctx context.Context, at int64, data []byte) error {
	if s, ok := v.spec.Served[RootVolume]; ok {
		_, err := s.At.WriteAt(data, at)
		return err
	}
	from := v.path("seed")
	if err := os.WriteFile(from, data, 0o600); err != nil {
		return err
	}
	return errors.Join(
		run(exec.CommandContext(ctx, "qemu-io", "-f", "qcow2", "-c", fmt.Sprintf("write -q -s %s %d %d", from, at, len(data)), v.path("root.qcow2"))),
		os.Remove(from))
}

// partitionTable is a disk's first sector with one partition from its first byte.
func partitionTable(size int64) []byte {
	sector := make([]byte, 512)
	binary.LittleEndian.PutUint32(sector[440:], 0x0ec20000) // the disk's name, as in rootPartition
	entry := sector[446:]
	entry[0], entry[4] = 0x80, 0x83 // active, Linux
	binary.LittleEndian.PutUint32(entry[12:], uint32(size/512))
	sector[510], sector[511] = 0x55, 0xaa
	return sector
}

// seedFiles is what the machine needs of the harness, then what the case asks for.
func (v *vm) seedFiles() []File {
	return append([]File{
		{Path: "/etc/hostname", Data: []byte(v.spec.Hostname + "\n")},
		{Path: "/usr/lib/guest/shell", Data: shellProgram, Mode: 0o755},
		{Path: "/usr/lib/systemd/system/guest-shell.service", Data: shellUnit},
		{Path: "/usr/lib/systemd/system/sysinit.target.wants/guest-shell.service", Link: "../guest-shell.service"},
	}, v.spec.Files...)
}

// archive is the files as a tar of whole blocks.
func archive(files []File) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: strings.TrimPrefix(f.Path, "/"), Mode: int64(f.mode().Perm()), Size: int64(len(f.Data))}
		if f.Link != "" {
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, f.Link, 0
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		if f.Link != "" {
			continue
		}
		if _, err := w.Write(f.Data); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return append(out.Bytes(), make([]byte, (block-out.Len()%block)%block)...), nil
}

func (f File) mode() fs.FileMode {
	if f.Mode == 0 {
		return 0o644
	}
	return f.Mode
}
