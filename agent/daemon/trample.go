package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"reveille/agent"
	"reveille/bootstrap/converge"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
	"reveille/coordinator/api"
)

// TrampledPath keeps, until the next boot, which files of ours another program
// has rewritten, and when they were repaired.
const TrampledPath = "/run/reveille/trampled.json"

// A file that had to be repaired so often within so long is left alone: two
// programs that write against each other help nobody, and every round of it
// is another moment with the wrong content.
const (
	enoughRepairs = 3
	fightFor      = time.Hour
)

// fight is one file of ours that another program keeps rewriting.
type fight struct {
	Repairs []time.Time `json:"repairs"`
	Who     string      `json:"who"` // in words
}

// fights is what is known of them in one pass, by path.
type fights struct {
	byPath  map[string]fight
	writers *host.Writers
	signs   map[string]string // path -> what the file says of its writer before it is repaired
	now     time.Time
	counts  bool // this pass was not asked for by anybody: what it repairs is another program's doing
}

// openFights reads what earlier passes have noted. A pass that a person or a
// boot asked for begins anew. A note that cannot be read counts for nothing:
// at worst a file is repaired three times more.
func (p Pass) openFights(now time.Time) (*fights, error) {
	f := &fights{byPath: map[string]fight{}, writers: p.Writers, signs: map[string]string{}, now: now}
	if f.counts = p.Kind != Boot && p.Kind != Hup; !f.counts {
		return f, p.Host.Remove(TrampledPath)
	}
	b, err := p.Host.ReadFile(TrampledPath)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	if err := json.Unmarshal(b, &f.byPath); err != nil {
		f.byPath = map[string]fight{}
		return f, fmt.Errorf("read %s: %w", TrampledPath, err)
	}
	for path, one := range f.byPath {
		// One that lies ahead was noted before the clock was put back, and would
		// count for as long as it was put back by.
		one.Repairs = slices.DeleteFunc(one.Repairs, func(at time.Time) bool { return now.Sub(at) >= fightFor || at.After(now) })
		f.byPath[path] = one
		if len(one.Repairs) == 0 {
			delete(f.byPath, path)
		}
	}
	return f, nil
}

// leave is the plan with the files left alone that have been repaired often
// enough. What each file says of its writer is noted, as a repair takes it away.
func (f *fights) leave(h *host.Host, p plan.Plan) plan.Plan {
	out := slices.Clone(p)
	for i, s := range out {
		file, ok := s.Resource.(resource.File)
		if !ok {
			continue
		}
		if one := f.byPath[file.Path]; len(one.Repairs) >= enoughRepairs {
			out[i].Resource = leftAlone{file, one.Who}
			continue
		}
		if f.counts {
			f.signs[file.Path] = signature(h, file.Path)
		}
		if f.writers != nil {
			if err := f.writers.Add(file.Path); err != nil {
				h.Log().Debug("who writes this file is not known", "path", file.Path, "error", err)
			}
		}
	}
	return out
}

// watchWriters is what names the programs that rewrite files of ours. Where
// the kernel does not let us see them the files' own comments must do.
func watchWriters(h *host.Host) (w *host.Writers, stop func()) {
	if !h.Live() {
		return nil, func() {}
	}
	w, err := h.Writers()
	if err != nil {
		h.Log().Debug("who writes files cannot be seen here", "error", err)
		return nil, func() {}
	}
	return w, func() { _ = w.Close() }
}

// settle counts the repairs of this walk, and tells in the report which files
// somebody rewrites.
func (f *fights) settle(h *host.Host, r *api.Report, walked converge.Report) error {
	if !f.counts {
		return nil
	}
	changed := false
	for _, got := range walked.Results {
		switch file := got.Step.Resource.(type) {
		case leftAlone:
			if !got.State.So() {
				r.Notes = append(r.Notes, got.Err.Error())
			}
		case resource.File:
			if !repaired(got) {
				continue
			}
			changed = true
			one := f.byPath[file.Path]
			one.Repairs, one.Who = append(one.Repairs, f.now), f.who(file.Path)
			f.byPath[file.Path] = one
			r.Notes = append(r.Notes, fmt.Sprintf("%s was rewritten by %s and has been put right, %d of %d times within %s",
				file.Path, one.Who, len(one.Repairs), enoughRepairs, hours(fightFor)))
		}
	}
	if !changed {
		return nil // what is over the hour is left out anew each time
	}
	b, err := json.MarshalIndent(f.byPath, "", "  ")
	if err != nil {
		return err
	}
	return h.Write(TrampledPath, append(b, '\n'), host.Public)
}

// repaired says that a file was put back to what an earlier pass had brought:
// anything else is a new wish, and nobody's trampling.
func repaired(r converge.Result) bool {
	return r.State == converge.Changed && !slices.ContainsFunc(r.Changes, func(c plan.Change) bool { return c.Risk != plan.Safe })
}

func (f *fights) who(path string) string {
	if f.writers != nil {
		if who := f.writers.Who(path); who != "" {
			return who
		}
	}
	return f.signs[path]
}

// signature is what a file says of its writer.
func signature(h *host.Host, path string) string {
	i, err := h.Lstat(path)
	switch {
	case err != nil:
		return "a program that is not known"
	case !i.Exists:
		return "a program that removed it"
	case i.Link != "":
		return "a program that put a link to " + i.Link + " in its place"
	}
	text, err := h.ReadFile(path)
	if err != nil {
		return "a program that is not known"
	}
	for line := range strings.Lines(string(text)) {
		said := strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(line), "#;"))
		if said == "" {
			continue
		}
		// A comment of ours says no more than that somebody edited our file.
		if said == strings.TrimSpace(line) || strings.Contains(strings.ToLower(said), "reveille") {
			break
		}
		if r := []rune(said); len(r) > 80 {
			said = string(r[:80]) + "…"
		}
		return fmt.Sprintf("a program whose first line is %q", "# "+said)
	}
	return "a program that does not sign what it writes"
}

func hours(d time.Duration) string {
	if d == time.Hour {
		return "an hour"
	}
	return d.String()
}

// Tramplers is a file that is left alone, and who keeps rewriting it.
type Tramplers struct{ Path, Who string }

// Trampled is the files that are left alone now, by path.
func Trampled(h *host.Host, now time.Time) []Tramplers {
	f, err := Pass{Config: agent.Config{Host: h}, Kind: Timer}.openFights(now)
	if err != nil {
		return nil // the next pass says so
	}
	var all []Tramplers
	for _, path := range slices.Sorted(maps.Keys(f.byPath)) {
		if one := f.byPath[path]; len(one.Repairs) >= enoughRepairs {
			all = append(all, Tramplers{path, one.Who})
		}
	}
	return all
}
