package facts

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"
)

// Severity says what a finding asks of its reader.
type Severity string

// The severities. Info asks nothing: it is no fault.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// rank puts the gravest first.
// Graver says that a finding of this severity is to be looked at first.
func (s Severity) Graver(than Severity) bool { return s.rank() < than.rank() }

func (s Severity) rank() int { return slices.Index([]Severity{Error, Warning, Info}, s) }

// Finding is something to know about IMDS, in words.
type Finding struct {
	Code     string   `json:"code"` // "imds-hop-limit"
	Severity Severity `json:"severity"`
	Title    string   `json:"title"`
	Remedy   string   `json:"remedy"` // what to do next; "" where nothing is
}

// slowAnswer is ten times what a healthy IMDS takes at worst.
const slowAnswer = 300 * time.Millisecond

// Diagnose looks at IMDS with a few single requests and says what is wrong
// with it, the gravest first, and how fast it answers.
func Diagnose(ctx context.Context, o Options) []Finding {
	o = o.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	urls, setBy, err := o.endpoints()
	if err != nil {
		return []Finding{{"imds-endpoint", Error, err.Error(), "Correct or unset " + setBy + "."}}
	}
	var looks []probed
	for _, u := range urls {
		p := probe(ctx, u, o)
		looks = append(looks, p)
		if p.there() {
			looks = []probed{p} // an address that does not answer is no fault beside one that does
			break
		}
	}
	var all []Finding
	for _, p := range looks {
		all = append(all, p.findings()...)
	}
	all = append(all, aside(o, setBy, urls)...)
	sort.SliceStable(all, func(i, j int) bool { return all[i].Severity.rank() < all[j].Severity.rank() })
	return all
}

// findings judges one endpoint.
func (p probed) findings() []Finding {
	all := p.cause()
	if _, err := instanceID(p.bare.body); err == nil && p.bare.ok() {
		all = append(all, Finding{"imds-v1-allowed", Info, "IMDSv1 answers too, without a token: any program that can be made to fetch a URL can read the instance's credentials.",
			"Require tokens: aws ec2 modify-instance-metadata-options --http-tokens required --instance-id ID."})
	}
	if p.token.ok() && p.tags.status == 404 {
		all = append(all, Finding{"imds-tags-off", Warning, "Tags in instance metadata are off, or the instance has none: no hostname or role can come from a tag.",
			"aws ec2 modify-instance-metadata-options --instance-metadata-tags enabled --instance-id ID, if tags should count."})
	}
	if other := p.otherDocument(); other != "" {
		all = append(all, Finding{"imds-document", Warning, fmt.Sprintf("The identity document names %s, meta-data %s.", other, strings.TrimSpace(p.id.body)),
			"meta-data is believed. Find out who answers at " + p.endpoint + "."})
	}
	return append(all, p.pace()...)
}

// cause is why the instance id cannot be read: the first thing that stops it.
func (p probed) cause() []Finding {
	if p.id.ok() {
		if _, err := instanceID(p.id.body); err != nil {
			return []Finding{{"imds-not-imds", Error, fmt.Sprintf("What answers at %s is not IMDS: %v.", p.endpoint, err),
				"Look for a proxy, a portal or a local server on that address."}}
		}
		return nil
	}
	if p.token.reason == TimedOut && p.bare.status != 0 {
		return []Finding{{"imds-hop-limit", Error, "The token never arrives, while requests without one are answered: the hop limit of 1 ends the answer before it reaches a container.",
			"Run the agent on the host, or aws ec2 modify-instance-metadata-options --http-put-response-hop-limit 2 --instance-id ID."}}
	}
	failed := p.token
	if p.token.ok() {
		failed = p.id
	}
	if p.noRoute != "" && failed.status == 0 {
		failed.reason, failed.detail = NoRoute, p.noRoute
	}
	return []Finding{explain(p.endpoint, failed)}
}

// explain says in words what a reason means for IMDS.
func explain(endpoint string, s seen) Finding {
	f := func(code, title, remedy string) Finding {
		return Finding{code, Error, title + " (" + endpoint + ": " + s.detail + ").", remedy}
	}
	switch s.reason {
	case Forbidden:
		return f("imds-disabled", "IMDS is disabled for this instance", "aws ec2 modify-instance-metadata-options --http-endpoint enabled --instance-id ID.")
	case Throttled:
		return f("imds-throttled", "IMDS throttles: some program here asks too often", "Find it with: tcpdump -ni any host 169.254.169.254.")
	case NoRoute:
		return f("imds-no-route", "There is no way to IMDS", "Look at `ip route` and `ip -6 route`: the primary interface needs its address and default or link-local route.")
	case Refused:
		return f("imds-refused", "Nobody listens where IMDS should be", "If this is no EC2 instance, that is as it should be; else look for a local firewall rule that rejects it.")
	case TimedOut:
		return f("imds-silent", "IMDS does not answer", "Look for a firewall rule that drops it (iptables -S, nft list ruleset), and whether this is an EC2 instance at all.")
	case ServerError:
		return f("imds-server-error", "IMDS itself is in trouble", "It passes as a rule. The agent tries again; if it lasts, stop and start the instance.")
	case Unauthorized:
		return f("imds-unauthorized", "IMDS does not accept the token that it has just given", "Look for a proxy or another server between here and IMDS.")
	case HalfBody:
		return f("imds-half-answer", "Connections to IMDS end inside the answer", "Look for a proxy, or for connection limits of a firewall.")
	}
	if s.detail == "" {
		s.detail = fmt.Sprintf("answered %d", s.status)
	}
	return f("imds-not-imds", "What answers is not IMDS", "Look for a proxy, a portal or a local server on that address.")
}

// pace says how fast the answers were.
func (p probed) pace() []Finding {
	var slowest time.Duration
	n := 0
	for _, s := range p.all() {
		if s.status != 0 {
			slowest, n = max(slowest, s.took), n+1
		}
	}
	if n == 0 {
		return nil
	}
	took := fmt.Sprintf("%s answered %d of %d requests, the slowest in %s.", p.endpoint, n, len(p.all()), slowest.Round(10*time.Microsecond))
	if slowest >= slowAnswer {
		return []Finding{{"imds-slow", Warning, took, "Answers take a few milliseconds as a rule: look for throttling, and for a busy network or processor. The agent waits 2 s for each."}}
	}
	return []Finding{{"imds-latency", Info, took, ""}}
}

// aside is what the environment does.
func aside(o Options, setBy string, urls []string) []Finding {
	var all []Finding
	if set := proxied(o.Getenv); len(set) > 0 {
		all = append(all, Finding{"imds-proxy", Warning, strings.Join(set, ", ") + " is set and no_proxy leaves out 169.254.169.254: other programs send their requests for IMDS, and its credentials, through the proxy. The agent does not.",
			"Add 169.254.169.254 and [fd00:ec2::254] to no_proxy."})
	}
	if setBy != "" {
		all = append(all, Finding{"imds-endpoint-set", Info, "IMDS is asked at " + urls[0] + ", as " + setBy + " says.",
			"Unset it to ask EC2's own addresses."})
	}
	return all
}
