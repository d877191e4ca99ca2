package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"reveille/coordinator/api"
	"reveille/coordinator/server"
	"reveille/coordinator/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)

// rig is a coordinator on an empty store, whose clock stands still.
type rig struct {
	*testing.T
	h     http.Handler
	store store.Store
	log   *bytes.Buffer
}

func newRig(t *testing.T) rig {
	t.Helper()
	st, err := store.OpenBolt(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	log := &bytes.Buffer{}
	h := server.New(server.Options{Store: st, Now: func() time.Time { return noon },
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	return rig{t, h, st, log}
}

func (r rig) do(method, path, body string) *httptest.ResponseRecorder {
	r.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Host = "127.0.0.1:8650"
	w := httptest.NewRecorder()
	r.h.ServeHTTP(w, req)
	return w
}

// fails expects a problem document with a status and a text in its detail.
func (r rig) fails(w *httptest.ResponseRecorder, status int, want string) {
	r.Helper()
	var p api.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Header().Get("Content-Type") != api.ProblemType {
		r.Errorf("no problem document but %s: %q", w.Header().Get("Content-Type"), w.Body)
		return
	}
	if w.Code != status || p.Status != status || p.Type != "about:blank" || p.Title != http.StatusText(status) {
		r.Errorf("status %d with %+v, want %d", w.Code, p, status)
	}
	if !strings.Contains(p.Detail, want) || strings.Contains(p.Detail, "\n") {
		r.Errorf("detail %q, want one line with %q", p.Detail, want)
	}
}

func (r rig) put(id string, fields string) {
	r.Helper()
	w := r.do("PUT", "/v1/instances/"+id+"/report", `{"version":1,"instance_id":"`+id+`",`+fields+`}`)
	if w.Code != http.StatusNoContent || w.Body.Len() != 0 {
		r.Fatalf("PUT %s: %d %s", id, w.Code, w.Body)
	}
}

func (r rig) get(path string, into any) {
	r.Helper()
	w := r.do("GET", path, "")
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
		r.Fatalf("GET %s: %d %s", path, w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
		r.Fatalf("GET %s: %v in %s", path, err, w.Body)
	}
}

func TestPutThenGet(t *testing.T) {
	r := newRig(t)
	r.put("i-1", `"state":"ready", "role":"mysql", "hostname":"dev-mysql01", "errors":null,
		"received":"1999", "facts":{"zone":"us-east-1a","later":{"a":[1,2.50,1e3]}}, "future":"é <b>"`)
	got := map[string]any{}
	r.get("/v1/instances/i-1", &got)
	want := map[string]any{
		"version": 1.0, "instance_id": "i-1", "state": "ready", "role": "mysql", "hostname": "dev-mysql01", "errors": nil,
		"facts":  map[string]any{"zone": "us-east-1a", "later": map[string]any{"a": []any{1.0, 2.5, 1000.0}}},
		"future": "é <b>", "received": "2030-01-02T12:00:00Z",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	r.put("i-1", `"state":"failed"`)
	got = map[string]any{}
	r.get("/v1/instances/i-1", &got)
	if got["state"] != "failed" || got["role"] != nil {
		t.Errorf("after a second report: %v, want nothing of the first", got)
	}
	r.fails(r.do("GET", "/v1/instances/i-2", ""), 404, "i-2 has not reported")
}

func TestPutRefuses(t *testing.T) {
	const id = `"version":1,"instance_id":"i-1","state":"ready"`
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	for name, c := range map[string]struct {
		path, body string
		status     int
		want       string
	}{
		"empty":                    {"i-1", ``, 400, "a report is a JSON object"},
		"no object":                {"i-1", `[1]`, 400, "a report is a JSON object"},
		"null":                     {"i-1", `null`, 400, "a report is a JSON object"},
		"cut off":                  {"i-1", `{` + id, 400, "ends too early"},
		"not JSON":                 {"i-1", `{version}`, 400, "byte"},
		"NaN":                      {"i-1", `{` + id + `,"took_ms":NaN}`, 400, "no valid JSON"},
		"a number past any":        {"i-1", `{` + id + `,"took_ms":1e999}`, 400, "took_ms: number 1e999 where a number belongs"},
		"two documents":            {"i-1", `{` + id + `}{}`, 400, "follows"},
		"gzip":                     {"i-1", "\x1f\x8b\x08", 400, "not UTF-8"},
		"not UTF-8":                {"i-1", `{` + id + `,"role":"` + "\xff" + `"}`, 400, "not UTF-8"},
		"nothing required":         {"i-1", `{}`, 400, "version: missing; instance_id: missing; state: missing"},
		"null state":               {"i-1", `{"version":1,"instance_id":"i-1","state":null}`, 400, "state: missing"},
		"another case":             {"i-1", `{"version":1,"Instance_ID":"i-1","state":"ready"}`, 400, "instance_id: missing"},
		"another version":          {"i-1", `{"version":2,"instance_id":"i-1","state":"ready"}`, 400, "version 2"},
		"no such state":            {"i-1", `{"version":1,"instance_id":"i-1","state":"fine"}`, 400, `state "fine"`},
		"a wrong type":             {"i-1", `{` + id + `,"role":7}`, 400, "role: number where a string belongs"},
		"a wrong type inside":      {"i-1", `{` + id + `,"steps":[{"attempts":"x"}]}`, 400, "a whole number belongs"},
		"a key twice":              {"i-1", `{` + id + `,"role":"a","role":"b"}`, 400, `"role" comes twice`},
		"a key twice, other case":  {"i-1", `{` + id + `,"INSTANCE_ID":"i-2"}`, 400, "comes twice"},
		"a key twice, other K":     {"i-1", `{` + id + `,"K":1,"` + "\u212a" + `":1}`, 400, "comes twice"},
		"deep":                     {"i-1", `{` + id + `,"x":` + deep + `}`, 400, "deeper than 32"},
		"control in a name":        {"i-1", `{` + id + `,"hostname":"a\u001b[31m"}`, 400, "U+001B"},
		"turned reading direction": {"i-1", `{` + id + `,"role":"a\u202eb"}`, 400, "U+202E"},
		"a huge name":              {"i-1", `{` + id + `,"role":"` + strings.Repeat("x", 256) + `"}`, 400, "256 bytes"},
		"another instance":         {"i-2", `{` + id + `}`, 409, "the path names i-2, the report i-1"},
		"too big":                  {"i-1", `{` + id + `,"x":"` + strings.Repeat("x", api.MaxReport) + `"}`, 413, "262144"},
		"an id with a path":        {"..%2fx", `{` + id + `}`, 400, "instance id"},
		"an id with a line":        {"i%0a1", `{` + id + `}`, 400, "instance id"},
		"a long id":                {strings.Repeat("i", 65), `{` + id + `}`, 400, "instance id"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.fails(r.do("PUT", "/v1/instances/"+c.path+"/report", c.body), c.status, c.want)
			var all api.Instances
			if r.get("/v1/instances", &all); len(all.Instances) != 0 {
				t.Errorf("it was kept: %+v", all)
			}
		})
	}
}

// The largest report fits, whatever of it has to be escaped.
func TestPutLargest(t *testing.T) {
	r := newRig(t)
	head := `{"version":1,"instance_id":"i-1","state":"ready","notes":["`
	fill := (api.MaxReport - len(head) - len(`"]}`)) / 2
	body := head + strings.Repeat("\u009b", fill)
	body += strings.Repeat("x", api.MaxReport-len(body)-3) + `"]}`
	if w := r.do("PUT", "/v1/instances/i-1/report", body); w.Code != 204 || len(body) != api.MaxReport {
		t.Fatalf("%d bytes: %d %s", len(body), w.Code, w.Body)
	}
	raw := r.do("GET", "/v1/instances/i-1", "").Body.String()
	if strings.Contains(raw, "\u009b") || !strings.Contains(raw, `\u009b`) {
		t.Error("a character that steers terminals is handed out as it is")
	}
	var got api.Instance
	if r.get("/v1/instances/i-1", &got); strings.Count(got.Notes[0], "\u009b") != fill {
		t.Error("and yet its meaning must stay")
	}
}

func ids(list api.Instances) string {
	var out []string
	for _, in := range list.Instances {
		out = append(out, in.InstanceID)
	}
	return strings.Join(out, " ")
}

func TestList(t *testing.T) {
	r := newRig(t)
	r.put("i-1", `"state":"ready","role":"mysql","hostname":"db 1","facts":{"zone":"a"}`)
	r.put("i-2", `"state":"failed","role":"mysql","hostname":"db2","facts":{"zone":"b"}`)
	r.put("i-3", `"state":"ready","role":"web","facts":{"zone":null}`)
	for query, want := range map[string]string{
		"":                                    "i-1 i-2 i-3",
		"?role=mysql":                         "i-1 i-2",
		"?state=ready":                        "i-1 i-3",
		"?zone=b":                             "i-2",
		"?host=db%201":                        "i-1",
		"?role=mysql&state=ready&zone=a":      "i-1",
		"?role=none":                          "",
		"?after=i-1":                          "i-2 i-3",
		"?limit=1000":                         "i-1 i-2 i-3",
		"?role=" + url.QueryEscape("<b>\x00"): "",
	} {
		var got api.Instances
		r.get("/v1/instances"+query, &got)
		if ids(got) != want || got.Instances == nil || got.Next != "" {
			t.Errorf("%s: %q with %+v, want %q and no next page", query, ids(got), got, want)
		}
	}
	var page api.Instances
	r.get("/v1/instances?limit=2", &page)
	if ids(page) != "i-1 i-2" || page.Next != "i-2" || page.Instances[0].Received == "" {
		t.Errorf("first page: %+v", page)
	}
	r.get("/v1/instances?limit=2&after="+page.Next, &page)
	if ids(page) != "i-3" || page.Next != "" {
		t.Errorf("last page: %+v", page)
	}
}

func TestListDefaultLimit(t *testing.T) {
	r := newRig(t)
	for i := range 101 {
		err := r.store.Put(t.Context(), store.Record{Head: store.Head{ID: fmt.Sprintf("i-%03d", i), State: api.Ready},
			Report: []byte(`{"version":1}`)})
		if err != nil {
			t.Fatal(err)
		}
	}
	var got api.Instances
	if r.get("/v1/instances", &got); len(got.Instances) != 100 || got.Next != "i-099" {
		t.Errorf("%d instances, next %q", len(got.Instances), got.Next)
	}
}

func TestListRefuses(t *testing.T) {
	r := newRig(t)
	for query, want := range map[string]string{
		"limit=0":           `"limit": "0": want a number from 1 to 1000`,
		"limit=1001":        `"limit"`,
		"limit=x":           `"limit"`,
		"limit=":            `"limit": empty`,
		"role=":             `"role": empty; leave it out to ask for all`,
		"role=a&role=b":     `"role": given more than once`,
		"state=lost":        `"state": state "lost": want`,
		"after=%2F":         `"after": instance id`,
		"rolle=a&limit=0":   `"limit": "0": want a number from 1 to 1000; parameter "rolle": unknown; there are role`,
		"%zz":               `invalid URL escape`,
		"role=a;state=good": `semicolon`,
	} {
		r.fails(r.do("GET", "/v1/instances?"+query, ""), 400, want)
	}
	r.fails(r.do("GET", "/v1/roles/mysql?ready=3", ""), 400, "takes none")
	r.fails(r.do("GET", "/v1/instances/i-1?x", ""), 400, "takes none")
	r.fails(r.do("GET", "/v1/instances/..%2f..", ""), 400, "instance id")
}

func TestRole(t *testing.T) {
	r := newRig(t)
	for i, state := range []string{"ready", "ready", "degraded", "failed", "booting", "stopping"} {
		r.put(fmt.Sprintf("i-%d", i), `"role":"my sql","state":"`+state+`"`)
	}
	r.put("i-9", `"role":"web","state":"ready"`)
	var got map[string]any
	r.get("/v1/roles/my%20sql", &got)
	want := map[string]any{"role": "my sql", "ready": 2.0, "degraded": 1.0, "failed": 1.0, "booting": 1.0, "stopping": 1.0, "instances": 6.0}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	var none api.Role
	if r.get("/v1/roles/nobody", &none); none != (api.Role{Role: "nobody"}) {
		t.Errorf("a role that nobody reported: %+v", none)
	}
}

func TestElsewhere(t *testing.T) {
	r := newRig(t)
	r.fails(r.do("GET", "/v1/nothing", ""), 404, "nothing at this path")
	r.fails(r.do("GET", "/nothing", ""), 404, "nothing at this path")
	r.fails(r.do("GET", "/assets/../server.go", ""), 404, "")
	w := r.do("DELETE", "/v1/instances/i-1/report", "")
	r.fails(w, 405, "only PUT is answered")
	if w.Header().Get("Allow") != "PUT" {
		t.Errorf("Allow: %q", w.Header().Get("Allow"))
	}
	if w := r.do("GET", "/healthz", ""); w.Code != 200 || w.Body.String() != "ok\n" {
		t.Errorf("healthz: %d %q", w.Code, w.Body)
	}
}

// A browser on this machine must not be a way in for the pages of others.
func TestForeignPages(t *testing.T) {
	r := newRig(t)
	for host, ok := range map[string]bool{"localhost:8650": true, "127.0.0.1": true, "[::1]:8650": true, "[::1]": true,
		"evil.acme:8650": false, "127.0.0.1.evil.acme": false, "10.0.0.4:8650": false, "": false} {
		req := httptest.NewRequest("GET", "/v1/instances", nil)
		req.Host = host
		w := httptest.NewRecorder()
		if r.h.ServeHTTP(w, req); (w.Code == 200) != ok {
			t.Errorf("Host %q: %d", host, w.Code)
		} else if !ok {
			r.fails(w, 421, "loopback")
		}
	}
	req := httptest.NewRequest("PUT", "/v1/instances/i-1/report", strings.NewReader(`{"version":1,"instance_id":"i-1","state":"ready"}`))
	req.Host = "127.0.0.1:8650"
	req.Header.Set("Origin", "https://evil.acme")
	w := httptest.NewRecorder()
	r.h.ServeHTTP(w, req)
	r.fails(w, 403, "another origin")
}

func TestStoreFails(t *testing.T) {
	r := newRig(t)
	r.put("i-1", `"state":"ready"`)
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	w := r.do("PUT", "/v1/instances/i-1/report", `{"version":1,"instance_id":"i-1","state":"ready"}`)
	r.fails(w, 503, "log says why")
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After: agents would come back in step")
	}
	for _, path := range []string{"/v1/instances", "/v1/instances/i-1", "/v1/roles/x"} {
		r.fails(r.do("GET", path, ""), 503, "log says why")
	}
	for _, path := range []string{"/", "/instances/i-1"} {
		if w := r.do("GET", path, ""); w.Code != 503 || !strings.Contains(w.Body.String(), "The store did not answer") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestLogHoldsNoBody(t *testing.T) {
	r := newRig(t)
	r.put("i-1", `"state":"ready","hostname":"dev-mysql01","notes":["not-for-the-log"]`)
	r.do("PUT", "/v1/instances/i-1/report", `{"not-for-the-log`)
	r.do("GET", "/%0alevel=ERROR", "")
	log := r.log.String()
	if strings.Contains(log, "not-for-the-log") || strings.Contains(log, "dev-mysql01") {
		t.Errorf("a report's content is in the log:\n%s", log)
	}
	if strings.Count(log, "\n") != 3 || !strings.Contains(log, "status=204") || !strings.Contains(log, "status=400") {
		t.Errorf("want one line a request, each with its status:\n%s", log)
	}
}

// A body that ends before its length is no report.
func TestPutHalfABody(t *testing.T) {
	r := newRig(t)
	req := httptest.NewRequest("PUT", "/v1/instances/i-1/report", io.MultiReader(strings.NewReader(`{"version":1`), broken{}))
	req.Host = "127.0.0.1"
	w := httptest.NewRecorder()
	r.h.ServeHTTP(w, req)
	r.fails(w, 400, "ended early")
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection reset") }
