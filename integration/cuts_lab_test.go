//go:build soak

package integration_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reveille/integration/disks"
	"reveille/integration/fakeec2"
	"reveille/integration/fakeimds"
	"reveille/integration/guest"
)

// cutLab is one virtual machine whose disks a campaign serves itself.
type cutLab struct {
	t       *testing.T
	disks   *disks.Server
	machine guest.Machine
	root    *os.File // the image's, below what the machine has written

	tally map[string]int // how many cuts of a kind there were, and what came of them
}

// cutVolumes are an array's, as small as xfs will have it, and a file system's of
// its own. Each more is seconds more of an emulated pass.
var cutVolumes = []guest.Volume{
	{ID: "vol-0ccccccccccccccc1", Attachment: "/dev/sdf", Size: 400 << 20},
	{ID: "vol-0ccccccccccccccc2", Attachment: "/dev/sdg", Size: 400 << 20},
	{ID: "vol-0ccccccccccccccc3", Attachment: "/dev/sdh", Size: 24 << 20},
}

// cutWithin bounds a boot, a pass, and a command, all of them emulated: more than
// settled has `reveille wait` wait, so that its answer is had.
const cutWithin = 11 * time.Minute

func newCutLab(t *testing.T) *cutLab {
	t.Helper()
	needRoot(t, "boot machines")
	for _, p := range [][2]string{{"/usr/bin/mmdebstrap", "mmdebstrap"}, {"/usr/sbin/dnsmasq", "dnsmasq-base"}, {"/usr/sbin/nft", "nftables"},
		{"/usr/bin/qemu-system-x86_64", "qemu-system-x86"}, {"/usr/bin/qemu-img", "qemu-utils"}, {"/usr/bin/lz4", "lz4"}} {
		needProgram(t, p[0], p[1])
	}
	oneVM.Lock()
	t.Cleanup(oneVM.Unlock)
	l := &cutLab{t: t, tally: map[string]int{}}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	made := &images{dir: t.TempDir(), log: log}
	ctx, cancel := context.WithTimeout(t.Context(), 2*cutWithin)
	defer cancel()
	image, err := made.get(ctx, "agent", guest.VM)
	l.check(err)
	spec := guest.Spec{Image: image, DMI: plainInstance().ID, Hostname: "dev-cuts01", Disks: cutVolumes, Dir: t.TempDir(), Log: log, Served: map[string]guest.Served{}}
	spec.Files = l.files()
	l.serve(&spec)
	l.surround(&spec)
	// The trace has of each write whether it has to last.
	spec.Kernel = []string{"systemd.journald.forward_to_console=0", "trace_event=block:block_rq_issue", "trace_buf_size=16M"}
	l.machine, err = guest.New(guest.VM, spec)
	l.check(err)
	t.Cleanup(func() {
		if err := errors.Join(l.machine.Close(), l.disks.Close(), l.root.Close()); err != nil {
			t.Error(err)
		}
	})
	return l
}

// cutWithout is what a machine has whose boots show nothing by it, and costs each
// of them seconds under emulation.
var cutWithout = []string{"system/ssh.service", "system/systemd-logind.service", "system/systemd-user-sessions.service",
	"system/systemd-tmpfiles-setup.service", "system/systemd-tmpfiles-clean.timer", "system/systemd-journal-flush.service", "system/remote-fs.target",
	"system-generators/cloud-init-generator", "system-generators/systemd-sysv-generator", "system-generators/systemd-fstab-generator",
	"system-generators/systemd-debug-generator", "system-generators/systemd-run-generator"}

// files are what the machine has beside its image.
func (l *cutLab) files() (files []guest.File) {
	l.t.Helper()
	for _, f := range []struct {
		path string
		mode os.FileMode
	}{{"/etc/reveille/roles.d/cuts.yaml", 0o644}, {"/etc/systemd/system/noted.service", 0o644}, {"/usr/local/bin/look", 0o755}, {"/usr/local/bin/undo", 0o755},
		{"/etc/udev/rules.d/99-slow-resync.rules", 0o644}, {"/etc/systemd/system/systemd-udev-trigger.service.d/few.conf", 0o644}} {
		text, err := os.ReadFile(filepath.Join(caseDir(), "testdata", "cuts", filepath.Base(f.path)))
		l.check(err)
		files = append(files, guest.File{Path: f.path, Data: text, Mode: f.mode})
	}
	for _, name := range cutWithout {
		files = append(files, guest.File{Path: filepath.Join("/etc/systemd", name), Link: "/dev/null"})
	}
	return append(files, guest.File{Path: "/etc/systemd/system/reveille.service.wants/noted.service", Link: "../noted.service"})
}

// serve has the machine's disks, its root among them, served by the campaign.
func (l *cutLab) serve(spec *guest.Spec) {
	l.t.Helper()
	dir, err := os.MkdirTemp("", "cuts-") // a socket's path is short
	l.check(err)
	l.t.Cleanup(func() { os.RemoveAll(dir) })
	l.disks, err = disks.New(dir)
	l.check(err)
	l.root, err = os.Open(spec.Image.Disk)
	l.check(err)
	size, err := spec.Image.RootSize()
	l.check(err)
	l.check(l.disks.Add(guest.RootVolume, size, l.root))
	spec.Served[guest.RootVolume] = guest.Served{Socket: l.disks.Socket, At: l.disks.On(guest.RootVolume)}
	for _, v := range cutVolumes {
		l.check(l.disks.Add(v.ID, v.Size, nil))
		spec.Served[v.ID] = guest.Served{Socket: l.disks.Socket}
	}
}

// surround gives the machine a network, a metadata service and EC2's API.
func (l *cutLab) surround(spec *guest.Spec) {
	l.t.Helper()
	var err error
	spec.Fabric, err = guest.NewFabric()
	l.check(err)
	at, err := spec.Fabric.Listen("tcp", net.JoinHostPort(guest.Metadata, "80"))
	l.check(err)
	instance := plainInstance()
	instance.Tags = map[string]string{"role": "cuts"}
	instance.UserData = []byte("hostname=dev-cuts01\nrole=cuts\n")
	imds := fakeimds.Serve(at, instance, fakeimds.Fault{})
	var api ec2
	l.check(api.open(spec.Fabric))
	for _, v := range cutVolumes {
		api.volumes = append(api.volumes, fakeec2.Volume{ID: v.ID, Device: v.Attachment, Instance: instance.ID, GiB: 1, Created: time.Now()})
	}
	api.fake.Set(api.volumes...)
	spec.Files = append(spec.Files, guest.File{Path: "/etc/default/reveille", Data: []byte("AWS_ENDPOINT_URL_EC2=http://" + ec2API + "\n")})
	l.t.Cleanup(func() { l.check(errors.Join(imds.Close(), api.close(), spec.Fabric.Close())) })
}

func (l *cutLab) check(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// boot powers the machine on, and records what is written from there.
func (l *cutLab) boot() {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), cutWithin)
	defer cancel()
	l.disks.Begin()
	l.check(l.machine.Boot(ctx))
}

// on runs a command in the machine, which has to end well.
func (l *cutLab) on(argv ...string) string {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), cutWithin)
	defer cancel()
	r, err := l.machine.Run(ctx, argv...)
	l.check(err)
	if r.Code != 0 {
		l.t.Fatalf("%v ended with %d\n%s", argv, r.Code, lastOf(append(r.Stdout, r.Stderr...)))
	}
	return strings.TrimSpace(string(r.Stdout))
}
