package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// ClientOptions tune a Client. The zero value is what an agent uses.
type ClientOptions struct {
	Timeout   time.Duration // of one request, from dialling to the last byte; zero is 10 s
	TLS       *tls.Config   // nil: the system's roots
	UserAgent string        // "" is "reveille"
}

// Client sends reports to one coordinator, over one kept-alive connection. It
// never tries again by itself; a Sender does.
type Client struct {
	url   *url.URL
	http  *http.Client
	agent string
}

// NewClient makes a client for a coordinator's base URL, https://10.0.0.4:8650.
// Plain HTTP is refused unless the address is a loopback one.
func NewClient(base string, o ClientOptions) (*Client, error) {
	u, err := parseURL(base)
	if err != nil {
		return nil, err
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.UserAgent == "" {
		o.UserAgent = "reveille"
	}
	dial := &net.Dialer{Timeout: min(o.Timeout, 5*time.Second), KeepAlive: 30 * time.Second}
	tr := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dial.DialContext,
		TLSClientConfig:     o.TLS,
		TLSHandshakeTimeout: o.Timeout,
		MaxConnsPerHost:     1,
		MaxIdleConnsPerHost: 1,
		// Below the coordinator's own 120 s, so that it is rarely the server
		// that closes a connection which is about to be used again.
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 16 << 10,
	}
	if loopbackHost(u.Hostname()) {
		tr.Proxy = nil
		dial.Control = loopbackOnly
	}
	return &Client{url: u, agent: o.UserAgent, http: &http.Client{
		Transport: tr,
		Timeout:   o.Timeout,
		// A redirect could lead a report anywhere, so it is an answer like another.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// URL is the coordinator's base URL.
func (c *Client) URL() string { return c.url.String() }

// Close gives the kept connection back.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Send puts one report. An error that Final calls so would be the same again;
// what the coordinator answered is in it as a *Problem.
func (c *Client) Send(ctx context.Context, r Report) error {
	body, err := encode(r)
	if err != nil {
		return fmt.Errorf("report to %s: %w", c.URL(), &finalError{err})
	}
	to := c.url.JoinPath("v1", "instances", r.InstanceID, "report")
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, to.String(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("report to %s: %w", c.URL(), &finalError{err})
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", c.agent)
	res, err := c.http.Do(req)
	if err != nil {
		// The method and the whole path add nothing to the base URL.
		var at *url.Error
		if errors.As(err, &at) {
			err = at.Err
		}
		return fmt.Errorf("report to %s: %w", c.URL(), err)
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("report to %s: %w", c.URL(), readProblem(res))
	}
	// Reading to the end lets the connection be used again; the report is
	// already taken, so a failure here is none of the report's.
	_, _ = io.CopyN(io.Discard, res.Body, maxProblem)
	return nil
}

func encode(r Report) ([]byte, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	if len(body) > MaxReport {
		return nil, fmt.Errorf("%d bytes, a coordinator takes at most %d", len(body), MaxReport)
	}
	return body, nil
}

type finalError struct{ error }

func (e *finalError) Unwrap() error { return e.error }

// Final says whether sending the same report again is of no use: it could not
// be encoded, or the coordinator refused it for good.
func Final(err error) bool {
	var p *Problem
	if errors.As(err, &p) {
		return !p.Temporary()
	}
	var f *finalError
	return errors.As(err, &f)
}
