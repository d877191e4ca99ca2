// Command cost runs programs one after the other and prints what they took
// together, as JSON: wall-clock time and CPU time in milliseconds, with that of
// all that they started and waited for, and the most memory that one of them
// had, in KiB. The programs are separated by "--".
//
// Linux counts what the starter of a process had into that process's peak, so
// the starter must be small: not a test binary, and not what kept their output.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

func main() {
	began := time.Now()
	for rest := os.Args[1:]; len(rest) > 0; {
		args := rest
		if end := slices.Index(rest, "--"); end >= 0 {
			args, rest = rest[:end], rest[end+1:]
		} else {
			rest = nil
		}
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			fmt.Fprintf(os.Stderr, "%v: %v\n", args, err)
			os.Exit(1)
		}
	}
	wall := time.Since(began)
	var all syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &all); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	cpu := time.Duration(all.Utime.Nano() + all.Stime.Nano())
	_ = json.NewEncoder(os.Stdout).Encode(map[string]float64{ // numbers always encode
		"wall": float64(wall.Microseconds()) / 1000, "cpu": float64(cpu.Microseconds()) / 1000, "peak": float64(all.Maxrss)})
}
