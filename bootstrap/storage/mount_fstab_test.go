package storage

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Lines for our paths and devices are told, and those that hold up a boot.
func TestFstab(t *testing.T) {
	d := withMounts(t, "xfs")
	for path, text := range map[string]string{"/etc/fstab": string(readTest(t, "fstab")), "/dev/disk/by-uuid/bb": "-> ../../nvme1n1"} {
		d.Put(path, text, 0o644)
	}
	lines, err := FstabLines(d.Host())
	if err != nil {
		t.Fatal(err)
	}
	var holds []string
	for _, l := range lines {
		if l.Holds() {
			holds = append(holds, strconv.Itoa(l.Number)+" "+l.Source+" "+l.Path)
		}
	}
	if want := []string{"7 /dev/sdf /srv/my data", "8 UUID=bb /mnt", "9 nas:/x /nas"}; len(lines) != 9 || !slices.Equal(holds, want) {
		t.Errorf("%d lines; a boot waits for %q, want %q", len(lines), holds, want)
	}

	m := mountOf(onVolume, "xfs")
	if notes := m.Notes(d.Host()); len(notes) != 1 || !strings.HasPrefix(notes[0], "/etc/fstab, line 7, mounts what this profile mounts on /srv/my data (/dev/sdf ") {
		t.Errorf("%q", notes)
	}
	d.mounted(m.Path, "/dev/nvme1n1", "xfs", "rw")
	if notes := m.Notes(d.Host()); len(notes) != 2 || !strings.Contains(notes[1], "line 8") {
		t.Errorf("%q", notes)
	}
}

// Whatever stands there, a line is one that is there, with an absolute path.
func FuzzFstab(f *testing.F) {
	f.Add(string(readTest(f, "fstab")))
	f.Fuzz(func(t *testing.T, text string) {
		whole := slices.Collect(strings.Lines(text))
		for _, l := range parseFstab(text) {
			if l.Path != "" && !path.IsAbs(l.Path) || l.Number < 1 || l.Number > len(whole) || strings.Join(strings.Fields(whole[l.Number-1]), " ") != l.Text {
				t.Errorf("%+v", l)
			}
			l.Holds()
		}
	})
}
