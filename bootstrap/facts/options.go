package facts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
)

// The two addresses of IMDS, as EC2 gives them to every instance.
const (
	IPv4Endpoint = "http://169.254.169.254"
	IPv6Endpoint = "http://[fd00:ec2::254]"
)

// DefaultTimeout bounds a crawl. It is also the longest that the attempts of
// one question can take, so the default cuts none of them short.
const DefaultTimeout = 30 * time.Second

// Options say how to ask. The zero value asks the instance's own IMDS, with
// tokens only, for 30 seconds at most, and takes no part of user-data as ours.
type Options struct {
	Endpoint     string                // URL; "": the environment's, or both of EC2's addresses
	EndpointMode string                // "IPv4" or "IPv6" restricts EC2's addresses to one; "": the environment's
	AllowV1      bool                  // ask without a token where none can be had; what is got so is a Problem
	Timeout      time.Duration         // of the crawl; zero is DefaultTimeout
	Getenv       func(string) string   // nil: an empty environment
	Ours         func(key string) bool // which keys of key=value user-data are ours
	Now          func() time.Time      // nil: time.Now
	Log          *slog.Logger          // nil: discards

	// Volumes says that AskVolumes may ask EC2, where there is a volume besides
	// the root's. Its API is one for a whole account: a timer must not.
	Volumes bool

	// Ready waits until there is a way to one of the addresses, for Timeout at
	// most and before the crawl's own time begins; its error says why there is
	// none. Nil: nobody waits.
	Ready func(ctx context.Context, to []netip.Addr) error

	tuning tuning    // zero: the defaults; tests scale it
	ec2    [2]string // "": IMDS's addresses; tests stand in for them
	api    *ec2Options
	disks  func(*host.Host) ([]block.Disk, error)
}

// tuning is the arithmetic of one question: so many attempts, each so long,
// and the waits between them.
type tuning struct {
	dial, header, whole time.Duration // to connect, to the headers, to the end of an answer
	attempts            int
	backoff             time.Duration // the longest wait between attempts
}

// The SDK's own numbers (3 attempts of 500 ms) give up on an IMDS that is
// merely slow or throttled while 500 instances boot.
var defaultTuning = tuning{dial: time.Second, header: 2 * time.Second, whole: 4 * time.Second,
	attempts: 8, backoff: 2 * time.Second}

// v1Attempts leaves time for version 1 after a token that never comes.
const v1Attempts = 3

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	if o.Ours == nil {
		o.Ours = func(string) bool { return false }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.tuning == (tuning{}) {
		o.tuning = defaultTuning
	}
	if o.AllowV1 {
		o.tuning.attempts = v1Attempts
	}
	if o.ec2 == [2]string{} {
		o.ec2 = [2]string{IPv4Endpoint, IPv6Endpoint}
	}
	if o.api == nil {
		d := ec2Defaults()
		o.api = &d
	}
	if o.disks == nil {
		o.disks = block.Disks
	}
	return o
}

// The environment variables of the AWS SDKs that count here.
const (
	envEndpoint = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
	envMode     = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"
	envDisabled = "AWS_EC2_METADATA_DISABLED"
)

// errDisabled is the answer to every question where a person forbade them.
var errDisabled = errors.New("asking IMDS is switched off by " + envDisabled + "=true")

// endpoints are the addresses to ask, the better one first, and where they
// come from when a person set them.
func (o Options) endpoints() (urls []string, setBy string, err error) {
	if strings.EqualFold(o.Getenv(envDisabled), "true") {
		return nil, envDisabled, errDisabled
	}
	at, setBy := o.Endpoint, "the endpoint option"
	if at == "" {
		at, setBy = o.Getenv(envEndpoint), envEndpoint
	}
	if at != "" {
		at = strings.TrimSuffix(at, "/")
		return []string{at}, setBy, checkEndpoint(at, setBy)
	}
	mode, setBy := o.EndpointMode, "the endpoint mode option"
	if mode == "" {
		mode, setBy = o.Getenv(envMode), envMode
	}
	switch {
	case mode == "":
		return o.ec2[:], "", nil
	case strings.EqualFold(mode, "IPv4"):
		return o.ec2[:1], setBy, nil
	case strings.EqualFold(mode, "IPv6"):
		return o.ec2[1:], setBy, nil
	}
	return nil, setBy, fmt.Errorf("%s is %q: say IPv4 or IPv6", setBy, mode)
}

func checkEndpoint(at, setBy string) error { return checkURL(at, setBy, IPv4Endpoint) }

// checkURL refuses what is no address without a path.
func checkURL(at, setBy, example string) error {
	u, err := url.Parse(at)
	if err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.Path == "" && u.RawQuery == "" && u.User == nil {
		return nil
	}
	return fmt.Errorf("%s is %q: say an address such as %s, without a path", setBy, at, example)
}

// ready waits for the network. An endpoint that is a name or this machine
// itself is asked without: nothing is known of the one, the other needs no route.
func (o Options) ready(ctx context.Context, urls []string) error {
	if o.Ready == nil {
		return nil
	}
	var to []netip.Addr
	for _, u := range urls {
		a, ok := ipOf(u)
		if !ok || a.IsLoopback() {
			return nil
		}
		to = append(to, a)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.Timeout, fmt.Errorf("within %s", o.Timeout))
	defer cancel()
	return o.Ready(ctx, to)
}

// ipOf is the address in an endpoint, if it is one and not a name.
func ipOf(endpoint string) (netip.Addr, bool) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(u.Hostname())
	return a, err == nil
}
