package debug

import (
	"fmt"
	"io"

	"reveille/agent/report"
	"reveille/bootstrap/facts"
)

// Findings prints what is wrong and what to do about it.
func Findings(w io.Writer, all []facts.Finding) {
	for _, f := range all {
		fmt.Fprintf(w, "%-8s %-18s %s\n", f.Severity, f.Code, report.Clean(f.Title))
		if f.Remedy != "" {
			fmt.Fprintf(w, "%-27s %s\n", "", report.Clean(f.Remedy))
		}
	}
}

// Wrong says whether a finding is more than a remark.
func Wrong(f facts.Finding) bool { return f.Severity != facts.Info }
