// Command reveille wakes an EC2 instance into its role and never locks its
// operators out. This package is flags and wiring only: what is done lies in
// package agent and below.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"reveille/bootstrap/stack"
)

// version is set by the linker: -X main.version=1.2.3.
var version = "devel"

// The exit codes, which scripts rely on.
const (
	exitOK    = 0
	exitFail  = 1 // failed, still booting, or a finding
	exitUsage = 2 // bad usage or configuration; nothing was changed
	exitLate  = 3 // wait: timed out
)

func main() {
	stack.Grow(24)
	os.Exit(run(context.Background(), os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr, os.Getenv}))
}

// interruptible ends ctx at a signal, so that a command can tidy up.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}

// streams is what a command may read and write besides the machine.
type streams struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
}
