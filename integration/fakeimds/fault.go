package fakeimds

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault is something that goes wrong with some requests.
type Fault struct {
	Name   string // for the command line and tables: "503x4"
	Say    string // one line
	Method string // "" is any
	Path   string // what the path holds: "meta-data/tags"; "" is any
	Skip   int    // so many requests pass first
	Times  int    // so many are taken; 0 is all
	// Act answers the request and returns true, or returns false for the
	// next fault or the healthy answer.
	Act func(s *Server, w http.ResponseWriter, r *http.Request) bool

	met int
}

// due counts the request and returns the faults that take it.
func (s *Server) due(r *http.Request) []*Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []*Fault
	for _, f := range s.faults {
		if f.Act == nil || f.Method != "" && f.Method != r.Method || !strings.Contains(r.URL.Path, f.Path) {
			continue
		}
		f.met++
		if f.met > f.Skip && (f.Times == 0 || f.met <= f.Skip+f.Times) {
			due = append(due, f)
		}
	}
	return due
}

type act = func(s *Server, w http.ResponseWriter, r *http.Request) bool

// Status answers with an error page.
func Status(code int) act {
	return func(_ *Server, w http.ResponseWriter, _ *http.Request) bool {
		fail(w, code)
		return true
	}
}

// Delay lets the answer wait.
func Delay(d time.Duration) act {
	return func(s *Server, _ http.ResponseWriter, r *http.Request) bool {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			return false
		case <-r.Context().Done():
		case <-s.done:
		}
		return true
	}
}

// Silent never answers; the connection stays open until the client or Close
// ends it.
func Silent() act {
	return func(s *Server, _ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-r.Context().Done():
		case <-s.done:
		}
		panic(http.ErrAbortHandler) // not even an empty 200
	}
}

// Stall sends headers and a few bytes, then nothing more.
func Stall() act {
	return func(s *Server, w http.ResponseWriter, r *http.Request) bool {
		begin(w)
		return Silent()(s, w, r)
	}
}

// Half sends headers and a few bytes, then hangs up.
func Half() act {
	return func(_ *Server, w http.ResponseWriter, _ *http.Request) bool {
		begin(w)
		panic(http.ErrAbortHandler)
	}
}

// begin promises more bytes than it sends.
func begin(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "4096")
	_, _ = w.Write([]byte("i-0123"))
	_ = http.NewResponseController(w).Flush()
}

// Redirect sends the client to another address.
func Redirect(to string) act {
	return func(_ *Server, w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, to, http.StatusFound)
		return true
	}
}

// Huge answers with so many bytes.
func Huge(bytes int) act {
	return func(_ *Server, w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Length", strconv.Itoa(bytes))
		block := []byte(strings.Repeat("x", 64<<10))
		for left := bytes; left > 0; left -= len(block) {
			if _, err := w.Write(block[:min(left, len(block))]); err != nil {
				return true // the client has had enough
			}
		}
		return true
	}
}

// Page answers 200 with a web page, as a captive portal would.
func Page() act {
	return func(_ *Server, w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!DOCTYPE html>\n<html><body>Please sign in.</body></html>\n"))
		return true
	}
}

// Expire ends all tokens, then lets the request go on to its 401.
func Expire() act {
	return func(s *Server, _ http.ResponseWriter, _ *http.Request) bool {
		s.Expire()
		return false
	}
}
