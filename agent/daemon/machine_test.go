package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reveille/agent"
	"reveille/agent/report"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/userdata"
	"reveille/coordinator/api"
)

const thisID, otherID = "i-0123456789abcdef0", "i-0ffffffffffffffff"

// fresh is a Debian instance as its image made it.
func fresh(id string) map[string]string {
	return map[string]string{
		"/etc/os-release":                   "ID=debian\nVERSION_ID=\"12\"\n",
		"/etc/hostname":                     "ip-10-0-0-5\n",
		"/etc/hosts":                        "127.0.0.1 localhost\n::1 localhost",
		"/etc/resolv.conf":                  "-> ../run/systemd/resolve/stub-resolv.conf",
		"/run/systemd/resolve/resolv.conf":  "nameserver 10.0.0.2\n",
		"/etc/nsswitch.conf":                "passwd: files systemd\ngroup: files systemd\nshadow: files\nhosts: files dns\n",
		"/etc/passwd":                       "root:x:0:0::/root:/bin/sh\nadmin:x:1000:1000::/home/admin:/bin/sh\n",
		"/etc/group":                        "root:x:0:\nusers:x:100:\nnslcd:x:112:\n",
		"/etc/shadow":                       "root:*:19000::::::\nadmin:!:19000:0:99999:7:::\n",
		"/etc/shells":                       "/bin/sh\n",
		"/home/admin/.ssh/authorized_keys":  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsL admin\n",
		"/etc/sudoers":                      "@includedir /etc/sudoers.d\n",
		"/etc/sudoers.d/90-users":           "admin ALL=(ALL) NOPASSWD:ALL\n",
		"/etc/cloud/cloud.cfg.d/README":     "",
		"/usr/bin/cloud-init":               "",
		"/usr/sbin/nslcd":                   "",
		"/usr/sbin/gmond":                   "",
		"/proc/sys/kernel/random/boot_id":   "11111111-2222-3333-4444-555555555555\n",
		"/sys/class/dmi/id/board_asset_tag": id + "\n",
	}
}

// machine has the units that the roles restart, and a shell.
func machine(t *testing.T, id string) *hosttest.Machine {
	t.Helper()
	return withUnits(hosttest.New(t, fresh(id)))
}

func withUnits(m *hosttest.Machine) *hosttest.Machine {
	m.Put("/bin/sh", "", 0o755)
	for _, u := range []string{"nslcd.service", "ganglia-monitor.service", "nscd.service"} {
		m.SetUnit(u, "active")
	}
	return m
}

// crawl is what IMDS would have said.
func crawl(id string) facts.Facts {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	text := "hostname=dev-mysql01\n"
	return facts.Facts{
		Version: facts.Version, Source: facts.FromIMDS, Read: at, Now: at,
		Instance: facts.Instance{
			ID: facts.Known(id), Region: facts.Known("us-east-1"), Zone: facts.Known("us-east-1a"),
			Hostname: facts.Known("ip-10-0-0-5.ec2.internal"), LocalHostname: facts.Known("ip-10-0-0-5.ec2.internal"),
			PrivateIP: facts.Known("10.0.0.5"), PublicIP: facts.Absent[string](),
			SecurityGroups: facts.Known([]string{"mysql"}), Tags: facts.Absent[map[string]string](),
			Interfaces: facts.Known([]facts.Interface{}),
		},
		UserData: facts.UserData{
			State: facts.Known(facts.Digest{Size: len(text)}),
			Parts: []userdata.Part{{Name: "user-data", Type: "text/plain", Size: len(text), Form: userdata.KeyValue, Text: text}},
		},
	}
}

// config replays a crawl on a machine. The machine's own part is read from its
// folder as a pass would.
func config(t *testing.T, h *host.Host, f facts.Facts) agent.Config {
	t.Helper()
	f.Machine = facts.ReadMachine(h)
	path := filepath.Join(t.TempDir(), "facts.json")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := facts.Save(file, f); err != nil {
		t.Fatal(err)
	}
	return agent.Config{Host: h, FactsFile: path, RoleDirs: []string{"testdata/roles"}}
}

// boot makes one boot pass.
func boot(t *testing.T, h *host.Host, f facts.Facts) Outcome {
	t.Helper()
	out, err := Pass{Config: config(t, h, f), Kind: Boot}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func text(r api.Report) string {
	var b strings.Builder
	report.Write(&b, r, nil)
	return b.String()
}
