package host

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"
)

// MaxUnit is the longest name of a unit, in bytes.
const MaxUnit = 255

const serviceEnd = ".service"

// askWithin bounds each of the two questions for a unit's last words.
const askWithin = 2 * time.Second

// TaskUnit is the name of the unit that a task runs in: begin, then name, which
// is escaped already. A long one is cut, and a digest keeps it apart from others
// that begin alike.
func TaskUnit(begin, name string) string {
	if most := MaxUnit - len(begin) - len(serviceEnd); len(name) > most {
		digest := fmt.Sprintf("-%x", sha256.Sum256([]byte(name)))[:17]
		name = name[:most-len(digest)] + digest
	}
	return begin + name + serviceEnd
}

// Running says that systemd is about to start a task, or has not seen its end.
func (t TaskState) Running() bool {
	switch t.State {
	case "", "absent", "inactive", "active", "failed":
		return false
	}
	return true
}

// How is systemd's word for a task's failure in plain ones; within is the time
// that it had.
func (t TaskState) How(within time.Duration) string {
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

// LogOf is the command that shows what a unit has said. An escaped path has
// backslashes, which a shell would take.
func LogOf(unit string) string {
	if strings.Contains(unit, `\`) {
		unit = "'" + unit + "'"
	}
	return "`journalctl -u " + unit + "`"
}

// LastWords are the end of what a program said, on standard error if it said
// anything there: ": " and the text, or ", without a word".
func (o Output) LastWords() string {
	const most = 400
	said := strings.TrimSpace(string(o.Stderr))
	if said == "" {
		said = strings.TrimSpace(string(o.Stdout))
	}
	if said == "" {
		return ", without a word"
	}
	if len(said) > most {
		said = "…" + said[len(said)-most:]
	}
	return ": " + strings.ToValidUTF8(said, "?")
}

// WordsSince are a unit's last words since then, as LastWords has them, as far as
// the system's log gives them at once; "" where it gives none. They are a help,
// and no part of an outcome. They are found by unit and time: of a program that
// ends at once the log often misses the run's own id. What is not there need not
// mean that nothing was said.
func (h *Host) WordsSince(ctx context.Context, unit string, began time.Time) string {
	ask := func(args ...string) []byte {
		ctx, cancel := context.WithTimeout(ctx, askWithin)
		defer cancel()
		out, _ := h.Run(ctx, "journalctl", args...)
		return out.Stdout
	}
	ask("--sync")
	words := ask("-q", "-b", "-o", "cat", "-n", "5", fmt.Sprintf("--since=@%d", began.Unix()), "_SYSTEMD_UNIT="+unit)
	if len(words) == 0 {
		return ""
	}
	return Output{Stdout: words}.LastWords()
}

// BootID tells one boot of this machine from another.
func (h *Host) BootID() (string, error) {
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
