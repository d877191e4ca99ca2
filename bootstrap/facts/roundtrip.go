package facts

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"sync"
	"time"
)

// transport is an http.RoundTripper for short questions over plain HTTP to one
// neighbour. A question is asked and answered in the goroutine of its asker, on
// a connection that is kept for the next. net/http's own has two goroutines a
// connection: to change between them was a third of what a crawl took.
type transport struct {
	dial          net.Dialer
	header, whole time.Duration // from the question to the answer's headers, and to its end

	mu     sync.Mutex
	idle   []*line
	closed bool
}

// line is one connection, which one asker has at a time.
type line struct {
	net.Conn
	bound *io.LimitedReader // what in may still read
	in    *bufio.Reader
	out   *bufio.Writer
}

// maxHead bounds an answer's head, in bytes.
const maxHead = 16 << 10

// past is a deadline that ends whatever waits.
var past = time.Unix(1, 0)

// RoundTrip asks. What failed on a kept connection before any answer is asked
// once more on another: the other side may have hung up just then.
func (w *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	for {
		l, kept, err := w.line(r)
		if err != nil {
			return nil, err
		}
		resp, err := w.exchange(l, r)
		if err == nil {
			return resp, nil
		}
		l.Close()
		if ctx := r.Context().Err(); ctx != nil {
			return nil, errors.Join(ctx, err)
		}
		var ne net.Error
		if !kept || r.Body != nil && r.Body != http.NoBody || errors.As(err, &ne) && ne.Timeout() {
			return nil, err
		}
	}
}

// line is a kept connection, or a new one.
func (w *transport) line(r *http.Request) (l *line, kept bool, err error) {
	w.mu.Lock()
	if n := len(w.idle); n > 0 {
		l, w.idle = w.idle[n-1], w.idle[:n-1]
	}
	w.mu.Unlock()
	if l != nil {
		return l, true, nil
	}
	port := r.URL.Port()
	if port == "" {
		port = "80"
	}
	conn, err := w.dial.DialContext(r.Context(), "tcp", net.JoinHostPort(r.URL.Hostname(), port))
	if err != nil {
		return nil, false, err
	}
	bound := &io.LimitedReader{R: conn}
	return &line{conn, bound, bufio.NewReader(bound), bufio.NewWriterSize(conn, 1<<10)}, false, nil
}

// exchange puts the question and reads the answer up to its body.
func (w *transport) exchange(l *line, r *http.Request) (*http.Response, error) {
	began := time.Now()
	if err := l.SetDeadline(began.Add(w.header)); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(r.Context(), func() { l.SetDeadline(past) })
	resp, err := l.ask(r)
	if err == nil {
		err = l.SetDeadline(began.Add(w.whole))
	}
	if err == nil {
		err = r.Context().Err() // its end may have been before the new deadline
	}
	if err != nil {
		stop()
		return nil, err
	}
	resp.Body = &answerBody{Reader: resp.Body, ctx: r.Context(), end: func(whole bool) {
		if stop() && whole && !resp.Close && !r.Close && w.keep(l) {
			return
		}
		l.Close()
	}}
	return resp, nil
}

func (l *line) ask(r *http.Request) (*http.Response, error) {
	if err := r.Write(l.out); err != nil {
		return nil, err
	}
	if err := l.out.Flush(); err != nil {
		return nil, err
	}
	l.bound.N = maxHead
	defer func() { l.bound.N = math.MaxInt64 }() // the body has a bound of its own
	for {
		resp, err := http.ReadResponse(l.in, r)
		if err != nil && l.bound.N <= 0 {
			return nil, errTooLarge
		}
		// A provisional answer has another behind it.
		if err != nil || resp.StatusCode >= http.StatusOK || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, err
		}
	}
}

// keep takes a connection back, unless nobody will want it.
func (w *transport) keep(l *line) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || l.in.Buffered() > 0 {
		return false
	}
	w.idle = append(w.idle, l)
	return true
}

// close hangs up what is kept, and lets nothing be kept any more.
func (w *transport) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.idle {
		l.Close()
	}
	w.idle, w.closed = nil, true
}

// answerBody gives the connection back at the body's end.
type answerBody struct {
	io.Reader
	ctx context.Context
	end func(whole bool) // nil once it was called
}

func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil {
		b.done(errors.Is(err, io.EOF))
		if ctx := b.ctx.Err(); ctx != nil && !errors.Is(err, io.EOF) {
			err = errors.Join(ctx, err)
		}
	}
	return n, err
}

// Close of a body that was not read to its end hangs up, rather than read on.
func (b *answerBody) Close() error {
	b.done(b.Reader == http.NoBody)
	return nil
}

func (b *answerBody) done(whole bool) {
	if b.end != nil {
		b.end(whole)
		b.end = nil
	}
}
