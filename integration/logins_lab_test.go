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
	"reveille/roles/budget"
)

// loginLab is a machine with sshd, nslcd and glibc, and its servers outside:
// slapd, named, the metadata service.
type loginLab struct {
	t       *testing.T
	fabric  *guest.Fabric
	image   guest.Image
	slapd   *os.Process
	names   *nameServer
	machine guest.Machine
	trust   []byte         // the servers' certificate
	client  string         // the directory's client, by its unit
	slowed  []func() error // end the halts of servers that are slow
}

func newLoginLab(t *testing.T) *loginLab {
	t.Helper()
	l := &loginLab{t: t}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	images := images{dir: t.TempDir(), log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	var err error
	l.image, err = images.get(ctx, "plain", guest.Container)
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
	l.client = c.client
	instance := plainInstance()
	l.machine, err = guest.New(guest.Container, guest.Spec{Image: l.image, Fabric: l.fabric, DMI: instance.ID, Files: files, Dir: l.t.TempDir()})
	l.must(err)
	l.t.Cleanup(func() {
		if l.t.Failed() {
			l.t.Logf("console:\n%s", lastOf(l.machine.Console()))
		}
		l.end(l.machine.Close())
	})
	ctx, cancel := context.WithTimeout(l.t.Context(), powerWithin)
	defer cancel()
	l.must(l.machine.Boot(ctx))
	waitFor(l.t, untilWithin, "the machine lets root in", func() error {
		ctx, cancel := context.WithTimeout(l.t.Context(), 5*time.Second)
		defer cancel()
		_, err := l.fabric.Login(ctx, l.image.Key, "root", guest.Lease, "true")
		return err
	})
	for _, argv := range append([][]string{{"systemctl", "is-active", "dbus"}, {"sh", "-ec", loginPeopleHere}, {"sh", "-ec", installDebs}}, c.run...) {
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
	ctx, cancel := context.WithTimeout(l.t.Context(), runWithin)
	defer cancel()
	r, err := l.machine.Run(ctx, argv...)
	if err == nil && r.Code != 0 {
		err = errors.New(strings.Join(argv, " ") + ": " + string(lastOf(append(r.Stdout, r.Stderr...))))
	}
	return string(r.Stdout), err
}

// loginOver is a user's login that the budget finds over its limit.
type loginOver struct {
	User    budget.Who     `json:"user"`
	Servers budget.Servers `json:"servers"`
}

// budget is what the machine itself says of its logins, and which of them are
// over their limits. That some are, an exit of 1, is no error here; nor is that
// there is no role for this machine, an exit of 2.
func (l *loginLab) budget() (budget.Budget, []loginOver) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), runWithin)
	defer cancel()
	r, err := l.machine.Run(ctx, "reveille", "debug", "login-budget", "--break-glass", "admin", "--json")
	l.must(err)
	var report struct {
		Now struct {
			Over  []loginOver   `json:"over"`
			Cases []budget.Case `json:"cases"`
			Notes []string      `json:"notes"`
		} `json:"now"`
	}
	if err := json.Unmarshal(r.Stdout, &report); err != nil {
		l.t.Fatalf("login-budget ended with %d, %v\n%s%s", r.Code, err, r.Stdout, r.Stderr)
	}
	for _, n := range report.Now.Notes {
		l.t.Logf("the budget's note: %s", n)
	}
	return budget.Budget{Cases: report.Now.Cases}, report.Now.Over
}

// forget ends what the login before has left: sshd's children, the users'
// managers, which would spare the next login the wait for them, and all that
// the directory's client and nscd know. systemd is to forget how often that was.
const forget = `pkill -KILL -f '^sshd: [^/]' || true
systemctl stop 'user@*.service' 'session-*.scope' $1
systemctl reset-failed $1 nscd || true
rm -f /var/lib/sss/db/*.ldb /var/lib/sss/mc/*
systemctl try-restart nscd`

// openAll has each of nslcd's threads open a connection.
const openAll = `for n in 1 2 3 4 5 6 7 8 9 10 11 12; do getent passwd nobody$n & done; wait`

// ready brings about a fault on a machine that holds nothing of the one before.
func (l *loginLab) ready(f loginFault) error {
	sh := func(script string) error {
		_, err := l.try("sh", "-c", script, "sh", l.client)
		return err
	}
	// Some clients do not come up while a server hangs, which is a state of theirs
	// as well.
	const start = `test -z "$1" || timeout 20 systemctl start $1 || systemctl is-active $1 | grep -x activating`
	if err := errors.Join(l.heal(), sh(forget)); err != nil {
		return err
	}
	if f.warm {
		return errors.Join(sh(start), sh(openAll), f.set(l))
	}
	return errors.Join(f.set(l), sh(start))
}

// measureTries is how often a row that is over its bound is measured, and how
// much longer than the budget takes for it a login now takes that asks nobody is
// left out of account. A computer that is busy with something else must not fail
// a build; a wait that the budget lacks is there each time.
const measureTries = 3

// measure is one login in a fault, from the connection to the command's end.
func (l *loginLab) measure(t *testing.T, row *loginRow, user string) {
	t.Helper()
	for try := range measureTries {
		if err := l.ready(row.fault); err != nil {
			t.Fatalf("set the fault: %v", err)
		}
		again := *row
		l.login(t, &again, user)
		if try == 0 || again.measured < row.measured {
			*row = again
		}
		if row.within() {
			break
		}
		t.Logf("over its bound: %s", &again)
		if err := l.heal(); err != nil {
			t.Fatal(err)
		}
		var idle loginRow
		l.login(t, &idle, "root")
		row.spare = max(row.spare, idle.measured-budget.LoginWork)
	}
	if err := l.heal(); err != nil {
		t.Fatal(err)
	}
}

func (l *loginLab) login(t *testing.T, row *loginRow, user string) {
	ctx, cancel := context.WithTimeout(t.Context(), cutAfter)
	defer cancel()
	began := time.Now()
	r, err := l.fabric.Login(ctx, l.image.Key, user, guest.Lease, "true")
	row.measured, row.outcome, row.said = time.Since(began), cameIn, ""
	switch {
	case ctx.Err() != nil:
		row.outcome = hung
	case err != nil:
		row.outcome, row.said = turnedAway, ": "+err.Error()
	case r.Code != 0:
		t.Errorf("%s came in, and the command ended with %d: %s", user, r.Code, r.Stderr)
	}
}
