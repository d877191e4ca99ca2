package integration_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"reveille/integration/guest"
)

// powerWithin bounds a power-on or power-off, before it is scaled.
const powerWithin = 60 * time.Second

// wordBoot makes a fresh machine and powers it on.
func wordBoot(ts *testscript.TestScript, _ bool, args []string) {
	s := theStage(ts)
	ts.Check(s.discard())
	before := s.spec.Dir
	s.spec = guest.Spec{Fabric: s.fabric, DMI: s.metadata.instance.ID, Disks: s.spec.Disks, Log: s.images.log}
	dir, err := os.MkdirTemp(ts.Getenv("WORK"), "machine-")
	ts.Check(err)
	s.spec.Dir = dir
	if i := slices.Index(args, "moved"); i >= 0 {
		args = slices.Delete(slices.Clone(args), i, i+1)
		disks, err := filepath.Glob(filepath.Join(before, "*.disk"))
		ts.Check(err)
		if before == "" || len(disks) == 0 {
			ts.Fatalf("boot moved: there was no machine with volumes before")
		}
		for _, d := range disks {
			ts.Check(os.Rename(d, filepath.Join(dir, filepath.Base(d))))
		}
	}
	if !slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "image=") }) {
		args = append([]string{"image=agent"}, args...)
	}
	s.power(ts, args)
}

// wordStart powers the same machine on again: its files and disks are as they
// were. Words change what is around them, "start dmi=i-…" is its clone.
func wordStart(ts *testscript.TestScript, _ bool, args []string) {
	s := theStage(ts)
	if s.machine == nil {
		ts.Fatalf("start: there is no machine yet: boot makes one")
	}
	if len(args) == 0 {
		ts.Check(s.boot())
		return
	}
	s.old = append(s.old, s.machine.Console()...)
	ts.Check(s.machine.Close())
	s.spec.Files, s.spec.Kernel = nil, nil
	s.power(ts, args)
}

// power makes the machine of the spec as the words change it, and boots it.
func (s *stage) power(ts *testscript.TestScript, args []string) {
	var enable []string
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "image":
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
			image, err := s.images.get(ctx, value, s.kind)
			cancel()
			ts.Check(err)
			s.spec.Image = image
		case "kernel":
			s.spec.Kernel = append(s.spec.Kernel, value)
		case "dmi":
			s.spec.DMI = strings.TrimPrefix(value, "none")
		case "hostname":
			s.spec.Hostname = value
		case "file":
			s.spec.Files = append(s.spec.Files, fileWord(ts, strings.Split(value, ":")))
		case "mask":
			s.spec.Files = append(s.spec.Files, guest.File{Path: "/etc/systemd/system/" + value, Link: "/dev/null"})
		case "enable":
			enable = append(enable, value)
		case "hold-network":
			ts.Check(s.fabric.Hold())
		default:
			ts.Fatalf("boot: unknown word %q; see machines/README.md", arg)
		}
	}
	for _, unit := range enable {
		links, err := s.spec.Image.Enable(unit, s.spec.Files)
		ts.Check(err)
		s.spec.Files = append(s.spec.Files, links...)
	}
	machine, err := guest.New(s.kind, s.spec)
	ts.Check(err)
	s.machine = machine
	ts.Check(s.boot())
}

// fileWord is HOSTFILE, GUESTPATH and perhaps a mode as a machine's file.
func fileWord(ts *testscript.TestScript, f []string) guest.File {
	if len(f) < 2 || len(f) > 3 {
		ts.Fatalf("a file is named FILE:PATH-IN-THE-MACHINE[:MODE], not %q", strings.Join(f, ":"))
	}
	file := guest.File{Path: f[1], Data: []byte(ts.ReadFile(f[0]))}
	if len(f) == 3 {
		mode, err := strconv.ParseUint(f[2], 8, 32)
		ts.Check(err)
		file.Mode = os.FileMode(mode)
	}
	return file
}

func (s *stage) boot() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.scaled(powerWithin))
	defer cancel()
	return s.machine.Boot(ctx)
}

func wordPowerOff(ts *testscript.TestScript, _ bool, _ []string) {
	s := theStage(ts)
	ctx, cancel := context.WithTimeout(context.Background(), s.scaled(powerWithin))
	defer cancel()
	ts.Check(s.machine.PowerOff(ctx))
}

func wordReboot(ts *testscript.TestScript, neg bool, args []string) {
	wordPowerOff(ts, neg, nil)
	wordStart(ts, neg, args)
}

func wordCutPower(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(theStage(ts).machine.Cut())
}

// discard ends the machine for good.
func (s *stage) discard() error {
	if s.machine == nil {
		return nil
	}
	s.old = append(s.old, s.machine.Console()...)
	err := s.machine.Close()
	s.machine = nil
	return err
}

func (s *stage) close() error {
	for _, b := range s.running {
		b.cancel()
		<-b.done
	}
	var err error
	if s.machine != nil {
		err = s.machine.Close()
	}
	if s.names != nil {
		err = errors.Join(err, s.names.stop(), os.RemoveAll(s.names.dir))
	}
	return errors.Join(err, s.metadata.stop(), s.ec2.close(), s.fabric.Close())
}
