package facts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
)

// judge tells what the last exchange of a question means. A 404 to the GET is
// an answer; a 404 to the PUT of a token is none.
func judge(e *exchange, err error) answer {
	if err == nil {
		return answer{}
	}
	if e.tries == 0 {
		return answer{reason: TimedOut, detail: "no time was left to ask: " + err.Error()}
	}
	if e.err == nil && e.method == http.MethodGet && e.status == http.StatusNotFound {
		return answer{absent: true}
	}
	r, what := Malformed, ""
	switch {
	case e.err != nil:
		r, what = broken(e.err, e.status)
	case e.status < 400:
		// The SDK could not use a good answer: a token without its TTL, or a redirect.
		what = fmt.Sprintf("answered %d, which is no answer to the question: %v", e.status, err)
	default:
		r, what = refusal(e.status)
	}
	if e.method == http.MethodPut {
		what = "asking for a token: " + what
	}
	if e.tries > 1 {
		what += fmt.Sprintf(" (%d requests)", e.tries)
	}
	return answer{reason: r, detail: what}
}

// refusal names an HTTP status.
func refusal(status int) (Reason, string) {
	what := fmt.Sprintf("answered %d %s", status, http.StatusText(status))
	switch {
	case status == http.StatusUnauthorized:
		return Unauthorized, what
	case status == http.StatusForbidden:
		return Forbidden, what
	case status == http.StatusTooManyRequests:
		return Throttled, what
	case status >= 500:
		return ServerError, what
	}
	return Malformed, what
}

// broken names what went wrong below HTTP. The status tells whether an answer
// had begun.
func broken(err error, status int) (Reason, string) {
	var ne net.Error
	switch {
	case errors.Is(err, errTooLarge):
		return TooLarge, err.Error()
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused, "nobody listens there: " + cause(err)
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH),
		errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EAFNOSUPPORT):
		return NoRoute, "the kernel knows no way there: " + cause(err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled),
		errors.As(err, &ne) && ne.Timeout():
		if status != 0 {
			return TimedOut, "the answer began and did not go on"
		}
		return TimedOut, "no answer in time: " + cause(err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return HalfBody, "the connection ended inside the answer: " + cause(err)
	}
	return Malformed, "no HTTP answer: " + cause(err)
}

// cause is the innermost error in words: net/http's outer ones repeat the URL.
func cause(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Error()
	}
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}
