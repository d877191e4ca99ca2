package roles

import (
	"fmt"
	"slices"
	"strings"

	"reveille/bootstrap/facts"
	"reveille/roles/cite"
)

// builtinNames are the names that ${} knows without vars.
var builtinNames = []string{"region", "zone", "hostname", "instance_id", "private_ip"}

// references lists the names that a text asks for, well formed or not. One
// whose brace is not closed runs to the text's end and keeps its ${.
func references(text string) []string {
	var names []string
	for {
		i := strings.IndexByte(text, '$')
		if i < 0 || i+1 == len(text) {
			return names
		}
		switch text[i+1] {
		case '$':
			text = text[i+2:]
		case '{':
			name, rest, closed := strings.Cut(text[i+2:], "}")
			if !closed {
				return append(names, text[i:])
			}
			names, text = append(names, name), rest
		default:
			text = text[i+1:]
		}
	}
}

// checkReferences refuses a ${ that is not closed and what can be no name.
func checkReferences(text string) error {
	for _, name := range references(text) {
		switch {
		case varName.check(name) == nil:
		case strings.HasPrefix(name, "${"):
			return fmt.Errorf("%s: a ${ has no }; write $${ where a dollar sign is meant", cite.Quote(text))
		default:
			return fmt.Errorf("%s: %s is no name: %s is wanted", cite.Quote(text), cite.Quote("${"+name+"}"), varName.want)
		}
	}
	return nil
}

// fill puts values in place of names, once: what a name stands for is not
// looked at again. $$ is $; a dollar sign before anything else stays.
func fill(text string, lookup func(name string) (string, error)) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$")
		out.WriteString(before)
		switch {
		case !found:
			return out.String(), nil
		case strings.HasPrefix(rest, "$"):
			out.WriteByte('$')
			text = rest[1:]
		case strings.HasPrefix(rest, "{"):
			name, after, _ := strings.Cut(rest[1:], "}")
			v, err := lookup(name)
			if err != nil {
				return "", err
			}
			out.WriteString(v)
			text = after
		default:
			out.WriteByte('$')
			text = rest
		}
	}
}

// namesOf are what ${} stands for on one machine.
type namesOf struct {
	facts facts.Facts
	vars  map[string]string // filled in
	host  string            // "" until it is decided
	inner string            // why hostname and vars may not be asked for now; "" when they may
}

// lookup gives one name's value. The error is an *UnknownFact where the name
// is a fact that could not be read.
func (n *namesOf) lookup(name string) (string, error) {
	if v, ok := n.vars[name]; ok && n.inner == "" {
		return v, nil
	}
	i := n.facts.Instance
	switch name {
	case "region":
		return builtin(name, "region", i.Region)
	case "zone":
		return builtin(name, "availability zone", i.Zone)
	case "instance_id":
		return builtin(name, "instance id", i.ID)
	case "private_ip":
		return builtin(name, "private IPv4 address", i.PrivateIP)
	case "hostname":
		switch {
		case n.inner != "":
			return "", fmt.Errorf("${hostname} cannot be used in %s", n.inner)
		case n.host != "":
			return n.host, nil
		}
		return builtin(name, "host name", i.Hostname)
	}
	if _, ok := n.vars[name]; ok {
		return "", fmt.Errorf("${%s} cannot be used in %s: a name's value is not looked at for other names", name, n.inner)
	}
	known := slices.Clone(builtinNames)
	for v := range n.vars {
		known = append(known, v)
	}
	slices.Sort(known)
	say := fmt.Sprintf("${%s} is known nowhere", name)
	if w := nearestWord(name, known); w != "" {
		return "", fmt.Errorf("%s: did you mean ${%s}?", say, w)
	}
	return "", fmt.Errorf("%s: set vars.%s, or use one of %s", say, name, strings.Join(known, ", "))
}

func builtin(name, what string, f facts.Fact[string]) (string, error) {
	if v, ok := f.Get(); ok {
		return v, nil
	}
	if f.IsAbsent() {
		return "", fmt.Errorf("${%s} is filled from the instance's %s, and it has none: write the value out", name, what)
	}
	return "", unknownFact(what, "${"+name+"}", f)
}
