package debug

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"reveille/agent/report"
	"reveille/roles/logins"
)

// whose says how each user's login is called where people read it.
var whose = map[logins.Who]string{logins.BreakGlassUser: "break-glass", logins.LocalUser: "local", logins.DirectoryUser: "directory"}

// LoginStates are the states of the servers that a login is worked out for.
var LoginStates = []logins.Servers{logins.AllUp, logins.OneDown, logins.AllDown, logins.AllHung, logins.AllSlow}

// WriteLogins prints the report: what is over its limit, all cases in a table,
// and then the waits of those of these states; of none, the waits of each
// user's worst case.
func WriteLogins(w io.Writer, r LoginReport, states []logins.Servers) {
	for _, line := range overLines(r) {
		fmt.Fprintln(w, line)
	}
	fmt.Fprintf(w, "sshd waits %gs (LoginGraceTime). A local user's login may take %gs until authentication and %gs from there to a shell.\n\n",
		r.Now.GraceS, r.Now.LimitS, r.Now.AfterLimitS)
	writeTable(w, r)
	for _, c := range r.Now.shown(states) {
		writeCase(w, r.Now, c)
		if r.After != nil {
			after := r.After.find(c)
			fmt.Fprintf(w, "  After a pass: %s before authentication, %s after.\n", after.Before, after.After)
		}
	}
	if r.After != nil {
		writeNew(w, r)
	}
	if r.Undecided != "" {
		fmt.Fprintf(w, "\nWhat a pass would make of it is not known:\n")
		indent(w, r.Undecided)
	}
	writeNotes(w, r)
}

// overLines is what exceeds its limit, a line for each part of each user's
// login, and whether a pass mends it.
func overLines(r LoginReport) []string {
	var out []string
	for _, e := range logins.Worst(r.Now.excess) {
		line := "OVER  " + report.Clean(e.String())
		if r.mended(e) {
			line += "; a pass mends it"
		}
		out = append(out, line)
	}
	if r.After != nil {
		for _, e := range logins.Worst(r.After.excess) {
			if !r.Now.overAnyhow(e) {
				out = append(out, "OVER  after a pass: "+report.Clean(e.String()))
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return append(out, "")
}

// mended says whether a pass ends this excess, in every state of the servers.
func (r LoginReport) mended(e logins.Excess) bool { return r.After != nil && !r.After.overAnyhow(e) }

// overAnyhow says whether that part of that user's login is over here too, in
// any state of the servers; overIn, in the same one.
func (v LoginView) overAnyhow(e logins.Excess) bool {
	return slices.ContainsFunc(v.Over, func(o LoginOver) bool { return o.User == e.Case.User && o.When == e.When })
}

func (v LoginView) overIn(c logins.Case, when logins.When) bool {
	return slices.ContainsFunc(v.Over, func(o LoginOver) bool {
		return o.User == c.User && o.Servers == c.Servers && o.When == when
	})
}

func writeTable(w io.Writer, r LoginReport) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if r.After != nil {
		fmt.Fprintf(t, "\t\tnow\t\t\tafter a pass\n")
	}
	head := "BEFORE\tAFTER\tTOTAL"
	line := "USER\tSERVERS\t" + head
	if r.After != nil {
		line += "\t" + head
	}
	fmt.Fprintln(t, line)
	for _, c := range r.Now.Cases {
		line := fmt.Sprintf("%s %s\t%s\t%s", whose[c.User], report.Clean(c.Name), c.Servers, r.Now.cells(c))
		if r.After != nil {
			line += "\t" + r.After.cells(r.After.find(c))
		}
		fmt.Fprintln(t, line)
	}
	t.Flush()
}

// find is the same case in this view.
func (v LoginView) find(c logins.Case) logins.Case {
	return logins.Budget{Cases: v.Cases}.Case(c.User, c.Servers)
}

// cells are the three bounds of a case; what is over its limit is marked.
func (v LoginView) cells(c logins.Case) string {
	mark := func(b logins.Bound, when logins.When) string {
		if v.overIn(c, when) {
			return b.String() + " !"
		}
		return b.String()
	}
	after := mark(c.After, logins.AfterLogin)
	if c.Refused != "" {
		after = "refused"
	}
	return mark(c.Before, logins.BeforeLogin) + "\t" + after + "\t" + c.Total.String()
}

// shown is the cases whose waits are printed.
func (v LoginView) shown(states []logins.Servers) []logins.Case {
	var out []logins.Case
	for _, u := range []logins.Who{logins.BreakGlassUser, logins.LocalUser, logins.DirectoryUser} {
		var longest *logins.Case
		for i, c := range v.Cases {
			if c.User != u {
				continue
			}
			if slices.Contains(states, c.Servers) {
				out = append(out, c)
			}
			if longest == nil || longest.Total.Less(c.Total) {
				longest = &v.Cases[i]
			}
		}
		if len(states) == 0 && longest != nil && len(waits(*longest)) > 0 {
			out = append(out, *longest)
		}
	}
	return out
}

// waits are the terms of a case that take time, but for what any login takes.
func waits(c logins.Case) []logins.Term {
	return slices.DeleteFunc(slices.Clone(c.Terms), func(t logins.Term) bool {
		return t.Of == logins.OfLogin || t.When == logins.ForPassword || t.Takes == (logins.Bound{})
	})
}

func writeCase(w io.Writer, v LoginView, c logins.Case) {
	fmt.Fprintf(w, "\n%s %s, servers %s: %s before authentication, %s after\n", whose[c.User], report.Clean(c.Name), c.Servers, c.Before, c.After)
	if c.Refused != "" {
		fmt.Fprintf(w, "  refused: %s\n", report.Clean(c.Refused))
	}
	said := map[string]bool{"": true} // each limit and each remedy once
	for _, t := range waits(c) {
		fmt.Fprintf(w, "  %-8s %s: %s\n           by %s\n", t.Takes, t.When, shortened(t.What), report.Clean(t.At()))
		for _, row := range [][2]string{{"bounded by", t.Limit}, {"to change:", t.Remedy}} {
			if !said[row[1]] {
				fmt.Fprintf(w, "           %s %s\n", row[0], report.Clean(row[1]))
			}
			said[row[1]] = true
		}
	}
	if later := known(c); later > 0 {
		fmt.Fprintf(w, "  and %d more that take no time once the servers have failed for so long; they count when these are mended\n", later)
	}
}

// shortened cuts off what the line itself, whose place stands below, tells at
// length.
func shortened(what string) string {
	const most = 90
	r := []rune(report.Clean(what))
	if len(r) > most {
		return string(r[:most]) + "…"
	}
	return string(r)
}

// known counts the waits that come after a client has found its servers dead.
func known(c logins.Case) int {
	n := 0
	for _, t := range c.Terms {
		if t.Takes == (logins.Bound{}) && t.When != logins.ForPassword {
			n++
		}
	}
	return n
}

// writeNew prints the waits of cases that a pass would bring over their limits.
func writeNew(w io.Writer, r LoginReport) {
	var done []logins.Case
	for _, e := range logins.Worst(r.After.excess) {
		seen := slices.ContainsFunc(done, func(c logins.Case) bool { return c.User == e.Case.User })
		if seen || r.Now.overAnyhow(e) {
			continue
		}
		done = append(done, e.Case)
		fmt.Fprintf(w, "\nAfter a pass:")
		writeCase(w, *r.After, e.Case)
	}
}

func writeNotes(w io.Writer, r LoginReport) {
	notes := slices.Clone(r.Now.Notes)
	if r.BreakGlass == "" {
		notes = append(notes, "nothing names the account that must always get in: --break-glass USER does")
	}
	if r.After != nil {
		for _, n := range r.After.Notes {
			if !slices.Contains(notes, n) {
				notes = append(notes, "after a pass: "+n)
			}
		}
	}
	if len(notes) > 0 {
		fmt.Fprintf(w, "\nNotes:\n  %s\n", strings.Join(cleaned(notes), "\n  "))
	}
}

func cleaned(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = report.Clean(s)
	}
	return out
}
