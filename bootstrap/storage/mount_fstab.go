package storage

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
)

// Fstab is what the boot itself mounts. It is read and never written.
const Fstab = "/etc/fstab"

// FstabLine is a line of it.
type FstabLine struct {
	Number  int    // of the line, from 1
	Text    string // as it stands there, blanks apart
	Source  string // "/dev/sdf", "UUID=…"
	Path    string // "" of swap
	Type    string
	Options []string
}

// FstabLines are the lines of fstab that mount something; none where there is no
// such file.
func FstabLines(h *host.Host) ([]FstabLine, error) {
	text, err := h.ReadFile(Fstab)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseFstab(string(text)), nil
}

func parseFstab(text string) []FstabLine {
	var lines []FstabLine
	number := 0
	for line := range strings.Lines(text) {
		number++
		f := strings.Fields(line)
		if len(f) < 3 || strings.HasPrefix(f[0], "#") {
			continue
		}
		l := FstabLine{Number: number, Text: strings.Join(f, " "), Source: block.Unescape(f[0]), Type: f[2]}
		if at := block.Unescape(f[1]); path.IsAbs(at) {
			l.Path = path.Clean(at)
		}
		if len(f) > 3 {
			l.Options = strings.Split(f[3], ",")
		}
		lines = append(lines, l)
	}
	return lines
}

// imageOwn says that a machine has the path from its image, on the disk that it
// boots from: without it the machine would not be there to wait for anything.
func imageOwn(at string) bool {
	return at == "/" || at == "/usr" || at == "/efi" || block.Within(at, "/boot")
}

// Holds says that a boot waits for what the line names, a device or a server's
// folder. Where a device does not come, it ends in the emergency shell.
func (l FstabLine) Holds() bool {
	return l.Path != "" && l.outside() && !imageOwn(l.Path) && !slices.Contains(l.Options, "nofail") && !slices.Contains(l.Options, "noauto")
}

// outside tells a device by any of its names, and a server's folder, from what
// the kernel makes up.
func (l FstabLine) outside() bool {
	server, folder, _ := strings.Cut(l.Source, ":")
	return strings.HasPrefix(l.Source, "/dev/") || strings.HasPrefix(l.Source, "//") ||
		slices.ContainsFunc(fstabTags[:], func(t [2]string) bool { return strings.HasPrefix(l.Source, t[0]) }) ||
		server != "" && !strings.Contains(server, "/") && strings.HasPrefix(folder, "/")
}

// fstabTags are how a line names a device otherwise, and where udev has links of
// that name.
var fstabTags = [...][2]string{
	{"UUID=", "/dev/disk/by-uuid"}, {"LABEL=", "/dev/disk/by-label"},
	{"PARTUUID=", "/dev/disk/by-partuuid"}, {"PARTLABEL=", "/dev/disk/by-partlabel"}, {"ID=", "/dev/disk/by-id"},
}

// node is the device node that the line means now.
func (l FstabLine) node(h *host.Host) string {
	for _, t := range fstabTags {
		if name, ok := strings.CutPrefix(l.Source, t[0]); ok {
			return kernelNode(h, path.Join(t[1], path.Base(strings.Trim(name, `"`))))
		}
	}
	return kernelNode(h, l.Source)
}
