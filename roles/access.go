package roles

import (
	"strings"
)

// hostRule is who may enter this machine: a directory entry whose attribute
// host holds one of these values, as they stand (a star is a star).
type hostRule []string

// newHostRule is the values that let in on a machine of this name and place,
// most particular first. name is the short name; an empty argument takes the
// values made of it away, so that a rule never gets wider by what is missing.
func newHostRule(name, zone, region string) hostRule {
	var hosts []string
	if name != "" {
		hosts = append(hosts, name)
	}
	// A name of digits alone has no family: "*" would be everybody's.
	if family := strings.TrimRight(name, "0123456789"); family != "" {
		hosts = append(hosts, family+"*")
	}
	hosts = append(hosts, "*")

	var rule hostRule
	for _, h := range hosts {
		if h != "*" {
			rule = append(rule, h)
		}
		for _, place := range []string{zone, region} {
			if place != "" {
				rule = append(rule, h+"."+place)
			}
		}
	}
	for _, place := range []string{zone, region} {
		if place != "" {
			rule = append(rule, place)
		}
	}
	return append(rule, "*")
}

// filter is the rule by RFC 4515, in its outer parentheses.
func (r hostRule) filter() string {
	var b strings.Builder
	b.WriteString("(|")
	for _, v := range r {
		b.WriteString("(host=" + escapeFilter(v) + ")")
	}
	b.WriteString(")")
	return b.String()
}

// pamFilter is the rule for PADL's pam_filter. pam_ldap puts the parentheses
// round it itself: (&(FILTER)(uid=X)).
func (r hostRule) pamFilter() string {
	f := r.filter()
	return f[1 : len(f)-1]
}

// authzSearch is the rule for nslcd's pam_authz_search, which is a search of
// its own and so names the user. nslcd reads it as an expression, in which a
// backslash takes the next character as it is: each of ours is written twice.
func (r hostRule) authzSearch() string {
	f := strings.ReplaceAll(r.filter(), `\`, `\\`)
	return "(&(objectClass=posixAccount)(uid=$username)" + f + ")"
}

// accessFilter is the rule for sssd's ldap_access_filter, which sssd appends
// within (&(uid=X)(objectclass=posixAccount)…).
func (r hostRule) accessFilter() string { return r.filter() }

// escapeFilter writes a value so that a filter compares it byte by byte. It
// escapes all but letters, digits, dot and hyphen: what is left means nothing
// to a filter, to an expression of nslcd, nor to any of the files it stands in.
func escapeFilter(v string) string {
	const hex = "0123456789abcdef"
	var b strings.Builder
	for i := range len(v) {
		c := v[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-':
			b.WriteByte(c)
		default:
			b.Write([]byte{'\\', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
