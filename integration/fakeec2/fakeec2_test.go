package fakeec2

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func ask(t *testing.T, s *Server, signed bool, form url.Values) (int, string) {
	t.Helper()
	srv := httptest.NewServer(s)
	defer srv.Close()
	r, err := http.NewRequest(http.MethodPost, srv.URL, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if signed {
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=…")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		body = append(body, " and breaks off"...)
	}
	return resp.StatusCode, string(body)
}

func TestAnInstanceIsToldItsVolumes(t *testing.T) {
	var s Server
	s.Set(Volume{ID: "vol-1", Instance: "i-1", Device: "/dev/sdf", GiB: 8, Tags: map[string]string{"array": "data"}},
		Volume{ID: "vol-2", Instance: "i-2", Device: "/dev/sdf"}, Volume{ID: "vol-3"})
	mine := url.Values{"Action": {"DescribeVolumes"}, "Filter.1.Name": {"attachment.instance-id"}, "Filter.1.Value.1": {"i-1"}}
	code, body := ask(t, &s, true, mine)
	var got describeVolumes
	if err := xml.Unmarshal([]byte(body), &got); err != nil || code != http.StatusOK {
		t.Fatalf("%d %v\n%s", code, err, body)
	}
	if len(got.Volumes) != 1 || got.Volumes[0].ID != "vol-1" || got.Volumes[0].Attachments[0].Device != "/dev/sdf" || got.Volumes[0].Tags[0] != (tagXML{"array", "data"}) {
		t.Errorf("it is told %+v", got.Volumes)
	}
	if code, body := ask(t, &s, false, mine); code != http.StatusUnauthorized || !strings.Contains(body, "AuthFailure") {
		t.Errorf("without a signature: %d %s", code, body)
	}
	if code, body := ask(t, &s, true, url.Values{"Action": {"DescribeVolumes"}, "VolumeId.1": {"vol-3"}}); code != http.StatusOK || strings.Contains(body, "vol-1") || !strings.Contains(body, "<status>available</status>") {
		t.Errorf("by its id: %d %s", code, body)
	}
}

func TestBadDays(t *testing.T) {
	var s Server
	s.Set(Volume{ID: "vol-1"})
	for fault, want := range map[string]string{"throttled": "RequestLimitExceeded", "unauthorized": "UnauthorizedOperation", "broken": "and breaks off"} {
		if err := s.Fail(fault); err != nil {
			t.Fatal(err)
		}
		if code, body := ask(t, &s, true, url.Values{"Action": {"DescribeVolumes"}}); !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", fault, code, body)
		}
	}
	if err := s.Fail("tired"); err == nil {
		t.Error("any fault is taken")
	}
	if len(s.Requests()) != 3 {
		t.Errorf("it has counted %d requests", len(s.Requests()))
	}
}
