package facts

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"reveille/integration/fakeimds"
)

// Reading the facts asks nobody about the volumes: what a machine without a
// role's disks is called must not wait for EC2.
func TestGatherAsksNobodyAboutVolumes(t *testing.T) {
	s, at := serveEC2(t, clock)
	imds := serve(t, fakeimds.Example(), "none")
	f := Gather(t.Context(), machine(t, nil), volumeOptions(imds.URL, at))
	if f.Volumes.IsKnown() || len(s.Requests()) > 0 || len(f.Disks) != 1 {
		t.Errorf("volumes %v, asked %d times, disks %v", f.Volumes, len(s.Requests()), f.Disks)
	}
	for _, q := range imds.Server.Requests() {
		if strings.Contains(q.Path, "/iam/") {
			t.Errorf("%s was asked for", q.Path)
		}
	}
}

// An API without an answer holds up for a shorter time whom an earlier answer
// helps as well: here no attempt comes to its end.
func TestAKeptAnswerCountsSooner(t *testing.T) {
	s, at := serveEC2(t, clock)
	o := volumeOptions(serve(t, fakeimds.Example(), "none").URL, at)
	h := machine(t, nil)
	if err := Keep(t.Context(), h, gatherVolumes(t.Context(), h, o)); err != nil {
		t.Fatal(err)
	}
	if err := s.Fail("silent"); err != nil {
		t.Fatal(err)
	}
	before := len(s.Requests())
	o.api.within, o.api.tuning.whole = DefaultTimeout, DefaultTimeout/4
	o.api.kept = time.Second / 2
	f := gatherVolumes(t.Context(), h, o)
	if n := len(s.Requests()) - before; n > 1 || !f.Volumes.IsKnown() || !f.trouble(VolumesPath) {
		t.Errorf("asked %d times; %v, %v", n, f.Volumes, f.Problems)
	}
	if d := ec2Defaults(); d.kept >= d.within {
		t.Errorf("with a kept answer %v, without %v", d.kept, d.within)
	}
}

// A metadata service that has just been silent is not waited for once more, and
// one that is another instance's by now gives no credentials.
func TestVolumesOfWhoDoesNotSayWhoItIs(t *testing.T) {
	s, at := serveEC2(t, clock)
	dead := serveFault(t, fakeimds.Example(), fakeimds.Fault{Act: fakeimds.Status(http.StatusForbidden)})
	o := volumeOptions(dead.URL, at)
	h := machine(t, map[string]string{assetTagPath: exampleID})
	f := Gather(t.Context(), h, o)
	before := len(dead.Server.Requests())
	AskVolumes(t.Context(), h, &f, false, o)
	if n := len(dead.Server.Requests()) - before; n != 0 {
		t.Errorf("it was asked %d times more", n)
	}
	live := serve(t, fakeimds.Example(), "none")
	o.Endpoint = live.URL
	g := Gather(t.Context(), h, o)
	other := fakeimds.Example()
	other.ID = "i-0ffffffffffffffff"
	o.Endpoint = serve(t, other, "none").URL
	AskVolumes(t.Context(), h, &g, false, o)
	for _, f := range []Facts{f, g} {
		if r, _ := f.Volumes.Why(); r != NotAsked || !f.trouble(VolumesPath) {
			t.Errorf("%v; %v", f.Volumes, f.Problems)
		}
	}
	if n := len(s.Requests()); n > 0 {
		t.Errorf("EC2 was asked %d times", n)
	}
}
