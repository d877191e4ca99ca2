package logins

import (
	"net/netip"
	"strings"

	"reveille/roles/cite"
)

// glibc's own bounds (resolv.h); what is above them counts as they do.
const (
	maxServers  = 3
	maxTimeout  = 30 // seconds
	maxAttempts = 5
)

// resolvConf is /etc/resolv.conf as glibc reads it.
type resolvConf struct {
	servers  []wordAt // at most three; 127.0.0.1 where the file names none
	timeout  numeric
	attempts numeric
	ndots    numeric
	search   []string
	rotate   bool
	single   bool // A and AAAA are asked one after the other
}

// parseResolv reads it by glibc's own rules (resolv/res_init.c): a keyword
// stands at the very beginning of its line, of domain and search the last one
// counts, options add up, numbers are capped without a word, and without
// either of domain and search it is the host's own domain that is searched.
func parseResolv(text, hostname string) (resolvConf, remarks) {
	own := cite.Place{File: resolvPath}
	c := resolvConf{timeout: numeric{5, own}, attempts: numeric{2, own}, ndots: numeric{1, own}}
	var notes remarks
	searched := false
	for i, line := range strings.Split(text, "\n") {
		at := cite.Place{File: resolvPath, Line: i + 1}
		f := strings.Fields(line)
		if len(f) == 0 || strings.ContainsAny(line[:1], "#;") {
			continue
		}
		if line[0] == ' ' || line[0] == '\t' {
			notes.add(at, "glibc passes over a line that begins with a blank")
			continue
		}
		switch {
		case len(f) == 1:
		case f[0] == "nameserver":
			c.nameserver(f[1], at, &notes)
		case f[0] == "search":
			c.search, searched = f[1:], true
		case f[0] == "domain":
			c.search, searched = f[1:2], true
		case f[0] == "options":
			for _, o := range f[1:] {
				c.option(o, at)
			}
		}
	}
	if len(c.servers) == 0 {
		c.servers = []wordAt{{"127.0.0.1", own}}
	}
	if _, domain, ok := strings.Cut(strings.TrimSpace(hostname), "."); ok && !searched {
		c.search = []string{domain}
	}
	return c, notes
}

func (c *resolvConf) nameserver(word string, at cite.Place, notes *remarks) {
	if _, err := netip.ParseAddr(word); err != nil {
		notes.add(at, "%s is no address: glibc passes it over", cite.Quote(word))
		return
	}
	if len(c.servers) == maxServers {
		notes.add(at, "glibc asks the first %d servers alone", maxServers)
		return
	}
	c.servers = append(c.servers, wordAt{word, at})
}

func (c *resolvConf) option(o string, at cite.Place) {
	name, value, _ := strings.Cut(o, ":")
	switch name {
	case "timeout":
		c.timeout = numeric{min(atoi(value), maxTimeout), at}
	case "attempts":
		c.attempts = numeric{min(atoi(value), maxAttempts), at}
	case "ndots":
		c.ndots = numeric{min(atoi(value), 15), at}
	case "rotate":
		c.rotate = true
	case "single-request", "single-request-reopen":
		c.single = true
	}
}

// parseHosts is the names of /etc/hosts, in lower case.
func parseHosts(text string) map[string]bool {
	names := map[string]bool{}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		for _, name := range f[1:] {
			names[strings.ToLower(name)] = true
		}
	}
	return names
}
