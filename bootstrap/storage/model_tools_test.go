package storage

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// writes are the tools that write where something may lie; the others start or
// stop what is there.
var writes = []string{"--create", "--zero-superblock", "pvcreate", "vgcreate", "vgextend", "lvcreate", "mkfs.xfs", "mkfs.ext4", "mkswap", "wipefs"}

// toolFail is how a tool ends that does not like what it is told.
var toolFail = host.TaskState{State: "failed", Result: "exit-code", Code: 1}

func (m *model) launch(t host.Task) host.TaskState {
	argv := append([]string{path.Base(t.Argv[0])}, t.Argv[1:]...)
	verb := argv[0]
	if verb == "mdadm" {
		verb = argv[1]
	}
	if m.looking {
		m.fault("a look ran %q", argv)
	}
	if !slices.Contains(writes, verb) && !slices.Contains(grows, verb) {
		return m.world.launch(t)
	}
	m.ran = append(m.ran, strings.Join(argv, " "))
	m.wrote, m.all = append(m.wrote, verb), append(m.all, verb)
	m.judge(t.Unit, verb, argv)
	m.gone(targets(argv))
	how := ""
	if len(m.all) == m.breaks {
		how, m.broke = m.how, true
	}
	if how == "fails" || m.do(t.Unit, verb, argv, how) {
		return toolFail
	}
	if how != "" {
		panic(cutShort{})
	}
	return host.TaskState{State: "active"}
}

// gone is what was noted of disks that are the instance's own: what is made anew on
// one has nothing upon it any more.
func (m *model) gone(kernels []string) {
	for id := range m.storage.Scratch {
		if slices.Contains(kernels, m.disks[id]) {
			m.notes[id] = nil
		}
	}
}

// targets are the devices that a tool is told to write to.
func targets(argv []string) (kernels []string) {
	for i, a := range argv {
		if strings.HasPrefix(a, "/dev/") && !strings.HasPrefix(a, "/dev/md/") && argv[i-1] != "--devices" {
			kernels = append(kernels, path.Base(a))
		}
	}
	return kernels
}

// judge holds a tool to the truth, right before it writes.
func (m *model) judge(unit, verb string, argv []string) {
	r := m.resource(unit)
	if g, ok := r.(Growth); ok {
		m.judgeGrowth(g, argv)
		return
	}
	forced := slices.ContainsFunc(argv, func(a string) bool {
		return slices.Contains([]string{"--force", "-f", "-ff", "-F", "--yes", "-y", "--zero-superblock"}, a)
	})
	switch {
	case r == nil:
		m.fault("nobody's %q", argv)
		return
	case forced:
		m.fault("by force: %q", argv)
	case m.most < plan.Destroys:
		m.fault("in a pass that may do no more than %s: %q", m.most, argv)
	}
	if why := m.forbids(r); why != "" {
		m.fault("%q: %s", argv, why)
	}
	_, _, on := createOf(r)
	for _, k := range targets(argv) {
		at := slices.IndexFunc(on, func(d Device) bool { return m.kernelOf(d) == k })
		switch {
		case at < 0:
			m.fault("%q on %s, which is none of its devices", argv, k)
		case verb == "wipefs" && (m.at(k).owner != begun || !m.at(k).cut):
			m.fault("%q of %+v", argv, *m.at(k))
		case verb == "pvcreate" && m.pvs[k] != nil:
			m.fault("%q, which is a physical volume", argv)
		}
	}
}

// resource is the one whose tools run in this unit.
func (m *model) resource(unit string) plan.Resource {
	for _, r := range slices.Concat(m.chains...) {
		if toolUnit(r.ID()) == unit {
			return r
		}
		if l, ok := r.(Layer); ok && toolUnit(Growth{l}.ID()) == unit {
			return Growth{l}
		}
	}
	return nil
}

// do is what a tool does, or a part of that; true where it does not like to.
func (m *model) do(unit, verb string, argv []string, how string) (fails bool) {
	if slices.Contains(grows, verb) {
		return m.growth(verb, argv, how)
	}
	on := targets(argv)
	if how == "nothing" {
		return false
	}
	set := func(kernels []string, o owner) {
		for _, k := range kernels {
			a := m.at(k)
			a.owner, a.step = o, m.resource(unit).ID()
		}
	}
	switch verb {
	case "--create":
		if how == "half" {
			m.tear = 1 + len(on)/3
			m.mdCreate(argv)
			set(on[:m.tear], begun)
			m.tear = 0
			return false
		}
		fails = !m.mdCreate(argv)
		if !fails {
			set(on, taken)
			m.areas["array"] = &area{}
		}
	case "pvcreate":
		set(on, begun)
		if how == "half" {
			m.at(on[0]).head = true
			return false
		}
		fails = !m.pvCreate(argv)
	case "vgcreate", "vgextend":
		if verb == "vgcreate" {
			m.free = area{}
		}
		if how == "half" && len(on) > 1 {
			m.pvs[on[0]].group = "db"
			return false
		}
		if fails = !m.join(argv, slices.Index(argv, "db")); !fails {
			set(on, taken)
			m.ours = true
		}
	case "lvcreate":
		if how != "half" {
			lies := m.free
			m.areas["lv"] = &lies
			fails = !m.lvCreate(argv)
		}
	case "wipefs":
		if how != "half" {
			*m.at(on[0]) = area{owner: begun, step: m.at(on[0]).step, head: true}
		}
	default:
		return m.mkfs(verb, argv, on[0], how)
	}
	return fails
}

func (m *model) mkfs(verb string, argv []string, kernel, how string) (fails bool) {
	a := m.at(kernel)
	if verb == "mkfs.xfs" && a.fs != "" {
		return true
	}
	uuid := strings.TrimPrefix(argv[slices.IndexFunc(argv, func(a string) bool { return a == "-m" || a == "-U" })+1], "uuid=")
	kind := strings.TrimPrefix(strings.TrimPrefix(verb, "mkfs."), "mk")
	*a = area{owner: taken, step: a.step, fs: kind, uuid: uuid}
	if how == "half" {
		*a = area{owner: begun, step: "filesystem:" + m.below(kernel), head: true}
		if !m.torn && kind != "swap" { // mkswap writes its signature last
			a.fs, a.uuid, a.cut = kind, uuid, true
		}
	}
	return false
}

// below is the ID of the device of this kernel name.
func (m *model) below(kernel string) string {
	for _, r := range slices.Concat(m.chains...) {
		if f, ok := r.(FileSystem); ok && m.kernelOf(f.On) == kernel {
			return f.On.ID()
		}
	}
	return ""
}

// answer is what the tools say that only look.
func (m *model) answer(argv []string) (host.Output, error, bool) {
	if out, err, ok := severally(argv, m.answer); ok {
		return out, err, true
	}
	say := func(format string, a ...any) (host.Output, error, bool) {
		return host.Output{Stdout: []byte(fmt.Sprintf(format, a...))}, nil, true
	}
	node := argv[len(argv)-1]
	var a area
	if strings.HasPrefix(node, "/dev/") {
		a = *m.at(path.Base(node))
	}
	switch argv[0] {
	case "blkid":
		if a.fs == "gpt" {
			return say("DEVNAME=%s\nPTTYPE=gpt\n", node)
		}
		if a.fs != "" {
			return say("DEVNAME=%s\nUUID=%s\nTYPE=%s\n", node, a.uuid, a.fs)
		}
	case "wipefs":
		if a.deep {
			return say(`{"signatures": [{"offset": "0x3f000", "type": "zfs_member"}]}`)
		}
	case "xfs_db":
		return say("inprogress = %d\n", map[bool]int{true: 1}[a.cut])
	case "dumpe2fs":
		return say("Filesystem state:         %sclean\nLast mount time:          n/a\nMount count:              0\n", map[bool]string{true: "not "}[a.cut])
	case "/proc/self/exe":
		if argv[2] == "blank" && (a.head || a.middle && !slices.Contains(argv, "--witnessed")) {
			return say(`{"found": "data at byte 8192", "size": %d, "read": 1}`, worldDisk)
		}
	}
	return m.world.answer(argv)
}
