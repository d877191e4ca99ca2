package resource

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/unit"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// Names of units, in bytes.
const (
	maxUnit   = 255
	unitBegin = "reveille-script-"
	unitEnd   = ".service"
)

// sayWithin bounds each of the two questions for a script's last words.
const sayWithin = 2 * time.Second

// unit is the name that the script runs under. A long path is cut, and its
// digest keeps it apart from others that begin alike.
func (s Script) unit() string {
	name := unit.UnitNamePathEscape(s.Path)
	if most := maxUnit - len(unitBegin) - len(unitEnd); len(name) > most {
		digest := fmt.Sprintf("-%x", sha256.Sum256([]byte(s.Path)))[:17]
		name = name[:most-len(digest)] + digest
	}
	return unitBegin + name + unitEnd
}

// logOf is the command that shows what a unit has said. An escaped path has
// backslashes, which a shell would take.
func logOf(name string) string {
	if strings.Contains(name, `\`) {
		name = "'" + name + "'"
	}
	return "`journalctl -u " + name + "`"
}

// launch notes that the script begins, has it begun, and leaves the waiting to
// the next looks. Journal and systemd are asked once more: two passes never
// begin one script.
func (s Script) launch(ctx context.Context, h *host.Host) error {
	switch r, err := s.read(h); {
	case err != nil:
		return err
	case r.State != "":
		return fmt.Errorf("%s was begun by somebody else at %s", s.Path, r.Began)
	}
	t, err := h.Units().Task(ctx, s.unit())
	switch {
	case err != nil:
		return fmt.Errorf("%s was not run: %w", s.Path, err)
	case running(t):
		return s.wait(s.unit())
	case t.State != "absent":
		// A person, or a clean, has removed the entry of a run that has ended.
		// Its end must not be taken for the end of the next one.
		if err := h.Units().Forget(ctx, s.unit()); err != nil {
			return fmt.Errorf("%s was not run: %w", s.Path, err)
		}
		return &plan.NotYet{For: "systemd to forget an earlier run of " + s.Path}
	}
	boot, err := bootID(h)
	if err != nil {
		return fmt.Errorf("%s was not run: %w", s.Path, err)
	}
	began := scriptRecord{Version: 1, Path: s.Path, State: scriptBegan, Began: now(), Boot: boot, Unit: s.unit()}
	if err := s.write(h, began); err != nil {
		return fmt.Errorf("%s was not run: note that it begins: %w", s.Path, err)
	}
	err = h.Units().Launch(ctx, host.Task{Unit: began.Unit, Description: "Startup script " + s.Path + " of this instance's role", Argv: []string{s.Path}, Within: s.within()})
	switch {
	case errors.Is(err, host.ErrNotBegun): // a later pass may try
		return errors.Join(fmt.Errorf("%s was not run: %w", s.Path, err), h.Remove(s.entry()))
	case err != nil:
		return fmt.Errorf("whether %s was begun is not known: %w; the next pass looks, and does not run it a second time", s.Path, err)
	}
	return s.wait(began.Unit)
}

// end notes how the script ended.
func (s Script) end(ctx context.Context, h *host.Host, r scriptRecord, t host.TaskState) error {
	r.Ended, r.State = now(), scriptDone
	if t.State == "failed" {
		r.State, r.Said = scriptFailed, how(t, s.within())+said(ctx, h, r)+" ("+logOf(r.Unit)+" has all that it said)"
	}
	if err := s.write(h, r); err != nil {
		return fmt.Errorf("%s has ended, but that was not noted: %w", s.Path, err)
	}
	return nil
}

// how is systemd's word for a failure in plain ones.
func how(t host.TaskState, within time.Duration) string {
	switch t.Result {
	case "exit-code":
		return fmt.Sprintf("exit code %d", t.Code)
	case "timeout":
		return fmt.Sprintf("not ended within %s, and so killed", within)
	case "signal", "core-dump":
		return fmt.Sprintf("ended by signal %d", t.Code)
	}
	return "systemd calls it " + t.Result
}

// said are the script's last words.
func said(ctx context.Context, h *host.Host, r scriptRecord) string {
	began, err := time.Parse(time.RFC3339, r.Began)
	if err != nil {
		return ""
	}
	return wordsSince(ctx, h, r.Unit, began)
}

// wordsSince are a unit's last words since then, as far as the system's log gives
// them at once; they are a help, and no part of the outcome. They are found by
// unit and time: of a program that ends at once the log often misses the run's
// own id. What is not there need not mean that nothing was said.
func wordsSince(ctx context.Context, h *host.Host, name string, began time.Time) string {
	ask := func(args ...string) []byte {
		ctx, cancel := context.WithTimeout(ctx, sayWithin)
		defer cancel()
		out, _ := h.Run(ctx, "journalctl", args...)
		return out.Stdout
	}
	ask("--sync")
	words := ask("-q", "-b", "-o", "cat", "-n", "5", fmt.Sprintf("--since=@%d", began.Unix()), "_SYSTEMD_UNIT="+name)
	if len(words) == 0 {
		return ""
	}
	return lastWords(host.Output{Stdout: words})
}

func now() string { return time.Now().UTC().Format(time.RFC3339) }

// bootID tells one boot of this machine from another.
func bootID(h *host.Host) (string, error) {
	text, err := h.ReadFile("/proc/sys/kernel/random/boot_id")
	id := strings.TrimSpace(string(text))
	if err == nil && id == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		return "", fmt.Errorf("tell this boot from another: %w", err)
	}
	return id, nil
}
