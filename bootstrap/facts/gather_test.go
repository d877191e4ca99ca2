package facts

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reveille/integration/fakeimds"
)

func TestGatherReadsEverything(t *testing.T) {
	r := serve(t, fakeimds.Example(), "none")
	f := Gather(t.Context(), machine(t, nil), options(r.URL))
	if f.Source != FromIMDS || len(f.Problems) != 0 || !f.Read.Equal(noon) {
		t.Fatalf("source %s, read %v, problems %+v", f.Source, f.Read, f.Problems)
	}
	e := fakeimds.Example()
	want := Instance{
		ID: Known(e.ID), Account: Known(e.Account), Region: Known("us-east-1"), Zone: Known("us-east-1a"),
		ZoneID: Known("use1-az6"), Partition: Known("aws"), Domain: Known("amazonaws.com"),
		Type: Known("m5.large"), AMI: Known(e.AMI), Hostname: Known(e.Hostname), LocalHostname: Known(e.Hostname),
		PublicHostname: Known(e.PublicHostname), PrivateIP: Known("10.0.0.5"), PublicIP: Known("192.0.2.5"),
		IPv6: Known("2001:db8::5"), MAC: Known("02:00:00:00:00:05"),
		SecurityGroups: Known([]string{"mysql", "default"}),
		Interfaces: Known([]Interface{
			{MAC: "02:00:00:00:00:05", ID: "eni-05", IPv4: []string{"10.0.0.5", "10.0.0.55"},
				IPv6: []string{"2001:db8::5"}, SubnetID: "subnet-01", VPCID: "vpc-01"},
			{MAC: "02:00:00:00:00:06", ID: "eni-06", Device: 1, IPv4: []string{"10.0.1.6"}, IPv6: []string{},
				SubnetID: "subnet-02", VPCID: "vpc-01"},
		}),
		Tags:         Known(map[string]string{"role": "mysql", "hostname": "dev-mysql01", "note": "two\nlines"}),
		BlockDevices: Known(map[string]string{"ami": "xvda", "root": "/dev/xvda", "ebs1": "sdf"}),
		LifeCycle:    Known("on-demand"), TargetLifecycle: Known("InService"), SpotAction: Absent[string](),
		Document: Known(Document{InstanceID: e.ID, AccountID: e.Account, Region: e.Region, Zone: e.Zone, Type: e.Type, ImageID: e.AMI, Arch: "x86_64",
			PendingTime: noon.Add(-36 * time.Hour)}),
	}
	if d := cmp.Diff(want, f.Instance, cmp.Comparer(sameFacts)); d != "" {
		t.Errorf("instance (-want +got):\n%s", d)
	}
	d, _ := f.UserData.State.Get()
	if d.Size != len(e.UserData) || len(f.UserData.Parts) != 1 || f.UserData.Parts[0].Text != string(e.UserData) {
		t.Errorf("user-data: %+v", f.UserData)
	}
}

// sameFacts compares instances by their JSON, which holds all of a fact.
func sameFacts(a, b Instance) bool {
	return jsonOf(a) == jsonOf(b)
}

func TestOneTokenAndOneRequestAPath(t *testing.T) {
	r := serve(t, fakeimds.Example(), "none")
	Gather(t.Context(), machine(t, nil), options(r.URL))
	seen := map[string]int{}
	for _, q := range r.Server.Requests() {
		seen[q.Method+" "+q.Path]++
		if q.Method == "GET" && !q.Token {
			t.Errorf("%s was asked without a token", q.Path)
		}
	}
	for q, n := range seen {
		if n != 1 {
			t.Errorf("%s was asked %d times", q, n)
		}
	}
}

func TestAbsentIsAnAnswer(t *testing.T) {
	i := fakeimds.IPv6Only()
	i.Tags, i.UserData, i.LifeCycle = nil, nil, ""
	r := serve(t, i, "none")
	f := Gather(t.Context(), machine(t, nil), options(r.URL))
	if f.Source != FromIMDS || len(f.Problems) != 0 || !good(f) {
		t.Fatalf("source %s, problems %+v", f.Source, f.Problems)
	}
	in := f.Instance
	for name, absent := range map[string]bool{
		"private IP": in.PrivateIP.IsAbsent(), "public IP": in.PublicIP.IsAbsent(), "public name": in.PublicHostname.IsAbsent(),
		"tags": in.Tags.IsAbsent(), "user-data": f.UserData.State.IsAbsent(), "life cycle": in.LifeCycle.IsAbsent(),
	} {
		if !absent {
			t.Errorf("%s is not absent", name)
		}
	}
	if got := in.IPv6.Or(""); got != "2001:db8::5" {
		t.Errorf("IPv6 is %q", got)
	}
}

// When it was launched is not said, or not in that form: all else counts.
func TestADocumentWithoutATime(t *testing.T) {
	for _, said := range []string{"", "yesterday"} {
		i := fakeimds.Example()
		i.PendingTime = said
		f := Gather(t.Context(), machine(t, nil), options(serve(t, i, "none").URL))
		if d, ok := f.Instance.Document.Get(); !ok || d.InstanceID != i.ID || !d.PendingTime.IsZero() || len(f.Problems) > 0 {
			t.Errorf("%q: %+v, %v", said, f.Instance.Document, f.Problems)
		}
	}
}

func TestTheDocumentOfAnotherInstance(t *testing.T) {
	i := fakeimds.Example()
	i.DocumentID = "i-0ffffffffffffffff"
	r := serve(t, i, "none")
	f := Gather(t.Context(), machine(t, nil), options(r.URL))
	if f.Instance.ID.Or("") != i.ID || f.Instance.Account.IsKnown() {
		t.Errorf("id %v, account %v: meta-data is the id, the document's account is not believed", f.Instance.ID, f.Instance.Account)
	}
	if len(f.Problems) != 1 || f.Problems[0].Path != documentPath || !strings.Contains(f.Problems[0].Detail, i.DocumentID) {
		t.Errorf("problems %+v", f.Problems)
	}
	if !good(f) {
		t.Error("the crawl is good all the same")
	}
}

func TestVersion1OnlyWhereAllowed(t *testing.T) {
	open := func() *fakeimds.Running {
		r := serveFault(t, fakeimds.Example(), fakeimds.Fault{Method: "PUT", Act: fakeimds.Status(404)})
		r.Server.AllowV1(true)
		return r
	}
	r := open()
	f := Gather(t.Context(), machine(t, nil), options(r.URL))
	if f.Source != FromNone {
		t.Errorf("source %s without leave", f.Source)
	}
	for _, q := range r.Server.Requests() {
		if q.Method == "GET" {
			t.Errorf("%s was asked without a token", q.Path)
		}
	}
	r = open()
	o := options(r.URL)
	o.AllowV1 = true
	f = Gather(t.Context(), machine(t, nil), o)
	if f.Source != FromIMDS || !good(f) {
		t.Fatalf("source %s with leave, problems %+v", f.Source, f.Problems)
	}
	if len(f.Problems) != 1 || f.Problems[0].Path != "api/token" {
		t.Errorf("problems %+v: version 1 must be told", f.Problems)
	}
}

func TestEndpoints(t *testing.T) {
	env := func(pairs ...string) func(string) string {
		return func(k string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == k {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	for name, c := range map[string]struct {
		o    Options
		want []string
		fail string
	}{
		"both":             {Options{}, []string{IPv4Endpoint, IPv6Endpoint}, ""},
		"by environment":   {Options{Getenv: env(envEndpoint, "http://127.0.0.1:1338/")}, []string{"http://127.0.0.1:1338"}, ""},
		"option wins":      {Options{Endpoint: "http://[::1]:1", Getenv: env(envEndpoint, "http://127.0.0.1:1338")}, []string{"http://[::1]:1"}, ""},
		"mode":             {Options{EndpointMode: "ipv6"}, []string{IPv6Endpoint}, ""},
		"mode environment": {Options{Getenv: env(envMode, "IPv4")}, []string{IPv4Endpoint}, ""},
		"no such mode":     {Options{EndpointMode: "IPv5"}, nil, "IPv5"},
		"no URL":           {Options{Endpoint: "169.254.169.254"}, nil, "169.254.169.254"},
		"with a path":      {Options{Endpoint: "http://127.0.0.1/latest"}, nil, "without a path"},
		"forbidden":        {Options{Getenv: env(envDisabled, "TRUE")}, nil, envDisabled},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := c.o.withDefaults().endpoints()
			if c.fail != "" {
				if err == nil || !strings.Contains(err.Error(), c.fail) {
					t.Fatalf("error %v, want one with %q", err, c.fail)
				}
				f := Gather(t.Context(), machine(t, nil), c.o)
				if f.Source != FromNone || len(f.Problems) != 1 || f.Instance.Zone.IsAbsent() {
					t.Errorf("facts: source %s, problems %+v", f.Source, f.Problems)
				}
				return
			}
			if err != nil || !cmp.Equal(got, c.want) {
				t.Errorf("got %v, %v, want %v", got, err, c.want)
			}
		})
	}
}

func TestIPv6StandsInForIPv4(t *testing.T) {
	for _, dead := range []string{fakeimds.Refused, fakeimds.Dropped, "silent"} {
		t.Run(dead, func(t *testing.T) {
			t.Parallel()
			v4 := serve(t, fakeimds.Example(), dead)
			v6, err := fakeimds.Open("[::1]:0", fakeimds.IPv6Only(), fakeimds.Fault{})
			if err != nil {
				t.Skipf("no IPv6 on this machine's loopback: %v", err)
			}
			defer v6.Close()
			o := options("")
			o.ec2 = [2]string{v4.URL, v6.URL}
			f := Gather(t.Context(), machine(t, nil), o)
			if f.Source != FromIMDS || !good(f) || len(f.Problems) != 0 {
				t.Errorf("source %s, problems %+v", f.Source, f.Problems)
			}
		})
	}
}

func TestAHealthyIPv4LeavesIPv6Alone(t *testing.T) {
	v4, v6 := serve(t, fakeimds.Example(), "none"), serve(t, fakeimds.Example(), "none")
	o := options("")
	o.ec2 = [2]string{v4.URL, v6.URL}
	if f := Gather(t.Context(), machine(t, nil), o); f.Source != FromIMDS {
		t.Errorf("source %s", f.Source)
	}
	if n := len(v6.Server.Requests()); n != 0 {
		t.Errorf("IPv6 was asked %d times", n)
	}
}

func TestBothDeadTellsBoth(t *testing.T) {
	v4, v6 := serve(t, fakeimds.Example(), fakeimds.Refused), serve(t, fakeimds.Example(), fakeimds.Dropped)
	o := options("")
	o.ec2 = [2]string{v4.URL, v6.URL}
	f := Gather(t.Context(), machine(t, nil), o)
	if len(f.Problems) != 1 || f.Problems[0].Reason != Refused || !strings.Contains(f.Problems[0].Detail, v6.URL) {
		t.Errorf("problems %+v", f.Problems)
	}
}

func TestACancelledCrawlEnds(t *testing.T) {
	r := serve(t, fakeimds.Example(), "silent")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	o := options(r.URL)
	o.Timeout, o.tuning = time.Hour, tuning{dial: time.Hour, header: time.Hour, whole: time.Hour, attempts: 8, backoff: time.Hour}
	if f := Gather(ctx, machine(t, nil), o); f.Source != FromNone {
		t.Errorf("source %s", f.Source)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	for _, c := range []struct {
		bytes int
		want  Reason
	}{{16384, ""}, {16385, TooLarge}} {
		i := fakeimds.Example()
		i.UserData = bytes.Repeat([]byte("#"), c.bytes)
		r := serve(t, i, "none")
		f := Gather(t.Context(), machine(t, nil), options(r.URL))
		if got, _ := f.UserData.State.Why(); got != c.want {
			t.Errorf("user-data of %d bytes: %q, want %q", c.bytes, got, c.want)
		}
	}
}
