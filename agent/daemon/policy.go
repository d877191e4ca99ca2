// Package daemon is WHEN a pass happens and what it may change: one table says
// it. It walks from facts to a report and tells whoever should know. It must
// not know what any role wants.
package daemon

import (
	"fmt"
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// Kind is why a pass happens; it goes into the report.
type Kind string

// The kinds of passes.
const (
	Boot    Kind = "boot"
	Address Kind = "address" // an address of the instance changed
	Device  Kind = "device"  // a disk came or went
	Hup     Kind = "hup"     // a person asked, by SIGHUP
	Timer   Kind = "timer"
)

// mayDo is the whole safety policy: the worst change that a pass may make, as
// long as this instance's storage has never yet been complete, and ever after;
// and on the instance's own disks that the profile calls scratch, which are empty
// whenever it was stopped.
// What is not in it may do nothing. What plan.Destroys creates also needs the
// profile's consent and a device that is proven blank, or a person's word for
// it (`reveille boot --allow-create`): see Grant.
var mayDo = map[Kind]struct{ fresh, ever, scratch plan.Risk }{
	Boot:    {plan.Destroys, plan.Disrupts, plan.Destroys},
	Device:  {plan.Destroys, plan.Disrupts, plan.Destroys}, // volumes are attached minutes after a launch
	Address: {plan.Disrupts, plan.Disrupts, plan.Disrupts},
	Hup:     {plan.Disrupts, plan.Disrupts, plan.Disrupts},
	Timer:   {plan.Safe, plan.Safe, plan.Safe}, // nobody asked for it now, so nobody is watching
}

// asksEC2 says which passes ask EC2's API about the volumes: those that something
// has happened for. What it takes is counted for a whole account, so a fleet
// must not poll it; on a timer its kept answer counts.
func asksEC2(k Kind) bool { return k != Timer }

// Allowed is the worst change that this pass may make, and the brake that
// holds it, in words ("" where none does). Fresh says that this instance's
// storage has never yet been complete.
func Allowed(kind Kind, fresh bool, b facts.Brake, tag string, now time.Time) (plan.Risk, string) {
	if why := held(b, tag, now); why != "" {
		return plan.Nothing, why
	}
	if fresh {
		return mayDo[kind].fresh, ""
	}
	return mayDo[kind].ever, ""
}

// Braked is the brake that holds this machine now, in words, "" where none
// does. The tag is IMDS's to say: it is in the newest report alone.
func Braked(h *host.Host, id string, now time.Time) string {
	return held(facts.ReadBrake(h).On(id), "", now)
}

func held(b facts.Brake, tag string, now time.Time) string {
	switch {
	case b.Disabled:
		return "disabled: " + facts.DisabledPath + " is there; remove it to go on"
	case b.Kernel:
		return "disabled: the kernel's command line says reveille=off"
	case b.Paused != "" && b.Until.IsZero():
		return fmt.Sprintf("paused: %s; `reveille resume` to go on", b.Paused)
	case b.Paused != "" && now.Before(b.Until):
		return fmt.Sprintf("paused until %s: %s; `reveille resume` to go on", b.Until.Format(time.RFC3339), b.Paused)
	case tag != "":
		return "paused: the instance's tag reveille:pause says: " + tag
	}
	return ""
}
