package roles

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/storage"
	"reveille/bootstrap/userdata"
)

const disks = `role: mysql
vars: {team: data}
storage:
  volumes:
    data: {tags: {array: "${team}"}, count: 4}
    log: {devices: [/dev/xvdg, sdf]}
  raid:
    data: {level: 10, of: data, chunk: 1MiB, create: if-blank}
    log: {level: 1, of: volumes/log, degraded: start}
  lvm:
    db: {of: raid/data, volumes: {mysql: 80%, tmp: {size: 20GiB}}}
    log: {of: [raid/log], volumes: {a: 1TiB}, degraded: refuse}
  mounts:
    - {path: /var/lib/mysql, from: lvm/db/mysql, type: xfs, options: [noatime], owner: mysql, create: if-blank}
services: [mysql.service]
`

func TestStorageIsReadWithItsNames(t *testing.T) {
	p := mustResolve(t, machine(says("role=mysql")), role("mysql", disks))
	want := &Storage{
		Wait: time.Minute,
		Volumes: []VolumeSet{
			{Name: "data", Tags: map[string]string{"array": "data"}, Count: 4},
			{Name: "log", Devices: []string{"sdf", "sdg"}, Count: 2},
		},
		Arrays: []Array{
			{Name: "data", Level: 10, Of: "data", Chunk: 1024, Create: storage.CreateIfBlank, Degraded: "read-only"},
			{Name: "log", Level: 1, Of: "log", Create: storage.CreateNever, Degraded: "start"},
		},
		Groups: []Group{
			{Name: "db", Of: []Ref{{"raid", "data"}}, Volumes: []LogicalVolume{{Name: "mysql", Percent: 80}, {Name: "tmp", Size: 20 << 30}},
				Create: storage.CreateIfBlank, Degraded: "read-only"},
			{Name: "log", Of: []Ref{{"raid", "log"}}, Volumes: []LogicalVolume{{Name: "a", Size: 1 << 40}}, Create: storage.CreateNever, Degraded: "refuse"},
		},
		Mounts: []Mount{{Path: "/var/lib/mysql", From: Ref{"lvm", "db/mysql"}, Type: "xfs", Options: []string{"noatime"}, Owner: "mysql", Create: storage.CreateIfBlank}},
	}
	if d := cmp.Diff(want, p.Storage); d != "" {
		t.Error(d)
	}
	for key, texts := range map[string][]string{
		"storage.lvm.db.volumes.mysql": {"storage.lvm.db.volumes.mysql.size = 80%", "set by     role file mysql.yaml:11", "storage.lvm.db.volumes.mysql.stripes is not set"},
		"storage.raid.data":            {"storage.raid.data.create = if-blank", "overrides  never from default", "storage.raid.data.degraded = read-only", "set by     default"},
		"storage.volumes.data.tags":    {"storage.volumes.data.tags.array = data", "written    ${team}"},
		"storage":                      {"storage.wait = 1m", "storage.raid.log.level = 1", "storage.mounts = [{path: /var/lib/mysql, from: lvm/db/mysql,"},
	} {
		text, err := p.Explain(key)
		if err != nil {
			t.Fatal(err)
		}
		contains(t, text, texts...)
	}
}

// Consent is said, or comes from the array below: never from a mount, and
// never for volumes that nobody consented to write on.
func TestAGroupConsentsAsItsArrayDoes(t *testing.T) {
	for text, want := range map[string]storage.Consent{
		"raid: {r: {level: 1, of: two, create: if-blank}}\n  lvm: {g: {of: raid/r, volumes: {v: 1GiB}}}":                          storage.CreateIfBlank,
		"raid: {r: {level: 1, of: two}}\n  lvm: {g: {of: raid/r, volumes: {v: 1GiB}}}":                                            storage.CreateNever,
		"raid: {r: {level: 1, of: two, create: if-blank}}\n  lvm: {g: {of: raid/r, create: never, volumes: {v: 1GiB}}}":           storage.CreateNever,
		"raid: {r: {level: 1, of: two, create: if-blank}}\n  lvm: {g: {of: [raid/r, one], volumes: {v: 1GiB}}}":                   storage.CreateNever,
		"raid: {r: {level: 1, of: two, create: if-blank}}\n  lvm: {g: {of: [one, raid/r], volumes: {v: 1GiB}}}":                   storage.CreateNever,
		"lvm: {g: {of: one, volumes: {v: 1GiB}}}\n  mounts: [{path: /a, from: lvm/g/v, type: xfs, create: if-blank}]":             storage.CreateNever,
		"lvm: {g: {of: one, create: if-blank, volumes: {v: 1GiB}}}\n  mounts: [{path: /a, from: lvm/g/v, type: xfs}]":             storage.CreateIfBlank,
		"raid: {r: {level: 1, of: two, create: never}}\n  lvm: {g: {of: raid/r, create: if-blank, volumes: {v: {size: 1GiB}}}}\n": storage.CreateIfBlank,
	} {
		p := mustResolve(t, machine(says("role=x")), role("x", "role: x\nstorage:\n  volumes: {one: {devices: [sdf]}, two: {devices: [sdg, sdh]}}\n  "+text+"\n"))
		if got := p.Storage.Groups[0].Create; got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// User-data changes one key of what a role file says, in either form, and the
// local file takes a whole set away.
func TestStorageOfLayers(t *testing.T) {
	p := mustResolve(t, machine(says("role=mysql", "storage.lvm.db.volumes.mysql=50%", "storage.raid.log.degraded=refuse", "storage.volumes.log.devices=sdh,sdi", "storage.wait=5m")), role("mysql", disks))
	if s := p.Storage; s.Groups[0].Volumes[0].Percent != 50 || s.Arrays[1].Degraded != "refuse" || s.Volumes[1].Devices[0] != "sdh" || s.Wait != 5*time.Minute {
		t.Errorf("%+v", s)
	}
	p = mustResolve(t, machine(part("part 1", userdata.YAML, "#reveille\nrole: mysql\nstorage: {lvm: {db: {volumes: {mysql: {stripes: 1}}}}}\n")), role("mysql", disks),
		local("storage: {volumes: {log: null}, raid: {log: null}, lvm: {log: null}}"))
	if s := p.Storage; len(s.Volumes) != 1 || len(s.Arrays) != 1 || len(s.Groups) != 1 || s.Groups[0].Volumes[0] != (LogicalVolume{Name: "mysql", Percent: 80, Stripes: 1}) {
		t.Errorf("%+v", s)
	}
	if p = mustResolve(t, machine(says("role=mysql")), role("mysql", disks), local("storage: null")); p.Storage != nil {
		t.Errorf("%+v", p.Storage)
	}
	_, err := Resolve(machine(says("role=mysql", "storage.raid.log.level=5")), []Source{role("mysql", disks)})
	refused(t, err, "user-data:2:1: storage.raid.log.level is 5, which takes 3 volumes or more: volumes/log has 2")
}

// A document of 64 KiB holds thousands of names, each of which would be compared
// with all.
func TestStorageIsBounded(t *testing.T) {
	lines := []string{"hostname=a"}
	for i := range 65 {
		lines = append(lines, fmt.Sprintf("storage.volumes.v%d.devices=sdf", i))
	}
	_, err := Resolve(machine(says(lines...)), nil)
	refused(t, err, "storage.volumes has 65 keys, 64 at most: take some out")
	_, err = Resolve(machine(says("role=x")), []Source{role("x", "role: x\nstorage: {raid: {"+listed("r%d: {}", 65)+"}}\n")})
	refused(t, err, "storage.raid has 65 keys, 64 at most: take some out")
}
