package roles

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

const resolvPath = "/etc/resolv.conf"

// What glibc takes, which it caps without a word, and what its releases before
// 2.26 read of a search list.
const (
	maxServers     = 3
	maxTimeout     = 30
	maxAttempts    = 5
	maxSearch      = 6
	maxSearchBytes = 256
)

// planResolver asks for resolv.conf and for its other writers to be kept off.
// The file does not need them to be so first: a hook that cannot be written
// must not hold back the time-outs that a login hangs on.
func planResolver(f facts.Facts, p Profile) (plan.Plan, error) {
	if p.Resolver == nil {
		return nil, nil
	}
	if err := refuseStub(f.Machine.Resolv, p); err != nil {
		return nil, err
	}
	content, err := renderResolv(p)
	if err != nil {
		return nil, err
	}
	pl := platformOf(f.Machine.OS)
	how, reasons := decideOwner(f.Machine.Resolv, pl)
	var out plan.Plan
	for _, w := range how.Keep {
		out = append(out, plan.Step{
			Resource: keepOff(w, pl, p), Concern: "resolver", Required: true,
			Why: string(w) + " would write " + resolvPath + " as well; " + p.Why("resolver"),
		})
		if w == networkManager {
			out = append(out, rereadNetworkManager(keepOff(w, pl, p)))
		}
	}
	why := []string{p.Why("resolver.nameservers")}
	for _, r := range reasons {
		why = append(why, r.Say)
	}
	return append(out, plan.Step{
		Resource: resource.File{Path: resolvPath, Mode: 0o644, Content: content, Concern: "resolver"},
		Concern:  "resolver", Required: true, Why: strings.Join(why, "; "),
	}), nil
}

// rereadNetworkManager lets it know at once: it reads its files at a start or
// a reload alone, and would write resolv.conf once more till then. A reload
// touches no connection.
func rereadNetworkManager(dropIn resource.File) plan.Step {
	return plan.Step{
		Resource: resource.Unit{Name: "NetworkManager.service", Reads: []resource.File{dropIn}, Reload: true},
		Concern:  "resolver", Needs: []string{dropIn.ID()},
		Why: "NetworkManager reads its files when it starts or is reloaded",
	}
}

// refuseStub refuses resolved's own stub as a server: glibc would give up on
// it by our limits while resolved still waits for its first dead server, so no
// name would be found that the second one knows.
func refuseStub(r facts.Resolv, p Profile) error {
	if !r.Resolved {
		return nil
	}
	for _, s := range p.Resolver.Nameservers {
		if s == "127.0.0.53" || s == "127.0.0.54" {
			return fmt.Errorf("%s: %s is systemd-resolved's stub, which has no time-out of its own and so cannot keep this one: "+
				"name the servers that it would ask", p.Why("resolver.nameservers"), s)
		}
	}
	return nil
}

// renderResolv writes resolv.conf. Only what is asked for goes in: trust-ad
// would believe a flag that any server on the path can set, and edns0 breaks
// on old servers; ndots stays at glibc's 1.
func renderResolv(p Profile) ([]byte, error) {
	r := p.Resolver
	search := searchList(p)
	if err := checkResolver(p, search); err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString(header("resolver", p))
	if len(search) > 0 {
		// Never domain beside it: of the two, glibc takes the last.
		b.WriteString("search " + strings.Join(search, " ") + "\n")
	}
	for _, s := range r.Nameservers {
		b.WriteString("nameserver " + s + "\n")
	}
	fmt.Fprintf(&b, "options timeout:%d attempts:%d", int(r.Timeout/time.Second), r.Attempts)
	if r.Rotate {
		b.WriteString(" rotate")
	}
	b.WriteString("\n")
	return []byte(b.String()), nil
}

// searchList is the machine's own domain, then what the profile lists.
func searchList(p Profile) []string {
	_, own, full := strings.Cut(p.Identity.Hostname, ".")
	if !full {
		own = p.Identity.Domain
	}
	var out []string
	for _, d := range slices.Concat([]string{own}, p.Resolver.Search) {
		same := func(other string) bool { return strings.EqualFold(other, d) }
		if d != "" && !slices.ContainsFunc(out, same) {
			out = append(out, d)
		}
	}
	return out
}

// checkResolver refuses what glibc would cap or pass over in silence. The
// profile's own checks come first and know the line; these hold for every
// profile, whoever made it.
func checkResolver(p Profile, search []string) error {
	r := p.Resolver
	var errs []error
	refuse := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", p.Why(key), fmt.Sprintf(format, args...)))
	}
	if n := len(r.Nameservers); n < 1 || n > maxServers {
		refuse("resolver.nameservers", "%d servers, and glibc takes 1 to %d", n, maxServers)
	}
	for _, s := range r.Nameservers {
		if a, err := netip.ParseAddr(s); err != nil || a.Is4In6() || a.Zone() != "" {
			refuse("resolver.nameservers", "%q is no plain IPv4 or IPv6 address", s)
		}
	}
	if t := r.Timeout; t < time.Second || t > maxTimeout*time.Second || t%time.Second != 0 {
		refuse("resolver.timeout", "%v, and glibc takes whole seconds from 1 to %d", t, maxTimeout)
	}
	if r.Attempts < 1 || r.Attempts > maxAttempts {
		refuse("resolver.attempts", "%d, and glibc takes 1 to %d", r.Attempts, maxAttempts)
	}
	for _, d := range search {
		if err := checkHostName("domain", d); err != nil {
			refuse("resolver.search", "%v", err)
		}
	}
	if n := len(strings.Join(search, " ")); len(search) > maxSearch || n > maxSearchBytes {
		refuse("resolver.search", "%d domains in %d bytes, and glibc before 2.26 reads %d in %d: each is one more round for a name that is not found, so list fewer",
			len(search), n, maxSearch, maxSearchBytes)
	}
	return errors.Join(errs...)
}
