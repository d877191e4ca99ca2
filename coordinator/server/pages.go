package server

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"reveille/coordinator/api"
	"reveille/coordinator/server/page"
	"reveille/coordinator/store"
)

func (s *Server) fleetPage(w http.ResponseWriter, r *http.Request) {
	f, err := page.ParseFilter(r.URL.Query())
	if err != nil {
		s.messagePage(w, http.StatusBadRequest, "That page cannot be shown", err.Error())
		return
	}
	var heads []store.Head
	err = s.store.Heads(r.Context(), store.Query{}, func(h store.Head) bool {
		heads = append(heads, h)
		return true
	})
	if err != nil {
		s.storeFailedPage(w, "list heads", err)
		return
	}
	fleet := page.NewFleet(heads, f, s.now(), r.Host)
	for _, h := range fleet.Shown() {
		rec, err := s.store.Get(r.Context(), h.ID)
		if err != nil {
			s.storeFailedPage(w, "get", err)
			return
		}
		if err := fleet.Add(rec); err != nil {
			s.storeFailedPage(w, "read a report", err)
			return
		}
	}
	s.html(w, http.StatusOK, fleet.Render)
}

func (s *Server) instancePage(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if err := api.CheckInstanceID(id); err != nil {
		s.messagePage(w, http.StatusBadRequest, "That is no instance id", err.Error())
		return
	}
	rec, err := s.store.Get(r.Context(), id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		s.messagePage(w, http.StatusNotFound, "Not known here",
			"Instance "+id+" has not reported to this coordinator.")
		return
	case err != nil:
		s.storeFailedPage(w, "get", err)
		return
	}
	in, err := page.NewInstance(rec, s.now())
	if err != nil {
		s.storeFailedPage(w, "read a report", err)
		return
	}
	s.html(w, http.StatusOK, in.Render)
}

func (s *Server) storeFailedPage(w http.ResponseWriter, what string, err error) {
	s.log.Error("store: "+what, "error", err)
	w.Header().Set("Retry-After", "5")
	s.messagePage(w, http.StatusServiceUnavailable, "The store did not answer", "The coordinator's log says why. Reports are sent again, so try once more in a moment.")
}

func (s *Server) messagePage(w http.ResponseWriter, status int, title, text string) {
	s.html(w, status, page.Message{Title: title, Text: text}.Render)
}

// html renders whole before it sends anything: half a page with status 200
// would look like a small fleet.
func (s *Server) html(w http.ResponseWriter, status int, render func(io.Writer) error) {
	var buf bytes.Buffer
	if err := render(&buf); err != nil {
		s.log.Error("render a page", "error", err)
		problem(w, http.StatusInternalServerError, "the page could not be rendered; the coordinator's log says why")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = buf.WriteTo(w)
}

func (s *Server) asset(w http.ResponseWriter, r *http.Request) {
	a, ok := page.Assets()[r.PathValue("file")]
	if !ok {
		problem(w, http.StatusNotFound, "there is no such asset")
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.Type)
	h.Set("Cache-Control", "no-cache") // asked for again, answered with 304
	h.Set("ETag", a.ETag)
	if strings.Contains(r.Header.Get("If-None-Match"), a.ETag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(a.Data)
}
