package roles

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/block"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/storage"
)

const volumeC = "vol-0000000c"

// laidOut gives the machine volumes a, b, … of those layout tags, "array=data
// level=1": a word begins with its key, ~ stands for a blank and ¶ for a new line.
func laidOut(tags ...string) func(*facts.Facts) {
	return func(f *facts.Facts) {
		volumes := map[string]facts.EBSVolume{rootVolume: {Device: "xvda", Tags: map[string]string{}}}
		f.Disks = []block.Disk{{Kernel: "nvme0n1", Kind: block.EBS, Volume: rootVolume, Name: "xvda", Root: true}}
		for i, words := range tags {
			id := fmt.Sprintf("vol-%08x", 10+i)
			said := map[string]string{}
			for _, w := range strings.Fields(words) {
				key, value, _ := strings.Cut(w, "=")
				said[tagPrefix+key] = strings.NewReplacer("~", " ", "¶", "\n").Replace(value)
			}
			volumes[id] = facts.EBSVolume{Tags: said, Attachments: 1}
			f.Disks = append(f.Disks, block.Disk{Kernel: fmt.Sprintf("nvme%dn1", i+1), Kind: block.EBS, Volume: id})
		}
		f.Volumes = facts.Known(volumes)
	}
}

var fromTags = local("storage: {from_tags: true}")

func withheldSteps(t *testing.T, f facts.Facts, sources ...Source) map[string]plan.Step {
	t.Helper()
	out := map[string]plan.Step{}
	for _, s := range planOf(t, f, sources...) {
		if strings.HasPrefix(s.ID(), "layout:") {
			out[s.ID()] = s
		}
	}
	return out
}

// A mirror without anything wrong, to be spoilt.
const mirror = "array=data level=1 count=2 mount=/data type=xfs create=if-blank"

// What contradicts itself is held back as a whole, by one step that names the
// volumes and what to do; nothing else of the plan lies on them.
func TestLayoutsThatAreHeldBack(t *testing.T) {
	a, b, both := "layout:"+volumeA, "layout:"+volumeB, volumeA+", "+volumeB
	for name, c := range map[string]struct {
		tags []string
		step string
		say  string
	}{
		"two levels":              {[]string{mirror, "array=data level=10"}, a, `reveille:level is "1" on ` + volumeA + ` and "10" on ` + volumeB + ": give them one value"},
		"two mounts":              {[]string{mirror, "array=data mount=/other"}, a, `reveille:mount is "/data" on ` + volumeA},
		"two words on consent":    {[]string{mirror, "array=data create=never"}, a, `reveille:create is "if-blank" on ` + volumeA + ` and "never" on ` + volumeB},
		"two counts":              {[]string{mirror, "array=data count=3"}, a, `reveille:count is "2" on`},
		"no count":                {[]string{"array=data level=1", "array=data"}, a, "reveille:count is missing on " + both},
		"no level":                {[]string{"array=data count=2", "array=data"}, a, "reveille:level is missing on " + both},
		"a mount without a type":  {[]string{"mount=/data"}, a, "reveille:type is missing on " + volumeA},
		"a group without a size":  {[]string{"lvm=g/v count=1"}, a, "reveille:size is missing on " + volumeA},
		"a level of nothing":      {[]string{"mount=/data type=xfs level=1"}, a, "reveille:level of " + volumeA + " says nothing without reveille:array"},
		"one place for two":       {[]string{"mount=/data type=xfs", "mount=/data type=xfs"}, a, both + " all have the tag reveille:mount=/data"},
		"one place, two layouts":  {[]string{"lvm=g/v size=50% count=1 mount=/data type=xfs", "mount=/data/ type=xfs"}, b, `"mount /data" is asked for by the tags of ` + volumeA + " and of " + volumeB},
		"and of both":             {[]string{"lvm=g/v size=50% count=1 mount=/data type=xfs", "mount=/data/ type=xfs"}, a, `"mount /data" is asked for by the tags of ` + volumeA + " and of " + volumeB},
		"one group, two layouts":  {[]string{"lvm=g/v size=50% count=1", "array=x level=1 count=2 lvm=g/w size=10%"}, b, `"lvm/g" is asked for by the tags of`},
		"a name that is none":     {[]string{"array=../x level=1 count=1"}, a, "reveille:array of " + volumeA},
		"a level that is none":    {[]string{"array=data level=7 count=2"}, a, "storage.raid.data.level"},
		"an empty value":          {[]string{"mount=/data type=xfs options="}, a, "storage.mounts.options is empty: take the tag off"},
		"too few for a level":     {[]string{"array=data level=6 count=2"}, a, "takes 4 volumes or more"},
		"alone, of two":           {[]string{"mount=/data type=xfs count=2"}, a, `reveille:count of ` + volumeA + ` is "2"`},
		"a group's name alone":    {[]string{"lvm=g size=50% count=1"}, a, "GROUP/VOLUME is wanted"},
		"swap that is not":        {[]string{"swap=yes"}, a, `reveille:swap of ` + volumeA + ` is "yes": true is wanted`},
		"where programs lie":      {[]string{"mount=/usr/lib/x type=xfs"}, a, "tags mount nothing on"},
		"where jobs lie":          {[]string{"mount=/var/spool/cron type=xfs"}, a, "tags mount nothing on"},
		"where keys lie":          {[]string{"mount=/home/admin type=xfs"}, a, "tags mount nothing on"},
		"the system's own":        {[]string{"mount=/etc/x type=xfs"}, a, "is the system's own"},
		"out of its folder":       {[]string{"mount=/data/../etc type=xfs"}, a, "storage.mounts.path"},
		"a unit's line":           {[]string{"mount=/data¶ExecStart=/x type=xfs"}, a, "storage.mounts.path"},
		"an option that raises":   {[]string{"mount=/data type=xfs options=noatime,suid"}, a, `tags do not set the mount option "suid"`},
		"an option of a device":   {[]string{"mount=/data type=xfs options=logdev=/dev/sda"}, a, "tags do not set the mount option"},
		"mkfs that forces":        {[]string{"mount=/data type=xfs mkfs=-f"}, a, "storage.mounts.mkfs"},
		"mkfs that forces, ext4":  {[]string{"mount=/data type=ext4 mkfs=-S"}, a, "-S is not taken for ext4"},
		"names to fill in":        {[]string{"mount=/${hostname} type=xfs"}, a, "storage.mounts.path"},
		"more attached than said": {[]string{"mount=/a type=xfs total=1", "mount=/b type=xfs"}, "layout:all", "by reveille:total 1 volumes are laid out by tags, and 2 are attached: " + both},
		"fewer attached":          {[]string{"mount=/a type=xfs total=2"}, "layout:all", "by reveille:total 2 volumes are laid out by tags, and 1 are attached: " + volumeA},
		"two totals":              {[]string{"mount=/a type=xfs total=2", "mount=/b type=xfs total=3"}, "layout:all", `reveille:total is "2" on ` + volumeA + ` and "3" on ` + volumeB},
		"a total that is none":    {[]string{"mount=/a type=xfs total=all"}, "layout:all", `"all"`},
		"none at all":             {nil, "layout:all", "no volume that is attached has a tag reveille:array, lvm, mount or swap"},
	} {
		t.Run(name, func(t *testing.T) {
			f := machine(laidOut(c.tags...))
			steps := withheldSteps(t, f, fromTags)
			step, ok := steps[c.step]
			if !ok {
				t.Fatalf("not held back; withheld are %v", slices.Collect(maps.Keys(steps)))
			}
			contains(t, step.Resource.(interface{ Describe() string }).Describe(), c.say)
			if !step.Required {
				t.Error("and the machine would count as ready")
			}
			if c.step == "layout:all" {
				return
			}
			for _, s := range planOf(t, f, fromTags) {
				if v, ok := s.Resource.(interface{ Volumes() []string }); ok && slices.Contains(v.Volumes(), strings.TrimPrefix(c.step, "layout:")) {
					t.Errorf("%s is done on it", s.ID())
				}
			}
		})
	}
}

// EC2 that says nothing is not EC2 that says there is nothing.
func TestLayoutsThatNobodyTells(t *testing.T) {
	contains(t, withheldSteps(t, machine(laidOut(mirror), noAPI), fromTags)["layout:all"].Resource.(interface{ Describe() string }).Describe(),
		"the tags of the volumes are unknown (forbidden): the instance's role needs the permission ec2:DescribeVolumes")
}

// Tags of volumes ask for nothing where the profile does not say that they may.
func TestLayoutsAreNotReadUnasked(t *testing.T) {
	f := machine(laidOut(mirror, mirror))
	if p := mustResolve(t, f, local("")); p.Storage != nil || len(p.Notes) > 0 {
		t.Errorf("%+v, %q", p.Storage, p.Notes)
	}
	p := mustResolve(t, f, local("storage: {wait: 1m}"))
	if s := p.Storage; len(s.Volumes)+len(s.Arrays)+len(s.Mounts)+len(s.Held) > 0 {
		t.Errorf("%+v", s)
	}
	contains(t, strings.Join(p.Notes, "\n"), "the layout tags of "+volumeA+" and 1 more are passed over: storage.from_tags is not set")
}

// A volume is created on where it says itself that it may be, and where all that
// was said to be ours has been understood.
func TestEveryVolumeConsentsForItself(t *testing.T) {
	for name, c := range map[string]struct {
		second string
		want   storage.Consent
		note   string
	}{
		"both":                   {"array=data create=if-blank", storage.CreateIfBlank, ""},
		"one":                    {"array=data", storage.CreateNever, "nothing is created by the tags of " + volumeA + " and 1 more: reveille:create is missing on " + volumeB},
		"both, with a slip":      {"array=data create=if-blank chnuk=64KiB", storage.CreateNever, "a tag reveille:… of " + volumeB + " is no key of a layout"},
		"what the slip is about": {"array=data create=if-blank chnuk=64KiB", storage.CreateNever, "did you mean chunk?"},
	} {
		t.Run(name, func(t *testing.T) {
			f := machine(laidOut(mirror, c.second))
			p := mustResolve(t, f, fromTags)
			if notes := strings.Join(p.Notes, "\n"); c.note == "" && notes != "" {
				t.Errorf("notes %q", notes)
			} else {
				contains(t, notes, c.note)
			}
			steps := planOf(t, f, fromTags)
			array := stepOf(t, steps, "raid:data").Resource.(storage.MDArray)
			mount := stepOf(t, steps, "mount:/data").Resource.(storage.Mount)
			if array.Create != c.want || mount.From.Create != c.want {
				t.Errorf("array %s, file system %s, want %s", array.Create, mount.From.Create, c.want)
			}
		})
	}
}

// A missing member is not left out of the count, nor is one too many let in.
func TestLayoutsKeepTheirCount(t *testing.T) {
	four := strings.Replace(mirror, "level=1 count=2", "level=10 count=4", 1)
	array := stepOf(t, planOf(t, machine(laidOut(four, four, four)), fromTags), "raid:data").Resource.(storage.MDArray)
	if array.Count != 4 || len(array.Over) != 3 {
		t.Errorf("%d of %d", len(array.Over), array.Count)
	}
	steps := planOf(t, machine(laidOut(mirror, mirror, mirror)), fromTags)
	contains(t, stepOf(t, steps, "volumes:data").Resource.(interface{ Describe() string }).Describe(), "3 volumes have tags reveille:array=data, and 2 are wanted")
	if create := stepOf(t, steps, "raid:data").Resource.(storage.MDArray).Create; create != storage.CreateNever {
		t.Errorf("create %s", create)
	}
}

// Where the profile has a place, a name or a volume, it keeps it, and what it is
// for does not wait for what tags say beside.
func TestTheProfileCountsMoreThanTags(t *testing.T) {
	profile := func(more string) Source {
		return local("storage:\n  from_tags: true\n  volumes: {own: {ids: [" + volumeC + "]}}\n  mounts: [{path: /own/data, from: own, type: xfs}]\n" + more)
	}
	for name, c := range map[string]struct{ tags, say string }{
		"its place":       {"mount=/own/data type=ext4", `"mount /own/data" is the profile's, which counts`},
		"above its place": {"mount=/own type=ext4", `"mount /own" is the profile's, which counts`},
		"its name":        {"array=own level=1 count=2", `"volumes/own" is the profile's, which counts`},
	} {
		t.Run(name, func(t *testing.T) {
			step := withheldSteps(t, machine(laidOut(c.tags)), profile(""))["layout:"+volumeA]
			contains(t, step.Resource.(interface{ Describe() string }).Describe(), c.say)
			if step.Required {
				t.Error("and what the profile asks for would wait for it")
			}
		})
	}
	f := machine(laidOut("mount=/below type=xfs", "", "mount=/elsewhere type=xfs create=if-blank"))
	p := mustResolve(t, f, profile(""))
	contains(t, strings.Join(p.Notes, "\n"), "the tags of "+volumeC+" are passed over: volumes/own of the profile has them")
	if len(p.Storage.Mounts) != 2 || p.Storage.Mounts[0].Path != "/own/data" || p.Storage.Mounts[1].Path != "/below" {
		t.Errorf("mounts %+v", p.Storage.Mounts)
	}
}

// Who asked for a value, and by which tag, is told of each.
func TestLayoutsHaveTheirSource(t *testing.T) {
	p := mustResolve(t, machine(laidOut(mirror+" options=noatime", "array=data create=if-blank")), fromTags)
	for key, want := range map[string][]string{
		"storage.raid.data.level":    {"= 1\n", "set by     tags of " + volumeA + "\n", "written    reveille:level=1\n"},
		"storage.raid.data.create":   {"= if-blank\n", "set by     tags of " + volumeA + " and 1 more\n", "written    reveille:create=if-blank\n"},
		"storage.volumes.data.count": {"= 2\n", "written    reveille:count=2\n"},
		"storage.mounts":             {"from: raid/data", "options: [noatime, nosuid, nodev]", "written    reveille:mount=/data reveille:type=xfs reveille:options=noatime reveille:create=if-blank\n"},
		"storage.from_tags":          {"= true\n", "set by     local file local.yaml:1"},
	} {
		text, err := p.Explain(key)
		if err != nil {
			t.Fatal(err)
		}
		contains(t, text, want...)
	}
	if n := len(p.LaidOut()); n != 6 {
		t.Errorf("%d settings by tags: %+v", n, p.LaidOut())
	}
}

// Services wait for what is held back, and no start by hand gets past it.
func TestServicesWaitForLayouts(t *testing.T) {
	source := local("storage: {from_tags: true}\nservices: [db.service]")
	for name, c := range map[string]struct {
		tags []string
		need string
		line string
	}{
		"not there":    {nil, "layout:all", "AssertPathExists=" + allKnown},
		"one is not":   {[]string{"mount=/a type=xfs total=2"}, "layout:all", "AssertPathExists=" + allKnown},
		"held back":    {[]string{mirror, "array=data level=0"}, "layout:" + volumeA, "AssertPathIsMountPoint=/data"},
		"without fail": {[]string{mirror, "array=data"}, "mount:/data", "AssertPathIsMountPoint=/data"},
	} {
		t.Run(name, func(t *testing.T) {
			steps := planOf(t, machine(laidOut(c.tags...)), source)
			if needs := stepOf(t, steps, "service:db.service").Needs; !slices.Contains(needs, c.need) {
				t.Errorf("needs %v", needs)
			}
			guard := stepOf(t, steps, "file:/etc/systemd/system/db.service.d/50-reveille.conf")
			contains(t, guard.Resource.(interface{ Describe() string }).Describe(), c.line)
		})
	}
}

// The running system's disk says nothing, whatever is on it, and is one of nobody's.
func TestTheRootHasNoLayout(t *testing.T) {
	f := machine(laidOut(mirror, mirror), func(f *facts.Facts) {
		f.Volumes.Or(nil)[rootVolume].Tags[tagPrefix+"array"] = "data"
		f.Volumes.Or(nil)[rootVolume].Tags[tagPrefix+"level"] = "0"
	})
	p := mustResolve(t, f, fromTags)
	if len(p.Storage.Held) > 0 || len(p.Storage.Arrays) != 1 {
		t.Errorf("%+v", p.Storage)
	}
	contains(t, strings.Join(p.Notes, "\n"), "the layout tags of "+rootVolume+" are passed over: the running system lies on it")
}

func TestLayoutTagsAreDocumented(t *testing.T) {
	doc := string(read(t, "../docs/storage.md"))
	for _, key := range layoutTags() {
		contains(t, doc, "`"+tagPrefix+key+"`")
	}
}
