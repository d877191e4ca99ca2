package facts

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"reveille/bootstrap/userdata"
)

// maxBody bounds every answer but user-data, in bytes. The largest real one,
// the identity document, has some 500.
const maxBody = 64 << 10

// So many ask at most, and so many connections there are. IMDS takes 1,024
// packets a second from an interface, shared with DNS and NTP.
const parallel = 16

// So many ask where each question is answered within slow.
const (
	few  = 4
	slow = 5 * time.Millisecond
)

// errTooLarge is what reading beyond a bound gives.
var errTooLarge = errors.New("the answer is larger than the bound")

// exchange is the last request that was made for one question. The SDK's
// token provider hides the status and the cause of what failed from
// errors.As, so they are noted here, on the wire.
type exchange struct {
	mu     sync.Mutex
	method string
	status int // 0: no headers came
	err    error
	tries  int
	naked  bool // a GET without a token was answered
}

type exchangeKey struct{}

func (e *exchange) note(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f()
}

// caller is the HTTP client: no proxy, no redirects, bounded in time and bytes.
type caller struct {
	plain  *transport
	tls    *http.Client // for https, which a stand-in for IMDS may have
	onFail func()       // called when no HTTP answer came; nil: nobody cares
}

func newCaller(t tuning, onFail func()) *caller {
	return &caller{
		plain: &transport{dial: net.Dialer{Timeout: t.dial, KeepAlive: -1}, header: t.header, whole: t.whole},
		tls: &http.Client{
			Transport: &http.Transport{
				Proxy:                 nil, // HTTP_PROXY must never see a token
				DialContext:           (&net.Dialer{Timeout: t.dial}).DialContext,
				ResponseHeaderTimeout: t.header,
				MaxIdleConnsPerHost:   parallel,
				DisableCompression:    true,
			},
			Timeout:       t.whole,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		onFail: onFail,
	}
}

func (w *caller) close() {
	w.plain.close()
	w.tls.CloseIdleConnections()
}

func (w *caller) roundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "https" {
		return w.tls.Do(r)
	}
	return w.plain.RoundTrip(r)
}

// Do is what the SDK's client calls for each attempt.
func (w *caller) Do(r *http.Request) (*http.Response, error) {
	e, ok := r.Context().Value(exchangeKey{}).(*exchange)
	if !ok {
		e = &exchange{}
	}
	resp, err := w.roundTrip(r)
	e.note(func() {
		e.method, e.status, e.err = r.Method, 0, err
		e.tries++
		if err == nil {
			e.status = resp.StatusCode
			e.naked = r.Method == http.MethodGet && resp.StatusCode == http.StatusOK &&
				r.Header.Get("X-Aws-Ec2-Metadata-Token") == ""
		}
	})
	if err != nil {
		if w.onFail != nil && !errors.Is(r.Context().Err(), context.Canceled) {
			w.onFail()
		}
		return nil, err
	}
	resp.Body = &boundBody{ReadCloser: resp.Body, left: boundOf(r.URL.Path), e: e}
	return resp, nil
}

func boundOf(path string) int {
	if strings.HasSuffix(path, "/user-data") {
		return userdata.MaxRaw
	}
	return maxBody
}

// boundBody reads so many bytes and no more, and notes why reading ended.
type boundBody struct {
	io.ReadCloser
	left int
	e    *exchange
}

func (b *boundBody) Read(p []byte) (int, error) {
	// One byte more than is left tells a body that fits from one that does not.
	if len(p) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if n > b.left {
		n, err = b.left, errTooLarge
	}
	b.left -= n
	if err != nil && !errors.Is(err, io.EOF) {
		b.e.note(func() { b.e.err = err })
	}
	return n, err
}
