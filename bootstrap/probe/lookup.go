package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"

	"reveille/bootstrap/host"
)

const hostsPath = "/etc/hosts"

// Resolver finds names through servers that are not those of resolv.conf: the
// ones that will be in force. /etc/hosts answers first, as it does for glibc.
type Resolver struct {
	Host    *host.Host
	Servers []string
	Search  []string // for names without a dot
}

// Lookup is the addresses of a name, those of IPv4 first. All servers are asked
// side by side, so that a dead one costs nothing, and the first that knows any
// address is believed.
func (r Resolver) Lookup(ctx context.Context, name string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{a}, nil
	}
	text, err := r.Host.ReadFile(hostsPath)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for %s in %s: %w", name, hostsPath, err)
	}
	if known := inHosts(string(text), name); len(known) > 0 {
		return known, nil
	}
	tries := []string{name}
	if !strings.Contains(name, ".") {
		tries = nil
		for _, s := range r.Search {
			tries = append(tries, name+"."+s)
		}
	}
	why := fmt.Errorf("no domain to search %s in", name)
	for _, t := range tries {
		var all []netip.Addr
		if all, why = r.ask(ctx, t); why == nil {
			return all, nil
		}
	}
	return nil, why
}

func (r Resolver) ask(ctx context.Context, name string) ([]netip.Addr, error) {
	n, err := dnsmessage.NewName(strings.TrimSuffix(name, ".") + ".")
	if err != nil {
		return nil, fmt.Errorf("the name %q cannot be asked for: %w", name, err)
	}
	qs := []dnsmessage.Question{
		{Name: n, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET},
		{Name: n, Type: dnsmessage.TypeAAAA, Class: dnsmessage.ClassINET},
	}
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	heard := make(chan int, len(r.Servers))
	got := make([]found, len(r.Servers))
	for i, s := range r.Servers {
		all.Go(func() {
			both := make([]reply, len(qs))
			exchange(ctx, r.Host, s, qs, func(i int, r reply) { both[i] = r })
			got[i].addresses = slices.Concat(both[0].addresses, both[1].addresses)
			got[i].err = cmp.Or(both[0].err, both[1].err)
			heard <- i
		})
	}
	for range r.Servers {
		i := <-heard
		if got[i].done = true; len(got[i].addresses) > 0 {
			return got[i].addresses, nil
		}
		if none(got) {
			return nil, errors.New("its name has no address")
		}
	}
	if len(got) > 0 {
		return nil, fmt.Errorf("its name is not found: %w", got[0].err)
	}
	return nil, errors.New("there is no name server")
}

// found is what a server knows of a name.
type found struct {
	done      bool
	addresses []netip.Addr
	err       error
}

// none says whether a server that comes before all others which may still
// answer has said that there is no address: glibc asks no other then.
func none(got []found) bool {
	for _, g := range got {
		if !g.done || g.err == nil {
			return g.done
		}
	}
	return false
}

// inHosts is the addresses that /etc/hosts has for a name.
func inHosts(text, name string) []netip.Addr {
	var all []netip.Addr
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) < 2 || !slices.ContainsFunc(f[1:], func(n string) bool { return strings.EqualFold(n, name) }) {
			continue
		}
		if a, err := netip.ParseAddr(f[0]); err == nil {
			all = append(all, a)
		}
	}
	return all
}
