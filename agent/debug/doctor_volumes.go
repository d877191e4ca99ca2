package debug

import (
	"cmp"
	"fmt"
	"slices"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
)

// volumesUntold is EC2 not saying which volumes are whose, on a machine that has
// some. It is a fault where the role's disks depend on it and no earlier answer
// counts.
func volumesUntold(p Patient) []facts.Finding {
	f := p.Wanted.Facts
	severity, so := facts.Info, "Nothing tells their tags"
	if f.Volumes.IsKnown() {
		so = "What it said at " + f.VolumesRead.Format("2006-01-02 15:04 MST") + " counts"
	} else if slices.ContainsFunc(p.Wanted.Plan, func(s plan.Step) bool { return s.Concern == "storage" }) {
		severity = facts.Warning
	}
	for _, problem := range f.Problems {
		if problem.Path != facts.VolumesPath || problem.Reason == facts.NotAsked {
			continue
		}
		switch problem.Reason {
		case facts.Forbidden:
			return found("volumes-forbidden", severity, fmt.Sprintf("EC2 does not say which volumes are attached: %s. %s.", problem.Detail, so),
				"Allow "+facts.VolumesPath+" on resource \"*\", as it takes no narrower one, in a policy of the instance's role. Volumes that the profile names by ids or devices need none of this.")
		case facts.Unauthorized:
			return found("clock-differs", facts.Warning, "EC2 has another time than this machine: "+problem.Detail+".",
				"See that the clock is set: EC2 has an NTP server at 169.254.169.123.")
		}
		return found("volumes-untold", severity, fmt.Sprintf("EC2 does not say which volumes are attached: %s: %s. %s.", problem.Reason, problem.Detail, so),
			cmp.Or(volumeRemedies[problem.Reason], "`systemctl reload reveille` asks again, as the next boot does."))
	}
	return nil
}

var volumeRemedies = map[facts.Reason]string{
	facts.TimedOut: noWayToEC2,
	facts.NoRoute:  noWayToEC2,
	facts.NoName:   "See that DNS is switched on in the VPC (enableDnsSupport), or set AWS_ENDPOINT_URL_EC2.",
}

const noWayToEC2 = "See that there is a way from the subnet to EC2's API: by a NAT gateway, or by a VPC endpoint of its own."
