package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/journal"

	"reveille/agent"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/roles"
)

// app is the flags of all commands, and what they lead to.
type app struct {
	streams
	root, factsFile, level string
	roles                  list
	json, strict, imdsV1   bool
	imdsTimeout            time.Duration
}

type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, s); return nonEmpty(s) }

// nonEmpty refuses --root "$UNSET": taken for no flag at all, it would change
// the running machine.
func nonEmpty(s string) error {
	if s == "" {
		return errors.New("it is empty: name a folder, or leave the flag out")
	}
	return nil
}

// flagSet has the flags of all commands, without a voice of its own. Values
// given before the command's name stay, so the defaults are the present ones.
func (a *app) flagSet(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	if a.level == "" {
		a.level = "warn"
	}
	if a.imdsTimeout == 0 {
		a.imdsTimeout = facts.DefaultTimeout
	}
	fs.Func("root", "read and write every file of the machine below `DIR`; no command is run", func(s string) error {
		a.root = s
		return nonEmpty(s)
	})
	fs.Var(&a.roles, "roles", "read role files from `DIR` instead of the default folders; repeatable, the first hides the next")
	fs.StringVar(&a.factsFile, "facts", a.factsFile, "replay the facts in `FILE` (from `debug facts --json`) instead of reading the machine")
	fs.BoolVar(&a.json, "json", a.json, "print JSON")
	fs.BoolVar(&a.strict, "strict", a.strict, "exit 1 when degraded")
	fs.StringVar(&a.level, "log-level", a.level, "log to standard error from `LEVEL` up: debug, info, warn or error")
	fs.DurationVar(&a.imdsTimeout, "imds-timeout", a.imdsTimeout, "bound the reading of the metadata service to `TIME`")
	fs.BoolVar(&a.imdsV1, "imds-v1", a.imdsV1, "use IMDSv1, which any local process can be tricked into; never a fallback")
	return fs
}

func (a *app) check() error {
	if a.imdsTimeout <= 0 {
		return fmt.Errorf("--imds-timeout %s: it must be above zero", a.imdsTimeout)
	}
	var l slog.Level
	if err := l.UnmarshalText([]byte(a.level)); err != nil {
		return fmt.Errorf("--log-level %q: it must be debug, info, warn or error", a.level)
	}
	return nil
}

func (a *app) log() *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(a.level)) // check has read it
	// Asked of the descriptor: the variable alone is inherited by those whose
	// standard error leads elsewhere.
	inJournal, _ := journal.StderrIsJournalStream()
	return slog.New(logHandler(a.err, inJournal && a.err == os.Stderr, l))
}

// config is the machine that the flags name.
func (a *app) config() (agent.Config, error) {
	h, err := host.New(host.Options{Root: a.root, Log: a.log()})
	if err != nil {
		return agent.Config{}, err
	}
	return agent.Config{
		Host:      h,
		RoleDirs:  a.roles,
		FactsFile: a.factsFile,
		Facts: facts.Options{
			Getenv:  a.getenv,
			AllowV1: a.imdsV1,
			Timeout: a.imdsTimeout,
			Ours:    roles.KnownKey,
			Volumes: true, // a person asks; which passes do is the daemon's to say
			Log:     a.log(),
		},
		Log:     a.log(),
		Servers: true,
	}, nil
}

// onMachine is a command that takes no words and starts from the machine that
// the flags name.
func (a *app) onMachine(do func(context.Context, agent.Config) int) runner {
	return func(ctx context.Context, words []string) int {
		if len(words) > 0 {
			// A forgotten dash must not be passed over.
			fmt.Fprintf(a.err, "reveille: unexpected argument %q\n", words[0])
			return exitUsage
		}
		cfg, err := a.config()
		if err != nil {
			a.fail(err)
			return exitUsage
		}
		return do(ctx, cfg)
	}
}

// fail prints an error, a line each where several were joined, and tells the
// exit code: 2 where a document or the command line is at fault.
func (a *app) fail(err error) int {
	var bad roles.Errors
	if errors.As(err, &bad) {
		for _, e := range bad {
			fmt.Fprintln(a.err, e)
		}
		return exitUsage
	}
	fmt.Fprintf(a.err, "reveille: %v\n", err)
	return exitFail
}

// printJSON ends a command whose answer is one document.
func (a *app) printJSON(v any) int {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return a.fail(err)
	}
	return exitOK
}
