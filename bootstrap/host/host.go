// Package host is the only door to the operating system: files under a root,
// commands, systemd's units, the live host name. Nothing else in the project
// imports os/exec, and nothing else writes a file of the machine.
//
// Every path is absolute and is resolved inside the root, symbolic links
// included: with the root /srv/image, the link /etc/resolv.conf ->
// /run/x leads to /srv/image/run/x, never to the laptop's own /run.
// With any root but "/" no command is run.
package host

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"time"
)

// ErrOffline is what commands, units and the live host name answer under a
// root that is not the running machine's own.
var ErrOffline = errors.New("not the running machine: no command is run under another root")

// MaxFile bounds what ReadFile reads, in bytes.
const MaxFile = 4 << 20

// Options say which machine a Host is. The zero value is the running machine.
type Options struct {
	Root     string             // "" and "/" are the running machine
	Commands Commander          // nil: real commands on "/", ErrOffline elsewhere
	Units    Units              // nil: systemd over D-Bus on "/", ErrOffline elsewhere
	Names    Names              // nil: the kernel on "/", ErrOffline elsewhere
	Dialer   Dialer             // nil: the network on "/", ErrOffline elsewhere
	Links    Links              // nil: the kernel's on "/", ErrOffline elsewhere
	Disks    Disks              // nil: udev's on "/", ErrOffline elsewhere
	Hook     func(point string) // tests: called before and after each effect ("write:/etc/hosts tmp", "… rename")
	Log      *slog.Logger       // nil: discards
}

// Commander runs one external command to its end. The context's deadline ends
// it with SIGTERM and, five seconds later, SIGKILL.
type Commander interface {
	Run(ctx context.Context, name string, args ...string) (Output, error)
}

// Output is what a command said. Code is its exit code, -1 if a signal ended it.
type Output struct {
	Stdout, Stderr []byte
	Code           int
}

// Units is the part of systemd that the agent needs. Nothing here waits for a
// job: a job that is waited for from inside another deadlocks.
type Units interface {
	// State says what systemd knows of a unit: "active", "inactive",
	// "failed", "activating"…, and "absent" where no such unit is loadable.
	State(ctx context.Context, name string) (string, error)
	// Enqueue asks for "restart", "try-restart", "start", "stop" or "reload"
	// and returns once systemd has accepted the job.
	Enqueue(ctx context.Context, verb, name string) error
	// Reload reads unit files again (daemon-reload).
	Reload(ctx context.Context) error
	// Knows says that systemd has read this file of a unit as it is now, so
	// that nothing need be read again: one that it did not know it reads when
	// it is asked for.
	Knows(ctx context.Context, name, file string) (bool, error)
	// Launch asks for a program to be run as a unit that outlives the agent,
	// and returns once systemd has accepted it. It refuses a name that
	// systemd still knows: Forget comes first.
	Launch(ctx context.Context, t Task) error
	// Task is how far a launched program is.
	Task(ctx context.Context, unit string) (TaskState, error)
	// Ends tells of a launched program's end, until ctx ends: the channel
	// holds a token when systemd has ended a job of the unit since the last was
	// taken. It tells sooner than a look would, and no more. An error says that
	// nobody tells.
	Ends(ctx context.Context, unit string) (<-chan struct{}, error)
	// Forget lets go of one that has ended; it is "absent" soon afterwards.
	Forget(ctx context.Context, unit string) error
}

// Names is the kernel's host name.
type Names interface {
	Hostname() (string, error)
	SetHostname(name string) error
}

// Info is what is known of a path. The zero Info (Exists false) is an absent path.
type Info struct {
	Exists   bool
	Mode     fs.FileMode // type and permission bits
	UID, GID int
	Size     int64
	Link     string // target, of a symbolic link
	Modified time.Time
}

// Attr is what a written file should look like. Permission bits alone count.
type Attr struct {
	Mode     fs.FileMode
	UID, GID int // -1 keeps the present owner, or root for a new file
}

// Public is a file that everybody may read.
var Public = Attr{Mode: 0o644, UID: -1, GID: -1}
