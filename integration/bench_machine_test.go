package integration_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"reveille/integration/fakeimds"
	"reveille/integration/guest"
)

// benchLab boots machines for benchmarks, each on a network of its own with
// the example instance's metadata service.
type benchLab struct {
	b      *testing.B
	kind   guest.Kind
	images images
}

func newBenchLab(b *testing.B, kind guest.Kind) *benchLab {
	b.Helper()
	if os.Geteuid() != 0 {
		b.Fatal("boot machines: only root can; run it as root, or in a container where you are")
	}
	return &benchLab{b: b, kind: kind, images: images{dir: b.TempDir(), log: slog.New(slog.DiscardHandler)}}
}

// benchGuest is one of them.
type benchGuest struct {
	guest.Machine
	b      *testing.B
	fabric *guest.Fabric
	imds   *fakeimds.Running
	image  guest.Image
	within time.Duration // of one command
	close  func()
}

// boot makes a fresh machine of an image and powers it on. close ends it.
func (l *benchLab) boot(image string, files ...guest.File) *benchGuest {
	l.b.Helper()
	g := l.prepare(image, files...)
	g.powerOn()
	return g
}

// prepare is boot without the power.
func (l *benchLab) prepare(image string, files ...guest.File) *benchGuest {
	l.b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	g := &benchGuest{b: l.b, within: 10 * time.Minute}
	var err error
	g.image, err = l.images.get(ctx, image, l.kind)
	g.check(err)
	g.fabric, err = guest.NewFabric()
	g.check(err)
	at, err := g.fabric.Listen("tcp", net.JoinHostPort(guest.Metadata, "80"))
	g.check(err)
	instance := plainInstance()
	g.imds = fakeimds.Serve(at, instance, fakeimds.Fault{})
	dir, err := os.MkdirTemp(l.b.TempDir(), "machine-")
	g.check(err)
	g.Machine, err = guest.New(l.kind, guest.Spec{Image: g.image, Fabric: g.fabric, DMI: instance.ID, Files: files, Dir: dir})
	g.check(err)
	g.close = sync.OnceFunc(func() { g.check(errors.Join(g.Machine.Close(), g.imds.Close(), g.fabric.Close())) })
	// Its files go at the end alone: ext4 gives no inode away again for five
	// seconds, and looks at each of them for whoever makes a file meanwhile.
	l.b.Cleanup(func() {
		g.close() // where the benchmark fails before
		g.check(os.RemoveAll(dir))
	})
	return g
}

func (g *benchGuest) check(err error) {
	g.b.Helper()
	if err != nil {
		g.b.Fatal(err)
	}
}

func (g *benchGuest) powerOn() {
	g.b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), g.within)
	defer cancel()
	g.check(g.Boot(ctx))
}

// on runs a command in it and returns what that said.
func (g *benchGuest) on(argv ...string) string {
	g.b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), g.within)
	defer cancel()
	r, err := g.Run(ctx, argv...)
	g.check(err)
	if r.Code != 0 {
		g.b.Fatalf("%v ended with %d\n%s", argv, r.Code, lastOf(append(r.Stdout, r.Stderr...)))
	}
	return strings.TrimSpace(string(r.Stdout))
}

// lastOf is the end of a text that may be long.
func lastOf(b []byte) []byte { return b[max(0, len(b)-3000):] }

// onJSON is on for a command that says JSON.
func (g *benchGuest) onJSON(into any, argv ...string) {
	g.b.Helper()
	out := g.on(argv...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		g.b.Fatalf("%v: %v\n%s", argv, err, out)
	}
}

// quiet waits until its systemd has nothing more to do and there is a way to
// the metadata service.
func (g *benchGuest) quiet() {
	g.b.Helper()
	g.on("sh", "-c", "systemctl is-system-running --wait || true; until ip route get "+guest.Metadata+"; do sleep 0.1; done")
}

// benchNames is a role file for what others can be set against: names and a
// resolver, and no service that only the agent would start.
var benchNames = guest.File{Path: "/etc/reveille/roles.d/mysql.yaml", Data: []byte(
	"role: mysql\nidentity: {domain: acme.private}\nresolver: {nameservers: [10.0.0.2, 10.0.1.2], search: [acme.private]}\n")}

// benchRole is one with a directory and Ganglia's leaf as well, whose daemons
// are started.
func benchRole(b *testing.B) guest.File {
	b.Helper()
	text, err := os.ReadFile(filepath.Join(caseDir(), "testdata", "roles", "mysql.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	return guest.File{Path: benchNames.Path, Data: text}
}

// benchProgram is one of testdata/programs as a file of the machine.
func benchProgram(b *testing.B, name string) guest.File {
	b.Helper()
	text, err := os.ReadFile(program(b, name))
	if err != nil {
		b.Fatal(err)
	}
	return guest.File{Path: "/usr/local/bin/" + name, Data: text, Mode: 0o755}
}
