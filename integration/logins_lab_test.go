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
	"testing"
	"time"

	"reveille/integration/fakeimds"
	"reveille/integration/guest"
	"reveille/roles/logins"
)

// loginLab is a machine with sshd, nslcd and glibc, and its servers outside:
// slapd, named, the metadata service.
type loginLab struct {
	t        *testing.T
	kind     guest.Kind
	fabric   *guest.Fabric
	image    guest.Image
	slapd    *os.Process
	names    *nameServer
	machine  guest.Machine
	trust    []byte         // the servers' certificate
	client   string         // the directory's client, by its unit
	homes    bool           // the directory's people have theirs on NFS
	emulated time.Duration  // what its processor takes longer for a login than a real one
	slowed   []func() error // end the halts of servers that are slow
}

func newLoginLab(t *testing.T, kind guest.Kind) *loginLab {
	t.Helper()
	l := &loginLab{t: t, kind: kind}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	images := images{dir: t.TempDir(), log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	var err error
	l.image, err = images.get(ctx, "plain", kind)
	l.must(err)
	l.fabric, err = guest.NewFabric()
	l.must(err)
	t.Cleanup(func() { l.end(l.fabric.Close()) })
	l.slapd, l.trust = startFabricDirectory(t, l.fabric)
	l.names = startFabricNames(t, l.fabric)
	at, err := l.fabric.Listen("tcp", net.JoinHostPort(guest.Metadata, "80"))
	l.must(err)
	imds := fakeimds.Serve(at, plainInstance(), fakeimds.Fault{})
	t.Cleanup(func() { l.end(imds.Close()) })
	return l
}

// scaled is a time limit for this kind of machine: emulation is slow.
func (l *loginLab) scaled(d time.Duration) time.Duration { return (&stage{kind: l.kind}).scaled(d) }

func (l *loginLab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// end is must for what ends with the test.
func (l *loginLab) end(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Error(err)
	}
}

// loginPeopleHere makes the users: the local one is in no line of /etc/group,
// the directory's has a home. The homes are root's, which sshd trusts as well.
const loginPeopleHere = `useradd --create-home --shell /bin/sh --uid 1001 plain
for home in plain carol; do
  mkdir -p /home/$home/.ssh
  cp /usr/lib/guest/key.pub /home/$home/.ssh/authorized_keys
done`

// configure boots a machine with the files of a configuration, and has it so.
func (l *loginLab) configure(c loginConfig) {
	l.t.Helper()
	program, err := os.ReadFile(filepath.Join(binDir, "reveille"))
	l.must(err)
	files := append([]guest.File{
		{Path: "/usr/bin/reveille", Data: program, Mode: 0o755}, {Path: "/etc/ssl/acme.pem", Data: l.trust},
		{Path: "/etc/resolv.conf", Data: []byte(bothNames)},
	}, c.files...)
	files = append(files, l.debs(c.debs)...)
	l.client, l.homes = c.client, c.homes
	instance := plainInstance()
	l.machine, err = guest.New(l.kind, guest.Spec{Image: l.image, Fabric: l.fabric, DMI: instance.ID, Files: files, Dir: l.t.TempDir()})
	l.must(err)
	l.t.Cleanup(func() {
		if l.t.Failed() {
			l.t.Logf("console:\n%s", lastOf(l.machine.Console()))
		}
		l.end(l.machine.Close())
	})
	ctx, cancel := context.WithTimeout(l.t.Context(), l.scaled(powerWithin))
	defer cancel()
	l.must(l.machine.Boot(ctx))
	waitFor(l.t, l.scaled(untilWithin), "the machine lets root in", func() error {
		ctx, cancel := context.WithTimeout(l.t.Context(), l.scaled(5*time.Second))
		defer cancel()
		_, err := l.fabric.Login(ctx, l.image.Key, "root", guest.Lease, "true")
		return err
	})
	waitFor(l.t, l.scaled(untilWithin), "dbus runs", func() error { _, err := l.try("systemctl", "is-active", "dbus"); return err })
	for _, argv := range append([][]string{{"sh", "-ec", loginPeopleHere}, {"sh", "-ec", installDebs}}, c.run...) {
		l.on(argv...)
	}
	if c.client != "" {
		l.on("getent", "passwd", "carol")
	}
}

// installDebs installs what debs has put there.
const installDebs = `! test -d /root/debs || DEBIAN_FRONTEND=noninteractive dpkg --install --force-confold /root/debs/*.deb`

// debs are packages for a machine, as files of it.
func (l *loginLab) debs(packages []string) []guest.File {
	l.t.Helper()
	files, err := debianFiles(packages)
	if errors.Is(err, errNoDebs) {
		lacking(l.t, err.Error())
	}
	l.must(err)
	return files
}

// on runs a command in the machine, which has to end well.
func (l *loginLab) on(argv ...string) string {
	l.t.Helper()
	out, err := l.try(argv...)
	l.must(err)
	return out
}

func (l *loginLab) try(argv ...string) (string, error) {
	ctx, cancel := context.WithTimeout(l.t.Context(), l.scaled(runWithin))
	defer cancel()
	r, err := l.machine.Run(ctx, argv...)
	if err == nil && r.Code != 0 {
		err = errors.New(strings.Join(argv, " ") + ": " + string(lastOf(append(r.Stdout, r.Stderr...))))
	}
	return string(r.Stdout), err
}

// loginOver is a user's login that the budget finds over its limit.
type loginOver struct {
	User    logins.Who     `json:"user"`
	Servers logins.Servers `json:"servers"`
}

// budget is what the machine itself says of its logins, and which of them are
// over their limits. That some are, an exit of 1, is no error here; nor is that
// there is no role for this machine, an exit of 2.
func (l *loginLab) budget() (logins.Budget, []loginOver) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), l.scaled(runWithin))
	defer cancel()
	r, err := l.machine.Run(ctx, "reveille", "debug", "login-budget", "--break-glass", "admin", "--json")
	l.must(err)
	var report struct {
		Now struct {
			Over  []loginOver   `json:"over"`
			Cases []logins.Case `json:"cases"`
			Notes []string      `json:"notes"`
		} `json:"now"`
	}
	if err := json.Unmarshal(r.Stdout, &report); err != nil {
		l.t.Fatalf("login-budget ended with %d, %v\n%s%s", r.Code, err, r.Stdout, r.Stderr)
	}
	for _, n := range report.Now.Notes {
		l.t.Logf("the budget's note: %s", n)
	}
	return logins.Budget{Cases: report.Now.Cases}, report.Now.Over
}
