package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"reveille/bootstrap/converge"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

// ErrSilent says that other servers were tried, and that a machine which looks
// names or users up now would not any more.
var ErrSilent = errors.New("tried before it is written, and what is there stays")

// Trials stand before the files that name servers: of the resolver, and of the
// directory's clients. Before one that names others than the file on disk is
// written, the new servers and the old ones are asked side by side. Where no
// new one answers what an old one does, the old file stays.
type Trials struct {
	host   *host.Host
	wanted Wanted
	max    plan.Risk
	byPath map[string]*trial
}

// trial is of one file, once a walk: whoever comes first has it made, and the
// others wait for it.
type trial struct {
	path    string
	raw     plan.Resource
	servers triable

	once  sync.Once
	done  atomic.Bool // what follows may be read
	err   error
	note  string
	force []string // the servers that are in force once the walk is over
}

// Try is the plan with a trial before each file that names servers. Under a
// root that is not the running machine's there is none, and a walk that may
// change nothing only says what would be tried.
func Try(ctx context.Context, g *Gate, steps plan.Plan, max plan.Risk) (*Trials, plan.Plan) {
	t := &Trials{host: g.host, wanted: g.wanted, max: max, byPath: map[string]*trial{}}
	if !g.host.Live() {
		return t, steps
	}
	for _, s := range g.steps {
		if path, kind := namesServers(s); kind != nil {
			t.byPath[path] = &trial{path: path, raw: s.Resource, servers: kind}
		}
	}
	out := slices.Clone(steps)
	for i, s := range g.steps {
		if tr := t.of(s); tr != nil {
			out[i].Resource = tried{steps[i].Resource, t, tr}
		}
	}
	g.answered = func(p plan.Plan) plan.Plan { return t.answered(ctx, p) }
	return t, out
}

// of is the trial that a step waits for. A file with a client's password goes
// with the file that it belongs to.
func (t *Trials) of(s plan.Step) *trial {
	path, _ := namesServers(s)
	if conf, secret := strings.CutSuffix(path, ".secret"); secret {
		path = conf + ".conf"
	}
	return t.byPath[path]
}

// answered leaves out what is not to be written, and what needs it, for the
// gate: what the other files would cost beside the old one is to be worked out.
func (t *Trials) answered(ctx context.Context, p plan.Plan) plan.Plan {
	if t.max == plan.Nothing {
		return p
	}
	var all sync.WaitGroup
	for _, tr := range t.byPath {
		all.Go(func() { _ = t.decide(ctx, tr) })
	}
	all.Wait()
	out := map[string]bool{}
	for grown := true; grown; {
		grown = false
		for _, s := range p {
			tr := t.of(s)
			refused := tr != nil && tr.err != nil
			held := slices.ContainsFunc(s.Needs, func(id string) bool { return out[id] })
			if !out[s.ID()] && (refused || held) {
				out[s.ID()], grown = true, true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(p), func(s plan.Step) bool { return out[s.ID()] })
}

// Notes is for the report: servers that do not answer, and whose file was
// written all the same.
func (t *Trials) Notes() []string {
	var all []string
	for _, tr := range t.byPath {
		// A walk that was cut short leaves a trial behind, which ends a moment later.
		if tr.done.Load() && tr.note != "" && !slices.Contains(all, tr.note) {
			all = append(all, tr.note)
		}
	}
	slices.Sort(all)
	return all
}

// Open takes the trials out of a walk's results.
func (t *Trials) Open(walked converge.Report) {
	for i, r := range walked.Results {
		if s, ok := r.Step.Resource.(tried); ok {
			walked.Results[i].Step.Resource = s.Resource
		}
	}
}

type tried struct {
	plan.Resource
	all   *Trials
	trial *trial
}

// Check asks nobody where nothing differs, or where nothing may be done now.
func (r tried) Check(ctx context.Context, h *host.Host) ([]plan.Change, error) {
	changes, err := r.Resource.Check(ctx, h)
	if errors.Is(err, ErrLockout) && r.all.max > plan.Nothing {
		// It would not be written for its own sake either, which is nearer.
		if own := r.all.decide(ctx, r.trial); own != nil {
			return nil, own
		}
	}
	if err != nil || len(changes) == 0 {
		return changes, err
	}
	if r.all.max == plan.Nothing {
		return r.all.conditional(changes, r.trial), nil
	}
	if err := r.all.decide(ctx, r.trial); err != nil {
		return nil, err
	}
	return changes, nil
}

func above(changes []plan.Change, max plan.Risk) bool {
	return slices.ContainsFunc(changes, func(c plan.Change) bool { return c.Risk > max })
}

// conditional says of a change in a dry run on what it hangs.
func (t *Trials) conditional(changes []plan.Change, tr *trial) []plan.Change {
	old, fresh, err := t.both(tr)
	if err != nil || !differ(old, fresh) {
		return changes
	}
	out := slices.Clone(changes)
	for i := range out {
		out[i].Say += fmt.Sprintf(", if %s answers or %s does not", strings.Join(fresh, " or "), strings.Join(without(old, fresh), " or "))
	}
	return out
}

// namesServers is the path of a step's file, and what kind of servers it
// names, nil for none that are tried.
func namesServers(s plan.Step) (string, triable) {
	path := ""
	switch r := s.Resource.(type) {
	case resource.File:
		path = r.Path
	case resource.Original:
		path = r.Path
	}
	kind, _ := kindOf(path).(triable)
	return path, kind
}
