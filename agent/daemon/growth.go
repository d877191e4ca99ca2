package daemon

import (
	"strings"

	"reveille/bootstrap/converge"
)

// growthConcern is the room of the steps that make what lies on enlarged volumes
// larger.
const growthConcern = "growth"

// noteGrowth asks for a pass that may let something grow, where a look came upon
// room that no event told of: an array was busy when its volumes were enlarged,
// or the kernel could not be listened to. It asks once for the same: what did not
// grow then has its reason, and EC2 is not asked again at every look.
func (l *loop) noteGrowth(e ending) {
	if e.kind != Timer || e.out.Held != "" {
		return
	}
	var could []string
	for _, s := range e.out.Report.Steps {
		if s.Concern == growthConcern && s.State == string(converge.Drifted) {
			could = append(could, s.Changes...)
		}
	}
	now := strings.Join(could, "\n")
	if now != "" && now != l.growth {
		l.log().Info("what was enlarged can grow", "what", strings.Join(could, "; "))
		l.asks.add(Device)
	}
	l.growth = now
}
