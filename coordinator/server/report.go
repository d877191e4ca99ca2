package server

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"reveille/coordinator/api"
	"reveille/coordinator/store"
)

// putReport takes a report. It answers only once the report is kept.
func (s *Server) putReport(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if err := api.CheckInstanceID(id); err != nil {
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, api.MaxReport))
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		problem(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("a report has at most %d bytes", tooBig.Limit))
		return
	case err != nil:
		problem(w, http.StatusBadRequest, "the body ended early")
		return
	}
	report, raw, err := decode(body)
	if err != nil {
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	if report.InstanceID != id {
		problem(w, http.StatusConflict, fmt.Sprintf("the path names %s, the report %s", id, report.InstanceID))
		return
	}
	rec := store.Record{Report: raw, Head: store.Head{
		ID: id, Role: report.Role, State: report.State, Host: report.Hostname,
		Region: text(report.Facts.Region), Zone: text(report.Facts.Zone),
		Received: s.now().UTC(),
	}}
	if err := s.store.Put(r.Context(), rec); err != nil {
		s.storeFailed(w, "keep a report", err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// storeFailed says no more than that: paths and causes are for the log.
func (s *Server) storeFailed(w http.ResponseWriter, what string, err error) {
	s.log.Error("store: "+what, "error", err)
	w.Header().Set("Retry-After", "5")
	problem(w, http.StatusServiceUnavailable, "the store did not answer; the coordinator's log says why")
}

// text is the value of a fact, "" for one that is unknown.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
