package block

import (
	"os"
	"path"
	"testing"

	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
)

// sys is a machine's /sys, /proc and /dev in the making.
type sys map[string]string

// newSys is a machine whose root is the partition of an EBS volume, nvme0n1p1.
func newSys() sys {
	s := sys{"/proc/self/mountinfo": "20 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n", "/proc/swaps": "Filename Type Size Used Priority\n"}
	s.disk("nvme0n1", "Amazon Elastic Block Store", "vol0f0f0f0f0f0f0f0f0", "2097152")
	s.partition("nvme0n1", "nvme0n1p1")
	s["/sys/dev/block/259:1"] = "-> ../../devices/pci/nvme0n1/nvme0n1p1"
	return s
}

func (s sys) device(folder, kernel string) {
	s["/sys/class/block/"+kernel] = "-> ../../" + folder
	s["/sys/"+folder+"/holders/"] = ""
	s["/sys/"+folder+"/slaves/"] = ""
	s["/dev/"+kernel] = ""
}

func (s sys) disk(kernel, model, serial string, sectors string) {
	folder := "devices/pci/" + kernel
	s.device(folder, kernel)
	s["/sys/block/"+kernel] = "-> ../" + folder
	s["/sys/"+folder+"/size"] = sectors + "\n"
	if model != "" {
		s["/sys/"+folder+"/device/model"] = model + "             \n"
		s["/sys/"+folder+"/device/serial"] = serial + "\n"
	}
}

func (s sys) ebs(kernel, serial string) {
	s.disk(kernel, "Amazon Elastic Block Store", serial, "131072")
}

func (s sys) partition(disk, kernel string) {
	folder := "devices/pci/" + disk + "/" + kernel
	s.device(folder, kernel)
	delete(s, "/sys/"+folder+"/slaves/")
	s["/sys/"+folder+"/partition"] = "1\n"
}

// upon makes an array or a device-mapper's over others.
func (s sys) upon(kernel string, under ...string) {
	folder := "devices/virtual/block/" + kernel
	s.device(folder, kernel)
	s["/sys/block/"+kernel] = "-> ../" + folder
	s["/sys/"+folder+"/size"] = "131072\n"
	for _, u := range under {
		s["/sys/"+folder+"/slaves/"+u] = "-> ../../" + u
		s["/sys/class/block/"+u+"/holders/"+kernel] = "" // its folder is put in place by machine
	}
}

// machine makes it. Holders go to where the device's own folder is.
func (s sys) machine(t *testing.T) *hosttest.Machine {
	t.Helper()
	m := hosttest.New(t, nil)
	late := map[string]string{}
	for p, content := range s {
		if path.Base(path.Dir(p)) == "holders" && p[len(p)-1] != '/' {
			late[p] = content
			continue
		}
		m.Put(p, content, 0o644)
	}
	for p := range late {
		kernel := path.Base(path.Dir(path.Dir(p)))
		m.Put("/sys/class/block/"+kernel+"/holders/"+path.Base(p), "-> ../../"+path.Base(p), 0o644)
	}
	return m
}

func testdata(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// say scripts what a tool says.
func say(m *hosttest.Machine, out host.Output, argv ...string) { m.Command(argv, out, nil) }
