package integration_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"reveille/integration/guest"
)

// TestMachines runs every script of machines/ on the kinds of machine that its
// first line names: TestMachines/container/NAME, TestMachines/vm/NAME. What the
// words of a case mean is in machines/README.md.
func TestMachines(t *testing.T) {
	needRoot(t, "boot machines")
	for _, p := range [][2]string{{"/usr/bin/mmdebstrap", "mmdebstrap"}, {"/usr/bin/systemd-nspawn", "systemd-container"},
		{"/usr/sbin/dnsmasq", "dnsmasq-base"}, {"/usr/sbin/nft", "nftables"}, {"/usr/sbin/named", "bind9"},
		{"/usr/bin/qemu-system-x86_64", "qemu-system-x86"}, {"/usr/bin/qemu-img", "qemu-utils"}, {"/usr/bin/lz4", "lz4"}} {
		needProgram(t, p[0], p[1])
	}
	images := &images{dir: t.TempDir(), log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	for _, kind := range []guest.Kind{guest.Container, guest.VM} {
		files := casesOn(t, kind)
		t.Run(string(kind), func(t *testing.T) {
			if len(files) == 0 {
				t.Fatalf("no case runs on a %s", kind)
			}
			testscript.Run(t, testscript.Params{
				Files: files, RequireExplicitExec: true, RequireUniqueNames: true,
				Setup: func(e *testscript.Env) error { return setStage(e, kind, images) },
				Cmds:  words,
			})
		})
	}
}

// words is what a case can say beside testscript's own words.
var words = map[string]func(*testscript.TestScript, bool, []string){
	"boot": wordBoot, "start": wordStart, "reboot": wordReboot, "poweroff": wordPowerOff, "cut-power": wordCutPower,
	"on": wordOn, "until": wordUntil, "open": wordOpen, "login": wordLogin, "background": wordBackground, "await": wordAwait,
	"put": wordPut, "disk": wordDisk, "net": wordNet, "imds": wordIMDS, "ec2": wordEC2, "coordinator": wordGuestCoordinator, "console": wordConsole, "packages": wordPackages, "debian": wordDebian,
}

// casesOn are the scripts whose first line, "# on: container vm", names a kind.
// Those with the word soak take too long for every change.
func casesOn(t *testing.T, kind guest.Kind) (files []string) {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(caseDir(), "machines", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, path := range all {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		s := bufio.NewScanner(f)
		s.Scan()
		kinds, ok := strings.CutPrefix(s.Text(), "# on: ")
		f.Close()
		if !ok {
			t.Fatalf("%s: the first line must be like %q", path, "# on: container vm")
		}
		words := strings.Fields(kinds)
		if !slices.Contains(words, string(kind)) {
			continue
		}
		if slices.Contains(words, "soak") && os.Getenv("REVEILLE_MACHINES") != "all" {
			left = append(left, strings.TrimSuffix(filepath.Base(path), ".txtar"))
			continue
		}
		files = append(files, path)
	}
	if len(left) > 0 {
		t.Logf("of the cases on a %s, these are `make soak`'s: %s", kind, strings.Join(left, ", "))
	}
	return files
}

// images are those of one run, each made at its first use.
type images struct {
	dir string
	log *slog.Logger

	mu   sync.Mutex
	made map[string]guest.Image
	debs []string // our packages, once they are built
}

// stage is one case's machine and what is around it.
type stage struct {
	images   *images
	kind     guest.Kind
	fabric   *guest.Fabric
	machine  guest.Machine // nil before the first boot
	spec     guest.Spec
	metadata metadata
	ec2      ec2
	names    *nameServer // nil where no name server is broken
	running  map[string]*background
	address  string // where the machine is
	old      []byte // consoles of machines that this one took the place of
}

// oneVM keeps virtual machines from one another's processors.
var oneVM sync.Mutex

func setStage(e *testscript.Env, kind guest.Kind, images *images) error {
	e.Setenv("PATH", binDir+string(os.PathListSeparator)+os.Getenv("PATH"))
	e.Setenv("KIND", string(kind))
	if kind == guest.VM {
		oneVM.Lock()
		e.Defer(oneVM.Unlock)
	}
	fabric, err := guest.NewFabric()
	if err != nil {
		return err
	}
	s := &stage{images: images, kind: kind, fabric: fabric, address: guest.Lease, running: map[string]*background{}, metadata: metadata{instance: plainInstance()}}
	e.Values["stage"] = s
	e.Defer(func() {
		if failed, ok := e.T().(interface{ Failed() bool }); ok && failed.Failed() && s.machine != nil {
			e.T().Log(fmt.Sprintf("console of the %s:\n%s%s\n%s", kind, s.old, s.machine.Console(), s.journal()))
		}
		if err := s.close(); err != nil {
			e.T().Log(err)
			e.T().FailNow()
		}
	})
	return nil
}

// journal is a virtual machine's, if it still says it: its console has none of
// it, since each line there costs milliseconds. A container's has.
func (s *stage) journal() []byte {
	if s.kind != guest.VM {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r, _ := s.machine.Run(ctx, "journalctl", "--no-pager", "--boot", "--output=short-monotonic")
	return append([]byte("journal of the last boot:\n"), r.Stdout...)
}

func theStage(ts *testscript.TestScript) *stage { return ts.Value("stage").(*stage) }

// scaled is a time limit for this kind of machine: emulation is slow.
func (s *stage) scaled(d time.Duration) time.Duration {
	if s.kind == guest.VM {
		return 10 * d
	}
	return d
}
