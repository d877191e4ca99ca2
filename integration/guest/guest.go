// Package guest boots real Debian machines for the cases: in a systemd
// container (tenths of a second) or under QEMU (some ten seconds), on a network
// of their own with a fake EC2 around them. Both kinds are one Machine, so that
// a case does not know which it runs on. It knows nothing of what a case
// asserts, and nothing of Reveille but the package that it installs.
package guest

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"time"
)

// Kind is what a machine is made of.
type Kind string

// The kinds.
const (
	Container Kind = "container" // systemd-nspawn: own systemd, network and names; this computer's kernel
	VM        Kind = "vm"        // QEMU: its own kernel, NVMe disks, power cuts
)

// Spec says what to boot. Its zero value is a pristine instance of the image.
type Spec struct {
	Image    Image
	Fabric   *Fabric // its network, with the fake EC2 on it
	Hostname string  // before anybody names it; "" is ip-10-0-0-5
	DMI      string  // instance id that the machine's own firmware names; "" where it names none
	Kernel   []string
	Files    []File            // put there before the first process starts
	Disks    []Volume          // attached at power-on; VM alone
	Served   map[string]Served // by volume id: disks that somebody else has; RootVolume may be one
	Log      *slog.Logger      // nil: nothing is logged
	Dir      string            // folder of the machine's own, kept between its boots; the caller removes it
}

// File is a file, or with Link a symbolic link, of the machine.
type File struct {
	Path string
	Data []byte
	Mode fs.FileMode // 0 is 0644
	Link string
}

// Volume is one EBS-like disk. Its bytes outlive the machine's boots.
type Volume struct {
	ID         string // vol-0123456789abcdef0
	Attachment string // /dev/sdf: the name given at attachment
	Size       int64  // bytes
	Most       int64  // bytes that it may grow to while it is attached; 0: it does not grow
	Fault      Fault  // what is wrong with it from the power-on
}

// Served is a disk whose bytes an NBD server of the case's has, for who wants to
// see each write to it. A served root must have RootSize bytes, over those of
// Image.Disk.
type Served struct {
	Socket string      // path of the server's Unix socket; the export is the volume's id
	At     io.WriterAt // writes there while the machine is off
}

// Result is how a command in the machine ended.
type Result struct {
	Stdout, Stderr []byte
	Code           int
}

// Machine is one instance. Its methods are called from one goroutine, Run from
// any number of them.
type Machine interface {
	Kind() Kind
	// Boot powers it on and returns when a command can be run in it: early,
	// often before sysinit.target. A machine that hangs before that is an
	// error with the end of its console.
	Boot(ctx context.Context) error
	// Run runs a program in the machine to its end.
	Run(ctx context.Context, argv ...string) (Result, error)
	// Put writes a file in the running machine.
	Put(ctx context.Context, f File) error
	// PowerOff is orderly, by its systemd; Cut is not. Both leave its files
	// and disks, so that Boot is the same machine's next boot.
	PowerOff(ctx context.Context) error
	Cut() error
	// Attach, Detach and Grow are hot; a container has no disks and says so.
	Attach(ctx context.Context, v Volume) error
	Detach(ctx context.Context, id string) error
	Grow(ctx context.Context, id string, size int64) error
	// Console is all that it has said since it was made.
	Console() []byte
	// Started is when the present boot began, for what is measured from there.
	Started() time.Time
	// Close ends it and takes away what it left on this computer, but for Spec.Dir.
	Close() error
}

// New makes a machine of a kind; it is off.
func New(kind Kind, s Spec) (Machine, error) {
	if kind == VM {
		return newVM(s)
	}
	return newContainer(s)
}
