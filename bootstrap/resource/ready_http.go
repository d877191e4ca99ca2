package resource

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// readyHeader and readyBody bound what a server can make us read, in bytes.
const (
	readyHeader = 64 << 10
	readyBody   = 64 << 10
)

// answers asks the URL itself and nobody else: no proxy of the environment, and
// no redirect, since it is the machine's own answer that counts.
func (r Ready) answers(ctx context.Context, h *host.Host) error {
	try, cancel := context.WithTimeout(ctx, ReadyAnswer)
	defer cancel()
	req, err := http.NewRequestWithContext(try, http.MethodGet, r.HTTP, nil)
	if err != nil {
		return fmt.Errorf("ready check of %s: %w", r.HTTP, err)
	}
	req.Header.Set("User-Agent", "reveille")
	ask := &http.Transport{
		DisableKeepAlives:      true, // each try is one of its own
		MaxResponseHeaderBytes: readyHeader,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, ReadyConnect)
			defer cancel()
			return h.Dial(ctx, network, address)
		},
	}
	res, err := ask.RoundTrip(req)
	if err != nil {
		return notYet(err, "an answer of "+r.HTTP)
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, readyBody)
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return &plan.NotYet{For: fmt.Sprintf("2xx of %s, which answers %d", r.HTTP, res.StatusCode)}
	}
	return nil
}
