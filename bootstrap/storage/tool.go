package storage

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/unit"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

const toolBegin = "reveille-storage-"

// The pauses between two looks at a tool that runs.
const (
	toolFirst   = 5 * time.Millisecond
	toolLongest = 250 * time.Millisecond
)

// toolFolders are where the tools are looked for: systemd of some releases takes
// absolute paths alone.
var toolFolders = []string{"/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"}

// toolPackages say what to install for a tool.
var toolPackages = map[string]string{
	"mdadm": "mdadm", "pvcreate": "lvm2", "vgcreate": "lvm2", "lvcreate": "lvm2", "vgchange": "lvm2", "lvchange": "lvm2", "pvresize": "lvm2", "lvextend": "lvm2",
	"mkfs.xfs": "xfsprogs", "mkfs.ext4": "e2fsprogs", "e2fsck": "e2fsprogs", "mkswap": "util-linux", "wipefs": "util-linux", "swapon": "util-linux",
	"xfs_growfs": "xfsprogs", "resize2fs": "e2fsprogs",
}

// tool runs a program that changes what lies on a disk, to its end. It runs as a
// unit of its own, named by the ID of its step, so that it goes on when the
// agent is stopped: none is ended half done by us. Where it outlives ctx, the
// answer is a *plan.NotYet, and toolRuns says so until it has ended.
func tool(ctx context.Context, h *host.Host, stepID string, within time.Duration, argv ...string) error {
	began := time.Now()
	program, err := toolPath(h, argv[0])
	if err != nil {
		return err
	}
	name := toolUnit(stepID)
	if err := toolForget(ctx, h, stepID); err != nil {
		return err
	}
	task := host.Task{Unit: name, Description: "Storage of this instance: " + stepID, Argv: append([]string{program}, argv[1:]...), Within: within}
	t, err := toolRun(ctx, h, task)
	if err != nil {
		return err
	}
	words := ""
	if t.State != "active" {
		words = h.WordsSince(ctx, name, began)
	}
	if err := toolForget(ctx, h, stepID); err != nil {
		return err
	}
	switch {
	case t.State == "active":
		return nil
	case t.State == "failed":
		return &toolFailed{TaskState: t, say: strings.Join(argv, " ") + ": " + t.How(within) + words}
	}
	return fmt.Errorf("%s: somebody stopped it (systemd calls it %s)%s", strings.Join(argv, " "), t.State, words)
}

// toolFailed is a tool that ended badly; of some, a code is no fault.
type toolFailed struct {
	host.TaskState
	say string
}

func (e *toolFailed) Error() string { return e.say }

// toolRun runs a task to its end.
func toolRun(ctx context.Context, h *host.Host, task host.Task) (host.TaskState, error) {
	listening, cancel := context.WithCancel(ctx)
	defer cancel()
	ends, err := h.Units().Ends(listening, task.Unit)
	pause := toolLongest
	if err != nil {
		pause = toolFirst // nobody tells: it is looked at again and again
	}
	if err := h.Units().Launch(ctx, task); err != nil {
		return host.TaskState{}, fmt.Errorf("whether %s was begun: %w", path.Base(task.Argv[0]), err)
	}
	return toolAwait(ctx, h, task.Unit, ends, pause, func(t host.TaskState) bool { return !t.Running() })
}

// toolForget lets go of a tool that has ended: one of an earlier pass, whose end
// nobody saw. What it has made is looked at, and not what it said.
func toolForget(ctx context.Context, h *host.Host, stepID string) error {
	name := toolUnit(stepID)
	t, err := h.Units().Task(ctx, name)
	switch {
	case err != nil || t.State == "absent":
		return err
	case t.Running():
		return toolWait(name)
	}
	if err := h.Units().Forget(ctx, name); err != nil {
		return err
	}
	_, err = toolAwait(ctx, h, name, nil, toolFirst, func(t host.TaskState) bool { return t.State == "absent" })
	return err
}

// toolAwait looks again and again, in growing pauses and as soon as it is told,
// until a tool is as it should be.
func toolAwait(ctx context.Context, h *host.Host, name string, told <-chan struct{}, pause time.Duration, so func(host.TaskState) bool) (host.TaskState, error) {
	for ; ; pause = min(2*pause, toolLongest) {
		t, err := h.Units().Task(ctx, name)
		switch {
		case ctx.Err() != nil:
			return t, toolWait(name)
		case err != nil:
			return t, err
		case so(t):
			return t, nil
		}
		select {
		case <-time.After(pause):
		case <-told:
		case <-ctx.Done():
			return t, toolWait(name)
		}
	}
}

// toolRuns is a *plan.NotYet while the tool of a step runs, begun by whichever
// pass: until it ends, what lies on the disk is half made. A Check asks first.
func toolRuns(ctx context.Context, h *host.Host, stepID string) error {
	name := toolUnit(stepID)
	t, err := h.Units().Task(ctx, name)
	if err == nil && t.Running() {
		err = toolWait(name)
	}
	return err
}

func toolWait(name string) error {
	return &plan.NotYet{For: name + " to end; " + host.LogOf(name) + " shows what it says"}
}

// toolUnit is the unit in which a step's tools run, one after another.
func toolUnit(stepID string) string {
	return host.TaskUnit(toolBegin, unit.UnitNameEscape(stepID))
}

func toolPath(h *host.Host, name string) (string, error) {
	var errs []error
	for _, dir := range toolFolders {
		at := path.Join(dir, name)
		i, err := h.Stat(at)
		if err == nil && i.Exists {
			return at, nil
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return "", fmt.Errorf("find %s: %w", name, err)
	}
	if p := toolPackages[name]; p != "" {
		return "", fmt.Errorf("%s is not installed; install the package %s", name, p)
	}
	return "", fmt.Errorf("%s is not installed", name)
}
