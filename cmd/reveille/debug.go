package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"golang.org/x/term"

	"reveille/agent"
	"reveille/agent/daemon"
	"reveille/agent/debug"
	"reveille/agent/report"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/coordinator/api"
)

// looking is a debug command that starts from facts alone.
func (a *app) looking(do func(facts.Facts) int) runner {
	return a.onMachine(func(ctx context.Context, cfg agent.Config) int {
		f, err := cfg.ReadFacts(ctx)
		if err != nil {
			return a.unreadable(err)
		}
		return do(f)
	})
}

// deciding is a debug command that starts from all that a pass decides.
func (a *app) deciding(words int, do func(context.Context, agent.Config, agent.Wanted, []string) int) runner {
	return func(ctx context.Context, args []string) int {
		if len(args) > words {
			return a.usage(fmt.Errorf("unexpected argument %q", args[words]), nil)
		}
		return a.onMachine(func(ctx context.Context, cfg agent.Config) int {
			w, err := cfg.Decide(ctx)
			if err != nil {
				return a.unreadable(err)
			}
			return do(ctx, cfg, w, args)
		})(ctx, nil)
	}
}

// unreadable tells a file that the caller named and that is not there, which
// is bad usage, from what the machine did not answer.
func (a *app) unreadable(err error) int {
	code := a.fail(err)
	if errors.Is(err, agent.ErrInput) {
		return exitUsage
	}
	return code
}

func bindDebugFacts(a *app, fs *flag.FlagSet) runner {
	login := fs.Bool("login", false, "read also what a login passes through, passwords masked: for debug login-budget --facts")
	return a.onMachine(func(ctx context.Context, cfg agent.Config) int {
		f, err := cfg.ReadFacts(ctx)
		if err != nil {
			return a.unreadable(err)
		}
		cfg.AskVolumes(ctx, &f, true)
		if *login && !a.elsewhere() {
			l := facts.ReadLogin(ctx, cfg.Host)
			f.Login = &l
		}
		if a.json {
			if err := facts.Save(a.out, f); err != nil {
				return a.fail(err)
			}
			return exitOK
		}
		debug.Facts(a.out, f)
		return exitOK
	})
}

// elsewhere says that the facts are another machine's, of whose files this one
// has nothing to say.
func (a *app) elsewhere() bool { return a.factsFile != "" && a.root == "" }

func bindDebugUserdata(a *app, _ *flag.FlagSet) runner {
	return a.looking(func(f facts.Facts) int {
		if a.json {
			a.printJSON(f.UserData)
		} else {
			debug.UserData(a.out, f.UserData)
		}
		if f.UserData.Broken != "" {
			return exitFail
		}
		return exitOK
	})
}

func bindDebugRole(a *app, _ *flag.FlagSet) runner {
	return a.deciding(0, func(_ context.Context, _ agent.Config, w agent.Wanted, _ []string) int {
		if a.json {
			return a.printJSON(map[string]string{"role": w.Profile.Role, "file": w.Profile.RoleFile, "why": w.Profile.Chosen})
		}
		debug.Role(a.out, w.Profile)
		return exitOK
	})
}

func bindDebugPlan(a *app, fs *flag.FlagSet) runner {
	brief := fs.Bool("brief", false, "leave out the diffs and the files' bytes")
	return a.deciding(99, func(ctx context.Context, cfg agent.Config, w agent.Wanted, words []string) int {
		var look *host.Host = cfg.Host
		if a.elsewhere() {
			look = nil
		}
		steps, err := debug.Plan(ctx, look, w)
		if err != nil {
			return a.fail(err)
		}
		if steps, err = debug.Only(steps, words); err != nil {
			return a.usage(err, nil)
		}
		if a.json {
			a.printJSON(steps)
		} else {
			debug.WritePlan(a.out, steps, *brief)
		}
		if debug.Impossible(steps) {
			return exitFail
		}
		return exitOK
	})
}

func bindDebugExplain(a *app, _ *flag.FlagSet) runner {
	return a.deciding(1, func(_ context.Context, _ agent.Config, w agent.Wanted, words []string) int {
		key := ""
		if len(words) > 0 {
			key = words[0]
		}
		if a.json {
			settings, err := w.Profile.Lookup(key)
			if err != nil {
				a.fail(err)
				return exitUsage
			}
			return a.printJSON(settings)
		}
		text, err := w.Profile.Explain(key)
		if err != nil {
			a.fail(err)
			return exitUsage
		}
		fmt.Fprint(a.out, text)
		return exitOK
	})
}

// reporting is a debug command that starts from the newest report.
func (a *app) reporting(do func(context.Context, agent.Config, api.Report) int) runner {
	return a.onMachine(func(ctx context.Context, cfg agent.Config) int {
		r, err := report.Load(cfg.Host)
		if errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintln(a.err, "reveille: no pass has been made since this machine started; `reveille boot` makes one, `reveille debug plan` shows what it would do")
			return exitFail
		}
		if err != nil {
			return a.fail(err)
		}
		return do(ctx, cfg, r)
	})
}

func bindDebugStatus(a *app, _ *flag.FlagSet) runner {
	return a.reporting(func(ctx context.Context, cfg agent.Config, r api.Report) int {
		if a.json {
			a.printJSON(r)
		} else {
			report.Write(a.out, r, report.LoadUntold(cfg.Host))
			// The report is as old as its pass; what follows is a matter of now.
			if now := daemon.Running(ctx, cfg.Host); now != "" {
				fmt.Fprintln(a.out, now)
			}
			if why := daemon.Braked(cfg.Host, r.InstanceID, time.Now()); why != "" {
				fmt.Fprintf(a.out, "now %s\n", report.Clean(why))
			}
		}
		return a.stateCode(r.State)
	})
}

func bindDebugTimeline(a *app, fs *flag.FlagSet) runner {
	svg := fs.String("svg", "", "write a picture to `FILE` (- is standard output)")
	return a.reporting(func(_ context.Context, _ agent.Config, r api.Report) int {
		switch {
		case *svg == "-":
			a.out.Write(report.SVG(r))
		case *svg != "":
			if err := os.WriteFile(*svg, report.SVG(r), 0o644); err != nil {
				return a.fail(fmt.Errorf("write the picture: %w", err))
			}
		case a.json:
			return a.printJSON(map[string]any{"phases": r.Phases, "steps": r.Steps, "took_ms": r.TookMS})
		default:
			report.WriteTimeline(a.out, r, columns(a.out))
		}
		return exitOK
	})
}

func columns(w any) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return width
		}
	}
	return 100
}

func bindDebugIMDS(a *app, _ *flag.FlagSet) runner {
	return a.onMachine(func(ctx context.Context, cfg agent.Config) int {
		found := facts.Diagnose(ctx, cfg.Facts)
		return a.findings(found)
	})
}

// findings prints them and ends with 1 where one is more than a remark.
func (a *app) findings(found []facts.Finding) int {
	switch {
	case a.json:
		a.printJSON(found)
	case len(found) == 0:
		fmt.Fprintln(a.out, "nothing found")
	default:
		debug.Findings(a.out, found)
	}
	if slices.ContainsFunc(found, debug.Wrong) {
		return exitFail
	}
	return exitOK
}
