package fakeimds_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"reveille/integration/fakeimds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, addr, fault string) *fakeimds.Running {
	t.Helper()
	f, ok := fakeimds.ByName(fault)
	if !ok {
		t.Fatalf("no fault %q", fault)
	}
	r, err := fakeimds.Open(addr, fakeimds.Example(), f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return r
}

func ask(t *testing.T, method, url string, headers ...string) (int, string) {
	t.Helper()
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

const (
	ttl   = "X-aws-ec2-metadata-token-ttl-seconds"
	token = "X-aws-ec2-metadata-token"
)

func TestTokens(t *testing.T) {
	r := open(t, "127.0.0.1:0", "none")
	for value, want := range map[string]int{"0": 400, "21601": 400, "": 400, "x": 400, "1": 200, "21600": 200} {
		if got, _ := ask(t, "PUT", r.URL+"/latest/api/token", ttl, value); got != want {
			t.Errorf("a token for %q seconds: %d, want %d", value, got, want)
		}
	}
	_, good := ask(t, "PUT", r.URL+"/latest/api/token", ttl, "60")
	id := r.URL + "/latest/meta-data/instance-id"
	if code, body := ask(t, "GET", id, token, good); code != 200 || body != "i-0123456789abcdef0" {
		t.Errorf("with a token: %d %q", code, body)
	}
	if code, _ := ask(t, "GET", id); code != 401 {
		t.Errorf("without a token: %d, want 401", code)
	}
	if code, _ := ask(t, "PUT", r.URL+"/latest/api/token", ttl, "60", "X-Forwarded-For", "192.0.2.1"); code != 403 {
		t.Errorf("a token through a proxy: %d, want 403", code)
	}
	r.Server.Expire()
	if code, _ := ask(t, "GET", id, token, good); code != 401 {
		t.Errorf("with an expired token: %d, want 401", code)
	}
	r.Server.AllowV1(true)
	if code, _ := ask(t, "GET", id); code != 200 {
		t.Errorf("without a token where version 1 is allowed: %d, want 200", code)
	}
	if code, _ := ask(t, "GET", id, token, "wrong"); code != 401 {
		t.Errorf("a wrong token where version 1 is allowed: %d, want 401", code)
	}
}

func TestTree(t *testing.T) {
	r := open(t, "127.0.0.1:0", "none")
	_, good := ask(t, "PUT", r.URL+"/latest/api/token", ttl, "60")
	for path, want := range map[string]string{
		"latest/meta-data/tags/instance":                                         "hostname\nnote\nrole",
		"latest/meta-data/tags/instance/":                                        "hostname\nnote\nrole",
		"latest/meta-data/tags/instance/note":                                    "two\nlines",
		"latest/meta-data/network/interfaces/macs/":                              "02:00:00:00:00:05/\n02:00:00:00:00:06/",
		"latest/meta-data/network/interfaces/macs/02:00:00:00:00:05/local-ipv4s": "10.0.0.5\n10.0.0.55",
		"latest/meta-data/placement/":                                            "availability-zone\navailability-zone-id\nregion",
		"latest/":                                                                "dynamic/\nmeta-data/\nuser-data",
		"2021-07-15/meta-data/security-groups":                                   "mysql\ndefault",
		"latest/user-data":                                                       "hostname=dev-mysql01\nrole=mysql\n",
	} {
		if code, body := ask(t, "GET", r.URL+"/"+path, token, good); code != 200 || body != want {
			t.Errorf("%s: %d %q, want %q", path, code, body, want)
		}
	}
	for _, path := range []string{"latest/meta-data/spot/instance-action", "latest/meta-data/nothing", "v9/meta-data/", "latest/meta-data/ami-id/x"} {
		if code, _ := ask(t, "GET", r.URL+"/"+path, token, good); code != 404 {
			t.Errorf("%s: %d, want 404", path, code)
		}
	}
	i := fakeimds.Example()
	i.Tags, i.UserData = nil, nil
	r.Server.Set(i)
	for _, path := range []string{"latest/meta-data/tags/instance", "latest/user-data"} {
		if code, _ := ask(t, "GET", r.URL+"/"+path, token, good); code != 404 {
			t.Errorf("%s when it is off: %d, want 404", path, code)
		}
	}
}

func TestFaultsCountRequests(t *testing.T) {
	r := open(t, "127.0.0.1:0", "503x4")
	var codes []int
	for range 5 {
		code, _ := ask(t, "PUT", r.URL+"/latest/api/token", ttl, "60")
		codes = append(codes, code)
	}
	if codes[3] != 503 || codes[4] != 200 {
		t.Errorf("503x4 answered %v", codes)
	}
	seen := r.Server.Requests()
	if len(seen) != 5 || seen[0].Status != 503 || seen[4].Status != 200 {
		t.Errorf("requests noted: %+v", seen)
	}
}

func TestEveryFaultIsNamedOnceAndExplained(t *testing.T) {
	names := map[string]bool{}
	for _, f := range fakeimds.Named() {
		if f.Name == "" || f.Say == "" || strings.ContainsAny(f.Name, " /") || names[f.Name] {
			t.Errorf("fault %+v: needs a name of its own and a sentence", f)
		}
		names[f.Name] = true
	}
	if _, ok := fakeimds.ByName("no such"); ok {
		t.Error("an unknown name found a fault")
	}
}

func TestHugeIsHugeEachTime(t *testing.T) {
	const bytes = 100_000
	r, err := fakeimds.Open("127.0.0.1:0", fakeimds.Example(), fakeimds.Fault{Act: fakeimds.Huge(bytes)})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for range 2 {
		if _, body := ask(t, "GET", r.URL+"/latest/user-data"); len(body) != bytes {
			t.Errorf("%d bytes, want %d", len(body), bytes)
		}
	}
}
