package daemon

import (
	"testing"
	"time"

	"reveille/coordinator/api"
)

// Who had begun to write before our files told it not to has its way for no
// longer than half a minute; where nobody has, there is no second look.
func TestWhatIsWrittenOverDuringTheBootIsPutRight(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.start()
		r.after(time.Second)
		ours := r.m.Read("/etc/resolv.conf")
		r.m.Put("/etc/resolv.conf", theirs, 0o644)
		r.after(31 * time.Second)
		if got := r.passes(); got != "boot timer" || r.m.Read("/etc/resolv.conf") != ours || r.report().State != api.Ready {
			t.Errorf("passes %s, and resolv.conf is\n%s", got, r.m.Read("/etc/resolv.conf"))
		}
		r.m.Put("/etc/resolv.conf", theirs, 0o644)
		r.after(5 * time.Minute)
		if got := r.passes(); got != "boot timer" {
			t.Errorf("a later write asks for nothing: %s", got)
		}
	})
}
