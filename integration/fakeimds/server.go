package fakeimds

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	tokenHeader = "X-Aws-Ec2-Metadata-Token"
	ttlHeader   = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	maxTTL      = 21600 // seconds, the service's own bound
)

// Server is the service. Make it by New; it is an http.Handler.
type Server struct {
	mu     sync.Mutex
	tree   tree
	v1     bool
	faults []*Fault
	tokens map[string]time.Time // when each ends
	seen   []Request
	now    func() time.Time
	done   chan struct{}
	once   sync.Once
}

// Request is one that arrived, for tests to look at.
type Request struct {
	Method, Path string
	Token        bool // carried a token, good or bad
	Status       int  // 0: never answered
}

// New makes the service of an instance. Without a token nothing is answered.
func New(i Instance) *Server {
	return &Server{tree: i.leaves(), tokens: map[string]time.Time{}, now: time.Now, done: make(chan struct{})}
}

// Set changes what the metadata say, as tags and security groups do on a
// running instance.
func (s *Server) Set(i Instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tree = i.leaves()
}

// AllowV1 answers requests without a token too ("HttpTokens: optional").
func (s *Server) AllowV1(allow bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.v1 = allow
}

// Inject adds a fault. The first that takes a request answers it.
func (s *Server) Inject(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// Expire ends all tokens now.
func (s *Server) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// Requests are those that have arrived, in order.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// Forget empties the record of requests.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = nil
}

// Close lets go of the requests that a fault keeps waiting.
func (s *Server) Close() { s.once.Do(func() { close(s.done) }) }

// ServeHTTP answers one request, faults first.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out := &recorder{ResponseWriter: w}
	n := s.note(r)
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.seen[n].Status = out.status
	}()
	for _, f := range s.due(r) {
		if f.Act(s, out, r) {
			return
		}
	}
	s.answer(out, r)
}

func (s *Server) note(r *http.Request) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, Request{Method: r.Method, Path: r.URL.Path, Token: r.Header.Get(tokenHeader) != ""})
	return len(s.seen) - 1
}

var version = regexp.MustCompile(`^/(latest|1\.0|\d{4}-\d\d-\d\d)(/|$)`)

// answer is what a healthy service says.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	place := version.FindString(r.URL.Path)
	path := strings.TrimPrefix(r.URL.Path, place)
	switch {
	case path == "api/token" && r.Method == http.MethodPut:
		s.token(w, r)
	case path == "api/token" || r.Method != http.MethodGet && r.Method != http.MethodHead:
		fail(w, http.StatusMethodNotAllowed)
	case !s.admitted(r):
		fail(w, http.StatusUnauthorized)
	case place == "":
		fail(w, http.StatusNotFound)
	default:
		s.get(w, path)
	}
}

// token gives a new one for as many seconds as the header asks.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	ttl, err := strconv.Atoi(r.Header.Get(ttlHeader))
	if err != nil || ttl < 1 || ttl > maxTTL {
		fail(w, http.StatusBadRequest)
		return
	}
	if r.Header.Get("X-Forwarded-For") != "" { // a proxy must not fetch tokens for others
		fail(w, http.StatusForbidden)
		return
	}
	t := rand.Text()
	s.mu.Lock()
	s.tokens[t] = s.now().Add(time.Duration(ttl) * time.Second)
	s.mu.Unlock()
	w.Header().Set(ttlHeader, strconv.Itoa(ttl))
	fmt.Fprint(w, t)
}

func (s *Server) admitted(r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := r.Header.Get(tokenHeader)
	if t == "" {
		return s.v1
	}
	end, ok := s.tokens[t]
	return ok && s.now().Before(end)
}

func (s *Server) get(w http.ResponseWriter, path string) {
	s.mu.Lock()
	body, ok := s.tree.get(path)
	s.mu.Unlock()
	if !ok {
		fail(w, http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	fmt.Fprint(w, body)
}

// fail answers as the service does, with a page that nobody should parse.
func fail(w http.ResponseWriter, code int) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(code)
	fmt.Fprintf(w, "<html><head><title>%d - %s</title></head></html>\n", code, http.StatusText(code))
}

// recorder remembers the status for Requests.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(code int) {
	r.status = code
	r.ResponseWriter.WriteHeader(code)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController through to Flush.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
