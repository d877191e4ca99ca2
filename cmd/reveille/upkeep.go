package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"reveille/agent"
	"reveille/agent/daemon"
	"reveille/agent/report"
	"reveille/bootstrap/converge"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
)

func bindPause(a *app, fs *flag.FlagSet) runner {
	d := fs.Duration("for", 0, "resume by itself after `TIME`, such as 2h; without it, pause until `reveille resume`")
	return func(ctx context.Context, words []string) int {
		reason := strings.TrimSpace(strings.Join(words, " "))
		if reason == "" {
			return a.usage(errors.New("pause needs a REASON that the next person will understand"), nil)
		}
		limited := false
		fs.Visit(func(f *flag.Flag) { limited = limited || f.Name == "for" })
		if limited && *d <= 0 { // zero would be taken for ever
			return a.usage(fmt.Errorf("--for %s: it must be above zero", *d), nil)
		}
		cfg, err := a.config()
		if err != nil {
			a.fail(err)
			return exitUsage
		}
		if err := daemon.Hold(ctx, cfg, reason, *d); err != nil {
			return a.fail(err)
		}
		return a.brakeNow(cfg, "paused: "+report.Clean(reason))
	}
}

func bindResume(a *app, _ *flag.FlagSet) runner {
	return a.onMachine(func(_ context.Context, cfg agent.Config) int {
		if err := daemon.Resume(cfg); err != nil {
			return a.fail(err)
		}
		return a.brakeNow(cfg, "no longer paused")
	})
}

// brakeNow says what holds now: in words, or as the facts have it.
func (a *app) brakeNow(cfg agent.Config, words string) int {
	if a.json {
		return a.printJSON(facts.ReadBrake(cfg.Host))
	}
	fmt.Fprintln(a.out, words)
	return exitOK
}

type puttingBack func(context.Context, agent.Config, bool, func(int, converge.Result)) (converge.Report, error)

func bindRestore(a *app, fs *flag.FlagSet) runner {
	return a.puttingBack(fs, daemon.Restore, "restored: nothing of the agent's is left in the machine's files", daemon.Undoes)
}

func bindClean(a *app, fs *flag.FlagSet) runner {
	return a.puttingBack(fs, daemon.Clean, "clean: fit for baking into an image", nil)
}

// puttingBack runs do. Later says what will become of it, "" where nothing
// will; nil: it stays so.
func (a *app) puttingBack(fs *flag.FlagSet, do puttingBack, done string, later func(context.Context, *host.Host) string) runner {
	dry := fs.Bool("dry-run", false, "say what would be done, and change nothing")
	return a.onMachine(func(ctx context.Context, cfg agent.Config) int {
		live := report.NewLive(a.out)
		on := live.Step
		if a.json {
			on = nil
		}
		rep, err := do(ctx, cfg, *dry, on)
		if a.json {
			a.printJSON(report.Steps(rep))
		}
		switch {
		case err != nil:
			return a.fail(err)
		case *dry && !a.json:
			fmt.Fprintln(a.out, "dry run: nothing was changed")
		case !a.json:
			fmt.Fprintln(a.out, done)
		}
		if later != nil && !*dry {
			if words := later(ctx, cfg.Host); words != "" {
				fmt.Fprintln(a.err, "reveille: "+words)
			}
		}
		return exitOK
	})
}
