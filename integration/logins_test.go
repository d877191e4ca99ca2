package integration_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"reveille/integration/guest"
	"reveille/roles/logins"
)

// The bars of a login that do not come out of the budget.
const (
	breakGlassWithin = 5 * time.Second   // with any server dead, on a machine that the agent has configured
	cutAfter         = 130 * time.Second // more than sshd's LoginGraceTime: who is not in by then hangs
	tightWithin      = 2                 // computed over measured, where packets are dropped
	flaggedFrom      = 60 * time.Second  // a local user's login that the budget must find over its limits, 30 s before sshd lets him in and 30 s after
)

// loginUsers are whose logins are measured, by their names on the machine.
var loginUsers = []loginUser{{logins.BreakGlassUser, "admin"}, {logins.LocalUser, "plain"}, {logins.DirectoryUser, "carol"}}

type loginUser struct {
	who  logins.Who
	name string
}

// wholeMatrix asks for every row, which takes two hours; `make soak` does.
func wholeMatrix() bool { return os.Getenv("REVEILLE_LOGINS") == "all" }

// TestLogins measures logins by key, over the network, of each kind of user
// while the servers fail in each way, and holds them to what the machine's own
// `reveille debug login-budget` says of them. Without REVEILLE_LOGINS=all it
// measures a chosen part: what the agent has configured, and the faults that
// people are locked out by.
func TestLogins(t *testing.T) {
	needRoot(t, "boot machines")
	for _, p := range [][2]string{{"/usr/bin/mmdebstrap", "mmdebstrap"}, {"/usr/bin/systemd-nspawn", "systemd-container"},
		{"/usr/sbin/dnsmasq", "dnsmasq-base"}, {"/usr/sbin/nft", "nftables"}, {"/usr/sbin/slapd", "slapd"}, {"/usr/sbin/named", "bind9"}} {
		needProgram(t, p[0], p[1])
	}
	var rows []loginRow
	for _, c := range loginConfigs {
		if !wholeMatrix() && !c.chosen {
			continue
		}
		t.Run(c.name, func(t *testing.T) { rows = append(rows, measureConfig(t, c)...) })
	}
	if wholeMatrix() && *update {
		writeLogins(t, rows)
		return
	}
	holdLogins(t, rows)
}

// measureConfig boots one machine, and measures every fault and user on it.
func measureConfig(t *testing.T, c loginConfig) (rows []loginRow) {
	lab := newLoginLab(t, c.kind())
	lab.configure(c)
	worked, over := lab.budget()
	if lab.kind == guest.VM {
		lab.emulated = lab.emulation(t)
	}
	if !c.ours && len(over) == 0 {
		t.Error("the budget finds nothing over its limit in a configuration that people were locked out by")
	}
	for _, f := range c.faults() {
		if !wholeMatrix() && !f.chosen {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			for _, u := range c.people() {
				if !wholeMatrix() && u.who == logins.LocalUser {
					continue
				}
				t.Run(string(u.who), func(t *testing.T) {
					row := loginRow{config: c, fault: f, who: u.who, computed: f.computed(worked, u.who)}
					row.flagged = slices.Contains(over, loginOver{u.who, f.servers})
					if row.computed.Name == "" {
						t.Fatalf("the budget has no case of %s with servers %s", u.who, f.servers)
					}
					lab.measure(t, &row, u.name)
					row.judge(t)
					rows = append(rows, row)
				})
			}
		})
	}
	return rows
}

// loginRow is one row of the matrix.
type loginRow struct {
	config   loginConfig
	fault    loginFault
	who      logins.Who
	computed logins.Case
	flagged  bool // over its limit, says the budget

	measured time.Duration
	spare    time.Duration // of a busy computer, and of an emulated one
	emulated time.Duration // of that, what an emulated processor takes longer for a login than a real one
	outcome  loginOutcome
	said     string // why nobody came in
}

type loginOutcome string

const (
	cameIn     loginOutcome = "in"
	turnedAway loginOutcome = "refused" // sshd said no, or hung up at its LoginGraceTime
	hung       loginOutcome = "hangs"   // until it was cut
)

// within says whether it took no longer than was worked out; of what hangs, that
// it may until it was cut.
func (r *loginRow) within() bool {
	return r.computed.Total.Unbounded || r.measured <= r.computed.Total.Most+r.spare
}

// ratio is how many times longer the bound is than what was measured.
func (r *loginRow) ratio() float64 { return r.computed.Total.Most.Seconds() / r.measured.Seconds() }

// waits says whether the bound has a wait for a server in it.
func (r *loginRow) waits() bool {
	return r.computed.Total.Unbounded || r.computed.Total.Most > logins.LoginWork
}

func (r *loginRow) String() string {
	return fmt.Sprintf("%s, %s: the login of a %s user took %.2fs (%s%s), computed for servers %s: %s",
		r.config.name, r.fault.name, r.who, r.measured.Seconds(), r.outcome, r.said, r.fault.servers, r.computed.Total)
}

// judge holds a row to the bars.
func (r *loginRow) judge(t *testing.T) {
	t.Helper()
	t.Log(r)
	// Without a fault an emulated machine shows what its own work takes there, which
	// no bound is of.
	if own := r.emulated > 0 && r.fault.servers == logins.AllUp; !own && !r.within() {
		t.Errorf("longer than computed: %s\n%s", r, termLines(r.computed))
	}
	if r.who != logins.DirectoryUser && r.outcome != cameIn && r.config.ours {
		t.Errorf("a local user did not come in: %s", r)
	}
	if r.fault.servers == logins.AllUp && r.outcome != cameIn {
		t.Errorf("every server answers, and nobody came in: %s", r)
	}
	if r.measured > flaggedFrom && !r.flagged && r.who != logins.DirectoryUser {
		t.Errorf("the budget finds nothing over its limit in this: %s", r)
	}
	// Others of the dropped rows are part of a state whose bound is for all of it,
	// and the other configurations ask more often, in threads whose memory of what
	// is dead is not known. Where nobody is waited for, it is what any login costs
	// on a slow computer.
	if r.fault.whole && r.config.tight && r.waits() && r.ratio() > tightWithin {
		t.Errorf("the bound is %.1f times what was measured, and may be %d: %s", r.ratio(), tightWithin, r)
	}
	if r.who == logins.BreakGlassUser && r.config.ours && r.measured-r.emulated >= breakGlassWithin {
		t.Errorf("the break-glass user waits for more than %s: %s\n%s", breakGlassWithin, r, termLines(r.computed))
	}
}

// termLines are the waits that a bound is made of.
func termLines(c logins.Case) (out string) {
	for _, term := range c.Terms {
		out += fmt.Sprintf("  %s %s: %s, by %s:%d, %s\n", term.Takes, term.When, term.What, term.File, term.Line, term.Limit)
	}
	return out
}
