package facts

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
)

// seen is one request without a second attempt, so that what hides behind
// attempts is seen too.
type seen struct {
	status int // 0: no answer
	body   string
	reason Reason // "" for 200 and 404
	detail string
	took   time.Duration
}

func (s seen) ok() bool { return s.status == http.StatusOK && s.reason == "" }

// probed is what a look at one endpoint showed.
type probed struct {
	endpoint string
	noRoute  string // why the kernel knows no way there; "" where it does
	token    seen
	bare     seen // the instance id, asked without a token
	id       seen // … with it
	tags     seen
	document seen
}

// all are the requests that were made.
func (p probed) all() []seen {
	var made []seen
	for _, s := range []seen{p.token, p.bare, p.id, p.tags, p.document} {
		if s.took > 0 {
			made = append(made, s)
		}
	}
	return made
}

// there says that something at the endpoint spoke HTTP.
func (p probed) there() bool { return p.token.status != 0 || p.bare.status != 0 }

// probe looks at one endpoint with at most five requests.
func probe(ctx context.Context, endpoint string, o Options) probed {
	w := newCaller(o.tuning, nil)
	defer w.close()
	p := probed{endpoint: endpoint, noRoute: routeTo(endpoint)}
	p.token = w.once(ctx, http.MethodPut, endpoint+"/latest/api/token", "X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
	p.bare = w.once(ctx, http.MethodGet, endpoint+"/latest/"+idPath, "", "")
	if !p.token.ok() {
		return p
	}
	get := func(path string) seen {
		return w.once(ctx, http.MethodGet, endpoint+"/latest/"+path, "X-Aws-Ec2-Metadata-Token", p.token.body)
	}
	p.id, p.tags, p.document = get(idPath), get("meta-data/tags/instance"), get(documentPath)
	return p
}

// once makes one request with at most one header.
func (w *caller) once(ctx context.Context, method, url, header, value string) (s seen) {
	start := time.Now()
	// A clock that stands still for a fast answer must not look like no request.
	defer func() { s.took = max(time.Since(start), 1) }()
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return seen{reason: Malformed, detail: err.Error()}
	}
	if header != "" {
		r.Header.Set(header, value)
	}
	resp, err := w.Do(r)
	if err != nil {
		s.reason, s.detail = broken(err, 0)
		return s
	}
	b, err := io.ReadAll(resp.Body)
	err = errors.Join(err, resp.Body.Close())
	s.status, s.body = resp.StatusCode, string(b)
	switch {
	case err != nil:
		s.reason, s.detail = broken(err, s.status)
	case s.status != http.StatusOK && s.status != http.StatusNotFound:
		s.reason, s.detail = refusal(s.status)
	}
	return s
}

// otherDocument is the id that the identity document names, where it is not
// the instance's.
func (p probed) otherDocument() string {
	var d Document
	if !p.document.ok() || !p.id.ok() || json.Unmarshal([]byte(p.document.body), &d) != nil {
		return ""
	}
	if d.InstanceID == strings.TrimSpace(p.id.body) {
		return ""
	}
	return cmp.Or(d.InstanceID, "no instance")
}

// routeTo asks the kernel for the way to an endpoint; "" is a way, or an
// endpoint that is a name.
func routeTo(endpoint string) string {
	ip, ok := ipOf(endpoint)
	if !ok {
		return ""
	}
	for {
		_, err := netlink.RouteGet(ip.AsSlice())
		switch {
		case errors.Is(err, netlink.ErrDumpInterrupted):
			continue // the table changed while it was read
		case err != nil:
			return fmt.Sprintf("the kernel has no route to %s: %v", ip, err)
		}
		return ""
	}
}

// proxied are the variables that send other programs' requests for IMDS
// through a proxy.
func proxied(getenv func(string) string) []string {
	if exempt(getenv("NO_PROXY")) || exempt(getenv("no_proxy")) {
		return nil
	}
	var set []string
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"} {
		if getenv(name) != "" {
			set = append(set, name)
		}
	}
	return set
}

// exempt says that a no_proxy list keeps IMDS's IPv4 address off the proxy.
func exempt(list string) bool {
	imds, _ := ipOf(IPv4Endpoint)
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		net, err := netip.ParsePrefix(entry)
		if entry == "*" || entry == imds.String() || err == nil && net.Contains(imds) {
			return true
		}
	}
	return false
}
