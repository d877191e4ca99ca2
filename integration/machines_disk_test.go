package integration_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"reveille/integration/guest"
)

const diskUsage = "usage: disk add VOLUME-ID SIZE NAME [MOST], disk clone VOLUME-ID NEW-ID NAME of a machine that is off, disk remove VOLUME-ID or disk grow VOLUME-ID SIZE of a machine, disk turn, or disk hang, fail or heal VOLUME-ID"

// wordDisk attaches and detaches volumes, before the first boot or hot, makes
// them larger and gives them faults.
func wordDisk(ts *testscript.TestScript, _ bool, args []string) {
	s := theStage(ts)
	ctx, cancel := context.WithTimeout(context.Background(), s.scaled(runWithin))
	defer cancel()
	var err error
	switch {
	case (len(args) == 4 || len(args) == 5) && args[0] == "add":
		size, wrong := bytesWord(args[2])
		ts.Check(wrong)
		v := guest.Volume{ID: args[1], Size: size, Attachment: args[3]}
		if len(args) == 5 {
			v.Most, wrong = bytesWord(args[4])
			ts.Check(wrong)
		}
		err = s.addDisk(ctx, v)
	case len(args) == 3 && args[0] == "grow" && s.machine != nil:
		size, wrong := bytesWord(args[2])
		ts.Check(wrong)
		err = s.machine.Grow(ctx, args[1], size)
	case len(args) == 4 && args[0] == "clone":
		err = s.cloneDisk(ctx, args[1], args[2], args[3])
	case len(args) == 2 && args[0] == "remove" && s.machine != nil:
		err = s.machine.Detach(ctx, args[1])
		s.spec.Disks = slices.DeleteFunc(s.spec.Disks, func(v guest.Volume) bool { return v.ID == args[1] })
	case len(args) == 1 && args[0] == "turn" && len(s.spec.Disks) > 0:
		slices.Reverse(s.spec.Disks)
	case len(args) == 2 && (args[0] == "hang" || args[0] == "fail"):
		err = s.afflict(ctx, args[1], guest.Fault(args[0]))
	case len(args) == 2 && args[0] == "heal":
		err = s.afflict(ctx, args[1], guest.Sound)
	default:
		ts.Fatalf(diskUsage)
	}
	ts.Check(err)
}

func (s *stage) addDisk(ctx context.Context, v guest.Volume) error {
	if s.machine != nil {
		if err := s.machine.Attach(ctx, v); err != nil {
			return err
		}
	}
	s.spec.Disks = append(s.spec.Disks, v)
	return nil
}

// cloneDisk attaches a volume that was restored from a snapshot of another. QEMU
// holds back bytes of a machine that is on.
func (s *stage) cloneDisk(ctx context.Context, origin, id, name string) error {
	at := slices.IndexFunc(s.spec.Disks, func(v guest.Volume) bool { return v.ID == origin })
	if m, ok := s.machine.(guest.Emulated); at < 0 || !ok || m.PID() != 0 {
		return fmt.Errorf("clone %s: it is no volume of a machine that is off", origin)
	}
	from, err := os.Open(filepath.Join(s.spec.Dir, origin+".disk"))
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.Create(filepath.Join(s.spec.Dir, id+".disk"))
	if err != nil {
		return err
	}
	defer to.Close()
	if _, err := io.Copy(to, from); err != nil {
		return fmt.Errorf("clone %s: %w", origin, err)
	}
	return s.addDisk(ctx, guest.Volume{ID: id, Size: s.spec.Disks[at].Size, Attachment: name})
}

// afflict gives a volume a fault, in the machine and whatever is made of its disks.
func (s *stage) afflict(ctx context.Context, id string, f guest.Fault) error {
	m, ok := s.machine.(guest.Emulated)
	at := slices.IndexFunc(s.spec.Disks, func(v guest.Volume) bool { return v.ID == id })
	if at < 0 || s.machine != nil && !ok {
		return fmt.Errorf("%s is no volume of a virtual machine", id)
	}
	if s.machine != nil {
		if err := m.Afflict(ctx, id, f); err != nil {
			return err
		}
	}
	s.spec.Disks[at].Fault = f
	return nil
}

// bytesWord is a size like 64M or 2G.
func bytesWord(word string) (int64, error) {
	unit := map[byte]int64{'M': 1 << 20, 'G': 1 << 30}[word[len(word)-1]]
	if unit == 0 {
		return 0, fmt.Errorf("the size %q has no unit, M or G", word)
	}
	n, err := strconv.ParseInt(word[:len(word)-1], 10, 64)
	return n * unit, err
}
