package server_test

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPages(t *testing.T) {
	r := newRig(t)
	r.put("i-1", `"state":"ready","hostname":"db1","role":"<b>"`)
	for path, c := range map[string]struct {
		status int
		want   string
	}{
		"/":                  {200, "1 instance"},
		"/?state=failed":     {200, "No instance matches"},
		"/?state=lost":       {400, "That page cannot be shown"},
		"/instances/i-1":     {200, "<h1 id=\"name\">db1</h1>"},
		"/instances/i-2":     {404, "Instance i-2 has not reported"},
		"/instances/%3Cb%3E": {400, "&#34;&lt;b&gt;&#34;"},
	} {
		w := r.do("GET", path, "")
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d, want %d with %q:\n%s", path, w.Code, c.status, c.want, w.Body)
		}
		if got := w.Header().Get("Content-Type"); got != "text/html; charset=utf-8" {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// The policy stands on every answer, errors and JSON included, and allows
// nothing inline.
func TestSecurityHeaders(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/", "/nothing", "/v1/instances", "/instances/i-1", "/assets/style.css", "/healthz"} {
		h := r.do("GET", path, "").Header()
		policy := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "style-src 'self'", "img-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy lacks %s: %s", path, want, policy)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") {
			t.Errorf("%s: the policy lets scripts in: %s", path, policy)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Cache-Control") == "" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

func TestAssets(t *testing.T) {
	r := newRig(t)
	for path, ctype := range map[string]string{"/assets/style.css": "text/css; charset=utf-8", "/assets/icon.svg": "image/svg+xml"} {
		w := r.do("GET", path, "")
		if w.Code != 200 || w.Header().Get("Content-Type") != ctype || w.Body.Len() == 0 {
			t.Errorf("%s: %d %s", path, w.Code, w.Header().Get("Content-Type"))
		}
		if body := w.Body.String(); strings.Contains(body, "url(") || strings.Contains(body, "@import") {
			t.Errorf("%s loads something", path)
		}
		req := httptest.NewRequest("GET", path, nil)
		req.Host = "localhost"
		req.Header.Set("If-None-Match", w.Header().Get("ETag"))
		again := httptest.NewRecorder()
		if r.h.ServeHTTP(again, req); again.Code != 304 || again.Body.Len() != 0 {
			t.Errorf("%s asked for again: %d with %d bytes", path, again.Code, again.Body.Len())
		}
	}
}
