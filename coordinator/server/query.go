package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"reveille/coordinator/api"
	"reveille/coordinator/store"
)

const defaultLimit = 100

func (s *Server) listInstances(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	page, err := s.store.List(r.Context(), q)
	if err != nil {
		s.storeFailed(w, "list", err)
		return
	}
	out := struct {
		Instances []json.RawMessage `json:"instances"`
		Next      string            `json:"next"`
	}{Instances: []json.RawMessage{}, Next: page.Next}
	for _, rec := range page.Records {
		out.Instances = append(out.Instances, document(rec))
	}
	answer(w, out)
}

func (s *Server) getInstance(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if err := api.CheckInstanceID(id); err != nil {
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	if err := noParameters(r); err != nil {
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	rec, err := s.store.Get(r.Context(), id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		problem(w, http.StatusNotFound, "instance "+id+" has not reported to this coordinator")
	case err != nil:
		s.storeFailed(w, "get", err)
	default:
		answer(w, document(rec))
	}
}

func (s *Server) getRole(w http.ResponseWriter, r *http.Request) {
	role := api.Role{Role: r.PathValue("role")}
	err := errors.Join(api.CheckName("role", role.Role), noParameters(r))
	if err != nil {
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	err = s.store.Heads(r.Context(), store.Query{Role: role.Role}, func(h store.Head) bool {
		role.Add(h.State, 1)
		return true
	})
	if err != nil {
		s.storeFailed(w, "count a role", err)
		return
	}
	answer(w, role)
}

// document is the report as it came, with "received" as its last field.
func document(rec store.Record) json.RawMessage {
	body := rec.Report[:len(rec.Report)-1] // it is an object, and never an empty one
	return fmt.Appendf(slices.Clone(body), `,"received":%q}`, rec.Received.Format(time.RFC3339Nano))
}

// parseQuery reads the parameters of a list. A filter that is there but empty
// is refused: a script whose variable is unset would get the whole fleet.
func parseQuery(raw string) (store.Query, error) {
	q := store.Query{Limit: defaultLimit}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return q, fmt.Errorf("query: %w", err)
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if err := setParameter(&q, name, values[name]); err != nil {
			errs = append(errs, fmt.Errorf("parameter %.80q: %w", name, err))
		}
	}
	return q, errors.Join(errs...)
}

func setParameter(q *store.Query, name string, values []string) error {
	known := []string{"role", "state", "zone", "host", "limit", "after"}
	v := values[0]
	switch {
	case !slices.Contains(known, name):
		return errors.New("unknown; there are role, state, zone, host, limit and after")
	case len(values) > 1:
		return errors.New("given more than once")
	case v == "":
		return errors.New("empty; leave it out to ask for all")
	}
	switch name {
	case "role":
		q.Role = v
	case "zone":
		q.Zone = v
	case "host":
		q.Host = v
	case "state":
		q.State = api.State(v)
		return api.CheckState(q.State)
	case "after":
		q.After = v
		return api.CheckInstanceID(v)
	case "limit":
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > store.MaxLimit {
			return fmt.Errorf("%.40q: want a number from 1 to %d", v, store.MaxLimit)
		}
		q.Limit = n
	}
	return nil
}

// noParameters refuses what would be passed over in silence.
func noParameters(r *http.Request) error {
	if r.URL.RawQuery != "" {
		return fmt.Errorf("parameters %.80q: this path takes none", r.URL.RawQuery)
	}
	return nil
}
