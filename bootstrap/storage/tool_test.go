package storage

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/plan"
)

const mdUnit = "reveille-storage-raid:data.service"

func tooled(t *testing.T) *hosttest.Machine {
	t.Helper()
	m := hosttest.New(t, map[string]string{"/usr/sbin/mdadm": "", bootIDPath: "boot-1\n"})
	m.Answer(func(argv []string) (host.Output, error, bool) {
		return host.Output{Stdout: []byte("no such member\n")}, nil, argv[0] == "journalctl"
	})
	return m
}

func TestToolEndsWellOrSaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		end  host.TaskState
		want string
	}{
		"well":     {well, ""},
		"badly":    {badly, "mdadm --stop /dev/md127: exit code 3: no such member"},
		"too late": {host.TaskState{State: "failed", Result: "timeout"}, "mdadm --stop /dev/md127: not ended within 1m0s, and so killed: no such member"},
		"stopped":  {host.TaskState{State: "inactive"}, "mdadm --stop /dev/md127: somebody stopped it (systemd calls it inactive): no such member"},
	} {
		t.Run(name, func(t *testing.T) {
			m := tooled(t)
			var argv []string
			m.OnLaunch(func(task host.Task) host.TaskState { argv = task.Argv; return c.end })
			err := tool(t.Context(), m.Host(), "raid:data", time.Minute, "mdadm", "--stop", "/dev/md127")
			if got := text(err); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if got := strings.Join(argv, " "); got != "/usr/sbin/mdadm --stop /dev/md127" {
				t.Errorf("ran %s", got)
			}
			if got := strings.Join(m.Jobs(), ", "); got != "launch "+mdUnit+", forget "+mdUnit {
				t.Errorf("systemd was asked for %s", got)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// One that outlives its pass goes on, and the next pass waits for it; once it
// has ended, another is run.
func TestToolOutlivesItsPass(t *testing.T) {
	m := tooled(t)
	ctx, cancel := context.WithCancel(t.Context())
	m.OnLaunch(func(host.Task) host.TaskState { cancel(); return goesOn })
	waits := func(err error) {
		t.Helper()
		var wait *plan.NotYet
		if !errors.As(err, &wait) || !strings.Contains(err.Error(), "`journalctl -u "+mdUnit+"`") {
			t.Errorf("%v, want to be told to wait for %s", err, mdUnit)
		}
	}
	waits(tool(ctx, m.Host(), "raid:data", time.Minute, "mdadm", "--stop", "/dev/md127"))
	waits(toolRuns(t.Context(), m.Host(), "raid:data"))
	waits(tool(t.Context(), m.Host(), "raid:data", time.Minute, "mdadm", "--stop", "/dev/md127"))
	if got := m.Jobs(); len(got) != 1 {
		t.Errorf("systemd was asked for %v: one ran already", got)
	}
	m.SetTask(mdUnit, badly)
	m.OnLaunch(nil)
	if err := tool(t.Context(), m.Host(), "raid:data", time.Minute, "mdadm", "--stop", "/dev/md127"); err != nil {
		t.Error(err)
	}
}

// Whoever waits for a tool goes on as soon as it is told of its end.
func TestToolsEndIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := tooled(t)
		m.Tell()
		const works = 70 * time.Millisecond // none of the moments at which it is looked at
		m.OnLaunch(func(host.Task) host.TaskState {
			time.AfterFunc(works, func() { m.SetTask(mdUnit, well) })
			return goesOn
		})
		began := time.Now()
		err := tool(t.Context(), m.Host(), "raid:data", time.Minute, "mdadm", "--stop", "/dev/md127")
		if took := time.Since(began); err != nil || took != works {
			t.Errorf("it took %v, and the tool %v: %v", took, works, err)
		}
	})
}

func TestToolThatIsNotInstalled(t *testing.T) {
	err := tool(t.Context(), tooled(t).Host(), "lvm:db", time.Minute, "vgcreate", "db")
	if got := text(err); got != "vgcreate is not installed; install the package lvm2" {
		t.Error(got)
	}
}
