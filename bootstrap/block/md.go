package block

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"reveille/bootstrap/host"
)

// Member is what an md superblock says of its device.
type Member struct {
	UUID    string // of the array, as mdadm prints it: "4f3b…:…:…:…"
	Name    string // of the array, without the host's name before a colon
	Level   string // "raid10"; "container" of another maker's metadata
	Devices int    // how many members the array has
	Events  uint64
	Device  string // UUID of this member alone, which a copy of it has as well; "" of metadata 0.90
}

// Array is an md array as the kernel has it now, assembled or not.
type Array struct {
	Kernel   string // "md127"
	UUID     string
	Name     string   // without the host's name before a colon
	Level    string   // "raid10"
	State    string   // the kernel's array_state: "inactive", "read-auto", "readonly", "clean", "active"…
	Devices  int      // how many members it has when it is whole
	Degraded int      // how many of them it lacks
	Members  []string // kernel names of those that it has, spares among them, sorted
	Faulty   []string // kernel names of those that have failed and were not taken out, sorted
	Sync     string   // "resync 12.5%"; "" when nothing is under way
}

// Running says that the array can be read.
func (a Array) Running() bool { return a.State != "" && a.State != "inactive" && a.State != "clear" }

// Node is the array's device node.
func (a Array) Node() string { return path.Join("/dev", a.Kernel) }

// noSuperblock is how mdadm says that there is none; its exit code is that of a
// device which cannot be opened as well.
const noSuperblock = "No md superblock detected"

// Examine reads a device's md superblock; false where it has none, or where it
// cannot be read, which mdadm does not tell apart: Readable does.
func Examine(ctx context.Context, h *host.Host, node string) (Member, bool, error) {
	out, err := look(ctx, h, "mdadm", "--examine", "--export", node)
	var exit *host.ExitError
	if errors.As(err, &exit) && strings.Contains(string(out.Stderr), noSuperblock) {
		return Member{}, false, nil
	}
	if err != nil {
		return Member{}, false, err
	}
	m, err := parseMember(string(out.Stdout))
	if err != nil {
		return Member{}, false, fmt.Errorf("mdadm --examine --export %s: %w", node, err)
	}
	return m, m.UUID != "", nil
}

// ExamineAll is Examine of several devices, an answer for each. They are asked for
// by one program where each says the same: that it has a superblock, or that it
// has none.
func ExamineAll(ctx context.Context, h *host.Host, nodes []string) (members []Member, has []bool, errs []error) {
	members, has, errs = make([]Member, len(nodes)), make([]bool, len(nodes)), make([]error, len(nodes))
	if len(nodes) > 1 {
		out, err := look(ctx, h, "mdadm", append([]string{"--examine", "--export"}, nodes...)...)
		switch all := parseMembers(string(out.Stdout)); {
		case noneHas(out, nodes):
			return members, has, errs
		case err == nil && len(out.Stderr) == 0 && len(all) == len(nodes):
			for i := range has {
				has[i] = true
			}
			return all, has, errs
		}
	}
	Beside(len(nodes), func(i int) { members[i], has[i], errs[i] = Examine(ctx, h, nodes[i]) })
	return members, has, errs
}

// noneHas says that mdadm found a superblock on none of the devices.
func noneHas(out host.Output, nodes []string) bool {
	for _, node := range nodes {
		if strings.Count(string(out.Stderr), noSuperblock+" on "+node+".\n") != 1 {
			return false
		}
	}
	return len(out.Stdout) == 0 && strings.Count(string(out.Stderr), "\n") == len(nodes)
}

// parseMembers reads mdadm --examine --export of several devices, which names none
// of them: what a superblock says begins anew where a key comes again. None are
// read where one of them could be more than one superblock's, or half of one.
func parseMembers(text string) []Member {
	var all []Member
	begin, met := 0, map[string]bool{}
	end := func(at int) bool {
		m, err := parseMember(text[begin:at])
		if err != nil || m.Device == "" || m.Level == "container" {
			return false
		}
		all, begin = append(all, m), at
		return true
	}
	at := 0
	for line := range strings.Lines(text) {
		key, _, _ := strings.Cut(line, "=")
		if met[key] {
			if !end(at) {
				return nil
			}
			clear(met)
		}
		met[key] = true
		at += len(line)
	}
	if !end(at) {
		return nil
	}
	return all
}

// parseMember reads mdadm --examine --export; the zero Member where it says
// nothing of an array, as of a partition table.
func parseMember(text string) (Member, error) {
	said := exported(text)
	m := Member{UUID: said["MD_UUID"], Name: withoutHost(said["MD_NAME"]), Level: said["MD_LEVEL"], Device: said["MD_DEV_UUID"]}
	if m.UUID == "" {
		if len(said) > 0 {
			return Member{}, errors.New("a superblock without a UUID")
		}
		return Member{}, nil
	}
	var errs [2]error
	if n := said["MD_DEVICES"]; n != "" {
		m.Devices, errs[0] = strconv.Atoi(n)
	}
	if n := said["MD_EVENTS"]; n != "" {
		m.Events, errs[1] = strconv.ParseUint(n, 10, 64)
	}
	return m, errors.Join(errs[:]...)
}

// exported are mdadm's KEY=VALUE lines. Of a key that comes again the first
// counts: a container is followed by what is inside.
func exported(text string) map[string]string {
	said := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		if _, again := said[key]; ok && !again && strings.HasPrefix(key, "MD_") {
			said[key] = value
		}
	}
	return said
}

// withoutHost takes the host's name off an array's: "web7:data" is "data" of a
// machine that was called web7.
func withoutHost(name string) string {
	if _, own, ok := strings.Cut(name, ":"); ok {
		return own
	}
	return name
}
