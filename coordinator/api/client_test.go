package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"reveille/coordinator/api"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func report(id string) api.Report {
	return api.Report{Version: api.Version, InstanceID: id, State: api.Ready, Hostname: "dev-mysql01", Role: "mysql"}
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func client(t *testing.T, url string, o api.ClientOptions) *api.Client {
	t.Helper()
	c, err := api.NewClient(url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestNewClientChecksItsURL(t *testing.T) {
	for url, want := range map[string]string{
		"http://127.0.0.1:8650":     "",
		"http://127.9.9.9:8650":     "",
		"http://[::1]:8650":         "",
		"http://localhost:8650":     "",
		"http://LocalHost":          "",
		"https://10.0.0.4:8650":     "",
		"https://c.acme.private/r/": "",

		"":                            "want https://",
		"10.0.0.4:8650":               "coordinator URL",
		"ftp://10.0.0.4":              "want https://",
		"https://":                    "want https://",
		"http://10.0.0.4:8650":        "loopback address only; use https",
		"http://[fd00::4]:8650":       "loopback address only",
		"http://0.0.0.0:8650":         "loopback address only",
		"http://localhost.acme:8650":  "loopback address only",
		"http://127.0.0.1.acme:8650":  "loopback address only",
		"https://a:secret@10.0.0.4":   "does not belong",
		"https://10.0.0.4/?x=1":       "no query",
		"https://10.0.0.4/#x":         "no fragment",
		"https://a:secret@10.0.0.4:x": "invalid port",
	} {
		_, err := api.NewClient(url, api.ClientOptions{})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("NewClient(%q): %v, want %q", url, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("NewClient(%q) tells the password: %v", url, err)
		}
	}
}

func TestSend(t *testing.T) {
	var got api.Report
	var path, ctype string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		path, ctype = r.Method+" "+r.URL.Path, r.Header.Get("Content-Type")
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	want := report("i-1")
	zone := "us-east-1a"
	want.Facts.Zone, want.TookMS = &zone, 41.7
	want.Steps = []api.Step{{ID: "file:/etc/hosts", State: "ok"}}
	if err := client(t, s.URL+"/base/", api.ClientOptions{}).Send(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("what came is not what was sent (-want +got):\n%s", d)
	}
	if path != "PUT /base/v1/instances/i-1/report" || ctype != "application/json" {
		t.Errorf("%s with %s", path, ctype)
	}
}

// What an answer means: is it an error, is it final, and what does it say?
func TestSendAnswers(t *testing.T) {
	problem := func(status int, detail string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", api.ProblemType)
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(api.Problem{Title: "T", Status: 200, Detail: detail})
		}
	}
	status := func(n int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(n) }
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		final  bool
		want   string // "" is no error
	}{
		"204":              {status(204), false, ""},
		"200 with a body":  {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fine") }, false, ""},
		"400 with reasons": {problem(400, "state: missing"), true, "answered 400 T: state: missing"},
		"409":              {problem(409, ""), true, "answered 409 T"},
		"404 bare":         {status(404), true, "answered 404 Not Found"},
		"408":              {status(408), false, "answered 408"},
		"429":              {problem(429, "slow down"), false, "answered 429 T: slow down"},
		"503":              {status(503), false, "answered 503 Service Unavailable"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere/", http.StatusTemporaryRedirect)
		}, true,
			"redirects to https://elsewhere/; name that URL"},
		"a terminal's escapes": {problem(400, "\x1b[31mred\u202e"), true, `\x1b[31mred\u202e`},
		"a huge problem":       {problem(400, strings.Repeat("x", 1<<20)), true, "answered 400 Bad Request"},
		"a long problem":       {problem(400, strings.Repeat("x", 2000)), true, "xxx…"},
		"no problem document": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<html>proxy</html>", http.StatusBadGateway)
		}, false,
			"answered 502 Bad Gateway"},
		"reset": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, false, "report to http"},
		"reset within the answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(500)
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, false, "answered 500"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, c.answer)
			err := client(t, s.URL, api.ClientOptions{}).Send(t.Context(), report("i-1"))
			switch {
			case c.want == "" && err != nil:
				t.Errorf("Send: %v", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), s.URL)):
				t.Errorf("Send: %v, want %q and the URL", err, c.want)
			case api.Final(err) != c.final:
				t.Errorf("Final(%v) is %v", err, api.Final(err))
			}
			if err != nil && len(err.Error()) > 1000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

// A report that no coordinator would take is refused before it is sent.
func TestSendRefusesBadReports(t *testing.T) {
	s := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") })
	c := client(t, s.URL, api.ClientOptions{})
	for want, spoil := range map[string]func(*api.Report){
		"version 0":   func(r *api.Report) { r.Version = 0 },
		"instance id": func(r *api.Report) { r.InstanceID = "../roles" },
		"state":       func(r *api.Report) { r.State = "" },
		"hostname":    func(r *api.Report) { r.Hostname = "a\x1b[31m" },
		"NaN":         func(r *api.Report) { r.TookMS = math.NaN() },
		"at most":     func(r *api.Report) { r.Notes = []string{strings.Repeat("x", api.MaxReport)} },
	} {
		r := report("i-1")
		spoil(&r)
		if err := c.Send(t.Context(), r); !api.Final(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("Send: %v, want a final error with %q", err, want)
		}
	}
}

func TestSendOverOneConnection(t *testing.T) {
	var conns atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/instances/i-bad/report" {
			w.WriteHeader(503)
		}
		_, _ = io.WriteString(w, strings.Repeat("x", 10_000))
	}))
	s.Config.ConnState = func(_ net.Conn, st http.ConnState) {
		if st == http.StateNew {
			conns.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	c := client(t, s.URL, api.ClientOptions{})
	for range 5 {
		if err := c.Send(t.Context(), report("i-1")); err != nil {
			t.Fatal(err)
		}
		if err := c.Send(t.Context(), report("i-bad")); err == nil {
			t.Fatal("503: no error")
		}
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("10 reports took %d connections", n)
	}
}

func TestSendEnds(t *testing.T) {
	release := make(chan struct{})
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-release })
	t.Cleanup(func() { close(release) })

	err := client(t, s.URL, api.ClientOptions{Timeout: 50 * time.Millisecond}).Send(t.Context(), report("i-1"))
	if err == nil || api.Final(err) {
		t.Errorf("a server that hangs: %v, want an error that is not final", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = client(t, s.URL, api.ClientOptions{}).Send(ctx, report("i-1"))
	if !errors.Is(err, context.DeadlineExceeded) || api.Final(err) {
		t.Errorf("a context that ends: %v", err)
	}
}

// A proxy of the environment must not get what is for this machine.
func TestSendKnowsNoProxyForLoopback(t *testing.T) {
	proxy := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") })
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
	if err := client(t, s.URL, api.ClientOptions{}).Send(t.Context(), report("i-1")); err != nil {
		t.Error(err)
	}
}

func FuzzCheckInstanceID(f *testing.F) {
	for _, s := range []string{"i-0123456789abcdef0", "", "..", "a/b", "i-1\n", "é", "-i", strings.Repeat("x", 65)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if api.CheckInstanceID(id) == nil && (len(id) > 64 || strings.ContainsAny(id, "/\\%?#\"<> \n\x00") || id[0] == '.' || id[0] == '-') {
			t.Errorf("%q is taken for an instance id", id)
		}
	})
}
