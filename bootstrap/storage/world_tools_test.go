package storage

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
)

// option is the value of --name=value, or of --name value.
func option(argv []string, name string) string {
	for i, a := range argv {
		if v, ok := strings.CutPrefix(a, name+"="); ok {
			return v
		}
		if a == name && i+1 < len(argv) {
			return argv[i+1]
		}
	}
	return ""
}

// launch is what a tool does that changes anything.
func (w *world) launch(t host.Task) host.TaskState {
	argv := append([]string{path.Base(t.Argv[0])}, t.Argv[1:]...)
	w.ran = append(w.ran, strings.Join(argv, " "))
	failed := host.TaskState{State: "failed", Result: "exit-code", Code: 1}
	verb := argv[0]
	if verb == "mdadm" {
		verb = argv[1]
	}
	if w.cut == verb || w.bad == verb {
		return failed
	}
	does := map[string]func([]string) bool{"--create": w.mdCreate, "--assemble": w.mdAssemble, "--stop": w.mdStop, "--readonly": w.mdState, "--readwrite": w.mdState,
		"--grow": w.mdGrow, "pvresize": w.pvResize, "lvextend": w.lvExtend, "pvcreate": w.pvCreate, "vgcreate": w.vgCreate, "vgextend": w.vgExtend, "lvcreate": w.lvCreate, "lvchange": w.lvChange}[verb]
	if does == nil || slices.ContainsFunc(argv, func(a string) bool { return a == "--force" || a == "-f" || a == "-ff" || a == "--yes" || a == "-y" }) {
		w.t.Errorf("no such tool, or one that is forced: %q", argv)
		return failed
	}
	if !does(argv) {
		return failed
	}
	return host.TaskState{State: "active"}
}

func devices(argv []string) (kernels []string) {
	for _, a := range argv {
		if strings.HasPrefix(a, "/dev/nvme") {
			kernels = append(kernels, path.Base(a))
		}
	}
	return kernels
}

func (w *world) mdCreate(argv []string) bool {
	members := devices(argv)
	for _, a := range w.arrays {
		if slices.ContainsFunc(members, func(m string) bool { return slices.Contains(a.members, m) }) {
			return false // busy
		}
	}
	for i, k := range members {
		if w.tear > 0 && i == w.tear {
			return false
		}
		w.super[k] = block.Member{UUID: option(argv, "--uuid"), Name: option(argv, "--name"), Level: "raid" + option(argv, "--level"),
			Devices: len(members), Device: mdUUID(newUUID())}
		delete(w.dirty, k)
	}
	w.uses[option(argv, "--uuid")] = w.smallest(members)
	w.assembled("md127", "clean", members...)
	return true
}

func (w *world) mdAssemble(argv []string) bool {
	members := devices(argv)
	for _, k := range members {
		if !sameUUID(w.super[k].UUID, option(argv, "--uuid")) || slices.ContainsFunc(values(w.arrays), func(a *worldArray) bool { return slices.Contains(a.members, k) }) {
			return false
		}
	}
	if len(members) < w.super[members[0]].Devices && !slices.Contains(argv, "--run") {
		return false
	}
	state := "read-auto"
	if slices.Contains(argv, "--readonly") {
		state = "readonly"
	}
	w.assembled("md127", state, members...)
	return true
}

func values(m map[string]*worldArray) (all []*worldArray) {
	for _, a := range m {
		all = append(all, a)
	}
	return all
}

func (w *world) mdStop(argv []string) bool {
	kernel := path.Base(argv[2])
	delete(w.arrays, kernel)
	w.gone(kernel)
	return true
}

func (w *world) mdState(argv []string) bool {
	kernel := path.Base(argv[2])
	w.arrays[kernel].state = map[string]string{"--readonly": "readonly", "--readwrite": "clean"}[argv[1]]
	w.show(kernel)
	return true
}

func (w *world) pvCreate(argv []string) bool {
	node := argv[len(argv)-1]
	w.pvs[path.Base(node)] = &worldPV{uuid: option(argv, "--uuid"), size: w.sizeOf(path.Base(node))}
	return w.pvs[path.Base(node)].uuid != ""
}

func (w *world) vgCreate(argv []string) bool {
	if w.old == slices.Contains(argv, "--setautoactivation") {
		return false
	}
	return w.join(argv, slices.Index(argv, "db"))
}

func (w *world) vgExtend(argv []string) bool { return w.join(argv, slices.Index(argv, "db")) }

func (w *world) join(argv []string, at int) bool {
	for _, node := range argv[at+1:] {
		pv := w.pvs[path.Base(node)]
		if pv == nil || pv.group != "" {
			return false
		}
		pv.group = argv[at]
	}
	return at > 0
}

func (w *world) lvCreate(argv []string) bool {
	v := &worldLV{}
	if _, err := fmt.Sscanf(option(argv, "--size"), "%db", &v.size); err != nil {
		var part int64
		_, _ = fmt.Sscanf(option(argv, "--extents"), "%d%%VG", &part)
		_, _, size := w.members(argv[len(argv)-1], nil)
		v.size = size / worldExtent * part / 100 * worldExtent
	}
	w.lvs[argv[len(argv)-1]+"/"+option(argv, "--name")] = v
	return w.lvChange(append(argv, argv[len(argv)-1]+"/"+option(argv, "--name")))
}

func (w *world) lvChange(argv []string) bool {
	name := argv[len(argv)-1]
	v := w.lvs[name]
	group, _, _ := strings.Cut(name, "/")
	under, missing, _ := w.members(group, strings.Split(option(argv, "--devices"), ","))
	if v == nil || v.active || missing > 0 && v.size > int64(len(under))*worldDisk {
		return false
	}
	v.active, v.kernel, v.readOnly = true, fmt.Sprintf("dm-%d", len(w.lvs)), strings.Contains(option(argv, "--config"), name)
	w.sizes[v.kernel] = v.size
	w.device(v.kernel, under...)
	w.Put("/sys/devices/"+v.kernel+"/dm/name", strings.NewReplacer("-", "--", "/", "-").Replace(name)+"\n", 0o444)
	if v.readOnly {
		w.Put("/sys/devices/"+v.kernel+"/ro", "1\n", 0o444)
	}
	return true
}

// members are the devices of a group that are there and seen, how many are not,
// and its size.
func (w *world) members(group string, seen []string) (under []string, missing int, size int64) {
	for k, p := range w.pvs {
		if p.group != group {
			continue
		}
		size += p.bytes() - worldExtent
		i, err := w.Host().Stat("/dev/" + k)
		if err == nil && i.Exists && (seen == nil || slices.Contains(seen, "/dev/"+k)) {
			under = append(under, k)
		} else {
			missing++
		}
	}
	slices.Sort(under)
	return under, missing, size
}

// answer is what a tool says that changes nothing.
func (w *world) answer(argv []string) (host.Output, error, bool) {
	if out, err, ok := severally(argv, w.answer); ok {
		return out, err, true
	}
	say := func(text string) (host.Output, error, bool) { return host.Output{Stdout: []byte(text)}, nil, true }
	node := argv[len(argv)-1]
	kernel := path.Base(node)
	switch argv[0] {
	case "journalctl":
		return say("")
	case "sync":
		return host.Output{Code: map[bool]int{true: 1}[w.bad == "sync"], Stderr: []byte("sync: error syncing: Input/output error\n")}, nil, true
	case "mdadm":
		return w.mdSays(argv[1], kernel)
	case "blkid":
		if what := w.recognised(kernel); what != "" {
			uuid := ""
			if p := w.pvs[kernel]; p != nil && what == "LVM2_member" {
				uuid = p.uuid
			}
			return say("DEVNAME=" + node + "\nUUID=" + uuid + "\nTYPE=" + what + "\n")
		}
		return host.Output{Code: 2}, nil, true
	case "wipefs":
		return say(`{"signatures": []}`)
	case "/proc/self/exe":
		if argv[2] == "ends" {
			return host.Output{Code: map[bool]int{true: 1}[w.deaf == kernel], Stderr: []byte("input/output error\n")}, nil, true
		}
		return say(fmt.Sprintf(`{"blank": %v, "found": %q, "size": %d, "read": 1}`, w.dirty[kernel] == "", w.dirty[kernel], worldDisk))
	case "vgcreate":
		return say(map[bool]string{true: "--autobackup", false: "--setautoactivation y|n"}[w.old])
	case "lvm":
		return w.warns(w.lvmSays(strings.Split(option(argv, "--devices"), ",")))
	}
	return host.Output{}, nil, false
}

func (w *world) recognised(kernel string) string {
	switch {
	case w.holds[kernel] != "":
		return w.holds[kernel]
	case w.super[kernel].UUID != "":
		return "linux_raid_member"
	case w.pvs[kernel] != nil:
		return "LVM2_member"
	}
	return ""
}

func (w *world) mdSays(verb, kernel string) (host.Output, error, bool) {
	text := ""
	if a := w.arrays[kernel]; a != nil && verb == "--detail" {
		text = fmt.Sprintf("MD_UUID=%s\nMD_NAME=any:%s\n", a.uuid, a.name)
	}
	if m := w.super[kernel]; m.UUID != "" && verb == "--examine" {
		text = fmt.Sprintf("MD_LEVEL=%s\nMD_DEVICES=%d\nMD_NAME=any:%s\nMD_UUID=%s\nMD_DEV_UUID=%s\nMD_EVENTS=%d\n", m.Level, m.Devices, m.Name, m.UUID, m.Device, m.Events)
	}
	if text == "" {
		return host.Output{Code: 1, Stderr: []byte("mdadm: No md superblock detected on /dev/" + kernel + ".\n")}, nil, true
	}
	return host.Output{Stdout: []byte(text)}, nil, true
}
