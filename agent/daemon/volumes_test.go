package daemon

import (
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"reveille/agent"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
	"reveille/coordinator/api"
	"reveille/integration/fakeec2"
	"reveille/integration/fakeimds"
	"reveille/roles"
)

// withDisk puts an EBS volume besides the root's into the machine, as the
// kernel shows it.
func withDisk(m *hosttest.Machine) {
	for name, content := range map[string]string{
		"/proc/self/mountinfo":         "20 1 259:1 / / rw - ext4 /dev/nvme0n1 rw\n",
		"/sys/dev/block/259:1":         "-> ../../devices/nvme0n1",
		"/sys/class/block/nvme0n1":     "-> ../../devices/nvme0n1",
		"/sys/class/block/nvme1n1":     "-> ../../devices/nvme1n1",
		"/sys/block/nvme0n1":           "-> ../devices/nvme0n1",
		"/sys/block/nvme1n1":           "-> ../devices/nvme1n1",
		"/dev/nvme0n1":                 "",
		"/dev/nvme1n1":                 "",
		"/sys/devices/nvme0n1/size":    "2097152\n",
		"/sys/devices/nvme1n1/size":    "131072\n",
		"/sys/devices/nvme0n1/slaves/": "", "/sys/devices/nvme0n1/holders/": "",
		"/sys/devices/nvme1n1/slaves/": "", "/sys/devices/nvme1n1/holders/": "",
		"/sys/devices/nvme0n1/device/model": "Amazon Elastic Block Store   \n", "/sys/devices/nvme0n1/device/serial": "vol0f0f0f0f0f0f0f0f0\n",
		"/sys/devices/nvme1n1/device/model": "Amazon Elastic Block Store   \n", "/sys/devices/nvme1n1/device/serial": "vol0aaaaaaaaaaaaaaa1\n",
	} {
		m.Put(name, content, 0o644)
	}
}

// Every pass of a role with disks knows the volumes, and the timer's does so
// without asking EC2.
func TestNoTimerAsksEC2(t *testing.T) {
	const id = "vol-0aaaaaaaaaaaaaaa1"
	m := machine(t, thisID)
	withDisk(m)
	m.Put("/etc/reveille/roles.d/db.yaml", "role: db\nstorage: {volumes: {data: {devices: [sdf]}}}\n", 0o644)
	m.Command([]string{"/proc/self/exe", "look", "names", "/dev/nvme1n1"}, host.Output{Stdout: []byte(`{"nvme1n1": "sdf"}`)}, nil)
	cfg, ec2 := askingEC2(t, m, "role=db\nhostname=dev-mysql01\n")
	asked := 0
	for _, c := range []struct {
		kind Kind
		asks int
	}{{Boot, 1}, {Timer, 0}, {Device, 1}, {Timer, 0}, {Address, 1}, {Hup, 1}} {
		out, err := Pass{Config: cfg, Kind: c.kind}.Run(t.Context())
		if err != nil || len(out.Report.Errors) > 0 {
			t.Fatalf("%s pass: %v, %v", c.kind, err, out.Report.Errors)
		}
		if got := len(ec2.Requests()) - asked; got != c.asks {
			t.Errorf("a %s pass asked EC2 %d times, want %d", c.kind, got, c.asks)
		}
		asked = len(ec2.Requests())
		f := out.Wanted.Facts
		if v := f.Volumes.Or(nil)[id]; v.Tags["array"] != "data" || v.Device != "sdf" {
			t.Errorf("a %s pass knows of the volumes: %v; %v", c.kind, f.Volumes, f.Problems)
		}
		if d := f.Disks; len(d) != 2 || d[0].Volume != id || d[0].Name != "sdf" || d[0].Root || !d[1].Root {
			t.Errorf("a %s pass knows of the disks: %+v; %v", c.kind, d, f.Problems)
		}
	}
}

// askingEC2 is how a machine reads itself where there is an EC2 API that knows
// its data volume.
func askingEC2(t *testing.T, m *hosttest.Machine, userData string) (agent.Config, *fakeec2.Server) {
	t.Helper()
	i := fakeimds.Example()
	i.ID, i.Tags, i.UserData = thisID, nil, []byte(userData)
	imds, err := fakeimds.Open("127.0.0.1:0", i, fakeimds.Fault{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { imds.Close() })
	ec2 := &fakeec2.Server{}
	ec2.Set(fakeec2.Volume{ID: "vol-0aaaaaaaaaaaaaaa1", Instance: thisID, Device: "/dev/sdf", GiB: 8, Tags: map[string]string{"array": "data"}})
	srv := httptest.NewServer(ec2)
	t.Cleanup(srv.Close)
	env := map[string]string{"AWS_EC2_METADATA_SERVICE_ENDPOINT": imds.URL, "AWS_ENDPOINT_URL_EC2": srv.URL}
	return agent.Config{Host: m.Host(), Facts: facts.Options{
		Volumes: true, // as every command has it
		Getenv:  func(k string) string { return env[k] },
		Ours:    roles.KnownKey,
	}}, ec2
}

// What has nothing to do with disks waits for no answer about them, and a disk
// is asked for its name where a set is chosen by it.
func TestWhoAsksAboutVolumes(t *testing.T) {
	for name, c := range map[string]struct {
		role  string
		asks  int
		names bool
	}{
		"no role":       {"", 0, false},
		"no disks":      {"role: db\n", 0, false},
		"disks by id":   {"role: db\nstorage: {volumes: {data: {ids: [vol-0aaaaaaaaaaaaaaa1]}}}\n", 1, false},
		"disks by tag":  {"role: db\nstorage: {volumes: {data: {tags: {array: data}, count: 1}}}\n", 1, false},
		"by own tags":   {"role: db\nstorage: {from_tags: true}\n", 1, false},
		"disks by name": {"role: db\nstorage: {volumes: {data: {devices: [sdf]}}}\n", 1, true},
	} {
		m := machine(t, thisID)
		withDisk(m)
		userData := "hostname=dev-mysql01\n"
		if c.role != "" {
			m.Put("/etc/reveille/roles.d/db.yaml", c.role, 0o644)
			userData += "role=db\n"
		}
		named := false
		m.Answer(func(argv []string) (host.Output, error, bool) {
			if slices.Contains(argv, "names") {
				named = true
				time.Sleep(5 * time.Millisecond) // more than a moment: it is a phase of its own
			}
			return host.Output{Stdout: []byte("{}")}, nil, slices.Contains(argv, "names")
		})
		cfg, ec2 := askingEC2(t, m, userData)
		out, err := Pass{Config: cfg, Kind: Boot}.Run(t.Context())
		if err != nil || len(out.Report.Errors) > 0 {
			t.Fatalf("%s: %v, %v", name, err, out.Report.Errors)
		}
		if n := len(ec2.Requests()); n != c.asks || named != c.names {
			t.Errorf("%s: EC2 was asked %d times, the disk for its name: %v", name, n, named)
		}
		phase := slices.ContainsFunc(out.Report.Phases, func(p api.Phase) bool { return p.Name == "volumes" })
		if phase && c.asks == 0 || !phase && c.names {
			t.Errorf("%s: phases %v", name, out.Report.Phases)
		}
	}
}

// Tags of volumes are known before anything is planned, by the one question, and
// asked for by nobody who does not want them.
func TestVolumesLayThemselvesOut(t *testing.T) {
	for userData, want := range map[string]int{
		"hostname=dev-mysql01\nstorage.from_tags=true\n": 1,
		"hostname=dev-mysql01\n":                         0,
	} {
		m := machine(t, thisID)
		withDisk(m)
		cfg, ec2 := askingEC2(t, m, userData)
		ec2.Set(fakeec2.Volume{ID: "vol-0aaaaaaaaaaaaaaa1", Instance: thisID, Device: "/dev/sdf", GiB: 8, Tags: map[string]string{"reveille:mount": "/srv/own", "reveille:type": "xfs"}})
		w, err := cfg.Decide(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n, laid := len(ec2.Requests()), slices.Contains(w.Plan.IDs(), "mount:/srv/own"); n != want || laid != (want == 1) {
			t.Errorf("%q: EC2 was asked %d times; mounted: %v", userData, n, laid)
		}
	}
}
