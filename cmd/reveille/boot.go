package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"regexp"
	"strings"
	"time"

	"reveille/agent"
	"reveille/agent/daemon"
	"reveille/agent/report"
	"reveille/coordinator/api"
)

func bindBoot(a *app, fs *flag.FlagSet) runner {
	timeout := fs.Duration("timeout", 5*time.Minute, "end the pass after `TIME`")
	var allowed list
	fs.Var(&allowed, "allow-create", "let this pass create on the volume `ID` what the profile wants there, if it is proven blank; repeatable, or several with commas")
	return a.onMachine(func(ctx context.Context, cfg agent.Config) int {
		create, err := volumeIDs(allowed)
		if err != nil {
			return a.usage(err, nil)
		}
		if a.factsFile != "" && cfg.Host.Live() {
			fmt.Fprintln(a.err, "reveille: --facts tells of another machine: give a --root DIR to make it so in, or use `reveille debug plan`")
			return exitUsage
		}
		if *timeout <= 0 {
			return a.usage(fmt.Errorf("--timeout %s: it must be above zero", *timeout), nil)
		}
		ctx, cancel := context.WithTimeoutCause(ctx, *timeout, fmt.Errorf("the pass did not end within %s", *timeout))
		defer cancel()
		p := daemon.Pass{Config: cfg, Kind: daemon.Boot, Tell: true, AllowCreate: create}
		if !a.json {
			live := report.NewLive(a.out)
			p.Watch = daemon.Watcher{Planned: live.Planned, Step: live.Step}
		}
		out, err := p.Run(ctx)
		if err != nil {
			return a.fail(err)
		}
		return a.outcome(out)
	})
}

// volumeID is what EC2 calls a volume.
var volumeID = regexp.MustCompile(`^vol-[0-9a-f]{8,17}$`)

// volumeIDs are the volumes that a person names.
func volumeIDs(given list) ([]string, error) {
	var out []string
	for _, words := range given {
		for id := range strings.SplitSeq(words, ",") {
			if id = strings.TrimSpace(id); !volumeID.MatchString(id) {
				return nil, fmt.Errorf("--allow-create %q: it takes volume ids such as vol-0123456789abcdef0", id)
			}
			out = append(out, id)
		}
	}
	return out, nil
}

func (a *app) outcome(out daemon.Outcome) int {
	if a.json {
		b, err := report.Encode(out.Report)
		if err != nil {
			return a.fail(err)
		}
		a.out.Write(b)
	} else {
		report.WriteSummary(a.out, out.Report)
	}
	return a.passCode(out.Report)
}

// passCode is how boot ends, and wait with it.
func (a *app) passCode(r api.Report) int {
	if r.Misconfigured {
		return exitUsage
	}
	return a.stateCode(r.State)
}

func (a *app) stateCode(s api.State) int {
	if s == api.Ready || s == api.Degraded && !a.strict {
		return exitOK
	}
	return exitFail
}

func bindWait(a *app, fs *flag.FlagSet) runner {
	timeout := fs.Duration("timeout", 10*time.Minute, "give up after `TIME`")
	return a.onMachine(func(ctx context.Context, cfg agent.Config) int {
		if *timeout <= 0 {
			return a.usage(fmt.Errorf("--timeout %s: it must be above zero", *timeout), nil)
		}
		ctx, cancel := context.WithTimeoutCause(ctx, *timeout, fmt.Errorf("waited %s", *timeout))
		defer cancel()
		r, err := daemon.Wait(ctx, cfg.Host)
		if errors.Is(err, daemon.ErrWaited) {
			fmt.Fprintf(a.err, "reveille: %v\n", err)
			return exitLate
		}
		if err != nil {
			return a.fail(err)
		}
		if a.json {
			a.printJSON(r)
		} else {
			report.WriteOutcome(a.out, r)
		}
		return a.passCode(r)
	})
}

func bindVersion(a *app, _ *flag.FlagSet) runner {
	return func(context.Context, []string) int {
		if a.json {
			return a.printJSON(map[string]string{"version": version})
		}
		fmt.Fprintln(a.out, "reveille", version)
		return exitOK
	}
}
