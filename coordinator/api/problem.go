package api

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ProblemType is the media type of a Problem.
const ProblemType = "application/problem+json"

// maxProblem bounds what is read of an answer, in bytes; more is of no use in
// an error message.
const maxProblem = 64 << 10

// maxRetryAfter bounds what a coordinator, or what stands before it, may ask
// an agent to wait, in seconds.
const maxRetryAfter = 300

// Problem is an error as a coordinator tells it (RFC 9457).
type Problem struct {
	Type   string `json:"type"` // "about:blank": the status says it all
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`

	RetryAfter time.Duration `json:"-"` // from the header; zero where none was given
}

// Error is the problem in one line.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return fmt.Sprintf("answered %d %s", p.Status, p.Title)
	}
	return fmt.Sprintf("answered %d %s: %s", p.Status, p.Title, p.Detail)
}

// Temporary says whether the same request may succeed later. What the request
// itself got wrong stays wrong.
func (p *Problem) Temporary() bool {
	return p.Status >= 500 || p.Status == http.StatusRequestTimeout || p.Status == http.StatusTooManyRequests
}

// readProblem makes the error of an answer that is no success. Whatever stands
// in front of a coordinator may answer too, so the body need not be a problem.
func readProblem(res *http.Response) *Problem {
	p := &Problem{}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxProblem))
	if err != nil || !strings.HasPrefix(res.Header.Get("Content-Type"), ProblemType) || json.Unmarshal(body, p) != nil {
		*p = Problem{}
	}
	p.Status = res.StatusCode
	p.Title, p.Detail = brief(p.Title), brief(p.Detail)
	if p.Title == "" {
		p.Title = http.StatusText(res.StatusCode)
	}
	if to := res.Header.Get("Location"); p.Detail == "" && res.StatusCode/100 == 3 {
		p.Detail = "it redirects to " + brief(to) + "; name that URL instead"
	}
	if s, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && s > 0 {
		p.RetryAfter = time.Duration(min(s, maxRetryAfter)) * time.Second
	}
	return p
}

// brief makes foreign text fit for a log line and a terminal.
func brief(s string) string {
	const limit = 500
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "…"
	}
	q := strconv.QuoteToGraphic(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}
