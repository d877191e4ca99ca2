package roles

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

// planGanglia asks for the leaf's gmond.conf and for gmond to run on it. None
// of it is required: a machine without graphs still serves.
func planGanglia(f facts.Facts, p Profile) (plan.Plan, error) {
	if p.Ganglia == nil {
		return nil, nil
	}
	if err := checkGanglia(*p.Ganglia); err != nil {
		return nil, err
	}
	os := platformOf(f.Machine.OS)
	file := resource.File{
		Path: os.GmondConf, Mode: 0o644, Concern: "ganglia",
		Content: gmondLeaf(*p.Ganglia, leafOf(f, p, os), header("ganglia", p)),
	}
	step := plan.Step{Resource: file, Concern: "ganglia", Why: p.Why("ganglia")}
	if why, _ := f.Instance.PrivateIP.Why(); why != "" {
		step.Resource = await(plan.Resource.Check, file.ID(),
			"the instance's private address ("+string(why)+"), which names the host in the graphs")
		return plan.Plan{step}, nil
	}
	steps := plan.Plan{step}
	if f.Machine.Has.Gmond {
		steps = append(steps, plan.Step{
			Resource: resource.Unit{Name: os.GmondUnit, Reads: []resource.File{file}, Start: true},
			Concern:  "ganglia", Needs: []string{file.ID()},
			Why: "gmond reads its file when it starts; " + p.Why("ganglia"),
		})
	}
	return steps, nil
}

// gmondSelf is what gmond.conf says of this machine itself.
type gmondSelf struct {
	name    string // "" lets gmond ask the system
	ip      string // IPv4 only
	modules string // the folder of gmond's modules
}

func leafOf(f facts.Facts, p Profile, os platform) gmondSelf {
	l := gmondSelf{name: machineName(f, p), modules: os.GmondModules}
	// gmond sends "ADDRESS:NAME" and the collector cuts at the first colon, so
	// an IPv6 address would end as a host of another name.
	if a, err := netip.ParseAddr(f.Instance.PrivateIP.Or("")); err == nil && a.Is4() {
		l.ip = a.String()
	}
	if f.Instance.Document.Or(facts.Document{}).Arch == "arm64" {
		l.modules = strings.Replace(l.modules, "/x86_64-linux-gnu/", "/aarch64-linux-gnu/", 1)
	}
	return l
}

// gmondLeaf is the file of a machine that tells every collector and hears
// nobody. There is no multicast in a VPC.
func gmondLeaf(g Ganglia, l gmondSelf, header string) []byte {
	w := &gmondFile{}
	w.WriteString(header + "\n")
	w.open("globals")
	w.set("daemonize", "yes")
	w.set("setuid", "yes")
	w.set("user", "ganglia")
	w.set("mute", "no")
	w.set("deaf", "yes")
	w.note("A collector that starts later learns what the numbers mean within a minute.")
	w.set("send_metadata_interval", 60)
	w.set("host_dmax", 86400)
	w.set("host_tmax", 20)
	w.set("cleanup_threshold", 300)
	w.set("max_udp_msg_len", 1472)
	w.set("gexec", "no")
	if l.name != "" {
		w.note("The collectors' own DNS is not asked what this host is called.")
		w.set("override_hostname", gmondString(l.name))
		if l.ip != "" {
			w.set("override_ip", gmondString(l.ip))
		}
	}
	w.close()
	w.open("cluster")
	w.set("name", gmondString(g.Cluster))
	w.close()
	for _, c := range g.Collectors {
		w.open("udp_send_channel")
		w.set("host", gmondString(c))
		w.set("port", g.Port)
		w.set("ttl", 64)
		w.close()
	}
	w.modules(l.modules)
	w.WriteString("include ('/etc/ganglia/conf.d/*.conf')\n\n")
	w.groups()
	return []byte(w.String())
}

// checkGanglia refuses what gmond would misread, whoever let it come this far.
func checkGanglia(g Ganglia) error {
	var errs []error
	// A name that gmond, gmetad's folders and a file name can all carry.
	if err := cluster.check(g.Cluster); err != nil {
		errs = append(errs, fmt.Errorf("ganglia.cluster: %w", err))
	}
	if g.Port < 1 || g.Port > 65535 {
		errs = append(errs, fmt.Errorf("ganglia.port: %d is not between 1 and 65535", g.Port))
	}
	if len(g.Collectors) == 0 {
		errs = append(errs, errors.New("ganglia.collectors: at least one address is needed"))
	}
	for _, c := range g.Collectors {
		if a, err := netip.ParseAddr(c); err != nil || a.Zone() != "" {
			// gmond does not start on a name that it cannot resolve.
			errs = append(errs, fmt.Errorf("ganglia.collectors: %q is not an IP address", c))
		}
	}
	return errors.Join(errs...)
}
