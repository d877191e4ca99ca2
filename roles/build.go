package roles

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"reveille/bootstrap/facts"
	"reveille/roles/cite"
)

// buildProfile fills names into merged layers and makes the Profile of them.
// Values that need an unknown fact stay as written, and the fact is told.
// anywhere leaves out what hangs on where the machine is: lists by region and
// zone that have none for it are no error then.
func buildProfile(m *layered, f facts.Facts, anywhere bool) (Profile, Errors, []*UnknownFact) {
	errs, unknown := m.fillAll(f)
	errs = append(errs, m.finish()...)
	if len(errs) > 0 {
		return Profile{}, errs, nil
	}
	b := builder{m: m, facts: f, anywhere: anywhere, unknown: unknown}
	p := b.profile()
	return p, b.errs, b.unknown
}

// builder reads typed values out of merged layers. Every text in them has
// been checked by its key's type.
type builder struct {
	m        *layered
	facts    facts.Facts
	anywhere bool
	errs     Errors
	unknown  []*UnknownFact
	notes    []string
}

func (b *builder) profile() Profile {
	p := Profile{
		Role: b.text("role"),
		Identity: Identity{
			Hostname:    b.text(hostnameKey),
			Domain:      b.text("identity.domain"),
			HostnameTag: b.text("identity.hostname_tag"),
		},
	}
	for _, path := range b.m.below("vars") {
		if p.Vars == nil {
			p.Vars = map[string]string{}
		}
		p.Vars[strings.TrimPrefix(path, "vars.")] = b.text(path)
	}
	if b.asked("resolver") {
		p.Resolver = b.resolver()
	}
	if b.asked("directory") {
		p.Directory = b.directory()
	}
	p.LoginBudget = b.seconds("login_budget")
	b.lookups(&p)
	if b.asked("ganglia") {
		p.Ganglia = &Ganglia{Cluster: b.text("ganglia.cluster"), Port: b.number("ganglia.port"), Collectors: addresses(b.list("ganglia.collectors"))}
	}
	if b.asked("storage") {
		p.Storage = b.storage(&p)
	}
	if b.asked("scripts") {
		p.Scripts = b.scripts()
	}
	p.Services, p.Ready = b.list("services"), b.ready()
	if b.asked("coordinator") {
		p.Coordinator = &Coordinator{URLs: b.list("coordinator.urls")}
	}
	p.Notes, p.Settings = b.notes, b.m.settings()
	return p
}

func (b *builder) resolver() *Resolver {
	return &Resolver{
		Nameservers: addresses(b.placed("resolver.nameservers", 3)),
		Search:      b.list("resolver.search"),
		Timeout:     b.seconds("resolver.timeout"),
		Attempts:    b.number("resolver.attempts"),
		Rotate:      b.flag("resolver.rotate"),
	}
}

func (b *builder) directory() *Directory {
	d := &Directory{
		Client:        b.text("directory.client"),
		URIs:          b.placed("directory.uris", 0),
		Base:          b.text("directory.base"),
		BindDN:        b.text("directory.bind_dn"),
		PasswordFile:  b.text("directory.password_file"),
		CACertFile:    b.text("directory.ca_cert_file"),
		BindTimeLimit: b.seconds("directory.bind_timelimit"),
		TimeLimit:     b.seconds("directory.timelimit"),
		AccessHosts:   b.flag("directory.access.hosts"),
		BreakGlass:    b.text("directory.break_glass"),
	}
	switch {
	case d.BindDN != "" && d.PasswordFile == "":
		b.fail("directory.bind_dn", "needs directory.password_file: a name without a password is an anonymous bind to most servers")
	case d.BindDN == "" && d.PasswordFile != "":
		b.fail("directory.password_file", "needs directory.bind_dn, whose password it holds")
	}
	if d.BindDN != "" && slices.ContainsFunc(d.URIs, func(u string) bool { return strings.HasPrefix(u, "ldap://") }) {
		b.notes = append(b.notes, "directory.bind_dn sends its password in the clear to an ldap:// server: use ldaps://")
	}
	return d
}

func (b *builder) fail(path, say string) {
	b.errs = append(b.errs, errorAt(b.m.live[path].at, "%s %s", path, say))
}

// asked says whether any layer asks for a section.
func (b *builder) asked(section string) bool {
	_, ok := b.m.open[section]
	return ok
}

func (b *builder) text(path string) string { return b.m.live[path].value.text }

func (b *builder) flag(path string) bool { return b.text(path) == "true" }

func (b *builder) number(path string) int {
	n, _ := strconv.Atoi(b.text(path))
	return n
}

func (b *builder) seconds(path string) time.Duration { return duration(b.text(path)) }

// duration reads a text that its key's type has checked.
func duration(text string) time.Duration {
	d, _ := time.ParseDuration(text)
	return d
}

func (b *builder) list(path string) []string { return b.m.live[path].value.texts() }

// placed reads a list, or the lists by region and zone, nearest first.
func (b *builder) placed(path string, most int) []string {
	if _, plain := b.m.live[path]; plain {
		return b.list(path)
	}
	byPlace := map[string][]string{}
	var first leaf
	for _, p := range b.m.below(path) {
		if len(byPlace) == 0 {
			first = b.m.live[p]
		}
		byPlace[strings.TrimPrefix(p, path+".")] = b.list(p)
	}
	zone, region := b.where("availability zone", path, b.facts.Instance.Zone), b.where("region", path, b.facts.Instance.Region)
	all := nearest(byPlace, zone, region)
	if len(all) == 0 && !b.anywhere && len(b.unknown) == 0 {
		b.errs = append(b.errs, errorAt(first.at, "%s has nothing for the zone %s, nothing for the region %s or another zone of it, and no default: add one of them", path, cite.Quote(zone), cite.Quote(region)))
	}
	kept, left, spread := chosen(all, region, most)
	if len(left) > 0 {
		why := "the others are nearer"
		if spread {
			why = "one of the others is of another zone, should this one go"
		}
		b.notes = append(b.notes, fmt.Sprintf("%s: %s left out, since %d is all that glibc asks and %s", path, strings.Join(left, ", "), most, why))
	}
	return kept
}

func (b *builder) where(what, path string, f facts.Fact[string]) string {
	if !f.IsKnown() && !f.IsAbsent() && !b.anywhere {
		u := unknownFact(what, path+" by region and zone", f)
		u.key = path
		b.unknown = append(b.unknown, u)
	}
	return f.Or("")
}

// addresses brings IP addresses into their one usual form.
func addresses(texts []string) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = t
		if a, err := netip.ParseAddr(t); err == nil {
			out[i] = a.String()
		}
	}
	return out
}
