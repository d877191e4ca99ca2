// Package debug is the read-only looks into an instance: what it knows, what
// it would do, what it did. Nothing here changes a byte of the machine, nor
// decides anything that a pass would decide otherwise.
package debug

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"reveille/agent/report"
	"reveille/bootstrap/facts"
	"reveille/roles"
)

// Facts prints what is known, absent and unknown.
func Facts(w io.Writer, f facts.Facts) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	fmt.Fprintf(t, "source\t%s\n", f.Source)
	if f.Source == facts.FromCache {
		fmt.Fprintf(t, "age\t%s\n", f.Now.Sub(f.Read).Round(1e9))
	}
	for _, row := range instanceRows(f.Instance) {
		fmt.Fprintf(t, "%s\t%s\n", row[0], report.Clean(row[1]))
	}
	fmt.Fprintf(t, "user-data\t%s\n", userDataLine(f.UserData))
	m := f.Machine
	fmt.Fprintf(t, "system\t%s %s\n", m.OS.ID, m.OS.Version)
	fmt.Fprintf(t, "live host name\t%s\n", report.Clean(m.Hostname))
	fmt.Fprintf(t, "DMI instance id\t%s\n", cmp.Or(m.DMI, "none"))
	fmt.Fprintf(t, "files changed for\t%s\n", cmp.Or(m.Owner, "none"))
	for _, o := range m.Owned {
		fmt.Fprintf(t, "\t%s (%s)\n", report.Clean(o.Path), o.Concern)
	}
	disks(t, f)
	if f.Login != nil {
		fmt.Fprintf(t, "login passes through\t%d files\n", len(f.Login.Files))
	}
	for _, p := range f.Problems {
		fmt.Fprintf(t, "problem\t%s\n", report.Clean(p.String()))
	}
}

func instanceRows(i facts.Instance) [][2]string {
	return [][2]string{
		{"instance id", i.ID.String()},
		{"account", i.Account.String()},
		{"region", i.Region.String()},
		{"zone", i.Zone.String()},
		{"zone id", i.ZoneID.String()},
		{"type", i.Type.String()},
		{"image", i.AMI.String()},
		{"hostname", i.Hostname.String()},
		{"local hostname", i.LocalHostname.String()},
		{"public hostname", i.PublicHostname.String()},
		{"private address", i.PrivateIP.String()},
		{"public address", i.PublicIP.String()},
		{"IPv6 address", i.IPv6.String()},
		{"MAC", i.MAC.String()},
		{"security groups", i.SecurityGroups.String()},
		{"tags", pairs(i.Tags)},
		{"interfaces", interfaces(i.Interfaces)},
		{"block devices", pairs(i.BlockDevices)},
		{"life cycle", i.LifeCycle.String()},
		{"target lifecycle", i.TargetLifecycle.String()},
		{"spot action", i.SpotAction.String()},
	}
}

// pairs is key=value, key=value, sorted.
func pairs(f facts.Fact[map[string]string]) string {
	all, ok := f.Get()
	if !ok {
		return f.String()
	}
	var out []string
	for _, k := range slices.Sorted(maps.Keys(all)) {
		out = append(out, k+"="+all[k])
	}
	return strings.Join(out, ", ")
}

func interfaces(f facts.Fact[[]facts.Interface]) string {
	all, ok := f.Get()
	if !ok {
		return f.String()
	}
	s := ""
	for _, i := range all {
		s += fmt.Sprintf("%d:%s %s %v%v ", i.Device, i.ID, i.MAC, i.IPv4, i.IPv6)
	}
	return s
}

func userDataLine(u facts.UserData) string {
	d, ok := u.State.Get()
	if !ok {
		return u.State.String()
	}
	if u.Broken != "" {
		return fmt.Sprintf("%d bytes, which cannot be taken apart: %s", d.Size, report.Clean(u.Broken))
	}
	ours := 0
	for _, p := range u.Parts {
		if p.Form != "" {
			ours++
		}
	}
	return fmt.Sprintf("%d bytes; parts: %d, of them ours: %d", d.Size, len(u.Parts), ours)
}

// UserData prints the parts of user-data, and the text of those that are ours.
func UserData(w io.Writer, u facts.UserData) {
	fmt.Fprintln(w, userDataLine(u))
	for _, p := range u.Parts {
		whose := "not ours"
		if p.Form != "" {
			whose = "ours, " + string(p.Form)
		}
		fmt.Fprintf(w, "\n%s  %s  %d bytes  %s\n", report.Clean(p.Name), report.Clean(p.Type), p.Size, whose)
		if p.Near != "" {
			fmt.Fprintf(w, "    not ours: %s\n", report.Clean(p.Near))
		}
		indent(w, p.Text)
	}
}

// Role prints which role was chosen, and why.
func Role(w io.Writer, p roles.Profile) {
	if p.Role == "" {
		fmt.Fprintf(w, "no role: %s\n", p.Chosen)
	} else {
		fmt.Fprintf(w, "%s\n  file: %s\n  why:  %s\n", p.Role, p.RoleFile, p.Chosen)
	}
	if said := p.LaidOut(); len(said) > 0 {
		fmt.Fprintln(w, "disks, by tags of the volumes:")
		for _, s := range said {
			fmt.Fprintf(w, "  %s = %s\n      %s, %s\n", report.Clean(s.Key), report.Clean(s.Value), report.Clean(s.Written), report.Clean(s.From()))
		}
	}
}
