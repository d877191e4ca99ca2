// Command fakeimds serves instance metadata on a loopback address, healthy or
// with one of the named faults, until it is told to stop.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"reveille/integration/fakeimds"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "fakeimds:", err)
		}
		os.Exit(2)
	}
}

// run serves until the context ends. The address is its first line of output.
func run(ctx context.Context, args []string, out, help io.Writer) (err error) {
	flags := flag.NewFlagSet("fakeimds", flag.ContinueOnError)
	flags.SetOutput(help)
	listen := flags.String("listen", "127.0.0.1:0", "`address` to serve on")
	file := flags.String("instance", "", "JSON `file` with the fields of fakeimds.Instance; an example instance where none is given")
	userData := flags.String("user-data", "", "`file` whose bytes are the user-data")
	name := flags.String("fault", "none", "what is wrong, by `name`")
	v1 := flags.Bool("v1", false, "answer requests without a token too")
	flags.Usage = func() { usage(flags) }
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q; see --help", flags.Arg(0))
	}
	fault, ok := fakeimds.ByName(*name)
	if !ok {
		return fmt.Errorf("no fault is named %q; --help lists them", *name)
	}
	i, err := instance(*file, *userData)
	if err != nil {
		return err
	}
	r, err := fakeimds.Open(*listen, i, fault)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if r.Server != nil {
		r.Server.AllowV1(*v1)
	}
	fmt.Fprintln(out, r.URL)
	<-ctx.Done()
	return nil
}

func instance(file, userData string) (fakeimds.Instance, error) {
	i := fakeimds.Example()
	if file != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			return i, fmt.Errorf("read the instance: %w", err)
		}
		i = fakeimds.Instance{}
		if err := json.Unmarshal(b, &i); err != nil {
			return i, fmt.Errorf("read the instance from %s: %w", file, err)
		}
	}
	if userData != "" {
		b, err := os.ReadFile(userData)
		if err != nil {
			return i, fmt.Errorf("read the user-data: %w", err)
		}
		i.UserData = b
	}
	return i, nil
}

func usage(flags *flag.FlagSet) {
	w := flags.Output()
	fmt.Fprintln(w, "usage: fakeimds [flags]")
	flags.PrintDefaults()
	fmt.Fprintln(w, "faults:")
	for _, f := range fakeimds.Named() {
		fmt.Fprintf(w, "  %-14s %s\n", f.Name, f.Say)
	}
}
