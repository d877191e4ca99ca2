package daemon

import (
	"net/http/httptest"
	"testing"

	"reveille/agent"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
	"reveille/integration/fakeec2"
	"reveille/integration/fakeimds"
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

// Every pass knows the volumes, and the timer's does so without asking EC2.
func TestNoTimerAsksEC2(t *testing.T) {
	const id = "vol-0aaaaaaaaaaaaaaa1"
	m := machine(t, thisID)
	withDisk(m)
	m.Command([]string{"/proc/self/exe", "look", "names", "/dev/nvme1n1"}, host.Output{Stdout: []byte(`{"nvme1n1": "sdf"}`)}, nil)
	i := fakeimds.Example()
	i.ID, i.Tags, i.UserData = thisID, nil, []byte("hostname=dev-mysql01\n")
	imds, err := fakeimds.Open("127.0.0.1:0", i, fakeimds.Fault{})
	if err != nil {
		t.Fatal(err)
	}
	defer imds.Close()
	var ec2 fakeec2.Server
	ec2.Set(fakeec2.Volume{ID: id, Instance: thisID, Device: "/dev/sdf", GiB: 8, Tags: map[string]string{"array": "data"}})
	api := httptest.NewServer(&ec2)
	defer api.Close()
	env := map[string]string{"AWS_EC2_METADATA_SERVICE_ENDPOINT": imds.URL, "AWS_ENDPOINT_URL_EC2": api.URL}
	cfg := agent.Config{Host: m.Host(), Facts: facts.Options{
		Volumes: true, // as every command has it
		Getenv:  func(k string) string { return env[k] },
		Ours:    func(k string) bool { return k == "hostname" },
	}}
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
