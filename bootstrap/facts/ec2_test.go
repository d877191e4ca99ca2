package facts

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
	"reveille/integration/fakeec2"
	"reveille/integration/fakeimds"
)

// dataDisk is a disk that EC2 has something to tell of.
var dataDisk = block.Disk{Kernel: "nvme1n1", Kind: block.EBS, Volume: "vol-0a", Size: 8 << 30}

func disksAre(all ...block.Disk) func(*host.Host) ([]block.Disk, error) {
	return func(*host.Host) ([]block.Disk, error) { return slices.Clone(all), nil }
}

// serveEC2 opens a fake API with two volumes of the example's, and one of
// another instance's. It takes the example's signature alone, by a clock.
func serveEC2(t *testing.T, now func() time.Time) (*fakeec2.Server, string) {
	t.Helper()
	s, e := &fakeec2.Server{}, fakeimds.Example()
	s.Trust(e.Region, e.Credentials.AccessKeyID, e.Credentials.SecretAccessKey, e.Credentials.Token, now)
	s.Set(
		fakeec2.Volume{ID: "vol-0a", Instance: exampleID, Device: "/dev/sdf", GiB: 8, Created: noon, Tags: map[string]string{"array": "data", "note": "a <b> & c"}},
		fakeec2.Volume{ID: "vol-0b", Instance: exampleID, Device: "sdg", GiB: 16, Created: noon, SnapshotID: "snap-01", Shared: "i-0fffffffffffffff0"},
		fakeec2.Volume{ID: "vol-0c", Instance: "i-0fffffffffffffff0", Device: "/dev/sdf", Created: noon},
	)
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return s, srv.URL
}

var exampleVolumes = map[string]EBSVolume{
	"vol-0a": {Tags: map[string]string{"array": "data", "note": "a <b> & c"}, Created: noon, GiB: 8, Device: "sdf", Attachments: 1},
	"vol-0b": {Tags: map[string]string{}, Snapshot: "snap-01", Created: noon, GiB: 16, Device: "sdg", Attachments: 2},
}

// volumeOptions may ask EC2 at an address, of a machine with a data disk.
func volumeOptions(imds, ec2 string) Options {
	o := options(imds)
	o.Volumes, o.disks = true, disksAre(dataDisk)
	o.Getenv = func(k string) string { return map[string]string{envEC2: ec2}[k] }
	d := ec2Defaults()
	d.tuning.backoff = quick.backoff
	o.api = &d
	return o
}

// gatherVolumes reads all facts, and asks as a role with disks has it asked.
func gatherVolumes(ctx context.Context, h *host.Host, o Options) Facts {
	f := Gather(ctx, h, o)
	AskVolumes(ctx, h, &f, false, o)
	return f
}

func TestVolumesAreWhatEC2Says(t *testing.T) {
	s, at := serveEC2(t, clock)
	for _, page := range []int{0, 1} {
		s.Page(page)
		f := gatherVolumes(t.Context(), machine(t, nil), volumeOptions(serve(t, fakeimds.Example(), "none").URL, at+"/"))
		got, _ := f.Volumes.Get()
		if d := cmp.Diff(exampleVolumes, got); d != "" || len(f.Problems) > 0 || !f.VolumesRead.Equal(noon) {
			t.Errorf("%d a page, read %v, problems %v (-want +got):\n%s", page, f.VolumesRead, f.Problems, d)
		}
		if d := cmp.Diff([]block.Disk{dataDisk}, f.Disks); d != "" {
			t.Errorf("disks (-want +got):\n%s", d)
		}
	}
}

// EC2's API is one for an account: who has no question must not ask.
func TestWhenEC2IsAsked(t *testing.T) {
	root, store, other := dataDisk, dataDisk, dataDisk
	root.Root, store.Kind, other.Kind = true, block.InstanceStore, block.Other
	for name, c := range map[string]struct {
		disks func(*host.Host) ([]block.Disk, error)
		timer bool
		want  int
	}{
		"a data volume":             {disks: disksAre(root, dataDisk), want: 1},
		"a data volume, by a timer": {disks: disksAre(root, dataDisk), timer: true},
		"the root's alone":          {disks: disksAre(root)},
		"no volumes beside it":      {disks: disksAre(root, store, other)},
		"no disks":                  {disks: disksAre()},
		"disks that nobody read":    {disks: func(*host.Host) ([]block.Disk, error) { return nil, http.ErrBodyNotAllowed }, want: 1},
	} {
		s, at := serveEC2(t, clock)
		imds := serve(t, fakeimds.Example(), "none")
		o := volumeOptions(imds.URL, at)
		o.disks, o.Volumes = c.disks, !c.timer
		f := gatherVolumes(t.Context(), machine(t, nil), o)
		if got := len(s.Requests()); got != c.want || f.Volumes.IsKnown() != (c.want > 0) {
			t.Errorf("%s: EC2 was asked %d times, want %d; %v", name, got, c.want, f.Volumes)
		}
		secrets := slices.ContainsFunc(imds.Server.Requests(), func(r fakeimds.Request) bool { return strings.Contains(r.Path, "/iam/") })
		if secrets != (c.want > 0) {
			t.Errorf("%s: the role's credentials were asked for: %v", name, secrets)
		}
	}
}

func TestTheKeptAnswerCounts(t *testing.T) {
	s, at := serveEC2(t, clock)
	imds := serve(t, fakeimds.Example(), "none")
	o := volumeOptions(imds.URL, at)
	h := machine(t, map[string]string{assetTagPath: exampleID})
	if err := Keep(t.Context(), h, gatherVolumes(t.Context(), h, o)); err != nil {
		t.Fatal(err)
	}
	if i, err := h.Stat(VolumesCachePath(exampleID)); err != nil || i.Mode.Perm() != 0o600 {
		t.Errorf("kept with mode %v, %v", i.Mode, err)
	}
	later := noon.Add(time.Hour)
	o.Now = func() time.Time { return later }
	if err := s.Fail("unauthorized"); err != nil {
		t.Fatal(err)
	}
	timer, dead := o, o
	timer.Volumes = false
	dead.Endpoint = serve(t, fakeimds.Example(), "403").URL
	for name, c := range map[string]struct {
		o    Options
		told string // what of EC2 is told to be wrong
	}{
		"refused":         {o, string(Forbidden)},
		"by a timer":      {timer, ""},
		"without any API": {dead, string(NotAsked)},
	} {
		f := gatherVolumes(t.Context(), h, c.o)
		got, _ := f.Volumes.Get()
		if d := cmp.Diff(exampleVolumes, got); d != "" || !f.VolumesRead.Equal(noon) {
			t.Errorf("%s: read %v (-want +got):\n%s", name, f.VolumesRead, d)
		}
		var told, aged []string
		for _, p := range f.Problems {
			if p.Path == VolumesPath {
				told = append(told, string(p.Reason))
				if strings.Contains(p.Detail, "2026-01-02T12:00:00Z") {
					aged = append(aged, p.Detail)
				}
			}
		}
		if strings.Join(slices.Compact(told), " ") != c.told || (len(aged) == 1) != (c.told != "") {
			t.Errorf("%s: problems %v, want those of EC2 to be %q and one to name its age", name, f.Problems, c.told)
		}
		if err := Keep(t.Context(), h, f); err != nil {
			t.Fatal(err)
		}
	}
	if k, err := readKeptVolumes(h, exampleID); err != nil || !k.Read.Equal(noon) {
		t.Errorf("an old answer was kept as one of %v: %v", k.Read, err)
	}
}

// An answer that is kept is one instance's.
func TestVolumesOfAnotherInstanceAreNotBelieved(t *testing.T) {
	const other = "i-0ffffffffffffffff"
	s, at := serveEC2(t, clock)
	h := machine(t, nil)
	o := volumeOptions(serve(t, fakeimds.Example(), "none").URL, at)
	if err := Keep(t.Context(), h, gatherVolumes(t.Context(), h, o)); err != nil {
		t.Fatal(err)
	}
	kept, err := h.ReadFile(VolumesCachePath(exampleID))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Fail("unavailable"); err != nil {
		t.Fatal(err)
	}
	i := fakeimds.Example()
	i.ID = other
	o.Endpoint = serve(t, i, "none").URL
	if f := gatherVolumes(t.Context(), h, o); f.Volumes.IsKnown() {
		t.Errorf("another's volumes are believed: %v", f.Volumes)
	}
	put(t, h.Root(), VolumesCachePath(other), string(kept)) // as whoever copies a folder does
	f := gatherVolumes(t.Context(), h, o)
	if f.Volumes.IsKnown() || !slices.ContainsFunc(f.Problems, func(p Problem) bool { return p.Path == VolumesCachePath(other) }) {
		t.Errorf("a copied folder is believed: %v, %v", f.Volumes, f.Problems)
	}
}

// What is not known of the instance keeps EC2 from being asked, and is named.
func TestWhatAskingTakes(t *testing.T) {
	s, at := serveEC2(t, clock)
	roleless := fakeimds.Example()
	roleless.Role = ""
	path := func(part string) fakeimds.Fault {
		return fakeimds.Fault{Path: part, Act: fakeimds.Status(http.StatusForbidden)}
	}
	saying := func(text string) fakeimds.Fault {
		return fakeimds.Fault{Path: "security-credentials/storage", Act: func(_ *fakeimds.Server, w http.ResponseWriter, _ *http.Request) bool {
			_, _ = w.Write([]byte(text))
			return true
		}}
	}
	for name, c := range map[string]struct {
		i    fakeimds.Instance
		f    fakeimds.Fault
		at   string
		want Reason
		says string
	}{
		"no role":        {roleless, fakeimds.Fault{}, at, Forbidden, VolumesPath},
		"no credentials": {fakeimds.Example(), path("security-credentials/storage"), at, NotAsked, "security-credentials/storage did not answer (forbidden)"},
		"no trust":       {fakeimds.Example(), saying(`{"Code": "AssumeRoleUnauthorizedAccess", "Message": "fake//token=="}`), at, Forbidden, "AssumeRoleUnauthorizedAccess"},
		"half of them":   {fakeimds.Example(), saying(`{"Code": "Success", "Token": "fake//token=="`), at, NotAsked, "malformed"},
		"no secret key":  {fakeimds.Example(), saying(`{"Code": "Success", "AccessKeyId": "ASIAEXAMPLE", "Token": "fake//token=="}`), at, NotAsked, "malformed"},
		"no region":      {fakeimds.Example(), path("placement/region"), at, NotAsked, "placement/region"},
		"no domain":      {fakeimds.Example(), path("services/domain"), "", NotAsked, "services/domain"},
		"a bad address":  {fakeimds.Example(), fakeimds.Fault{}, "ec2.example.org", Malformed, envEC2},
	} {
		f := gatherVolumes(t.Context(), machine(t, nil), volumeOptions(serveFault(t, c.i, c.f).URL, c.at))
		if r, detail := f.Volumes.Why(); r != c.want || !strings.Contains(detail, c.says) {
			t.Errorf("%s: %s %q, want %s and %q", name, r, detail, c.want, c.says)
		}
		noSecrets(t, name, f)
	}
	if n := len(s.Requests()); n > 0 {
		t.Errorf("EC2 was asked %d times", n)
	}
}

// noSecrets looks for the example's in all that is told.
func noSecrets(t *testing.T, name string, f Facts) {
	t.Helper()
	c := fakeimds.Example().Credentials
	told := jsonOf(f)
	for _, secret := range []string{c.AccessKeyID, c.SecretAccessKey, c.Token, "AWS4-HMAC-SHA256"} {
		if strings.Contains(told, secret) {
			t.Errorf("%s: %q is told: %s", name, secret, told)
		}
	}
}

func TestVolumesAreReplayed(t *testing.T) {
	_, at := serveEC2(t, clock)
	f := gatherVolumes(t.Context(), machine(t, nil), volumeOptions(serve(t, fakeimds.Example(), "none").URL, at))
	var b strings.Builder
	if err := Save(&b, f); err != nil {
		t.Fatal(err)
	}
	again, err := Load(strings.NewReader(b.String()))
	if err != nil || jsonOf(again) != jsonOf(f) {
		t.Fatalf("%v\n%s\n%s", err, jsonOf(again), jsonOf(f))
	}
	got, _ := again.Volumes.Get()
	if !maps.EqualFunc(got, exampleVolumes, func(a, b EBSVolume) bool { return jsonOf(a) == jsonOf(b) }) {
		t.Errorf("replayed: %v", got)
	}
}
