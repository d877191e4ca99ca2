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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr, os.Getenv})
	stop()
	os.Exit(code)
}

// streams is what a command may read and write besides the machine.
type streams struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
}
