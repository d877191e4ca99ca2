package integration_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"

	"reveille/coordinator/api"
	"reveille/integration/guest"
)

// BenchmarkPeersContainer sets the agent's first pass, its crawl of the
// metadata service included, against what Debian's cloud-init and ignition take
// to bring the same name and the same files to the same machine. Both of them
// have their document at hand, in a file.
func BenchmarkPeersContainer(b *testing.B) { comparePeers(b, guest.Container, b.N*15) }

// BenchmarkPeersVM is the same under emulation.
func BenchmarkPeersVM(b *testing.B) { comparePeers(b, guest.VM, b.N*3) }

// cost is what testdata/programs/cost says: milliseconds, and KiB.
type cost struct{ Wall, CPU, Peak float64 }

// peer is one way to bring name and files to a machine, by programs that run
// one after the other.
type peer struct {
	name  string
	files []guest.File
	argv  []string
}

func comparePeers(b *testing.B, kind guest.Kind, rounds int) {
	lab := newBenchLab(b, kind)
	common := []guest.File{benchNames, benchProgram(b, "cost"), localeFile}
	agent := peer{"agent", nil, []string{"reveille", "boot", "--json"}}
	peers := append([]peer{agent}, lab.otherPeers(common)...)
	costs := make([][]cost, len(peers))
	for round := range rounds {
		for turn := range peers {
			i := (round + turn) % len(peers)
			p := peers[i]
			g := lab.boot("installed", append(p.files, common...)...)
			g.quiet()
			var c cost
			g.onJSON(&c, append([]string{"cost"}, p.argv...)...)
			if name := g.on("cat", "/etc/hostname"); !strings.HasPrefix(name, "dev-mysql01") {
				b.Fatalf("%s left the name %q\n%s", p.name, name, g.Console())
			}
			g.on("grep", "-q", "^nameserver 10.0.1.2", "/etc/resolv.conf")
			costs[i] = append(costs[i], c)
			g.close()
		}
	}
	of := func(i int, f func(cost) float64) float64 {
		var all []float64
		for _, c := range costs[i] {
			all = append(all, f(c))
		}
		return median(all)
	}
	wall, cpu, peak := func(c cost) float64 { return c.Wall }, func(c cost) float64 { return c.CPU }, func(c cost) float64 { return c.Peak / 1024 }
	for i, p := range peers {
		row(b, p.name, "cpu-ms", of(i, cpu), "cpu-of-agent", of(i, cpu)/of(0, cpu), "wall-ms", of(i, wall), "wall-of-agent", of(i, wall)/of(0, wall),
			"MiB", of(i, peak), "MiB-of-agent", of(i, peak)/of(0, peak))
	}
}

// localeFile keeps cloud-init from failing over a locale that no image has.
var localeFile = guest.File{Path: "/etc/cloud/cloud.cfg.d/98-bench.cfg", Data: []byte(
	"datasource_list: [NoCloud, None]\nlocale: C.UTF-8\nssh_deletekeys: false\nssh_genkeytypes: []\n")}

// otherPeers are the others, with what a pass of the agent writes as theirs.
func (l *benchLab) otherPeers(common []guest.File) []peer {
	l.b.Helper()
	g := l.boot("installed", common...)
	defer g.close()
	g.quiet()
	var r api.Report
	g.onJSON(&r, "reveille", "boot", "--json")
	var written []guest.File
	for _, s := range r.Steps {
		path, ok := strings.CutPrefix(s.ID, "file:")
		if !ok || s.State != "changed" {
			continue
		}
		f := guest.File{Path: path, Data: []byte(g.on("cat", path) + "\n")}
		mode, err := strconv.ParseUint(g.on("stat", "-c", "%a", path), 8, 32)
		g.check(err)
		f.Mode = fs.FileMode(mode)
		written = append(written, f)
	}
	if len(written) < 4 {
		l.b.Fatalf("the agent wrote %d files alone: %s", len(written), r.State)
	}
	cloud := cloudInit(written)
	lean := peer{"cloud-init-lean", append(slices.Clone(cloud.files), guest.File{Path: "/etc/cloud/cloud.cfg.d/99-lean.cfg", Data: []byte(
		"cloud_init_modules: [write-files, set_hostname, update_etc_hosts]\ncloud_config_modules: []\ncloud_final_modules: []\n")}), cloud.argv}
	return []peer{cloud, lean, ignition(written)}
}

// cloudInit has the files in its user-data, and all of Debian's own stages run.
func cloudInit(written []guest.File) peer {
	var say strings.Builder
	say.WriteString("#cloud-config\nhostname: dev-mysql01\nfqdn: dev-mysql01.acme.private\nprefer_fqdn_over_hostname: false\nmanage_etc_hosts: true\nwrite_files:\n")
	for _, f := range written {
		if f.Path == "/etc/hostname" || f.Path == "/etc/hosts" { // it has modules of its own for these
			continue
		}
		fmt.Fprintf(&say, "- {path: %s, permissions: '%04o', encoding: b64, content: %s}\n", f.Path, f.Mode, base64.StdEncoding.EncodeToString(f.Data))
	}
	seed := "/var/lib/cloud/seed/nocloud/"
	return peer{"cloud-init",
		[]guest.File{{Path: seed + "user-data", Data: []byte(say.String())}, {Path: seed + "meta-data", Data: []byte("instance-id: i-0123456789abcdef0\n")}},
		strings.Fields("cloud-init init --local -- cloud-init init -- cloud-init modules --mode=config -- cloud-init modules --mode=final")}
}

// ignition has them in its configuration, and both stages that matter run.
func ignition(written []guest.File) peer {
	type source struct {
		Source string `json:"source"`
	}
	type file struct {
		Path      string `json:"path"`
		Mode      int    `json:"mode"`
		Overwrite bool   `json:"overwrite"`
		Contents  source `json:"contents"`
	}
	var files []file
	for _, f := range written {
		files = append(files, file{f.Path, int(f.Mode), true, source{"data:;base64," + base64.StdEncoding.EncodeToString(f.Data)}})
	}
	text, err := json.Marshal(map[string]any{"ignition": map[string]string{"version": "3.3.0"}, "storage": map[string]any{"files": files}})
	if err != nil { // strings always marshal
		panic(err)
	}
	stage := "env IGNITION_CONFIG_FILE=/etc/ignition.json /usr/lib/dracut/modules.d/30ignition/ignition --platform=file --stage="
	// Its build relabels whatever it has written, or fails: that costs nothing here.
	selinux := guest.File{Path: "/etc/selinux/config", Data: []byte("SELINUX=disabled\nSELINUXTYPE=targeted\n")}
	relabel := guest.File{Path: "/usr/sbin/setfiles", Link: "/bin/true"}
	return peer{"ignition", []guest.File{{Path: "/etc/ignition.json", Data: text}, selinux, relabel}, strings.Fields(stage + "fetch -- " + stage + "files")}
}
