package facts

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"reveille/integration/fakeimds"
)

func TestPollTellsWhatChanged(t *testing.T) {
	e := fakeimds.Example()
	r := serve(t, e, "none")
	o := options(r.URL)
	first := Gather(t.Context(), machine(t, nil), o).Instance.Watched()
	before := len(r.Server.Requests())
	now, changed := Poll(t.Context(), o).Since(first)
	if changed != "" {
		t.Errorf("nothing has changed, and it says %q", changed)
	}
	// The token, the id, three questions, and the value of each tag.
	if asked, most := len(r.Server.Requests())-before, 6+len(e.Tags); asked > most {
		t.Errorf("a poll made %d requests, at most %d are needed", asked, most)
	}
	e.Tags = map[string]string{"role": "kafka"}
	r.Server.Set(e)
	if now, changed = Poll(t.Context(), o).Since(now); !strings.Contains(changed, "tags") {
		t.Errorf("tags changed, and it says %q", changed)
	}
	if _, changed = Poll(t.Context(), o).Since(now); changed != "" {
		t.Errorf("a change is told once, and it says %q again", changed)
	}
}

// An IMDS that does not answer has changed nothing, and what it said before is
// still what is compared with.
func TestAPollWithoutAnAnswerChangesNothing(t *testing.T) {
	r := serve(t, fakeimds.Example(), "none")
	first := Gather(t.Context(), machine(t, nil), options(r.URL)).Instance.Watched()
	dead := serve(t, fakeimds.Example(), fakeimds.Refused)
	now, changed := Poll(t.Context(), options(dead.URL)).Since(first)
	if changed != "" || !now.Tags.IsKnown() {
		t.Errorf("it says %q, and knows %v", changed, now.Tags)
	}
}

func TestTheCrawlBeginsWhenTheNetworkIsReady(t *testing.T) {
	var asked []netip.Addr
	ready := func(err error) func(context.Context, []netip.Addr) error {
		asked = nil
		return func(_ context.Context, to []netip.Addr) error { asked = to; return err }
	}
	r := serve(t, fakeimds.Example(), "none")
	o := options(r.URL)
	o.Ready = ready(errors.New("no way"))
	if f := Gather(t.Context(), machine(t, nil), o); f.Source != FromIMDS || asked != nil {
		t.Errorf("loopback needs no route, and %v was waited for; source %s", asked, f.Source)
	}
	o = Options{Ready: ready(errors.New("no way in 30s")), Now: clock}
	f := Gather(t.Context(), machine(t, nil), o)
	want := []netip.Addr{netip.MustParseAddr("169.254.169.254"), netip.MustParseAddr("fd00:ec2::254")}
	if !slices.Equal(asked, want) || f.Source != FromNone {
		t.Errorf("waited for %v, source %s", asked, f.Source)
	}
	if why, detail := f.Instance.ID.Why(); why != NoRoute || !strings.Contains(detail, "no way in 30s") {
		t.Errorf("the instance id is unknown for %s, %s", why, detail)
	}
}
