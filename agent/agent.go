// Package agent is what every pass and every debug command starts from: the
// facts, the documents, and the plan that follows from them. Its folders say
// WHEN a pass happens (daemon), WHO is told (report) and how one looks into it
// (debug). It decides nothing about a role and touches the machine only
// through package host.
package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
	"reveille/roles"
)

// ErrInput says that a file or a folder which the caller named cannot be read.
var ErrInput = errors.New("the command line names what cannot be read")

// Config says which machine, and where its documents are.
type Config struct {
	Host      *host.Host
	RoleDirs  []string      // the caller's own folders; nil: the default ones, below the root
	FactsFile string        // "": read the machine; else replay this file of the caller's own
	Facts     facts.Options // how to read the machine
	Log       *slog.Logger
	Servers   bool // the plan ends with asking whether the servers answer that it configures

	// Settle waits until nobody else is writing the machine's files and reads
	// them again, after IMDS was asked; it says whether it did. Nil: they are
	// at rest.
	Settle func(context.Context, *facts.Facts) bool
	Began  time.Time // from where spans count; zero: from the beginning of Decide
}

// Wanted is what this machine should be, and what that follows from. What
// could not be reached stays at its zero value.
type Wanted struct {
	Facts   facts.Facts
	Sources []roles.Source
	Profile roles.Profile
	Plan    plan.Plan // without live steps under another root
	Spans   []Span
}

// aMoment is not worth a phase of its own in a report.
const aMoment = time.Millisecond

// Span is how long a part of the deciding took, from its start.
type Span struct {
	Name        string
	Start, Took time.Duration
}

// Decide walks from IMDS to a plan and changes nothing. The error is of
// roles.Errors for a bad configuration, of *roles.UnknownFact where something
// that the plan needs could not be read.
func (c Config) Decide(ctx context.Context) (Wanted, error) {
	var w Wanted
	begin := c.Began
	if begin.IsZero() {
		begin = time.Now()
	}
	span := func(name string, do func() error) error {
		start := time.Now()
		err := do()
		w.Spans = append(w.Spans, Span{name, start.Sub(begin), time.Since(start)})
		return err
	}
	if ready := c.Facts.Ready; ready != nil {
		c.Facts.Ready = func(ctx context.Context, to []netip.Addr) error {
			start := time.Now()
			err := ready(ctx, to)
			if took := time.Since(start); took > aMoment {
				w.Spans = append(w.Spans, Span{"network", start.Sub(begin), took})
			}
			return err
		}
	}
	if err := span("facts", func() (err error) { w.Facts, err = c.ReadFacts(ctx); return err }); err != nil {
		return w, err
	}
	if start := time.Now(); c.Settle != nil && c.Settle(ctx, &w.Facts) {
		w.Spans = append(w.Spans, Span{"cloud-init", start.Sub(begin), time.Since(start)})
	}
	err := span("profile", func() (err error) {
		if w.Sources, err = c.ReadSources(); err != nil {
			return err
		}
		w.Profile, err = roles.Resolve(w.Facts, w.Sources)
		return err
	})
	if err != nil {
		return w, err
	}
	start := time.Now()
	err = c.volumes(ctx, &w)
	if took := time.Since(start); took > aMoment {
		w.Spans = append(w.Spans, Span{"volumes", start.Sub(begin), took})
	}
	if err != nil {
		return w, err
	}
	err = span("plan", func() (err error) { w.Plan, err = roles.Plan(w.Facts, w.Profile); return err })
	if err != nil {
		return w, err
	}
	if c.Servers {
		w.Plan = append(w.Plan, askServers(w)...)
	}
	if !c.Host.Live() {
		w.Plan = w.Plan.Offline()
	}
	return w, nil
}

// volumes asks which there are, where the profile has to do with disks, and what
// their tags ask for, where it lets them.
func (c Config) volumes(ctx context.Context, w *Wanted) error {
	s := w.Profile.Storage
	if s == nil {
		return nil
	}
	c.AskVolumes(ctx, &w.Facts, s.ByName())
	if !s.FromTags {
		return nil
	}
	var err error
	w.Profile, err = roles.Resolve(w.Facts, w.Sources)
	return err
}

// AskVolumes adds to facts of ReadFacts what EC2 says of the volumes, and the
// disks of their names. A file that stands in for the machine has said it all.
func (c Config) AskVolumes(ctx context.Context, f *facts.Facts, names bool) {
	if c.FactsFile == "" {
		facts.AskVolumes(ctx, c.Host, f, names, c.Facts)
	}
}

// ReadFacts reads the machine, or the file that stands in for it.
func (c Config) ReadFacts(ctx context.Context) (facts.Facts, error) {
	if c.FactsFile == "" {
		return facts.Gather(ctx, c.Host, c.Facts), nil
	}
	f, err := os.Open(c.FactsFile)
	if err != nil {
		return facts.Facts{}, fmt.Errorf("%w: facts to replay: %w", ErrInput, err)
	}
	defer f.Close()
	got, err := facts.Load(f)
	if err != nil {
		return facts.Facts{}, fmt.Errorf("%w: facts to replay in %s: %w", ErrInput, c.FactsFile, err)
	}
	if !c.Host.Live() {
		// What has been done to the folder is the folder's to tell, and the
		// brake is there to be obeyed.
		m := facts.ReadMachine(c.Host)
		got.Machine.Owned, got.Machine.Owner, got.Machine.Brake = m.Owned, m.Owner, m.Brake
	}
	return got, nil
}
