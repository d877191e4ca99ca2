//go:build soak

package integration_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// cutSeen is what testdata/cuts/look tells of a machine.
type cutSeen struct {
	State    string
	Amiss    []cutStep
	Done     []string
	Mounted  []string // "PATH TYPE OPTIONS"
	Complete []string
	UUIDs    []string // lines that have one
	Sums     []string // "SHA-256  PATH"
	Intents  []cutIntent
	Noted    []cutIntent // before this boot
}

// cutStep is a step of the report that is not so.
type cutStep struct {
	ID, State, Error string
	Changes          []string
}

// cutIntent is what the agent has noted of a thing that it makes.
type cutIntent struct{ For, UUID string }

// noUUID says that it is of a logical volume, which lvcreate gives one of its own.
func (i cutIntent) noUUID() bool {
	return strings.HasPrefix(i.For, "lvm:") && strings.Contains(i.For, "/")
}

// cutKept is a file that was told to be on the disks for good, and when.
type cutKept struct {
	sum string // as look says it
	at  int    // how many writes the recording had by then
}

// settled waits for a pass to end and tells what it has made.
func (l *cutLab) settled() cutSeen {
	l.t.Helper()
	// It asks less of an emulated machine than to be asked again and again.
	return l.seen(l.on("sh", "-c", "reveille wait --timeout 10m >/dev/null; test $? -lt 2 && exec look"))
}

// seen reads what look says: parts, each below a line of its own, "== NAME".
func (l *cutLab) seen(text string) (s cutSeen) {
	l.t.Helper()
	for part := range strings.SplitSeq("\n"+text, "\n== ") {
		name, text, _ := strings.Cut(part, "\n")
		lines := slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return strings.TrimSpace(line) == "" })
		switch name {
		case "report":
			l.check(s.report([]byte(text)))
		case "noted":
			s.Noted = l.intents(text)
		case "intents":
			s.Intents = l.intents(text)
		case "mounted":
			s.Mounted = lines
		case "complete":
			s.Complete = lines
		case "uuids":
			s.UUIDs = lines
		case "sums":
			s.Sums = lines
		}
	}
	return s
}

func (s *cutSeen) report(text []byte) error {
	var r struct {
		State string
		Steps []cutStep
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("read the report: %w", err)
	}
	s.State = r.State
	for _, step := range r.Steps {
		switch step.State {
		case "ok":
		case "changed":
			s.Done = append(s.Done, step.Changes...)
		default:
			s.Amiss = append(s.Amiss, step)
		}
	}
	return nil
}

// intents are those of the agent's files, one after another.
func (l *cutLab) intents(text string) (all []cutIntent) {
	l.t.Helper()
	for d := json.NewDecoder(strings.NewReader(text)); ; {
		var f struct{ Intents []cutIntent }
		err := d.Decode(&f)
		if errors.Is(err, io.EOF) {
			return all
		}
		l.check(err)
		all = append(all, f.Intents...)
	}
}

// keep writes a file to each file system and is told that it is there for good:
// by fsync of the file and of its folder.
func (l *cutLab) keep(name string) (kept []cutKept) {
	l.t.Helper()
	for _, dir := range []string{"/var/lib/db", "/srv/plain"} {
		sum := l.on("sh", "-c", `f=$1/kept-$2 && head -c 20000 /dev/urandom >"$f" && sync "$f" "$1" && sha256sum "$f"`, "sh", dir, name)
		kept = append(kept, cutKept{sum, l.disks.Length()})
	}
	return kept
}

// amiss is what a machine after a cut must not be: neither converged nor
// refused with a reason, or without a byte that was kept, or of another UUID
// than was noted before. "" where all is well.
func (s cutSeen) amiss(kept []cutKept) string {
	var wrong []string
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if s.State == "ready" {
		for _, m := range []string{"/var/lib/db xfs rw", "/srv/plain ext4 rw"} {
			if !slices.ContainsFunc(s.Mounted, func(line string) bool { return strings.HasPrefix(line, m) }) {
				say("it is ready, and %s is not mounted: %q", m, s.Mounted)
			}
		}
		if len(s.Complete) == 0 {
			say("it is ready, and its storage is not called complete")
		}
		for _, i := range append(s.Noted, s.Intents...) {
			if !i.noUUID() && !s.has(i.UUID) {
				say("%s has not the UUID %s that was noted for it", i.For, i.UUID)
			}
		}
	} else if !s.refuses() {
		say("it is %s, and no step says why: %+v", s.State, s.Amiss)
	}
	for _, k := range kept {
		if !slices.Contains(s.Sums, k.sum) {
			say("a file that was kept is gone, or another: %s", k.sum)
		}
	}
	return strings.Join(wrong, "\n")
}

// refuses says that some step has failed and tells why, and that all others
// that are not so wait for one that has.
func (s cutSeen) refuses() bool {
	reasons := 0
	for _, a := range s.Amiss {
		if a.State == "failed" && a.Error != "" {
			reasons++
		} else if a.State != "blocked" {
			return false
		}
	}
	return reasons > 0
}

// reasons are those of a refusal, in one line.
func (s cutSeen) reasons() string {
	var all []string
	for _, a := range s.Amiss {
		if a.Error != "" && a.State == "failed" {
			all = append(all, a.ID+": "+a.Error)
		}
	}
	return strings.Join(all, "; ")
}

// has says that something in the machine has this UUID, however it is written.
func (s cutSeen) has(uuid string) bool {
	return slices.ContainsFunc(s.UUIDs, func(line string) bool { return strings.Contains(cutHex(line), cutHex(uuid)) })
}

func cutHex(s string) string {
	return strings.ToLower(strings.NewReplacer("-", "", ":", "").Replace(s))
}
