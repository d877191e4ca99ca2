package resource

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/plan"
)

const prepare = "/usr/local/sbin/prepare"

func theScript() Script {
	return Script{Path: prepare, Journal: "/var/lib/reveille/instances/i-1/scripts"}
}

// scripted is a machine with the script on it, which ends with these.
func scripted(t *testing.T, codes ...int) *hosttest.Machine {
	t.Helper()
	m := hosttest.New(t, nil)
	m.Put(prepare, "#!/bin/sh\n", 0o755)
	for _, code := range codes {
		out := host.Output{Code: code, Stdout: []byte("begin\n"), Stderr: []byte("no space left\n")}
		var err error
		if code != 0 {
			err = &host.ExitError{Argv: []string{prepare}, Output: out}
		}
		m.Command([]string{prepare}, out, err)
	}
	return m
}

// runs counts how often the script was begun.
func runs(m *hosttest.Machine) int {
	n := 0
	for _, e := range m.Effects() {
		if e == "run:"+prepare {
			n++
		}
	}
	return n
}

func refuses(t *testing.T, m *hosttest.Machine, s Script, words ...string) {
	t.Helper()
	changes, err := s.Check(context.Background(), m.Host())
	var wait *plan.NotYet
	if err == nil || errors.As(err, &wait) || len(changes) > 0 {
		t.Fatalf("%+v, %v: want a final error with %q", changes, err, words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v\ndoes not say %q", err, w)
		}
	}
}

func TestScriptRunsOnceOnAnInstance(t *testing.T) {
	m := scripted(t, 0)
	s := theScript()
	changes := check(t, m.Host(), s)
	if len(changes) != 1 || changes[0].Say != "run "+prepare+" (once on this instance)" || changes[0].Risk != plan.Disrupts || m.Writes() > 0 {
		t.Fatalf("%+v, %v", changes, m.Effects())
	}
	run(t, changes)
	isSo(t, m.Host(), s)
	m.Put(prepare, "#!/bin/sh\nanother version\n", 0o755)
	isSo(t, m.Host(), s)
	if runs(m) != 1 {
		t.Errorf("run %d times", runs(m))
	}
	other := s
	other.Journal = "/var/lib/reveille/instances/i-2/scripts"
	if len(check(t, m.Host(), other)) != 1 {
		t.Error("another instance does not run it")
	}
}

func TestScriptThatFailedIsNotRunAgainByItself(t *testing.T) {
	m := scripted(t, 3, 0)
	s := theScript()
	err := check(t, m.Host(), s)[0].Do(context.Background())
	entry := s.Journal + "/%2Fusr%2Flocal%2Fsbin%2Fprepare.json"
	for _, w := range []string{"exit code 3: no space left", "rm " + entry} {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("%v, want %q", err, w)
		}
	}
	refuses(t, m, s, "failed: exit code 3: no space left", "`rm "+entry+"` lets the next pass run it")
	if runs(m) != 1 {
		t.Errorf("run %d times", runs(m))
	}
	if i, err := m.Host().Stat(s.Journal); err != nil || i.Mode.Perm() != 0o700 {
		t.Errorf("last words may be read by others: %v, %v", i.Mode, err)
	}
	if err := m.Host().Remove(entry); err != nil {
		t.Fatal(err)
	}
	run(t, check(t, m.Host(), s))
	isSo(t, m.Host(), s)
}

// A person who has finished its work by hand calls it done.
func TestScriptThatAPersonCallsDone(t *testing.T) {
	m := scripted(t, 1)
	s := theScript()
	_ = check(t, m.Host(), s)[0].Do(context.Background())
	m.Put(s.done(), "", 0o600)
	isSo(t, m.Host(), s)
}

// Killed anywhere, it is run at most once; a run that nobody saw the end of is
// said, with where to look and how to go on; and the way that is named works.
func TestScriptKilledAnywhere(t *testing.T) {
	t.Parallel() // most of the time goes into waiting for the disk
	s := theScript()
	short := 0
	for n, died := 1, true; died; n++ {
		m := scripted(t, 0)
		died = m.Kill(n, func(h *host.Host) { run(t, check(t, h, s)) })
		begun := runs(m)
		if err := Sweep(m.Host(), plan.Plan{{Resource: s}}); err != nil {
			t.Error(err)
		}
		changes, err := s.Check(context.Background(), m.Host())
		switch {
		case err != nil:
			short++
			refuses(t, m, s, "was cut short", "see how far it came", s.entry())
			if err := m.Host().Remove(s.entry()); err != nil {
				t.Fatal(err)
			}
			begun = 0 // a person has asked for it
			m.Forget()
			run(t, check(t, m.Host(), s))
		case begun > 0 && len(changes) > 0:
			t.Errorf("killed at %d: begun, and it would be run again", n)
		default:
			run(t, changes)
		}
		isSo(t, m.Host(), s)
		if runs(m) != 1 {
			t.Errorf("killed at %d: run %d times, %d of them before", n, runs(m), begun)
		}
		if temps := m.Temps(); len(temps) > 0 {
			t.Errorf("killed at %d: left behind: %v", n, temps)
		}
	}
	if short < 2 {
		t.Errorf("only %d kills were between the journal and the end", short)
	}
}

// A journal that cannot be understood is never taken for one that says no.
func TestScriptWithADamagedJournal(t *testing.T) {
	for text, words := range map[string]string{"": "is damaged", "{}": "another version", `{"version": 2, "state": "done"}`: "another version", `{"version": 1, "state": "x"}`: "another version"} {
		m := scripted(t, 0)
		s := theScript()
		m.Put(s.entry(), text, 0o600)
		refuses(t, m, s, words, "rm "+s.entry())
	}
	m := scripted(t, 0)
	for _, s := range []Script{{Path: prepare}, {Path: "prepare", Journal: "/x"}} {
		refuses(t, m, s, "absolute paths")
	}
}

// Only root can give a file away, so only root can show this.
func TestScriptOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("not root: nothing can be given to another user here")
		return
	}
	for _, path := range []string{prepare, "/usr/local/sbin"} {
		m := scripted(t, 0)
		if err := os.Chown(filepath.Join(m.Root, path), 1000, 1000); err != nil {
			t.Fatal(err)
		}
		refuses(t, m, theScript(), "belongs to user 1000", "chown root "+path)
	}
}

// What somebody else than root could choose is not run as root, nor is what
// cannot be run, and then nothing is noted.
func TestScriptMustBeRootsOwn(t *testing.T) {
	for name, c := range map[string]struct {
		put  func(m *hosttest.Machine)
		want string
	}{
		"absent":          {func(m *hosttest.Machine) { _ = m.Host().Remove(prepare) }, "is not there"},
		"a folder":        {func(m *hosttest.Machine) { _ = m.Host().Remove(prepare); m.Put(prepare+"/", "", 0) }, "no file that could be run"},
		"not executable":  {func(m *hosttest.Machine) { m.Put(prepare, "", 0o644) }, "chmod 0755 " + prepare},
		"for all":         {func(m *hosttest.Machine) { m.Put(prepare, "", 0o757) }, "chmod go-w " + prepare},
		"in an open room": {func(m *hosttest.Machine) { chmod(t, m, "/usr/local", 0o777) }, "/usr/local above " + prepare},
		"a link to one for all": {func(m *hosttest.Machine) {
			m.Put("/srv/app/prepare", "", 0o757)
			m.Put(prepare, "-> /srv/app/prepare", 0)
		}, "others than root may write"},
		"a link into an open room": {func(m *hosttest.Machine) {
			m.Put("/srv/app/prepare", "", 0o755)
			chmod(t, m, "/srv/app", 0o757)
			m.Put(prepare, "-> /srv/app/prepare", 0)
		}, "/srv/app above"},
	} {
		t.Run(name, func(t *testing.T) {
			m := scripted(t, 0)
			c.put(m)
			before := m.Tree()
			refuses(t, m, theScript(), c.want)
			if d := cmp.Diff(before, m.Tree()); d != "" || runs(m) > 0 {
				t.Errorf("it did something: %s", d)
			}
		})
	}
}

func chmod(t *testing.T, m *hosttest.Machine, path string, mode fs.FileMode) {
	t.Helper()
	if err := m.Host().Chattr(path, host.Attr{Mode: mode, UID: -1, GID: -1}); err != nil {
		t.Fatal(err)
	}
	m.Forget()
}

// hangs is a machine whose programs say something and end when they are told to.
type hangs struct {
	host.Units
	host.Names
	ran []string
}

func (c *hangs) Run(ctx context.Context, name string, _ ...string) (host.Output, error) {
	c.ran = append(c.ran, name)
	if strings.HasSuffix(name, "hang") {
		<-ctx.Done()
		return host.Output{Code: -1, Stderr: []byte("half way")}, ctx.Err()
	}
	if strings.HasSuffix(name, "fail") {
		return host.Output{Code: 1}, nil
	}
	return host.Output{}, nil
}

func hanging(t *testing.T, programs ...string) (*hangs, *host.Host) {
	t.Helper()
	m := hosttest.New(t, nil)
	for _, p := range programs {
		m.Put(p, "", 0o755)
	}
	c := &hangs{}
	h, err := host.New(host.Options{Root: m.Root, Commands: c, Units: c, Names: c})
	if err != nil {
		t.Fatal(err)
	}
	return c, h
}

func TestScriptIsBounded(t *testing.T) { synctest.Test(t, testScriptIsBounded) }

func testScriptIsBounded(t *testing.T) {
	_, h := hanging(t, "/opt/hang")
	s := theScript()
	s.Path = "/opt/hang"
	err := check(t, h, s)[0].Do(context.Background())
	if err == nil || !strings.Contains(err.Error(), "not ended within 2m0s, and so killed: half way") {
		t.Errorf("%v", err)
	}
	if _, err := s.Check(context.Background(), h); err == nil || !strings.Contains(err.Error(), "not ended within 2m0s") {
		t.Errorf("%v", err)
	}

	_, h = hanging(t, "/opt/hang") // the agent is stopped meanwhile
	ctx, cancel := context.WithCancelCause(context.Background())
	changes := check(t, h, s)
	time.AfterFunc(time.Minute, func() { cancel(errors.New("the agent stops")) })
	if err := changes[0].Do(ctx); err == nil || !strings.Contains(err.Error(), "killed before its end (the agent stops): half way") {
		t.Errorf("%v", err)
	}
	if _, err := s.Check(context.Background(), h); err == nil {
		t.Error("it would be run again")
	}
}

// The clock is the test's own: nothing really waits.
func TestRunShutdown(t *testing.T) { synctest.Test(t, testRunShutdown) }

func testRunShutdown(t *testing.T) {
	c, h := hanging(t, "/opt/fail", "/opt/good", "/opt/hang", "/opt/late")
	var told []string
	ends := RunShutdown(context.Background(), h, []string{"/opt/fail", "/opt/none", "/opt/good", "/opt/hang", "/opt/late"}, 20*time.Second,
		func(e ScriptEnd) { told = append(told, e.Path) })
	want := []string{"exit code 1", "is not there", "", "time for all shutdown scripts together was over): half way", "not run: the time for all"}
	if len(ends) != len(want) {
		t.Fatalf("%+v", ends)
	}
	for i, e := range ends {
		if (e.Err == nil) != (want[i] == "") || e.Err != nil && !strings.Contains(e.Err.Error(), want[i]) {
			t.Errorf("%s: %v, want %q", e.Path, e.Err, want[i])
		}
	}
	if d := cmp.Diff([]string{"/opt/fail", "/opt/good", "/opt/hang"}, c.ran); d != "" {
		t.Errorf("ran: %s", d)
	}
	if ends[3].Took != 20*time.Second || ends[4].Took != 0 {
		t.Errorf("not one bound for all: %+v", ends)
	}
	if len(told) != len(ends) || !errors.Is(ends[3].Err, ErrNoTime) || !errors.Is(ends[4].Err, ErrNoTime) {
		t.Errorf("told %v, %v", told, ends)
	}
}
