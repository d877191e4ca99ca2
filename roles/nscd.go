package roles

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

const nscdPath = "/etc/nscd.conf"

// Nscd is which answers of the name service are kept, and for how long.
type Nscd struct {
	Databases   []string      // of passwd, group, hosts and services
	PositiveTTL time.Duration // whole seconds, as is the other
	NegativeTTL time.Duration // of "there is no such name"
	Asked       string        // where the section is, which may be empty
}

// nscdDatabases are all that nscd knows, in the order in which they are
// written. Each is named, so that no default of a release counts; netgroup
// can never be asked for: its cache has crashed nscd in many of them.
var nscdDatabases = []string{"passwd", "group", "hosts", "services", "netgroup"}

// sssdKeeps are the databases that sssd has a cache of its own for. Two caches
// behind each other forget a change only when both have.
var sssdKeeps = []string{"passwd", "group", "services", "netgroup"}

// planNscd asks for nscd.conf and for nscd to run on it. None of it is
// required: a machine without a cache still serves.
//
// nscd is started anew when nsswitch.conf changes as well, as what it keeps
// came from the sources before. So the unit is this concern's where both are
// asked for.
func planNscd(f facts.Facts, p Profile) (plan.Plan, error) {
	if p.Nscd == nil {
		return nil, nil
	}
	if err := checkNscd(*p.Nscd); err != nil {
		return nil, err
	}
	os := platformOf(f.Machine.OS)
	sssd := sssdAnswers(f, p, os)
	kept := p.Nscd.kept(sssd)
	file := resource.File{Path: nscdPath, Mode: 0o644, Concern: "nscd", Content: renderNscd(*p.Nscd, kept, header("nscd", p))}
	out := plan.Plan{{Resource: file, Concern: "nscd", Why: nscdWhy(f, p, kept, sssd)}}
	if !f.Machine.Has.Nscd {
		return out, nil
	}
	reads, needs := []resource.File{file}, []string{file.ID()}
	if nsswitch, ok := nsswitchFile(f, p, os); ok {
		reads, needs = append(reads, nsswitch), append(needs, nsswitch.ID())
	}
	return append(out, plan.Step{
		Resource: resource.Unit{Name: os.NscdUnit, Reads: reads, Start: len(kept) > 0},
		Concern:  "nscd", Needs: needs,
		Why: "nscd reads its file when it starts, and forgets then what it has kept of the sources before",
	}), nil
}

// sssdAnswers says whether sssd is who looks users up: the client that is
// chosen, or, where the directory is none of ours, one that is installed.
func sssdAnswers(f facts.Facts, p Profile, os platform) bool {
	if p.Directory == nil {
		return f.Machine.Has.SSSD
	}
	chosen := chooseClients(p.Directory.Client, ldapClients(f.Machine.Has, os))
	return slices.ContainsFunc(chosen, func(c ldapClient) bool { return c.name == "sssd" })
}

// kept is the databases that are kept in the end.
func (n Nscd) kept(sssd bool) []string {
	return slices.DeleteFunc(slices.Clone(n.Databases), func(db string) bool {
		return sssd && slices.Contains(sssdKeeps, db)
	})
}

func nscdWhy(f facts.Facts, p Profile, kept []string, sssd bool) string {
	why := "nscd is installed; "
	if !f.Machine.Has.Nscd {
		why = "nscd is not installed (package nscd), its file waits for it; "
	}
	why += p.whySection("nscd", p.Nscd.Asked)
	if sssd && len(kept) < len(p.Nscd.Databases) {
		left := slices.DeleteFunc(slices.Clone(p.Nscd.Databases), func(db string) bool { return slices.Contains(kept, db) })
		why += "; " + strings.Join(left, ", ") + " not, since sssd looks them up and has a cache of its own: " +
			"behind each other two keep who is gone, and miss who is new, for as long as both say"
	}
	return why
}

// renderNscd is nscd.conf.
//
// Nothing is persistent. A restart is how the answers of other sources are
// forgotten, and a file of them would survive it; it would also be baked into
// an image and answer for another instance. Nor would it help with every
// server dead: nslcd answers then as for a user who does not exist, which
// takes the place of what was kept when that is looked up anew, whatever
// reload-count says. How long people stay known then is the positive TTL.
func renderNscd(n Nscd, kept []string, header string) []byte {
	l := &lines{sep: " "}
	l.WriteString(header + "\n")
	l.put("debug-level", 0)
	l.put("paranoia", "no")
	l.say("Seconds. Not persistent: a restart forgets all.")
	for _, db := range nscdDatabases {
		yes := slices.Contains(kept, db)
		l.put("enable-cache", db+" "+map[bool]string{true: "yes", false: "no"}[yes])
		if !yes {
			continue
		}
		l.put("positive-time-to-live", fmt.Sprint(db, " ", limitSeconds(n.PositiveTTL)))
		l.put("negative-time-to-live", fmt.Sprint(db, " ", limitSeconds(n.NegativeTTL)))
		l.put("suggested-size", db+" 211")
		l.put("check-files", db+" yes")
		l.put("persistent", db+" no")
		l.put("shared", db+" yes")
		l.put("max-db-size", db+" 33554432")
		if db == "passwd" || db == "group" {
			l.put("auto-propagate", db+" yes")
		}
	}
	return []byte(l.String())
}

// checkNscd refuses what nscd would misread, whoever let it come this far.
func checkNscd(n Nscd) error {
	for _, db := range n.Databases {
		if db == "netgroup" || !slices.Contains(nscdDatabases, db) {
			return fmt.Errorf("nscd.databases: %q is none that can be kept", db)
		}
	}
	return nil
}
