// Reveille-coordinator collects readiness reports and answers what a fleet's
// operators ask. This file is flags and wiring only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"reveille/coordinator/server"
	"reveille/coordinator/store"
)

// version is set when a release is linked: -ldflags "-X main.version=1.2.3".
var version = "devel"

const (
	defaultListen = "127.0.0.1:8650"
	defaultStore  = "bolt:/var/lib/reveille-coordinator"
)

const usage = `reveille-coordinator collects readiness reports from instances that run reveille,
and answers which are up, as what, and why not.

  reveille-coordinator serve [--listen HOST:PORT] [--store bolt:DIR] [--log-level LEVEL]
  reveille-coordinator version

serve answers until it gets SIGTERM or SIGINT:
  --listen HOST:PORT  loopback only: without TLS and authentication, which this
                      version has not, no other address is served (` + defaultListen + `)
  --store bolt:DIR    where the newest report of each instance is kept; DIR is made
                      for its owner alone (` + defaultStore + `)
  --log-level LEVEL   debug, info, warn or error; debug logs every request (info)

The fleet page is at /, and under /v1/: PUT instances/ID/report,
GET instances?role=&state=&zone=&host=&limit=&after=, GET instances/ID,
GET roles/ROLE. /healthz says that the server answers.

It exits with 0 when it was asked to stop, 1 when it could not serve, 2 on bad usage.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	command := ""
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	switch command {
	case "serve":
		return serve(ctx, args, stdout, stderr)
	case "version", "--version":
		if len(args) > 0 {
			return misuse(stderr, fmt.Errorf("version takes no argument, there is %q", args[0]))
		}
		fmt.Fprintln(stdout, "reveille-coordinator", version, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
		return 0
	case "help", "--help", "-help", "-h":
		fmt.Fprint(stdout, usage)
		return 0
	case "":
		return misuse(stderr, errors.New("no command given: serve, version or --help"))
	default:
		return misuse(stderr, fmt.Errorf("there is no command %q: serve, version or --help", command))
	}
}

func serve(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	listen := flags.String("listen", defaultListen, "")
	where := flags.String("store", defaultStore, "")
	var level slog.Level
	flags.TextVar(&level, "log-level", slog.LevelInfo, "")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
		return 0
	case err != nil:
		return misuse(stderr, err)
	case flags.NArg() > 0:
		return misuse(stderr, fmt.Errorf("serve takes no argument, there is %q", flags.Arg(0)))
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	if err := collect(ctx, *listen, *where, log, stdout); err != nil {
		var spec *store.SpecError
		if errors.Is(err, server.ErrAddress) || errors.As(err, &spec) {
			return misuse(stderr, err)
		}
		fmt.Fprintln(stderr, "reveille-coordinator:", err)
		return 1
	}
	return 0
}

// collect serves until ctx ends. The address comes first: one that is refused
// leaves no folder behind.
func collect(ctx context.Context, listen, where string, log *slog.Logger, stdout io.Writer) (err error) {
	l, err := server.Listen(ctx, listen)
	if err != nil {
		return err
	}
	defer l.Close() // Serve has closed it; this is for the ways that do not reach it
	s, err := store.Open(ctx, where)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	fmt.Fprintf(stdout, "listening on http://%s\n", l.Addr())
	log.Info("serving", "address", l.Addr().String(), "store", where, "version", version)
	defer log.Info("stopped")
	return server.New(server.Options{Store: s, Log: log}).Serve(ctx, l)
}

func misuse(stderr io.Writer, err error) int {
	fmt.Fprintf(stderr, "reveille-coordinator: %v\nTry: reveille-coordinator --help\n", err)
	return 2
}
