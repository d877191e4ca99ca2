package integration_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netns"

	"reveille/bootstrap/facts"
	"reveille/roles"
)

// The fleet of this test: two management boxes that collect for two roles, and
// a leaf of each role. Every address is in a network namespace of its own.
const (
	box1, box2 = "10.99.1.4", "10.99.2.4"
	gangliaUI  = 8651 // gmetad's own port
)

type gangliaLeaf struct {
	role, host, ip string
	port           int
}

var gangliaLeaves = []gangliaLeaf{
	{"mysql", "dev-mysql01", "10.99.1.17", 8631},
	{"web", "dev-web07", "10.99.2.17", 8632},
}

func gangliaRoles() (sources []roles.Source) {
	for _, l := range gangliaLeaves {
		sources = append(sources, roles.Source{Layer: roles.RoleFile, Name: l.role + ".yaml", Data: fmt.Appendf(nil, `role: %s
ganglia: {cluster: %s, port: %d, collectors: [%s, %s]}
`, l.role, l.role, l.port, box1, box2)})
	}
	return sources
}

// TestHostsAppearInTheirRolesClusterAlone runs real gmonds and a real gmetad
// on what is rendered for leaves and for collectors.
func TestHostsAppearInTheirRolesClusterAlone(t *testing.T) {
	needProgram(t, "/usr/sbin/gmond", "ganglia-monitor")
	needProgram(t, "/usr/sbin/gmetad", "gmetad")
	needRoot(t, "make network namespaces")
	n := newGangliaNet(t)
	dir := openFolder(t)
	metaConf := startCollectors(t, n, dir)
	waitForCollectors(t, n) // a leaf says some things once in five minutes
	for _, l := range gangliaLeaves {
		f := bareFacts("hostname=" + l.host + "\nrole=" + l.role + "\n")
		f.Instance.PrivateIP = facts.Known(l.ip)
		files, _ := renderedFiles(t, f, gangliaRoles())
		n.run(t, "leaf", "/usr/sbin/gmond", "-f", "-c", writeConf(t, dir, "leaf-"+l.role+".conf", files["/etc/ganglia/gmond.conf"]))
	}

	atEveryPort(func(box, at string, l gangliaLeaf) {
		waitFor(t, 90*time.Second, l.host+" is whole at "+at, func() error { return n.whole(box, at, l.role, l.host) })
	})
	// Everybody has been heard by now: who is at each port, and who is not.
	atEveryPort(func(box, at string, l gangliaLeaf) {
		got, err := n.read(box, at)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(map[string][]string{l.role: {l.host + " " + l.ip}}, got.hosts()); d != "" {
			t.Errorf("at %s: %s", at, d)
		}
	})
	askGmetad(t, n, dir, metaConf)
}

// atEveryPort visits each box's port of each role.
func atEveryPort(visit func(box, at string, l gangliaLeaf)) {
	for box, address := range map[string]string{"box1": box1, "box2": box2} {
		for _, l := range gangliaLeaves {
			visit(box, net.JoinHostPort(address, strconv.Itoa(l.port)), l)
		}
	}
}

// waitForCollectors waits until each answers: it hears by then as well.
func waitForCollectors(t *testing.T, n gangliaNet) {
	t.Helper()
	atEveryPort(func(box, at string, _ gangliaLeaf) {
		waitFor(t, 20*time.Second, "a collector answers at "+at, func() error {
			_, err := n.read(box, at)
			return err
		})
	})
}

// startCollectors runs the gmonds of both boxes, and returns gmetad's file.
func startCollectors(t *testing.T, n gangliaNet, dir string) []byte {
	t.Helper()
	fleet, err := roles.Fleet(gangliaRoles())
	if err != nil {
		t.Fatal(err)
	}
	files, err := roles.GangliaCollector(facts.OS{ID: "debian"}, fleet)
	if err != nil {
		t.Fatal(err)
	}
	var meta []byte
	gmonds := 0
	for _, f := range files {
		switch name := filepath.Base(f.Path); {
		case name == "gmetad.conf":
			meta = f.Content
		case strings.HasPrefix(name, "gmond-") && strings.HasSuffix(name, ".conf"):
			gmonds++
			conf := writeConf(t, dir, name, f.Content)
			for _, box := range []string{"box1", "box2"} {
				n.run(t, box, "/usr/sbin/gmond", "-f", "-c", conf)
			}
		}
	}
	if gmonds != len(gangliaLeaves) || meta == nil {
		t.Fatalf("%d collectors for %d roles, gmetad's file: %q", gmonds, len(gangliaLeaves), meta)
	}
	return meta
}

// askGmetad runs gmetad on the rendered list of sources, and expects each
// cluster with its host. Where it keeps its databases is the test's.
func askGmetad(t *testing.T, n gangliaNet, dir string, conf []byte) {
	t.Helper()
	rrds := filepath.Join(dir, "rrds")
	if err := os.Mkdir(rrds, 0o755); err != nil {
		t.Fatal(err)
	}
	who, err := user.Lookup("ganglia")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(who.Uid)
	gid, _ := strconv.Atoi(who.Gid)
	if err := os.Chown(rrds, uid, gid); err != nil {
		t.Fatal(err)
	}
	conf = fmt.Appendf(slices.Clone(conf), "rrd_rootdir %q\n", rrds)
	n.run(t, "box1", "/usr/sbin/gmetad", "-d", "1", "-c", writeConf(t, dir, "gmetad.conf", conf))

	want := map[string][]string{}
	for _, l := range gangliaLeaves {
		want[l.role] = []string{l.host + " " + l.ip}
	}
	waitFor(t, 90*time.Second, "gmetad knows both clusters", func() error {
		got, err := n.read("box1", net.JoinHostPort("127.0.0.1", strconv.Itoa(gangliaUI)))
		if err != nil {
			return err
		}
		if d := cmp.Diff(want, got.hosts()); d != "" {
			return errors.New(d)
		}
		return nil
	})
}

// openFolder is a temporary folder that the user ganglia can reach.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "reveille-ganglia-")
	if err == nil {
		t.Cleanup(func() { os.RemoveAll(dir) })
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func writeConf(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	if len(content) == 0 {
		t.Fatalf("nothing was rendered for %s", name)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// gangliaNet is three network namespaces: the leaves' has a wire to each box.
type gangliaNet struct{ prefix string }

func newGangliaNet(t *testing.T) gangliaNet {
	t.Helper()
	n := gangliaNet{fmt.Sprintf("rv%d-", os.Getpid())}
	ip := func(args string) {
		t.Helper()
		args = strings.ReplaceAll(args, "@", n.prefix)
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", args, err, out)
		}
	}
	for _, ns := range []string{"leaf", "box1", "box2"} {
		ip("netns add @" + ns)
		t.Cleanup(func() { ip("netns del @" + ns) })
		ip("-n @" + ns + " link set lo up")
	}
	for i, box := range []string{"box1", "box2"} {
		wire := fmt.Sprintf("w%d", i+1)
		ip("-n @leaf link add " + wire + " type veth peer name eth0 netns @" + box)
		ip(fmt.Sprintf("-n @leaf address add 10.99.%d.17/24 dev %s", i+1, wire))
		ip("-n @leaf link set " + wire + " up")
		ip(fmt.Sprintf("-n @%s address add 10.99.%d.4/24 dev eth0", box, i+1))
		ip("-n @" + box + " link set eth0 up")
		ip(fmt.Sprintf("-n @%s route add default via 10.99.%d.17", box, i+1))
	}
	// gmetad on one box also reads the other.
	ip("netns exec @leaf sysctl -qw net.ipv4.ip_forward=1")
	return n
}

// run starts a program in a namespace. ip replaces itself by it.
func (n gangliaNet) run(t *testing.T, ns string, command ...string) {
	t.Helper()
	runReal(t, exec.Command("ip", append([]string{"netns", "exec", n.prefix + ns}, command...)...))
}

// gangliaXML is what gmond and gmetad answer to whoever connects.
type gangliaXML struct {
	Clusters []gangliaXMLCluster `xml:"CLUSTER"`
	Grid     []gangliaXMLCluster `xml:"GRID>CLUSTER"`
}

type gangliaXMLCluster struct {
	Name  string `xml:"NAME,attr"`
	Hosts []struct {
		Name    string `xml:"NAME,attr"`
		IP      string `xml:"IP,attr"`
		Metrics []struct {
			Name string `xml:"NAME,attr"`
		} `xml:"METRIC"`
	} `xml:"HOST"`
}

// hosts is "NAME IP" by cluster.
func (x gangliaXML) hosts() map[string][]string {
	all := map[string][]string{}
	for _, c := range append(x.Clusters, x.Grid...) {
		all[c.Name] = nil
		for _, h := range c.Hosts {
			all[c.Name] = append(all[c.Name], h.Name+" "+h.IP)
		}
		slices.Sort(all[c.Name])
	}
	return all
}

// whole says what is still missing of a host: one metric of each module, so
// that a module which gmond passed over in silence is seen.
func (n gangliaNet) whole(ns, at, cluster, host string) error {
	x, err := n.read(ns, at)
	if err != nil {
		return err
	}
	missing := []string{"cpu_num", "cpu_user", "load_one", "mem_total", "mem_free", "disk_total", "bytes_in", "proc_total", "os_name"}
	for _, c := range x.Clusters {
		for _, h := range c.Hosts {
			for _, m := range h.Metrics {
				if c.Name == cluster && h.Name == host {
					missing = slices.DeleteFunc(missing, func(s string) bool { return s == m.Name })
				}
			}
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("no %s of %s; there are %v", strings.Join(missing, ", "), host, x.hosts())
	}
	return nil
}

// read connects from within a namespace and parses what is answered.
func (n gangliaNet) read(ns, address string) (x gangliaXML, err error) {
	conn, err := n.dial(ns, address)
	if err != nil {
		return x, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return x, err
	}
	d := xml.NewDecoder(conn)
	d.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		if charset != "ISO-8859-1" {
			return nil, fmt.Errorf("unexpected charset %s", charset)
		}
		b, err := io.ReadAll(in)
		text := make([]rune, len(b)) // each byte is the character of its number
		for i, c := range b {
			text[i] = rune(c)
		}
		return strings.NewReader(string(text)), err
	}
	return x, d.Decode(&x)
}

// dial opens a connection in a namespace. Its thread is not given back: it
// ends with the goroutine, so that nothing else runs in there.
func (n gangliaNet) dial(ns, address string) (net.Conn, error) {
	type answer struct {
		net.Conn
		error
	}
	got := make(chan answer)
	go func() {
		runtime.LockOSThread()
		h, err := netns.GetFromName(n.prefix + ns)
		if err != nil {
			got <- answer{error: err}
			return
		}
		defer h.Close()
		if err := netns.Set(h); err != nil {
			got <- answer{error: err}
			return
		}
		conn, err := net.DialTimeout("tcp", address, 5*time.Second)
		got <- answer{conn, err}
	}()
	a := <-got
	return a.Conn, a.error
}
