package facts

import (
	"slices"
	"strings"
	"testing"

	"reveille/integration/fakeimds"
)

func codes(all []Finding) []string {
	var c []string
	for _, f := range all {
		c = append(c, f.Code)
	}
	return c
}

// diagnosing is at full length: nothing is asked twice, and what is slow must
// not be taken for silent.
func diagnosing(url string) Options {
	o := options(url)
	o.tuning = defaultTuning
	return o
}

func TestDiagnoseNamesEachFault(t *testing.T) {
	for fault, want := range map[string][]string{
		"none":           {"imds-latency"},
		"hop-limit":      {"imds-hop-limit", "imds-latency"},
		"403":            {"imds-disabled", "imds-latency"},
		"tags-off":       {"imds-tags-off", "imds-latency"},
		"429":            {"imds-throttled", "imds-latency"},
		"401-always":     {"imds-unauthorized", "imds-latency"},
		"503x4":          {"imds-server-error", "imds-latency"},
		"slow":           {"imds-slow"},
		"half-body":      {"imds-half-answer", "imds-latency"},
		"redirect":       {"imds-not-imds", "imds-latency"},
		"huge-body":      {"imds-not-imds", "imds-latency"},
		"wrong-content":  {"imds-not-imds", "imds-latency"},
		"silent":         {"imds-silent"},
		fakeimds.Refused: {"imds-refused"},
		fakeimds.Dropped: {"imds-silent"},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			r := serve(t, fakeimds.Example(), fault)
			o := diagnosing(r.URL)
			got := Diagnose(t.Context(), o)
			if !slices.Equal(codes(got), append(want, "imds-endpoint-set")) {
				t.Errorf("findings %+v, want %v", got, want)
			}
			for _, f := range got {
				if f.Title == "" || f.Remedy == "" && f.Severity != Info {
					t.Errorf("finding %+v needs words and a remedy", f)
				}
			}
		})
	}
}

func TestDiagnoseAsides(t *testing.T) {
	r := serve(t, fakeimds.Example(), "none")
	r.Server.AllowV1(true)
	for name, c := range map[string]struct {
		env  map[string]string
		want string // code
		not  bool
	}{
		"version 1":           {nil, "imds-v1-allowed", false},
		"a proxy":             {map[string]string{"HTTPS_PROXY": "http://proxy.acme.private"}, "imds-proxy", false},
		"a proxy, exempt":     {map[string]string{"http_proxy": "x", "no_proxy": "localhost, 169.254.169.254"}, "imds-proxy", true},
		"a proxy, all exempt": {map[string]string{"http_proxy": "x", "NO_PROXY": "*"}, "imds-proxy", true},
		"a proxy, net exempt": {map[string]string{"http_proxy": "x", "NO_PROXY": "169.254.0.0/16"}, "imds-proxy", true},
		"a proxy, other":      {map[string]string{"http_proxy": "x", "NO_PROXY": "10.0.0.0/8,acme.private"}, "imds-proxy", false},
		"no proxy":            {nil, "imds-proxy", true},
		"environment":         {map[string]string{envEndpoint: r.URL}, "imds-endpoint-set", false},
	} {
		o := diagnosing("")
		o.ec2 = [2]string{r.URL, r.URL}
		o.Getenv = func(k string) string { return c.env[k] }
		got := Diagnose(t.Context(), o)
		if slices.Contains(codes(got), c.want) == c.not {
			t.Errorf("%s: findings %v, %s wanted: %v", name, codes(got), c.want, !c.not)
		}
	}
	i := fakeimds.Example()
	i.DocumentID = "i-0ffffffffffffffff"
	r.Server.Set(i)
	if got := Diagnose(t.Context(), diagnosing(r.URL)); !slices.Contains(codes(got), "imds-document") {
		t.Errorf("the document of another instance: %+v", got)
	}
}

func TestDiagnoseTriesIPv6(t *testing.T) {
	v4, v6 := serve(t, fakeimds.Example(), fakeimds.Refused), serve(t, fakeimds.Example(), "none")
	o := diagnosing("")
	o.ec2 = [2]string{v4.URL, v6.URL}
	got := Diagnose(t.Context(), o)
	if !slices.Equal(codes(got), []string{"imds-latency"}) || !strings.Contains(got[0].Title, v6.URL) {
		t.Errorf("findings %+v", got)
	}
	o.ec2[1] = v4.URL
	if got := Diagnose(t.Context(), o); !slices.Equal(codes(got), []string{"imds-refused", "imds-refused"}) {
		t.Errorf("findings %+v", got)
	}
	o.Getenv = func(k string) string { return map[string]string{envMode: "IPv5"}[k] }
	if got := Diagnose(t.Context(), o); len(got) != 1 || got[0].Severity != Error {
		t.Errorf("findings %+v", got)
	}
}
