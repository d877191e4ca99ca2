package integration_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"reveille/coordinator/api"
	"reveille/integration/fakeec2"
	"reveille/integration/guest"
)

// storageLayout is a role's disks, which a shell script makes as well.
type storageLayout struct {
	name   string
	late   bool // the last volume comes when all else waits for it
	mounts []string
}

var storageLayouts = []storageLayout{
	{"layered", true, []string{"srv-data.mount"}},
	{"four", false, []string{"srv-a.mount", "srv-b.mount", "srv-c.mount", "srv-d.mount"}},
}

// BenchmarkStorage sets `reveille boot` against a shell script that runs the
// same commands and looks at each of the same eight new volumes in the same way,
// turn by turn in one virtual machine. A RAID 10 with LVM and an xfs on it is
// timed from the moment when the last volume is there until it is mounted; four
// arrays of two volumes, each with a file system, which the script makes one
// after another, from the start of either until the last is mounted.
func BenchmarkStorage(b *testing.B) {
	s := newBenchDisks(b)
	byHand := []string{"by-hand"}
	agent := []string{"env", "AWS_ENDPOINT_URL_EC2=http://" + ec2API, "reveille", "boot"}
	for _, layout := range storageLayouts {
		took := map[string][]float64{}
		for round := range b.N * 5 {
			arms := [][]string{append(byHand, layout.name), agent}
			if round%2 == 1 { // each goes first as often as the other
				slices.Reverse(arms)
			}
			for _, argv := range arms {
				took[argv[0]] = append(took[argv[0]], s.run(layout, argv...))
			}
			s.tell(fmt.Sprintf("%s, round %d: %.0f ms by hand, %.0f ms by the agent", layout.name, round, took["by-hand"][round], took["env"][round]))
		}
		script, agent := median(took["by-hand"]), median(took["env"])
		row(b, layout.name, "script-ms", script, "agent-ms", agent, "agent/script", agent/script)
	}
}

// benchDisks is the machine with the volumes.
type benchDisks struct {
	*benchGuest
	volumes []guest.Volume
	ec2     ec2
}

func newBenchDisks(b *testing.B) *benchDisks {
	b.Helper()
	lab := newBenchLab(b, guest.VM)
	var files []guest.File
	for name, at := range map[string]string{"by-hand": "/usr/local/bin/", "wipe": "/usr/local/bin/", "layered.yaml": "/etc/layouts/", "four.yaml": "/etc/layouts/"} {
		text, err := os.ReadFile(filepath.Join("testdata", "storage", name))
		if err != nil {
			b.Fatal(err)
		}
		files = append(files, guest.File{Path: at + name, Data: text, Mode: 0o755})
	}
	s := &benchDisks{benchGuest: lab.boot("installed", files...)}
	s.check(s.ec2.open(s.fabric))
	b.Cleanup(func() { s.check(s.ec2.close()) })
	for i := range 8 {
		v := guest.Volume{ID: fmt.Sprintf("vol-0bbbbbbbbbbbbbb0%d", i+1), Attachment: fmt.Sprintf("/dev/sd%c", 'f'+i), Size: 512 << 20}
		s.volumes = append(s.volumes, v)
		s.ec2.volumes = append(s.ec2.volumes, fakeec2.Volume{ID: v.ID, Device: v.Attachment, Instance: plainInstance().ID, GiB: 1, Created: time.Now(),
			Tags: map[string]string{"bench": "storage", "array": string(rune('a' + i/2))}})
		s.check(s.Attach(context.Background(), v))
	}
	s.ec2.fake.Set(s.ec2.volumes...)
	s.quiet()
	return s
}

// run has a program make everything of new volumes, and tells how long it took
// until all was mounted, in milliseconds by the machine's own clock.
func (s *benchDisks) run(layout storageLayout, argv ...string) float64 {
	s.b.Helper()
	s.on("install", "-D", "-m", "0644", "/etc/layouts/"+layout.name+".yaml", "/etc/reveille/roles.d/mysql.yaml")
	s.on("wipe")
	last := s.volumes[len(s.volumes)-1]
	if layout.late {
		s.check(s.Detach(context.Background(), last.ID))
	}
	s.on(append([]string{"systemd-run", "--quiet", "--no-block", "--unit=" + benchUnit, "-p", "Type=oneshot", "-p", "RemainAfterExit=yes", "-p", "StandardOutput=truncate:" + benchLog}, argv...)...)
	began := func() float64 { return s.monotonic("ExecMainStartTimestampMonotonic", benchUnit) }
	if layout.late {
		s.on("sh", "-c", "until pgrep -x udevadm || grep -s hostname "+benchLog+"; do sleep 0.1; done") // both wait for the last volume then
		s.check(s.Attach(context.Background(), last))
		began = func() float64 { return s.initialized(last) }
	}
	s.on("sh", "-c", `while state=$(systemctl show -P ActiveState "$1"); test "$state" = activating; do sleep 0.2; done
		test "$state" = active || { cat "$2"; journalctl -b -n 50 -u "$1"; exit 1; }`, "sh", benchUnit, benchLog)
	var mounted float64
	for _, unit := range layout.mounts {
		s.on("sh", "-c", `until systemctl --quiet is-active "$1"; do sleep 0.1; done`, "sh", unit)
		mounted = max(mounted, s.monotonic("ActiveEnterTimestampMonotonic", unit))
	}
	took := (mounted - began()) / 1000
	s.on("systemctl", "stop", benchUnit)
	return took
}

// The unit in which either program runs, and what it says.
const (
	benchUnit = "bench-storage.service"
	benchLog  = "/run/bench-storage.log"
)

// initialized is when udev first knew of a volume, in microseconds of the
// machine's monotonic clock.
func (s *benchDisks) initialized(v guest.Volume) float64 {
	s.b.Helper()
	link := "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_" + strings.Replace(v.ID, "-", "", 1)
	at, err := strconv.ParseFloat(s.on("sh", "-c", `udevadm info -q property -n "$1" | sed -n s/^USEC_INITIALIZED=//p`, "sh", link), 64)
	s.check(err)
	return at
}

// tell logs where the agent's time went, in a line: of more than ten, testing
// keeps ten.
func (s *benchDisks) tell(of string) {
	s.b.Helper()
	var r api.Report
	s.onJSON(&r, "cat", "/run/reveille/report.json")
	for _, step := range r.Steps {
		if step.Concern == "storage" {
			of += fmt.Sprintf("; %s %s from %.0f ms for %.0f", step.ID, step.State, step.StartMS, step.TookMS)
		}
	}
	s.b.Log(of)
}
