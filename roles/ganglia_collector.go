package roles

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sort"
	"strconv"
	"strings"

	"reveille/bootstrap/facts"
)

// CollectorFile is one file of a machine that collects.
type CollectorFile struct {
	Path    string // absolute
	Content []byte
}

// GangliaCollector is the other side of every role's gmond.conf, made from the
// same profiles so that the two cannot disagree: one gmond a port, a unit that
// runs each, and gmetad's list of them. os is the collector's own system.
//
// Profiles that ask for no Ganglia are passed over. Profiles of one cluster
// must name one port, and their collectors are taken together; a port is one
// cluster's. Every disagreement is told at once.
func GangliaCollector(os facts.OS, profiles []Profile) ([]CollectorFile, error) {
	clusters, err := gangliaClusters(profiles)
	if err != nil {
		return nil, err
	}
	if len(clusters) == 0 {
		return nil, errors.New("no role asks for Ganglia: give the folder of role files that have a ganglia section")
	}
	files := make([]CollectorFile, 0, len(clusters)+2)
	for _, c := range clusters {
		files = append(files, CollectorFile{"/etc/ganglia/gmond-" + c.slug() + ".conf", c.gmond()})
	}
	return append(files,
		CollectorFile{"/etc/systemd/system/gmond-collector@.service", []byte(collectorUnit)},
		CollectorFile{platformOf(os).GmetadConf, gmetad(clusters)},
	), nil
}

// gangliaCluster is what all roles of one cluster say together.
type gangliaCluster struct {
	Ganglia
	roles []string // who asked
	files []string // and where
}

// slug is the cluster's name in file and unit names.
func (c gangliaCluster) slug() string { return strings.ReplaceAll(c.Cluster, " ", "-") }

func (c gangliaCluster) where() string {
	return fmt.Sprintf("cluster %q of %s", c.Cluster, strings.Join(c.files, ", "))
}

// gangliaClusters puts the profiles together, by port.
func gangliaClusters(profiles []Profile) ([]gangliaCluster, error) {
	var errs []error
	var all []gangliaCluster
	for _, p := range profiles {
		if p.Ganglia == nil {
			continue
		}
		one := gangliaCluster{*p.Ganglia, []string{p.Role}, []string{cmp.Or(p.RoleFile, "role "+strconv.Quote(p.Role))}}
		one.Collectors = slices.Clone(one.Collectors)
		if err := checkGanglia(one.Ganglia); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", one.files[0], err))
			continue
		}
		known := slices.IndexFunc(all, func(c gangliaCluster) bool { return c.Cluster == one.Cluster && c.Port == one.Port })
		if known < 0 {
			errs = append(errs, one.quarrels(all)...)
			all = append(all, one)
			continue
		}
		c := &all[known]
		c.roles, c.files = append(c.roles, one.roles...), append(c.files, one.files...)
		for _, a := range one.Collectors {
			if !slices.Contains(c.Collectors, a) {
				c.Collectors = append(c.Collectors, a)
			}
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Port < all[j].Port })
	return all, errors.Join(errs...)
}

// quarrels is what cannot be said beside what others have said.
func (c gangliaCluster) quarrels(others []gangliaCluster) (errs []error) {
	for _, o := range others {
		switch {
		case o.Port == c.Port:
			errs = append(errs, fmt.Errorf("ganglia.port: %d is used by %s and by %s: give each cluster a port of its own", c.Port, o.where(), c.where()))
		case o.Cluster == c.Cluster:
			errs = append(errs, fmt.Errorf("ganglia.port: %s says %d and %s says %d: give a cluster one port", o.where(), o.Port, c.where(), c.Port))
		case o.slug() == c.slug():
			errs = append(errs, fmt.Errorf("ganglia.cluster: %s and %s would share the file gmond-%s.conf: rename one", o.where(), c.where(), c.slug()))
		}
	}
	return errs
}

// families is the address families that the collectors' addresses need.
func (c gangliaCluster) families() (families []string) {
	for _, family := range []string{"inet4", "inet6"} {
		if slices.ContainsFunc(c.Collectors, func(a string) bool { return (family == "inet4") == netip.MustParseAddr(a).Is4() }) {
			families = append(families, family)
		}
	}
	return families
}

// gmond is the file of the gmond that hears this cluster, and nobody else's.
// It sends nothing about its own machine: that is the leaf's business.
func (c gangliaCluster) gmond() []byte {
	w := &gmondFile{}
	w.WriteString(collectorHeader + "# Heard by it: " + strings.Join(c.roles, ", ") + ".\n\n")
	w.open("globals")
	w.set("daemonize", "yes")
	w.set("setuid", "yes")
	w.set("user", "ganglia")
	w.note("Not mute, for a mute gmond answers nobody; it has no channel to send on.")
	w.set("mute", "no")
	w.set("deaf", "no")
	w.set("allow_extra_data", "yes")
	w.set("host_dmax", 86400)
	w.set("host_tmax", 20)
	w.set("cleanup_threshold", 300)
	w.set("gexec", "no")
	w.close()
	w.open("cluster")
	w.set("name", gmondString(c.Cluster))
	w.close()
	for _, family := range c.families() {
		w.open("udp_recv_channel")
		w.set("port", c.Port)
		w.set("family", family)
		w.close()
		w.open("tcp_accept_channel")
		w.set("port", c.Port)
		w.set("family", family)
		w.close()
	}
	w.open("modules")
	w.open("module")
	w.set("name", gmondString("core_metrics"))
	w.close()
	w.close()
	return []byte(w.String())
}

// gmetad is the list of clusters and where each is collected. gmetad asks the
// first address that answers.
func gmetad(clusters []gangliaCluster) []byte {
	var b strings.Builder
	b.WriteString(collectorHeader + "\n")
	for _, c := range clusters {
		var at []string
		for _, a := range c.Collectors {
			if netip.MustParseAddr(a).Is4() {
				at = append(at, fmt.Sprintf("%s:%d", a, c.Port))
			}
		}
		if len(at) == 0 {
			b.WriteString("# gmetad knows no IPv6: it reads this cluster where it stands itself.\n")
			at = []string{fmt.Sprintf("127.0.0.1:%d", c.Port)}
		}
		fmt.Fprintf(&b, "data_source %s %s\n", gmondString(c.Cluster), strings.Join(at, " "))
	}
	b.WriteString("\nsetuid_username \"ganglia\"\ncase_sensitive_hostnames 0\n")
	return []byte(b.String())
}

const collectorHeader = `# Written by reveille ganglia collector, from the role files. Changes made here
# are lost: change the role files and run it again.
`

// A collector that dies comes back: gmond ends when it cannot have its port.
const collectorUnit = collectorHeader + `# Start one a cluster: systemctl enable --now gmond-collector@CLUSTER

[Unit]
Description=Ganglia collector of cluster %i
Documentation=man:gmond(1)
After=network.target

[Service]
ExecStart=/usr/sbin/gmond --foreground --conf=/etc/ganglia/gmond-%i.conf
Restart=on-failure
RestartSec=5

[Install]
WantedBy=multi-user.target
`
