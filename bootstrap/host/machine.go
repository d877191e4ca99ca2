package host

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"

	securejoin "github.com/cyphar/filepath-securejoin"
)

// Host is one machine: the running one, or one that lies in a folder. It may
// be used by many goroutines at once.
type Host struct {
	root     string // absolute, without links; "/" for the running machine
	live     bool
	commands Commander
	units    Units
	names    Names
	dialer   Dialer
	links    Links
	disks    Disks
	hook     func(point string)
	log      *slog.Logger
	tag      string // in the names of this Host's temporary files
	unsynced owed   // see Flush
}

// New opens the door to a machine. The root must be a folder that exists: a
// root that is made up on the way would hide a misspelt one.
func New(o Options) (*Host, error) {
	root, err := cleanRoot(o.Root)
	if err != nil {
		return nil, err
	}
	h := &Host{
		root: root, commands: o.Commands, units: o.Units, names: o.Names, dialer: o.Dialer, links: o.Links, disks: o.Disks,
		hook: o.Hook, log: o.Log, tag: randomTag(),
	}
	// A folder that comes with its own commands, units and names is a machine
	// that runs, as far as anyone can tell: so tests see what "/" does.
	h.live = root == "/" || (o.Commands != nil && o.Units != nil && o.Names != nil)
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.hook == nil {
		h.hook = func(string) {}
	}
	h.fillDoors()
	return h, nil
}

// fillDoors gives the real doors to the running machine and closed ones to
// every other.
func (h *Host) fillDoors() {
	real := h.root == "/"
	if h.commands == nil {
		h.commands = offline{}
		if real {
			h.commands = commands{killAfter: KillAfter}
		}
	}
	if h.units == nil {
		h.units = offline{}
		if real {
			h.units = systemd{}
		}
	}
	if h.names == nil {
		h.names = offline{}
		if real {
			h.names = kernel{}
		}
	}
	if h.dialer == nil {
		h.dialer = offline{}
		if real {
			h.dialer = &net.Dialer{}
		}
	}
	if h.links == nil {
		h.links = offline{}
		if real {
			h.links = kernelLinks{}
		}
	}
	if h.disks == nil {
		h.disks = offline{}
		if real {
			h.disks = udev{}
		}
	}
}

func cleanRoot(root string) (string, error) {
	if root == "" || root == "/" {
		return "/", nil
	}
	abs, err := filepath.Abs(root)
	if err != nil {
		return "", fmt.Errorf("root %s: %w", root, err)
	}
	real, err := filepath.EvalSymlinks(abs)
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("root %s does not exist; create the folder, or correct the name: %w", root, err)
	}
	if err != nil {
		return "", fmt.Errorf("root %s: %w", root, err)
	}
	st, err := os.Stat(real)
	if err != nil {
		return "", fmt.Errorf("root %s: %w", root, err)
	}
	if !st.IsDir() {
		return "", fmt.Errorf("root %s is not a folder", root)
	}
	return real, nil
}

// Root is the folder in which the machine lies, "/" for the running one.
func (h *Host) Root() string { return h.root }

// Live says that this is the running machine: that commands, units and the
// live host name answer.
func (h *Host) Live() bool { return h.live }

// Owners says that files can be given to any owner here. It is false for a
// person who is not root and works under another root: files are then that
// person's own, nothing records whose they should be, and nobody should
// compare owners.
func (h *Host) Owners() bool { return h.root == "/" || os.Geteuid() == 0 }

// Log is where the machine's steps are told.
func (h *Host) Log() *slog.Logger { return h.log }

// real is the path on this computer, with every link followed inside the root.
func (h *Host) real(path string) (string, error) {
	if err := checkPath(path); err != nil {
		return "", err
	}
	p, err := securejoin.SecureJoin(h.root, path)
	if err != nil {
		return "", fmt.Errorf("resolve %s: %w", path, err)
	}
	return p, nil
}

// entry is the same with the last component not followed: the name itself,
// which is what is written, replaced and removed.
func (h *Host) entry(path string) (string, error) {
	if err := checkPath(path); err != nil {
		return "", err
	}
	path = filepath.Clean(path)
	if path == "/" {
		return h.root, nil
	}
	dir, err := h.real(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, filepath.Base(path)), nil
}

// Resolve follows every link of a path and returns where it leads, as seen
// inside the root. The path need not exist.
func (h *Host) Resolve(path string) (string, error) {
	p, err := h.real(path)
	if err != nil {
		return "", err
	}
	return h.inside(p), nil
}

// inside is a path on this computer as seen inside the root.
func (h *Host) inside(real string) string {
	if h.root == "/" {
		return real
	}
	if p := strings.TrimPrefix(real, h.root); p != "" {
		return p
	}
	return "/"
}

func checkPath(path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("path %q is not absolute", path)
	}
	if strings.ContainsRune(path, 0) {
		return fmt.Errorf("path %q holds a zero byte", path)
	}
	return nil
}
