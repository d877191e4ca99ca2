package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"sort"
	"strings"
)

// command is one subcommand. bind registers its flags and returns what runs it.
type command struct {
	name  string // "debug plan"
	args  string // as usage shows them: "KEY"
	short string
	long  string
	bind  func(a *app, fs *flag.FlagSet) runner
}

type runner func(ctx context.Context, args []string) int

// commands is the visible list of what a user can type.
func commands() []command {
	return []command{
		{"boot", "", "make one pass, from facts to report, and end", bootHelp, bindBoot},
		{"run", "", "the daemon: make the boot pass, stay, and look again", runHelp, bindRun},
		{"wait", "", "wait for this boot's report", waitHelp, bindWait},
		{"debug facts", "", "what is true of this instance", "", bindDebugFacts},
		{"debug userdata", "", "what its user-data holds, and which part is ours", "", bindDebugUserdata},
		{"debug role", "", "which role was chosen, and why, and what tags of volumes ask for", "", bindDebugRole},
		{"debug plan", "[CONCERN-OR-ID…]", "what a pass would change, with diffs and reasons", planHelp, bindDebugPlan},
		{"debug explain", "[KEY]", "a value, the layer, file and line that set it, and what it overrode", "", bindDebugExplain},
		{"debug status", "", "the newest report", "", bindDebugStatus},
		{"debug timeline", "", "the newest report as a waterfall", "", bindDebugTimeline},
		{"debug storage", "", "each disk by its volume id, and what lies upon it: array, logical volume, file system, mount", storageHelp, bindDebugStorage},
		{"debug login-budget", "[SERVERS…]", "how long a login may take at worst, with every wait, the line that makes it and what to change", loginHelp, bindDebugLogin},
		{"debug doctor", "", "what is wrong with this instance, or with an image before it is baked, and what to do", doctorHelp, bindDebugDoctor},
		{"debug imds", "", "what is wrong with the metadata service, in words", "", bindDebugIMDS},
		{"validate", "FILE-OR-FOLDER…", "check role files, all together: every error at once", validateHelp, bindValidate},
		{"schema", "", "the profile's JSON Schema", "", bindSchema},
		{"userdata build", "PART…", "compressed multipart user-data from files, on standard output", buildHelp, bindUserdataBuild},
		{"userdata show", "FILE", "what is inside any user-data (- is standard input)", "", bindUserdataShow},
		{"ganglia collector", "", "the collectors' configuration, from the same role files", collectorHelp, bindCollector},
		{"pause", "REASON", "let no pass change anything", pauseHelp, bindPause},
		{"resume", "", "take pause back", "", bindResume},
		{"restore", "", "take back what the agent changed", restoreHelp, bindRestore},
		{"clean", "", "restore, and make the machine fit for baking into an image", cleanHelp, bindClean},
		{"version", "", "print the version", "", bindVersion},
	}
}

// run finds the command, parses its flags and runs it.
func run(ctx context.Context, args []string, s streams) int {
	a := &app{streams: s}
	global := a.flagSet("reveille")
	if err := global.Parse(args); err != nil {
		return a.usage(err, nil)
	}
	args = global.Args()
	if len(args) == 0 || args[0] == "help" {
		return a.help(args)
	}
	cmd, rest, ok := find(args)
	if !ok {
		return a.usage(unknownCommand(args), nil)
	}
	fs := a.flagSet("reveille " + cmd.name)
	act := cmd.bind(a, fs)
	words, err := interleaved(fs, rest)
	if err == nil {
		err = a.check()
	}
	if err != nil {
		return a.usage(err, &cmd)
	}
	if cmd.name != "version" { // to listen for signals takes a sixth of its time
		var stop context.CancelFunc
		ctx, stop = interruptible(ctx)
		defer stop()
	}
	return act(ctx, words)
}

// find takes the longest command name that args begin with.
func find(args []string) (command, []string, bool) {
	for n := min(2, len(args)); n > 0; n-- {
		for _, c := range append(commands(), inner()...) {
			if c.name == strings.Join(args[:n], " ") {
				return c, args[n:], true
			}
		}
	}
	return command{}, nil, false
}

func unknownCommand(args []string) error {
	var under []string
	for _, c := range commands() {
		if group, sub, ok := strings.Cut(c.name, " "); ok && group == args[0] {
			under = append(under, sub)
		}
	}
	if len(under) > 0 {
		return fmt.Errorf("%s needs one of: %s", args[0], strings.Join(under, ", "))
	}
	return fmt.Errorf("there is no command %q; `reveille help` lists them", args[0])
}

// interleaved parses flags wherever they stand among the words, as people type
// them; what follows -- is words alone.
func interleaved(fs *flag.FlagSet, args []string) (words []string, err error) {
	for len(args) > 0 {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		taken := len(args) - fs.NArg()
		if taken > 0 && args[taken-1] == "--" {
			return append(words, fs.Args()...), nil
		}
		if args = fs.Args(); len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	return words, nil
}

// usage reports a bad command line, or answers --help.
func (a *app) usage(err error, cmd *command) int {
	if errors.Is(err, flag.ErrHelp) {
		if cmd == nil {
			return a.help(nil)
		}
		a.helpOne(a.out, *cmd)
		return exitOK
	}
	fmt.Fprintf(a.err, "reveille: %v\n", err)
	if cmd != nil {
		fmt.Fprintf(a.err, "usage: reveille %s\n", strings.TrimSpace(cmd.name+" [flags] "+cmd.args))
	}
	return exitUsage
}

func (a *app) help(args []string) int {
	if len(args) > 1 {
		if cmd, _, ok := find(args[1:]); ok {
			a.helpOne(a.out, cmd)
			return exitOK
		}
		return a.usage(unknownCommand(args[1:]), nil)
	}
	fmt.Fprintf(a.out, "%s\n\nCommands:\n", aboutHelp)
	for _, c := range commands() {
		fmt.Fprintf(a.out, "  %-30s %s\n", strings.TrimSpace(c.name+" "+c.args), c.short)
	}
	fmt.Fprintf(a.out, "\nFlags of all:\n")
	printFlags(a.out, a.flagSet(""))
	fmt.Fprintf(a.out, "\n%s\n", exitHelp)
	return exitOK
}

func (a *app) helpOne(w io.Writer, c command) {
	fmt.Fprintf(w, "reveille %s: %s\n", strings.TrimSpace(c.name+" [flags] "+c.args), c.short)
	if c.long != "" {
		fmt.Fprintf(w, "\n%s\n", c.long)
	}
	common := a.flagSet("")
	fs := a.flagSet("")
	c.bind(a, fs)
	own := flag.NewFlagSet("", flag.ContinueOnError)
	fs.VisitAll(func(f *flag.Flag) {
		if common.Lookup(f.Name) == nil {
			own.Var(f.Value, f.Name, f.Usage)
		}
	})
	fmt.Fprintf(w, "\nFlags:\n")
	printFlags(w, own)
	printFlags(w, common)
}

func printFlags(w io.Writer, fs *flag.FlagSet) {
	var rows []string
	fs.VisitAll(func(f *flag.Flag) {
		arg, text := flag.UnquoteUsage(f)
		switch f.DefValue {
		case "", "false", "0s":
		default:
			text += " (" + f.DefValue + " by default)"
		}
		rows = append(rows, fmt.Sprintf("  %-30s %s", strings.TrimSpace("--"+f.Name+" "+arg), text))
	})
	sort.Strings(rows)
	for _, r := range rows {
		fmt.Fprintln(w, r)
	}
}
