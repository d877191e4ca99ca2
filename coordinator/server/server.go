// Package server answers HTTP for a coordinator: it takes reports, keeps them
// in a store, and tells operators and the fleet page what it knows. It must
// not know which store it has, nor how an agent works; whatever a report says
// is foreign text, to be bounded and escaped.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"reveille/coordinator/store"
)

// stopWithin is how long requests under way may take once the server is to
// stop. The whole stop, store included, stays within a second.
const stopWithin = 700 * time.Millisecond

// Options of a Server. Only Store is needed.
type Options struct {
	Store store.Store
	Log   *slog.Logger     // nil: discards; a report's content is never logged
	Now   func() time.Time // nil: the clock
}

// Server is a coordinator's HTTP side. It is a http.Handler; Serve adds what a
// listening server needs.
type Server struct {
	store   store.Store
	log     *slog.Logger
	now     func() time.Time
	handler http.Handler
}

// New makes a server on an open store, which stays the caller's to close.
func New(o Options) *Server {
	s := &Server{store: o.Store, log: o.Log, now: o.Now}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /v1/instances/{id}/report", s.putReport)
	mux.HandleFunc("GET /v1/instances", s.listInstances)
	mux.HandleFunc("GET /v1/instances/{id}", s.getInstance)
	mux.HandleFunc("GET /v1/roles/{role}", s.getRole)
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /{$}", s.fleetPage)
	mux.HandleFunc("GET /instances/{id}", s.instancePage)
	mux.HandleFunc("GET /assets/{file}", s.asset)
	s.handler = s.guard(problems(mux))
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Serve answers on l until ctx ends, lets requests under way finish for a
// moment, and closes l. Ending so is no error.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	hs := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       120 * time.Second, // above the agents' own 90 s
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	done := make(chan error, 1)
	go func() { done <- hs.Serve(l) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	err := hs.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn("stopping with requests cut off: they took too long")
		err = hs.Close()
	}
	<-done
	if err != nil {
		return fmt.Errorf("stop serving on %s: %w", l.Addr(), err)
	}
	return nil
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n")
}
