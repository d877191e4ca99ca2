package server

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"reveille/coordinator/api"
)

// policy lets a page load what this server itself serves, and nothing else: no
// script, no inline style, no frame, no outside asset.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard is around every answer: headers, foreign origins, and the log line.
func (s *Server) guard(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		problem(w, http.StatusForbidden, "a page of another origin may not report")
	}))
	next = origin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		seen := &statusWriter{ResponseWriter: w}
		if ownHost(r.Host) {
			next.ServeHTTP(seen, r)
		} else {
			problem(seen, http.StatusMisdirectedRequest, "this coordinator answers to localhost and loopback addresses only")
		}
		log := s.log.Debug
		if seen.status >= 400 {
			log = s.log.Info
		}
		log("request", "method", r.Method, "path", r.URL.Path, "status", seen.status,
			"took", time.Since(start), "from", r.RemoteAddr)
	})
}

// problems answers paths and methods that the mux does not have with a problem
// document, where the mux itself would send plain text.
func problems(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		quiet := &statusWriter{ResponseWriter: w, mute: true}
		h.ServeHTTP(quiet, r)
		switch quiet.status {
		case http.StatusMethodNotAllowed:
			problem(w, quiet.status, "here only "+w.Header().Get("Allow")+" is answered")
		default:
			problem(w, http.StatusNotFound, "there is nothing at this path")
		}
	})
}

// statusWriter notes the status; muted, it keeps headers and drops the rest.
type statusWriter struct {
	http.ResponseWriter
	status int
	mute   bool
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	if !w.mute {
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	if w.mute {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController and MaxBytesReader reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// problem answers with an RFC 9457 document. Joined errors become one line.
func problem(w http.ResponseWriter, status int, detail string) {
	h := w.Header()
	h.Set("Content-Type", api.ProblemType)
	h.Del("Content-Length")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(api.Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: strings.ReplaceAll(detail, "\n", "; ")})
}

// answer sends v as JSON.
func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
