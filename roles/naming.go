package roles

import (
	"fmt"
	"strings"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

const (
	hostsPath     = "/etc/hosts"
	hostnamePath  = "/etc/hostname"
	cloudInitPath = "/etc/cloud/cloud.cfg.d/99-reveille.cfg"
)

// planNaming asks for the host's name: in /etc/hosts first, since sudo and
// many daemons look their own name up the moment it changes, then in
// /etc/hostname and in the running kernel. NetworkManager, networkd and
// dhclient need no telling: each leaves a host alone that has a static name.
func planNaming(f facts.Facts, p Profile) (plan.Plan, error) {
	n, err := nameOf(f, p)
	if err != nil {
		return nil, err
	}
	if n.kept {
		left := leave(plan.Resource.Check, resource.Hostname{}.ID())
		return plan.Plan{{Resource: left, Concern: "naming", Why: n.why, Required: true}}, nil
	}
	pl := platformOf(f.Machine.OS)
	var out plan.Plan
	ask := func(r plan.Resource, why string, needs ...string) {
		out = append(out, plan.Step{Resource: r, Concern: "naming", Needs: needs, Why: why, Required: true})
	}

	hosts, why := hostsStep(f, n)
	ask(hosts, n.why+"; "+why)
	name, why := n.kernelName(pl)
	if pl.Note != "" {
		why += "; " + pl.Note
	}
	file := resource.File{Path: hostnamePath, Mode: 0o644, Content: []byte(name + "\n"), Concern: "naming"}
	ask(file, n.why+"; "+why, hosts.ID())
	// After the file: systemd-hostnamed, where it is told, goes by the file.
	ask(resource.Hostname{Name: name}, n.why, hosts.ID(), file.ID())
	if f.Machine.CloudInit {
		ask(cloudInitFile(p), "cloud-init is installed and would set the name back at every boot")
	}
	return out, nil
}

// machineNames is what the machine is called, and who says so.
type machineNames struct {
	short, full string // equal where no domain is known
	why         string
	kept        bool // nothing names the host: short is its present name, perhaps ""
}

// nameOf finds the name: the profile's, else cloud-init's or EC2's own, else
// the present one.
func nameOf(f facts.Facts, p Profile) (machineNames, error) {
	if h := p.Identity.Hostname; h != "" {
		n := named(h, p.Identity.Domain)
		n.why = p.Why("identity.hostname")
		if n.full != h {
			n.why += ", " + p.Why("identity.domain")
		}
		if err := checkOwnName(n.full); err != nil {
			return machineNames{}, fmt.Errorf("%s: %w", n.why, err)
		}
		return n, nil
	}
	kept := machineNames{short: f.Machine.Hostname, full: f.Machine.Hostname, kept: true}
	if f.Machine.CloudInit {
		kept.why = "nothing here names this host: that is left to cloud-init. To name it here, " + howToName
		return kept, nil
	}
	if n, ok := ec2Name(f, p); ok {
		return n, nil
	}
	kept.why = "nothing names this host, and EC2's own name is " + f.Instance.Hostname.String() +
		": the present one is left alone. To name it, " + howToName
	return kept, nil
}

const howToName = "put hostname=NAME into its user-data"

// ec2Name is the name that EC2 gives every instance, for images without
// cloud-init: where it is installed it sets this name, or one of its own.
func ec2Name(f facts.Facts, p Profile) (machineNames, bool) {
	for _, own := range []struct {
		path string
		fact facts.Fact[string]
	}{
		{"meta-data/hostname", f.Instance.Hostname},
		{"meta-data/local-hostname", f.Instance.LocalHostname},
	} {
		// A VPC whose DHCP options hold several domains answers several names.
		name, _, _ := strings.Cut(strings.TrimSpace(own.fact.Or("")), " ")
		if checkOwnName(name) != nil {
			continue
		}
		if p.Identity.Domain != "" { // a person's domain beats EC2's
			name, _, _ = strings.Cut(name, ".")
		}
		n := named(name, p.Identity.Domain)
		n.why = "nothing names this host: EC2's own name, from " + own.path
		if n.full != name {
			n.why += ", " + p.Why("identity.domain")
		}
		return n, true
	}
	return machineNames{}, false
}

// named splits a name; a full one wins over the domain.
func named(name, domain string) machineNames {
	short, _, isFull := strings.Cut(name, ".")
	if isFull || domain == "" {
		return machineNames{short: short, full: name}
	}
	return machineNames{short: short, full: short + "." + domain}
}

// kernelName is what /etc/hostname and the kernel hold: each family's own
// practice, which its tools and its administrators expect.
func (n machineNames) kernelName(pl platform) (name, why string) {
	switch {
	case !pl.FullHostname:
		return n.short, "the short name, as " + pl.Family + " keeps it; the full one is in /etc/hosts"
	case len(n.full) > resource.MaxHostname:
		return n.short, fmt.Sprintf("the short name: the full one has %d bytes and the kernel keeps %d", len(n.full), resource.MaxHostname)
	}
	return n.full, "the full name, as " + pl.Family + " keeps it"
}

// hostsStep is the line in /etc/hosts. Where the address could not be read and
// a line of ours is there, that line stays: unknown is not absent.
func hostsStep(f facts.Facts, n machineNames) (r plan.Resource, why string) {
	v4, v6 := f.Instance.PrivateIP, f.Instance.IPv6
	if ip, ok := v4.Get(); ok {
		return hostsFile(n, ip), "address from meta-data/local-ipv4"
	}
	if ip, ok := v6.Get(); ok && v4.IsAbsent() {
		return hostsFile(n, ip), "no IPv4 address: the one from meta-data/ipv6"
	}
	if v4.IsAbsent() && v6.IsAbsent() {
		return hostsFile(n, "127.0.1.1"), "the instance has no address of its own"
	}
	for _, o := range f.Machine.Owned {
		if o.Path == hostsPath {
			return await(plan.Resource.Check, "file:"+hostsPath, "the instance's private address"),
				"the private address is " + v4.String() + ": the line stays until it is known"
		}
	}
	return hostsFile(n, "127.0.1.1"), "the private address is " + v4.String() + ": this one until it is known"
}

func hostsFile(n machineNames, address string) resource.File {
	line := address + " " + n.full
	if n.full != n.short {
		line += " " + n.short
	}
	// At the top: the first line that holds the name says which is the full
	// one, and images bring lines of their own.
	edit := resource.Block{Name: "naming", Lines: []string{line}, Before: true}
	return resource.File{Path: hostsPath, Edit: edit, Concern: "naming"}
}

func cloudInitFile(p Profile) resource.File {
	text := header("identity", p) + `#
# Reveille names this host. cloud-init would set its own name again at every
# boot (update_hostname), and write /etc/hosts anew from a template
# (update_etc_hosts); both are told to leave them alone. User-data that sets
# one of these keys wins over this file: then take it out there.
preserve_hostname: true
manage_etc_hosts: false
`
	return resource.File{Path: cloudInitPath, Mode: 0o644, Content: []byte(text), Concern: "naming"}
}

// checkOwnName is the profile's rule for host names, and one more: a machine
// that is called localhost would take itself for every other.
func checkOwnName(name string) error {
	if first, _, _ := strings.Cut(name, "."); strings.EqualFold(first, "localhost") {
		return fmt.Errorf("%q is every machine's name for itself: choose another", name)
	}
	return checkHostName("host name", name)
}
