package storage

import (
	"strings"
	"testing"

	"reveille/bootstrap/plan"
)

// A power cut takes what a tool wrote and the volumes have in a cache alone. That
// something is made is noted once they keep it, and made again it is not.
func TestWhatIsMadeIsKeptBeforeThatIsNoted(t *testing.T) {
	array, group, lv := raid10(), groupOn(raid10()), mysqlOn(raid10())
	for n, r := range []plan.Resource{array, group, lv} {
		w := newWorld(t, four...)
		if err := onePass(w.Host(), plan.Destroys, []plan.Resource{array, group, lv}[:n]...); err != nil {
			t.Fatal(err)
		}
		half := func() bool {
			i, known, err := storage.intendedFor(w.Host(), four, r.ID())
			if err != nil || !known {
				t.Fatalf("%s: known %v, %v", r.ID(), known, err)
			}
			return i.half()
		}
		w.bad = "sync"
		err := onePass(w.Host(), plan.Destroys, r)
		if want := "have volumes " + strings.Join(four, ", ") + " keep what was made on them: sync"; err == nil || !strings.Contains(err.Error(), want) || !half() {
			t.Errorf("%s: half made %v, %v; want %q", r.ID(), half(), err, want)
		}
		made := len(w.ran)
		w.bad = ""
		if err := onePass(w.Host(), plan.Destroys, r); err != nil || half() || len(w.ran) != made {
			t.Errorf("%s: half made %v, ran %q, %v", r.ID(), half(), w.ran[made:], err)
		}
	}
}
