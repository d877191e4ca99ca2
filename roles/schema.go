package roles

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/agnivade/levenshtein"

	"reveille/roles/cite"
)

// schemaKey is one key of the profile. The tree of them is the only place
// that says what a profile may hold: the decoder, key=value, tags, explain,
// the hints at misspelt keys and the JSON Schema all read it.
type schemaKey struct {
	name  string
	doc   string       // one line, for the JSON Schema and explain
	is    *scalarType  // what the value, or each entry of a list, must be; nil for a section
	list  bool         // takes a list
	least int          // fewest entries of the list, or of a section
	most  int          // most entries of the list, or of a section; 0 is any number
	over  string       // who would pass over what is more, without a word; "" where nobody would
	again bool         // an entry may stand twice in the list
	first *scalarType  // what the list's first entry must be, where it is not as the others
	entry []*schemaKey // a list of maps: the keys of each
	pick  bool         // of an entry's keys: exactly one of those must be given
	one   bool         // one value may stand for a list of it
	place bool         // may also be a map of such lists by region and zone
	keys  []*schemaKey // a section's own keys
	any   *schemaKey   // a section with free names: what stands under each
	names *scalarType  // what a free name must be
	brief string       // a section's own key that a value in the section's place is for
	def   string       // the value where the section is asked for and no layer sets it
	need  bool         // must be set, by any layer, where its section is asked for; of an entry's keys: in each entry
	fixed bool         // ${} is not filled in: it is read before the names are known
	only  []Layer      // the layers that may set it; nil is all
	short string       // the key that this one is short for
	never string       // why it is refused, and what to do; "" for keys that are taken
}

// profileSchema is built at first use: most commands read no profile.
var profileSchema = sync.OnceValue(buildSchema)

// section says that the key holds keys rather than a value.
func (k *schemaKey) section() bool { return k.is == nil && k.entry == nil && k.never == "" }

// child finds the key of that name in a section; nil where there is none.
func (k *schemaKey) child(name string) *schemaKey {
	for _, c := range k.keys {
		if c.name == name {
			return c
		}
	}
	if k.any != nil && k.names.check(name) == nil {
		return k.any
	}
	if k.place && placeName.check(name) == nil {
		entry := *k
		entry.place, entry.need = false, false
		return &entry
	}
	return nil
}

// find walks a dotted path. Below a key that is not yet built every path is
// found, so that what belongs to it is answered by its reason.
func (k *schemaKey) find(path string) *schemaKey {
	if path == "" {
		return k
	}
	if k.any != nil && !k.any.section() { // free names may hold dots of their own; those of sections hold none
		return k.child(path)
	}
	name, rest, _ := strings.Cut(path, ".")
	c := k.child(name)
	if c == nil || c.never != "" || rest == "" && !strings.HasSuffix(path, ".") {
		return c
	}
	if rest == "" {
		return nil
	}
	return c.find(rest)
}

// takes says whether a layer may set the key at all.
func (k *schemaKey) takes(l Layer) bool { return len(k.only) == 0 || slices.Contains(k.only, l) }

// paths lists the keys below this one that hold a value, in the schema's order.
func (k *schemaKey) paths(under string) []string {
	var out []string
	for _, c := range k.keys {
		switch {
		case c.never != "" || c.short != "":
		case c.section() && c.any == nil:
			out = append(out, c.paths(joinKey(under, c.name))...)
		default:
			out = append(out, joinKey(under, c.name))
		}
	}
	return out
}

func joinKey(section, name string) string {
	if section == "" {
		return name
	}
	return section + "." + name
}

// under says that a key stands below a section.
func under(key, section string) bool {
	return len(key) > len(section) && strings.HasPrefix(key, section) && key[len(section)] == '.'
}

// KnownKey says whether a key of that dotted path is in the schema:
// "hostname", "resolver", "resolver.timeout", "vars.product". Keys that are
// reserved for later versions are known too.
func KnownKey(key string) bool {
	return key != "" && profileSchema().find(key) != nil
}

// meant is a hint at the nearest of some words: `; did you mean "x"?`, or "".
func meant(got string, words []string) string {
	if w := nearestWord(got, words); w != "" {
		return fmt.Sprintf("; did you mean %s?", w)
	}
	return ""
}

// nearestWord is the word that is a few slips of the hand away, or "".
func nearestWord(got string, words []string) string {
	if len(got) > 64 { // nobody mistypes that much, and the distance is quadratic
		return ""
	}
	best, least := "", 1+max(2, len(got)/3)
	for _, w := range words {
		if d := levenshtein.ComputeDistance(strings.ToLower(got), strings.ToLower(w)); d < least && d < len(w) {
			best, least = w, d
		}
	}
	return best
}

// noSuchKey is the message for a name that a section does not have.
func (k *schemaKey) noSuchKey(section, name string) string {
	say := fmt.Sprintf("no key %s", cite.Quote(joinKey(section, name)))
	var siblings, reserved []string
	for _, c := range k.keys {
		if c.never == "" {
			siblings = append(siblings, c.name)
		} else {
			reserved = append(reserved, c.name)
		}
	}
	// The right name in the wrong section is the likeliest slip of all.
	if w := nearestWord(name, siblings); w != "" {
		return fmt.Sprintf("%s: did you mean %s?", say, joinKey(section, w))
	}
	for _, p := range profileSchema().paths("") {
		if strings.HasSuffix(p, "."+name) || p == name {
			return fmt.Sprintf("%s: did you mean %s?", say, p)
		}
	}
	if w := nearestWord(name, reserved); w != "" {
		return fmt.Sprintf("%s: did you mean %s?", say, joinKey(section, w))
	}
	switch {
	case k.any != nil:
		return fmt.Sprintf("%s: a name there is %s", say, k.names.want)
	case k.place:
		return fmt.Sprintf("%s: %s is wanted", say, placeName.want)
	case section == "":
		return fmt.Sprintf("%s: there are %s", say, strings.Join(siblings, ", "))
	}
	return fmt.Sprintf("%s: %s has %s", say, section, strings.Join(siblings, ", "))
}
