package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"
)

// A file in a device's place is read by nobody who thinks that it is a disk.
func TestOnlyBlockDevicesAreOpened(t *testing.T) {
	file := filepath.Join(t.TempDir(), "nvme9n1")
	if err := os.WriteFile(file, make([]byte, 8192), 0o600); err != nil {
		t.Fatal(err)
	}
	for node, want := range map[string]string{file: "not a block device", "/dev/null": "not a block device", file + "x": "no such file", filepath.Dir(file): "a folder"} {
		if d, err := OpenDevice(node); err == nil || d != nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), node) {
			t.Errorf("%s: %v", node, err)
		}
	}
	if data, err := IdentifyNVMe("/dev/null"); err == nil || data != nil || !strings.Contains(err.Error(), "/dev/null") {
		t.Errorf("/dev/null says what it is: %v", err)
	}
}

func TestBuffersAreAligned(t *testing.T) {
	for _, size := range []int{1, 512, Align, 1 << 20} {
		for range 50 {
			b := AlignedBuffer(size)
			if len(b) != size || cap(b) != size || uintptr(unsafe.Pointer(unsafe.SliceData(b)))%Align != 0 {
				t.Fatalf("%d bytes at %p, %d asked for", len(b), b, size)
			}
		}
	}
}

func TestNVMeCommandIsTheKernels(t *testing.T) {
	if size := unsafe.Sizeof(nvmeCommand{}); size != 72 {
		t.Errorf("struct nvme_passthru_cmd has 72 bytes, not %d", size)
	}
}

// Self is this very program: it lists this test.
func TestSelf(t *testing.T) {
	h, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := h.Self(t.Context(), "-test.list=^TestSelf$")
	if err != nil || !strings.HasPrefix(string(out.Stdout), "TestSelf\n") {
		t.Errorf("%q, %v", out.Stdout, err)
	}
}
