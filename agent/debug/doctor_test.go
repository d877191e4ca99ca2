package debug

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"reveille/agent"
	"reveille/agent/daemon"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/storage"
	"reveille/bootstrap/userdata"
	"reveille/roles"
)

const thisID, otherID = "i-0123456789abcdef0", "i-0ffffffffffffffff"

// well is an instance with nothing wrong.
func well() map[string]string {
	return map[string]string{
		"/etc/os-release":                   "ID=debian\nVERSION_ID=\"12\"\n",
		"/etc/hostname":                     "debian\n",
		"/etc/hosts":                        "127.0.0.1 localhost\n",
		"/etc/fstab":                        "# /dev/sdz /old ext4\nUUID=1 / ext4 defaults 0 1\nUUID=2 /boot/efi vfat umask=0077 0 1\ntmpfs /tmp tmpfs size=1G\n/dev/xvdf /data xfs noatime,nofail\n",
		"/usr/bin/cloud-init":               "",
		"/lib/systemd/system/" + ownUnit:    "[Unit]\n",
		"/sys/class/dmi/id/board_asset_tag": thisID + "\n",
		"/etc/systemd/system/multi-user.target.wants/" + ownUnit: "-> /lib/systemd/system/" + ownUnit,
	}
}

func codes(all []facts.Finding, but facts.Severity) string {
	var out []string
	for _, f := range all {
		if f.Severity != but {
			out = append(out, f.Code)
		}
		if f.Title == "" || f.Remedy == "" {
			out = append(out, f.Code+" says nothing")
		}
	}
	return strings.Join(out, " ")
}

func TestDoctorOfAnInstance(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		spoil func(*Patient)
		want  string
	}{
		"well":           {},
		"masked":         {files: map[string]string{"/etc/systemd/system/" + ownUnit: "-> /dev/null"}, want: "unit-masked"},
		"paused":         {files: map[string]string{facts.PausePath: `{"reason": "mail", "until": "", "instance": ""}`}, want: "braked"},
		"paused by tag":  {spoil: func(p *Patient) { p.Wanted.Facts.Instance.Tags = facts.Known(map[string]string{"reveille:pause": "x"}) }, want: "braked"},
		"other document": {spoil: func(p *Patient) { p.Wanted.Facts.Instance.ID = facts.Known(otherID) }, want: "ids-differ"},
		"another's files": {spoil: func(p *Patient) { p.Machine.Owner = otherID },
			want: "originals-foreign"},
		"a damaged original": {files: map[string]string{"/var/lib/reveille/originals/%2Fetc%2Fhosts.original": "{"}, want: "originals-damaged"},
		"a role service is enabled": {files: map[string]string{"/etc/systemd/system/multi-user.target.wants/mysql.service": "-> /lib/systemd/system/mysql.service"},
			spoil: func(p *Patient) { p.Wanted.Profile.Services = []string{"mysql.service", "mysql2.service"} }, want: "service-enabled"},
		"untold":        {spoil: func(p *Patient) { p.Untold = []string{"https://10.0.0.4:8650: refused"} }, want: "untold"},
		"misconfigured": {spoil: func(p *Patient) { p.Err = roles.Errors{{}, {}} }, want: "misconfigured misconfigured"},
		"undecided":     {spoil: func(p *Patient) { p.Err = errors.New("IMDS is silent") }, want: "undecided"},
		"cloud-init writes hosts": {files: map[string]string{"/var/lib/cloud/instances/" + thisID + "/cloud-config.txt": "#cloud-config\nmanage_etc_hosts: true\n"},
			want: "cloud-init-rewrites"},
		"trampled": {files: map[string]string{daemon.TrampledPath: `{"/etc/hosts": {"repairs": ["` + now(-1) + `", "` + now(-2) + `", "` + now(-3) + `"], "who": "x"},
			"/etc/a": {"repairs": ["` + now(-1) + `"], "who": "y"}}`}, want: "trampled"},
		"fstab": {files: map[string]string{"/etc/fstab": "LABEL=data /data xfs noatime 0 2\nnas:/home /home nfs rw\n//nas/x /x cifs nofail\n"}, want: "fstab-trap fstab-trap"},
		"fstab mounts a role's disk": {files: map[string]string{"/etc/fstab": "LABEL=data /srv/data xfs nofail 0 2\n", "/proc/self/mountinfo": "20 1 259:1 / / rw - ext4 /dev/root rw\n"},
			spoil: func(p *Patient) {
				p.Wanted.Plan = plan.Plan{{Resource: storage.Mount{Path: "/srv/data"}}, {Resource: storage.Mount{Path: "/srv/data2"}}}
			}, want: "fstab-volume"},
	} {
		t.Run(name, func(t *testing.T) {
			m := hosttest.New(t, well())
			for path, text := range c.files {
				m.Put(path, text, 0o644)
			}
			p := Patient{Host: m.Host(), Machine: facts.ReadMachine(m.Host())}
			p.Wanted.Facts = facts.Facts{Machine: p.Machine}
			if c.spoil != nil {
				c.spoil(&p)
			}
			if got := codes(Doctor(p, false), facts.Info); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
			if m.Writes() != 0 {
				t.Errorf("it wrote: %v", m.Effects())
			}
		})
	}
}

func now(minutes int) string {
	return time.Now().Add(time.Duration(minutes) * time.Minute).UTC().Format(time.RFC3339)
}

func TestDoctorOfAUnitThatIsNotEnabled(t *testing.T) {
	files := well()
	delete(files, "/etc/systemd/system/multi-user.target.wants/"+ownUnit)
	m := hosttest.New(t, files)
	if got := codes(Doctor(Patient{Host: m.Host()}, false), ""); got != "unit-not-enabled" {
		t.Errorf("found %q", got)
	}
}

// A used machine is told for what it is, and a cleaned one is fit to bake.
func TestDoctorOfAnImage(t *testing.T) {
	m := hosttest.New(t, well())
	h := m.Host()
	text := "hostname=dev-mysql01\n"
	f := facts.Facts{Version: facts.Version, Source: facts.FromIMDS, Machine: facts.ReadMachine(h)}
	f.Instance.ID, f.Instance.PrivateIP = facts.Known(thisID), facts.Known("10.0.0.5")
	f.Instance.Region, f.Instance.Zone = facts.Known("us-east-1"), facts.Known("us-east-1a")
	f.Instance.Tags, f.Instance.SecurityGroups = facts.Absent[map[string]string](), facts.Known([]string{})
	f.UserData = facts.UserData{State: facts.Known(facts.Digest{Size: len(text)}),
		Parts: []userdata.Part{{Form: userdata.KeyValue, Text: text}}}
	path := filepath.Join(t.TempDir(), "facts.json")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := facts.Save(file, f); err != nil {
		t.Fatal(err)
	}
	cfg := agent.Config{Host: h, FactsFile: path}
	out, err := daemon.Pass{Config: cfg, Kind: daemon.Boot}.Run(t.Context())
	if err != nil || out.Report.State != "ready" {
		t.Fatalf("the pass: %v, %+v", err, out.Report)
	}
	m.Put("/var/lib/cloud/instance", "-> instances/"+thisID, 0o777)

	bake := func() []facts.Finding { return Doctor(Patient{Host: h, Machine: facts.ReadMachine(h)}, true) }
	used := codes(bake(), facts.Info)
	for _, want := range []string{"bake-state", "bake-file"} {
		if !slices.Contains(strings.Fields(used), want) {
			t.Errorf("no %s in %q", want, used)
		}
	}
	if n := strings.Count(used, "bake-file"); n != 3 { // hosts, hostname, cloud-init's
		t.Errorf("%d files of ours: %q", n, used)
	}
	if _, err := daemon.Clean(t.Context(), cfg, false, nil); err != nil {
		t.Fatal(err)
	}
	if got := codes(bake(), ""); got != "bake-cloud-init" {
		t.Errorf("after clean: %q", got)
	}
	// Its originals are gone, and a file of ours is there again.
	m.Put("/etc/hosts", "# BEGIN reveille naming\n10.0.0.5 dev-mysql01\n# END reveille naming\n", 0o644)
	if got := codes(bake(), facts.Info); got != "bake-file" {
		t.Errorf("a file of ours without its original: %q", got)
	}
}
