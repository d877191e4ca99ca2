package roles

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

func gangliaProfile(role string, port int, collectors ...string) Profile {
	return Profile{
		Role: role, RoleFile: "/etc/reveille/roles.d/" + role + ".yaml",
		Identity: Identity{Hostname: "dev-" + role + "01", Domain: "acme.private"},
		Ganglia:  &Ganglia{Cluster: role, Port: port, Collectors: collectors},
	}
}

// gmondText is the leaf's file.
func gmondText(t *testing.T, f facts.Facts, p Profile) string {
	t.Helper()
	steps, err := planGanglia(f, p)
	if err != nil {
		t.Fatal(err)
	}
	return string(steps[0].Resource.(resource.File).Content)
}

func TestGangliaSteps(t *testing.T) {
	p := gangliaProfile("mysql", 8631, "10.0.0.4")
	tests := map[string]struct {
		os   string
		has  bool
		want map[string]string
	}{
		"Debian":        {"debian", true, map[string]string{"file:/etc/ganglia/gmond.conf": "wanted -rw-r--r-- root", "unit:ganglia-monitor.service": "wanted started"}},
		"RHEL":          {"rhel", true, map[string]string{"file:/etc/ganglia/gmond.conf": "wanted -rw-r--r-- root", "unit:gmond.service": "wanted started"}},
		"not installed": {"debian", false, map[string]string{"file:/etc/ganglia/gmond.conf": "wanted -rw-r--r-- root"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			steps, err := planGanglia(fleetFacts(tt.os, facts.Has{Gmond: tt.has}), p)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, wants(t, steps)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestLeafTellsEveryCollectorAndHearsNobody(t *testing.T) {
	text := gmondText(t, fleetFacts("debian", facts.Has{}), gangliaProfile("mysql", 8631, "10.0.0.4", "10.0.1.4", "fd00::4"))
	channel := regexp.MustCompile(`(?s)udp_send_channel \{\s+host = "([^"]+)"\s+port = (\d+)\s+ttl = \d+\s+\}`)
	var got []string
	for _, m := range channel.FindAllStringSubmatch(text, -1) {
		got = append(got, m[1]+" "+m[2])
	}
	if d := cmp.Diff([]string{"10.0.0.4 8631", "10.0.1.4 8631", "fd00::4 8631"}, got); d != "" {
		t.Error(d)
	}
	for _, never := range []string{"mcast_join", "udp_recv_channel", "tcp_accept_channel", "8649"} {
		if strings.Contains(text, never) {
			t.Errorf("a leaf has no %s:\n%s", never, text)
		}
	}
}

func TestLeafNamesItself(t *testing.T) {
	base := fleetFacts("debian", facts.Has{})
	p := gangliaProfile("mysql", 8631, "10.0.0.4")
	tests := map[string]struct {
		change      func(*facts.Facts)
		want, never []string
	}{
		"on Intel": {func(*facts.Facts) {}, []string{`override_hostname = "dev-mysql01"`, `override_ip = "10.0.0.17"`, "/usr/lib/x86_64-linux-gnu/ganglia/modcpu.so"}, nil},
		"on Arm": {func(f *facts.Facts) {
			f.Instance.Type = facts.Known("m7gd.large")
			f.Instance.Document = facts.Known(facts.Document{Arch: "arm64"})
		}, []string{"/usr/lib/aarch64-linux-gnu/ganglia/modcpu.so"}, []string{"x86_64"}},
		"RHEL": {func(f *facts.Facts) {
			f.Machine.OS.ID = "rhel"
			f.Instance.Document = facts.Known(facts.Document{Arch: "arm64"})
		},
			[]string{`"/usr/lib64/ganglia/modcpu.so"`}, nil},
		"IPv6 only": {func(f *facts.Facts) { f.Instance.PrivateIP = facts.Absent[string]() }, []string{`override_hostname = "dev-mysql01"`}, []string{"override_ip"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := base
			tt.change(&f)
			text := gmondText(t, f, p)
			for _, w := range tt.want {
				if !strings.Contains(text, w) {
					t.Errorf("no %s in:\n%s", w, text)
				}
			}
			for _, n := range tt.never {
				if strings.Contains(text, n) {
					t.Errorf("%s in:\n%s", n, text)
				}
			}
		})
	}
}

func TestUnknownAddressLeavesGmondAlone(t *testing.T) {
	f := fleetFacts("debian", facts.Has{Gmond: true})
	f.Instance.PrivateIP = facts.Unknown[string](facts.Refused, "")
	steps, err := planGanglia(f, gangliaProfile("mysql", 8631, "10.0.0.4"))
	if err != nil || len(steps) != 1 || steps[0].ID() != "file:/etc/ganglia/gmond.conf" {
		t.Fatalf("%v, %v", steps, err)
	}
	changes, err := steps[0].Check(context.Background(), nil)
	if wait := (*plan.NotYet)(nil); !errors.As(err, &wait) || !wait.Facts || len(changes) > 0 {
		t.Errorf("%v, %v", changes, err)
	}
}

func TestGangliaRefuses(t *testing.T) {
	tests := map[string]struct {
		g    Ganglia
		want string
	}{
		"a quote":        {Ganglia{`my"sql`, 8631, []string{"10.0.0.4"}}, "ganglia.cluster"},
		"a folder":       {Ganglia{"../mysql", 8631, []string{"10.0.0.4"}}, "ganglia.cluster"},
		"no name":        {Ganglia{"", 8631, []string{"10.0.0.4"}}, "ganglia.cluster"},
		"port 0":         {Ganglia{"mysql", 0, []string{"10.0.0.4"}}, "ganglia.port"},
		"nobody to tell": {Ganglia{"mysql", 8631, nil}, "ganglia.collectors"},
		"a name":         {Ganglia{"mysql", 8631, []string{"mgmt.acme.private"}}, "ganglia.collectors"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := Profile{Role: "mysql", Ganglia: &tt.g}
			if _, err := planGanglia(fleetFacts("debian", facts.Has{}), p); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("leaf: %v", err)
			}
			if _, err := GangliaCollector(facts.OS{ID: "debian"}, []Profile{p}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("collector: %v", err)
			}
		})
	}
}

func TestCollectorsOfAllRoles(t *testing.T) {
	files, err := GangliaCollector(facts.OS{ID: "debian"}, []Profile{
		gangliaProfile("mysql", 8631, "10.0.0.4", "10.0.1.4"),
		gangliaProfile("dev", 8630, "10.0.0.4"),
		{Role: "gateway"},
		{Role: "mysql-spare", Ganglia: &Ganglia{"mysql", 8631, []string{"10.0.2.4", "10.0.0.4"}}},
		gangliaProfile("six", 8632, "fd00::4"),
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range files {
		got[f.Path] = string(f.Content)
	}
	for path, want := range map[string][]string{
		"/etc/ganglia/gmond-dev.conf":   {`name = "dev"`, "udp_recv_channel {\n  port = 8630\n  family = inet4\n}"},
		"/etc/ganglia/gmond-mysql.conf": {`name = "mysql"`, "tcp_accept_channel {\n  port = 8631\n  family = inet4\n}", "mysql, mysql-spare"},
		"/etc/ganglia/gmond-six.conf":   {"udp_recv_channel {\n  port = 8632\n  family = inet6\n}"},
		"/etc/ganglia/gmetad.conf": {
			"data_source \"dev\" 10.0.0.4:8630\n",
			"data_source \"mysql\" 10.0.0.4:8631 10.0.1.4:8631 10.0.2.4:8631\n",
			"data_source \"six\" 127.0.0.1:8632\n",
		},
		"/etc/systemd/system/gmond-collector@.service": {"--conf=/etc/ganglia/gmond-%i.conf", "Restart=on-failure"},
	} {
		for _, w := range want {
			if !strings.Contains(got[path], w) {
				t.Errorf("%s: no %q in:\n%s", path, w, got[path])
			}
		}
		delete(got, path)
	}
	for path := range got {
		t.Errorf("unexpected %s", path)
	}
}

func TestCollectorsThatDisagree(t *testing.T) {
	tests := map[string]struct {
		profiles []Profile
		want     []string // all in one error
	}{
		"one port, two clusters": {
			[]Profile{gangliaProfile("mysql", 8631, "10.0.0.4"), gangliaProfile("web", 8631, "10.0.0.4")},
			[]string{"8631", "roles.d/mysql.yaml", "roles.d/web.yaml"},
		},
		"one cluster, two ports": {
			[]Profile{gangliaProfile("mysql", 8631, "10.0.0.4"), {Role: "spare", RoleFile: "spare.yaml", Ganglia: &Ganglia{"mysql", 8700, []string{"10.0.0.4"}}}},
			[]string{"says 8631", "says 8700", "spare.yaml"},
		},
		"one file for two clusters": {
			[]Profile{
				{Role: "a", Ganglia: &Ganglia{"big data", 8631, []string{"10.0.0.4"}}},
				{Role: "b", Ganglia: &Ganglia{"big-data", 8632, []string{"10.0.0.4"}}},
			},
			[]string{"gmond-big-data.conf", "rename one"},
		},
		"all at once": {
			[]Profile{gangliaProfile("a", 1, "10.0.0.4"), gangliaProfile("b", 1, "10.0.0.4"), gangliaProfile("c", 1, "10.0.0.4"), gangliaProfile("d", 0, "10.0.0.4")},
			[]string{"b.yaml", "c.yaml", "d.yaml: ganglia.port: 0"},
		},
		"nobody asks": {[]Profile{{Role: "gateway"}}, []string{"no role asks for Ganglia"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			files, err := GangliaCollector(facts.OS{ID: "debian"}, tt.profiles)
			if err == nil || files != nil {
				t.Fatalf("%d files, error %v", len(files), err)
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("no %q in: %v", w, err)
				}
			}
		})
	}
}
