package daemon

import (
	"context"
	"testing"
	"time"

	"reveille/bootstrap/converge"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/storage"
)

// Every byte of a large volume is read where a person has named it: the steps
// that do so have the time of the pass, and no others.
func TestWhoNamesAVolumeWaitsForItsProof(t *testing.T) {
	const long, short = 3 * time.Hour, time.Minute
	on := storage.Volume{VolumeID: "vol-1"}
	array := storage.MDArray{Name: "a", Over: []string{"vol-1", "vol-2"}}
	steps := plan.Plan{}
	for _, r := range []plan.Resource{
		storage.Volumes{Name: "v", IDs: []string{"vol-1"}}, storage.FileSystem{On: on}, array, storage.FileSystem{On: array},
		storage.VolumeGroup{Name: "g", Over: []storage.Device{on}}, storage.Mount{Path: "/srv"},
	} {
		steps = append(steps, plan.Step{Resource: r, Within: short})
	}
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	for _, c := range []struct {
		ctx     context.Context
		volumes []string
		long    map[int]bool
	}{
		{ctx, []string{"vol-1"}, map[int]bool{1: true, 4: true}},
		{ctx, []string{"vol-1", "vol-2"}, map[int]bool{1: true, 2: true, 3: true, 4: true}},
		{ctx, nil, nil},
		{t.Context(), []string{"vol-1"}, nil},
	} {
		got := unhurried(c.ctx, steps, plan.Grant{IfBlank: true, Volumes: c.volumes})
		for i, s := range got {
			if (s.Within > short) != c.long[i] {
				t.Errorf("named %v: %s may take %s", c.volumes, s.ID(), s.Within)
			}
			if steps[i].Within != short {
				t.Fatal("the plan itself was changed")
			}
		}
	}
}

// The step of a pass that a person makes has that time.
func TestAPassWaitsForTheProofOfANamedVolume(t *testing.T) {
	const id = "vol-0aaaaaaaaaaaaaaa1"
	for name, named := range map[string][]string{"named": {id}, "another named": {"vol-0aaaaaaaaaaaaaaa2"}, "none named": nil} {
		m := machine(t, thisID)
		withDisk(m)
		m.Put("/etc/reveille/roles.d/db.yaml", "role: db\nstorage:\n  volumes: {data: {ids: ["+id+"]}}\n  mounts: [{path: /srv, from: data, type: xfs}]\n", 0o644)
		m.Answer(func(argv []string) (host.Output, error, bool) { return host.Output{Code: 4}, nil, argv[0] == "blkid" })
		cfg, _ := askingEC2(t, m, "role=db\n")
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Hour)
		defer cancel()
		within := map[string]time.Duration{}
		watch := Watcher{Step: func(_ int, r converge.Result) { within[r.Step.ID()] = r.Step.Within }}
		if _, err := (Pass{Config: cfg, Kind: Boot, AllowCreate: named, Watch: watch}).Run(ctx); err != nil {
			t.Fatal(err)
		}
		got := within["filesystem:volume:"+id]
		if got == 0 || (got > time.Hour) != (name == "named") || within["mount:/srv"] > time.Hour {
			t.Errorf("%s: %v", name, within)
		}
	}
}
