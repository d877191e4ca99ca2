package guest

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// patience is how long a machine may be silent. A busy computer gives QEMU
// little of its time, so both must be used up: a guest that hangs without
// using any is given up at idle.
type patience struct {
	cpu  time.Duration // of the machine's own CPU time
	wall time.Duration // and at least so long
	idle time.Duration // or so long, whatever it used
}

// A boot takes about ten seconds of CPU until commands can be run.
var usualPatience = patience{cpu: 60 * time.Second, wall: 45 * time.Second, idle: 240 * time.Second}

// The tail of the console in an error, in bytes.
const consoleTail = 3000

// Hang is a machine that stopped answering, and what was seen of it before it
// was ended.
type Hang struct {
	What      string        // what was waited for
	After     time.Duration // since then
	CPU       time.Duration // of the machine's, meanwhile
	Console   []byte        // its end
	Registers string        // of all its processors
}

func (h *Hang) Error() string {
	return fmt.Sprintf("the machine hangs: %s did not come in %v, in which it used %v of CPU time; it was ended\n--- end of its console:\n%s\n--- registers:\n%s",
		h.What, h.After.Round(time.Second), h.CPU.Round(time.Second), h.Console, h.Registers)
}

// within waits for done. It fails with a *Hang when patience has run out, and
// with the reason when QEMU has ended.
func (v *vm) within(ctx context.Context, q *qemu, limit patience, what string, done <-chan struct{}) error {
	began, used := time.Now(), cpuTime(q.pid())
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		select {
		case <-done:
			return nil
		case <-q.gone:
			return fmt.Errorf("the machine went off while it was waited for %s: %w; end of its console:\n%s",
				what, orOff(q.because(q.result)), tail(v.Console(), consoleTail))
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w; end of its console:\n%s", what, ctx.Err(), tail(v.Console(), consoleTail))
		case <-look.C:
		}
		after, cpu := time.Since(began), cpuTime(q.pid())-used
		if after > limit.idle || after > limit.wall && cpu > limit.cpu {
			return v.hung(q, what, after, cpu)
		}
	}
}

func orOff(err error) error {
	if err == nil {
		return errOff
	}
	return err
}

func (v *vm) awaitCommands(ctx context.Context, q *qemu) error {
	return v.within(ctx, q, v.boots, "its command shell", q.commands.ready)
}

// hung takes down what is to be seen of a machine that hangs.
func (v *vm) hung(q *qemu, what string, after, cpu time.Duration) *Hang {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	registers, err := q.monitor.human(ctx, "info registers -a")
	if err != nil {
		registers = err.Error()
	}
	return &Hang{What: what, After: after, CPU: cpu, Console: tail(v.Console(), consoleTail), Registers: general(registers)}
}

// general leaves the general registers of each processor.
func general(registers string) string {
	var kept []string
	for line := range strings.Lines(registers) {
		name, _, _ := strings.Cut(line, "=")
		if strings.HasPrefix(line, "CPU#") || strings.HasPrefix(name, "R") || strings.HasPrefix(name, "CR") {
			kept = append(kept, line)
		}
	}
	if len(kept) == 0 {
		return registers
	}
	return strings.Join(kept, "")
}

// asksEvery is how often a machine in which a command runs is asked whether it
// still answers. One in which none runs is left alone.
const asksEvery = 5 * time.Second

// watch is the watchdog of a machine that has booted. It ends one that no
// longer answers; who waits for a command is told so.
func (v *vm) watch(q *qemu) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	look := time.NewTicker(asksEvery)
	defer look.Stop()
	for {
		select {
		case <-q.gone:
			return
		case <-look.C:
		}
		if q.commands.idle() {
			continue
		}
		answered := make(chan struct{})
		go func() {
			if q.commands.ping(ctx) == nil {
				close(answered)
			}
		}()
		err := v.within(ctx, q, v.answers, "an answer of its command shell", answered)
		if hung, ok := err.(*Hang); ok {
			v.log.Error("a machine hangs and is ended", "hang", hung)
			q.mu.Lock()
			q.hang = hung
			q.mu.Unlock()
			if err := q.end(); err != nil {
				v.log.Error("cannot end a machine that hangs", "error", err)
			}
			return
		}
	}
}

// cpuTime is what a process has used, 0 where that cannot be read.
func cpuTime(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name before it may hold anything
	field := strings.Fields(rest)
	if len(field) < 13 {
		return 0
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 on all that Linux runs on
	user, _ := strconv.Atoi(field[11])
	system, _ := strconv.Atoi(field[12])
	return time.Duration(user+system) * tick
}
