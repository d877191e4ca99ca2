package roles

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/storage"
)

// harmless holds what comes of any tags to what whoever may tag is trusted with:
// the pass goes on, the root's disk is left out, nothing is created but by the
// word of every volume that it lies on, and nothing that is mounted raises
// anybody, or hides what is not the volumes' own.
func harmless(t interface {
	Helper()
	Fatalf(string, ...any)
}, f facts.Facts) {
	t.Helper()
	p, err := Resolve(f, []Source{fromTags})
	if err != nil {
		t.Fatalf("tags of volumes refuse the pass: %v", err)
	}
	steps, err := Plan(f, p)
	if err != nil {
		t.Fatalf("no plan: %v", err)
	}
	if err := steps.Validate(); err != nil {
		t.Fatalf("a plan that is none: %v", err)
	}
	says := func(id, key string) string { return f.Volumes.Or(nil)[id].Tags[tagPrefix+key] }
	for _, step := range steps {
		d, ok := step.Resource.(interface{ Volumes() []string })
		if !ok {
			continue
		}
		create, degraded := storage.CreateNever, ""
		switch r := step.Resource.(type) {
		case storage.MDArray:
			create, degraded = r.Create, r.Degraded
			for _, id := range r.Over {
				if says(id, "level") != "" && says(id, "level") != strconv.Itoa(r.Level) || says(id, "count") != "" && says(id, "count") != strconv.Itoa(r.Count) {
					t.Fatalf("%s is of level %d, %d members, against %v", step.ID(), r.Level, r.Count, f.Volumes.Or(nil)[id].Tags)
				}
			}
		case storage.VolumeGroup:
			create, degraded = r.Create, r.Degraded
		case storage.LogicalVolume:
			create = r.Create
		case storage.FileSystem:
			create = r.Create
		}
		on := d.Volumes()
		if slices.Contains(on, rootVolume) {
			t.Fatalf("%s lies on the running system's disk", step.ID())
		}
		if create == storage.CreateIfBlank && slices.ContainsFunc(on, func(id string) bool { return says(id, "create") != "if-blank" }) {
			t.Fatalf("%s is created without the word of one of %v", step.ID(), on)
		}
		if degraded == "start" && !slices.ContainsFunc(on, func(id string) bool { return says(id, "degraded") == "start" }) {
			t.Fatalf("%s is started without a part of it, by nobody's word", step.ID())
		}
	}
	for _, m := range p.Storage.Mounts {
		if mountPath().check(m.Path) != nil || !taggablePath(m.Path) || !slices.Contains(m.Options, "nosuid") || !slices.Contains(m.Options, "nodev") || slices.ContainsFunc(m.Options, privileged) {
			t.Fatalf("it would be mounted: %+v", m)
		}
	}
}

// drawTags are of volumes that mean it, mostly, and slip, or mean ill.
func drawTags(t *rapid.T) func(*facts.Facts) {
	pick := func(name string, from ...string) string { return rapid.SampledFrom(from).Draw(t, name) }
	values := map[string][]string{
		"array": {"data", "data", "log", "../x", ""}, "level": {"1", "10", "0", "6", "-1"}, "chunk": {"64KiB", "1"}, "bitmap": {"internal", "none"},
		"lvm": {"g/v", "g/v", "g/w", "data/v", "g", "/", "g/v/w"}, "size": {"80%", "1GiB", "101%"}, "stripes": {"2", "99"}, "degraded": {"start", "refuse", "read-only"},
		"mount": {"/data", "/data", "/data/log", "/srv/x", "/usr/bin", "/etc/x", "/home/admin", "/", "/data\nExecStart=/x", "${hostname}"}, "type": {"xfs", "xfs", "ext4", "vfat"},
		"options": {"noatime", "suid", "dev", "noatime,suid", "bind", "x-systemd.automount", "context=x"}, "mkfs": {"-m reflink=0", "-f", "/dev/sda"},
		"owner": {"admin", "0", "a b"}, "group": {"adm"}, "mode": {"0750", "4755", "x"}, "swap": {"true", "yes"}, "label": {"l", "${x}"},
		"count": {"2", "2", "1", "3", "0", "1e3"}, "create": {"if-blank", "if-blank", "never", "always"}, "total": {"2", "3", "x"}, "instance": {"i-0123456789abcdef0"}, "lable": {"x"},
	}
	var volumes []string
	for i := range rapid.IntRange(0, 4).Draw(t, "volumes") {
		words := pick(fmt.Sprint(i), "", mirror, mirror, "array=data level=10 count=2 create=if-blank degraded=start", "mount=/srv/x type=ext4 create=if-blank", "lvm=g/v size=50% count=2 create=if-blank mount=/data type=xfs", "swap=true")
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			key := rapid.SampledFrom(slices.Sorted(maps.Keys(values))).Draw(t, "key")
			words += " " + key + "=" + strings.NewReplacer(" ", "~", "\n", "¶").Replace(pick("value", values[key]...))
		}
		volumes = append(volumes, words)
	}
	rootToo := rapid.Bool().Draw(t, "root")
	return func(f *facts.Facts) {
		laidOut(volumes...)(f)
		if rootToo {
			f.Volumes.Or(nil)[rootVolume] = facts.EBSVolume{Device: "xvda", Tags: map[string]string{tagPrefix + "array": "data", tagPrefix + "create": "if-blank"}}
		}
	}
}

func TestNoTagsOfVolumesDoHarm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { harmless(t, machine(drawTags(t))) })
}

// Lines are tags, and an empty one begins the next volume.
func FuzzVolumeTags(f *testing.F) {
	for _, s := range []string{"array=data\nlevel=1\ncount=2\ncreate=if-blank\nmount=/data\ntype=xfs\n\narray=data", "lvm=g/v\ncount=1\nsize=80%", "swap=true\n\nmount=/a\ntype=ext4\noptions=suid,dev\nmkfs=-f x=/y", "mount=/usr/bin\ntype=xfs", "total=2\narray=\n\n\nlevel="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		harmless(t, machine(func(f *facts.Facts) {
			laidOut(make([]string, strings.Count(text, "\n\n")+1)...)(f)
			for i, of := range strings.Split(text, "\n\n") {
				tags := f.Volumes.Or(nil)[fmt.Sprintf("vol-%08x", 10+i)].Tags
				for _, line := range strings.Split(of, "\n") {
					key, value, _ := strings.Cut(line, "=")
					tags[tagPrefix+key] = value
				}
			}
		}))
	})
}
