package resource

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
)

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
