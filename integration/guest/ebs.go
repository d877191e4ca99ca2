package guest

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// QEMU has options for a disk's serial number, and for nothing else by which
// an NVMe disk of EC2 is known. The rest is written into the answer to
// Identify Controller that QEMU keeps in its memory, at these offsets, while
// the machine stands still. Blanks fill each field up, as NVMe has it.
const (
	identifySerial = 4
	identifyModel  = 24
	identifyVendor = 3072 // where EBS says what the volume was attached as

	ebsModel   = "Amazon Elastic Block Store"
	storeModel = "Amazon EC2 NVMe Instance Storage"

	// QEMU's own allocations are searched, and not the guest's memory.
	largestHeap = 64 << 20

	heapLooks = 5
)

// asMade is the model as QEMU fills it in. Before it stand the serial number
// and the PCI vendor's and subsystem's numbers.
var (
	asMade  = blank("QEMU NVMe Ctrl", 40)
	vendors = []byte{0x36, 0x1b, 0xf4, 0x1a}
)

// makeEBS makes the NVMe disks of a stopped QEMU look like EBS volumes, or like
// instance store where their serial number begins with AWS. A disk
// that already does is left alone. Each volume must have been found.
func makeEBS(pid int, volumes []Volume) error {
	attachments := map[string]string{}
	for _, v := range volumes {
		attachments[serialOf(v.ID)] = v.Attachment
	}
	mem, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open QEMU's memory to make its disks EBS volumes: %w", err)
	}
	defer mem.Close()
	// The machine stands still, and QEMU does not: its heap may grow or shrink
	// between the look at where it is and the look into it.
	for range heapLooks {
		areas, err := heaps(pid)
		if err != nil {
			return err
		}
		for _, a := range areas {
			if err := pokeArea(mem, a, attachments); err != nil {
				return err
			}
		}
		if len(attachments) == 0 {
			break
		}
	}
	if len(attachments) > 0 {
		return fmt.Errorf("make volumes %v look like EBS: not in QEMU's memory as versions 7 to 10 keep them: look at how hw/nvme/ctrl.c fills NvmeIdCtrl now", attachments)
	}
	return nil
}

func pokeArea(mem *os.File, a area, attachments map[string]string) error {
	held := make([]byte, a.size)
	n, err := mem.ReadAt(held, a.start)
	if err != nil {
		held = held[:n] // what follows is gone by now
	}
	for at := 0; ; at += len(asMade) {
		next := bytes.Index(held[at:], asMade)
		if next < 0 {
			return nil
		}
		at += next
		start := at - identifyModel
		if start < 0 || !bytes.HasPrefix(held[start:], vendors) {
			continue
		}
		serial := string(bytes.TrimRight(held[start+identifySerial:at], " "))
		if name, ok := attachments[serial]; ok {
			model := ebsModel
			if strings.HasPrefix(serial, "AWS") {
				model = storeModel
			}
			if err := writeIdentity(mem, a.start+int64(start), model, name); err != nil {
				return fmt.Errorf("make %s a disk of EC2's: %w", serial, err)
			}
			delete(attachments, serial)
		}
	}
}

func writeIdentity(mem *os.File, at int64, model, attachment string) error {
	if _, err := mem.WriteAt(blank(attachment, 32), at+identifyVendor); err != nil {
		return err
	}
	// The firmware's version follows the model.
	_, err := mem.WriteAt(append(blank(model, 40), blank("1.0", 8)...), at+identifyModel)
	return err
}

// serialOf is the volume's id as its disk says it: without the hyphen.
func serialOf(id string) string { return strings.Replace(id, "-", "", 1) }

func blank(s string, n int) []byte {
	b := bytes.Repeat([]byte(" "), n)
	copy(b, s)
	return b
}

type area struct{ start, size int64 }

// heaps is where a process keeps what it allocates: private, writable memory
// of no file.
func heaps(pid int) ([]area, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, fmt.Errorf("read where QEMU's memory is: %w", err)
	}
	defer f.Close()
	var found []area
	for lines := bufio.NewScanner(f); lines.Scan(); {
		field := strings.Fields(lines.Text()) // FROM-TO rw-p OFFSET DEVICE INODE [NAME]
		if len(field) < 5 || !strings.HasPrefix(field[1], "rw") || field[4] != "0" {
			continue
		}
		from, to, _ := strings.Cut(field[0], "-")
		start, err1 := strconv.ParseInt(from, 16, 64)
		end, err2 := strconv.ParseInt(to, 16, 64)
		if err1 == nil && err2 == nil && end-start <= largestHeap {
			found = append(found, area{start, end - start})
		}
	}
	return found, nil
}
