package host

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrInUse says that a block device is mounted, swapped to, or part of
// something that is.
var ErrInUse = errors.New("in use")

// Device is a block device that is open for reading. It reads past the page cache: what it says is on the device now,
// and reading all of it takes no other's memory. Offsets and lengths are
// multiples of Align, as is the address of what is read into; see AlignedBuffer.
type Device struct {
	f    *os.File
	size int64
}

// Align is what reads of a Device are multiples of, in bytes.
const Align = 4096

// OpenDevice opens a block device of the running machine, whatever a Host's
// root, and fails with ErrInUse where anybody uses it. It belongs into a child:
// reading may hang.
func OpenDevice(node string) (*Device, error) {
	// Of a block device, O_EXCL is refused while the kernel uses it.
	return openDevice(node, unix.O_EXCL)
}

// OpenDeviceShared opens one that may be in use, and keeps nobody from it.
func OpenDeviceShared(node string) (*Device, error) { return openDevice(node, 0) }

func openDevice(node string, flag int) (*Device, error) {
	st, err := os.Stat(node)
	if err != nil {
		return nil, fmt.Errorf("open the device: %w", err)
	}
	if m := st.Mode(); m&os.ModeDevice == 0 || m&os.ModeCharDevice != 0 {
		return nil, fmt.Errorf("open the device %s: it is %s, not a block device", node, kind(m))
	}
	f, err := os.OpenFile(node, os.O_RDONLY|unix.O_DIRECT|flag, 0)
	if errors.Is(err, unix.EBUSY) {
		return nil, fmt.Errorf("open the device %s: %w: %w", node, ErrInUse, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open the device: %w", err)
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("measure %s: %w", node, err)
	}
	return &Device{f: f, size: size}, nil
}

// Size is how many bytes it has.
func (d *Device) Size() int64 { return d.size }

// ReadAt is io.ReaderAt's, in multiples of Align; the device's end may come
// sooner.
func (d *Device) ReadAt(p []byte, off int64) (int, error) { return d.f.ReadAt(p, off) }

// Close lets go of it.
func (d *Device) Close() error { return d.f.Close() }

// AlignedBuffer is a buffer that a Device can read into.
func AlignedBuffer(size int) []byte {
	b := make([]byte, size+Align)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (Align - 1))
	return b[skip : skip+size : skip+size]
}

// nvmeCommand is the kernel's struct nvme_passthru_cmd.
type nvmeCommand struct {
	opcode, flags            uint8
	_                        uint16
	nsid, cdw2, cdw3         uint32
	metadata, addr           uint64
	metadataLen, dataLen     uint32
	cdw10, cdw11, cdw12      uint32
	cdw13, cdw14, cdw15      uint32
	timeoutMilliseconds, res uint32
}

const (
	nvmeAdminCommand = 0xC0484E41 // _IOWR('N', 0x41, struct nvme_passthru_cmd)
	nvmeIdentify     = 0x06
	nvmeController   = 1
	identitySize     = 4096
)

// IdentifyNVMe is what an NVMe disk's controller says of itself. It asks the
// disk, and may hang: it belongs into a child.
func IdentifyNVMe(node string) ([]byte, error) {
	f, err := os.OpenFile(node, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("identify the disk: %w", err)
	}
	defer f.Close()
	data := AlignedBuffer(identitySize)
	cmd := nvmeCommand{opcode: nvmeIdentify, addr: uint64(uintptr(unsafe.Pointer(unsafe.SliceData(data)))), dataLen: identitySize, cdw10: nvmeController}
	var pin runtime.Pinner
	pin.Pin(unsafe.SliceData(data))
	defer pin.Unpin()
	status, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), nvmeAdminCommand, uintptr(unsafe.Pointer(&cmd)))
	if errno != 0 {
		return nil, fmt.Errorf("identify the disk %s: %w", node, errno)
	}
	if status != 0 {
		return nil, fmt.Errorf("identify the disk %s: it answered with the status %#x", node, status)
	}
	return data, nil
}
