package facts

import (
	"cmp"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// tagKey is a key that IMDS can show. Others keep EC2 from switching tags on.
var tagKey = matching("", alphanumeric+"-_+=,.@:", 255, "key of a tag in metadata")

// folder reads all values of a folder, by name. The values are parsed, or
// kept byte for byte where parse is nil.
func (c *crawl) folder(dir string, key, parse func(string) (string, error)) Fact[map[string]string] {
	names := parsed(c, dir, lines(key))
	list, ok := names.Get()
	if !ok {
		return as[map[string]string](names)
	}
	if parse == nil {
		parse = func(s string) (string, error) { return s, nil }
	}
	return collect(c, list, func(n string) Fact[string] { return parsed(c, dir+n, parse) })
}

// collect reads one value a name, in parallel. One that has gone since the
// listing is left out; one that did not answer leaves the whole unknown.
func collect[T any](c *crawl, names []string, read func(name string) Fact[T]) Fact[map[string]T] {
	values := make([]Fact[T], len(names))
	reads := make([]func(), len(names))
	for n, name := range names {
		reads[n] = func() { values[n] = read(name) }
	}
	c.run(reads...)
	all := make(map[string]T, len(names))
	for n, f := range values {
		if v, ok := f.Get(); ok {
			all[names[n]] = v
		} else if !f.IsAbsent() {
			return as[map[string]T](f)
		}
	}
	return Known(all)
}

// as is a fact without a value, of another type.
func as[T, F any](f Fact[F]) Fact[T] {
	if f.IsAbsent() {
		return Absent[T]()
	}
	return Unknown[T](f.Why())
}

const macsPath = "meta-data/network/interfaces/macs/"

func (c *crawl) interfaces() Fact[[]Interface] {
	macs := parsed(c, macsPath, lines(func(s string) (string, error) {
		return hardware(strings.TrimSuffix(strings.TrimSpace(s), "/"))
	}))
	list, ok := macs.Get()
	if !ok {
		return as[[]Interface](macs)
	}
	found := collect(c, list, c.oneInterface)
	byMAC, ok := found.Get()
	if !ok {
		return as[[]Interface](found)
	}
	all := make([]Interface, 0, len(byMAC))
	for _, i := range byMAC {
		all = append(all, i)
	}
	sort.Slice(all, func(i, j int) bool {
		a, b := all[i], all[j]
		return cmp.Or(cmp.Compare(a.Device, b.Device), cmp.Compare(a.MAC, b.MAC)) < 0
	})
	return Known(all)
}

// oneInterface reads what is said of one interface; what is absent stays empty.
func (c *crawl) oneInterface(mac string) Fact[Interface] {
	dir := macsPath + mac + "/"
	i := Interface{MAC: mac, IPv4: []string{}, IPv6: []string{}}
	single := collect(c, []string{"device-number", "interface-id", "subnet-id", "vpc-id"},
		func(n string) Fact[string] { return parsed(c, dir+n, name) })
	multi := collect(c, []string{"local-ipv4s", "ipv6s"},
		func(n string) Fact[[]string] { return parsed(c, dir+n, lines(address)) })
	s, ok := single.Get()
	if !ok {
		return as[Interface](single)
	}
	m, ok := multi.Get()
	if !ok {
		return as[Interface](multi)
	}
	n, err := strconv.Atoi(cmp.Or(s["device-number"], "0"))
	if err != nil {
		detail := fmt.Sprintf("%.40q is no device number", s["device-number"])
		c.problem(dir+"device-number", Malformed, detail)
		return Unknown[Interface](Malformed, detail)
	}
	i.Device, i.ID, i.SubnetID, i.VPCID = n, s["interface-id"], s["subnet-id"], s["vpc-id"]
	i.IPv4, i.IPv6 = append(i.IPv4, m["local-ipv4s"]...), append(i.IPv6, m["ipv6s"]...)
	return Known(i)
}
