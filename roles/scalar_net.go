package roles

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"reveille/roles/cite"
)

// Patterns that check functions and the JSON Schema have in common.
const (
	labelExpr = `[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?`
	hostExpr  = labelExpr + `(\.` + labelExpr + `)*`
	portExpr  = `(:[1-9][0-9]{0,4})?`
	v6Expr    = `\[[0-9A-Fa-f:.]+\]`
)

// hostNameType is a host's name or a domain by RFC 1123: what is "host name" or
// "domain".
func hostNameType(what string) *scalarType {
	return &scalarType{want: "a " + what + " such as " + map[string]string{"host name": "dev-mysql01", "domain": "acme.private"}[what],
		shape: isText,
		schema: map[string]any{"type": "string", "pattern": "^" + hostExpr + "$", "maxLength": 253,
			"not": map[string]any{"pattern": `(^|\.)[0-9]+$`}},
		check: func(s string) error { return checkHostName(what, s) }}
}

// ownNameType is a host's own name: a host name that not every machine has.
func ownNameType() *scalarType {
	t := hostNameType("host name")
	t.schema["not"] = map[string]any{"pattern": `(^|\.)[0-9]+$|^[Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt](\.|$)`}
	t.check = checkOwnName
	return t
}

// checkHostName says by which rule of RFC 1123 a text is no host name.
func checkHostName(what, s string) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%s is no %s: %s", cite.Quote(s), what, fmt.Sprintf(format, args...))
	}
	switch {
	case s == "":
		return bad("it is empty")
	case len(s) > 253:
		return bad("%d characters, 253 at most", len(s))
	case strings.HasSuffix(s, "."):
		return bad("it ends in a dot: leave it out")
	case strings.HasPrefix(s, "."):
		return bad("it begins with a dot: leave it out")
	}
	labels := strings.Split(s, ".")
	for _, l := range labels {
		switch {
		case l == "":
			return bad("two dots in a row")
		case len(l) > 63:
			return bad("the part %s has %d characters, 63 at most", cite.Quote(l), len(l))
		case l[0] == '-' || l[len(l)-1] == '-':
			return bad("the part %s begins or ends with a hyphen", cite.Quote(l))
		case strings.Contains(l, "_"):
			return bad("an underscore: use a hyphen")
		}
		for _, r := range l {
			if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-') {
				return bad("the character %q: letters, digits and hyphens only", r)
			}
		}
	}
	if last := labels[len(labels)-1]; strings.Trim(last, "0123456789") == "" {
		return bad("its last part is digits alone, which programs read as an address: put a letter into it")
	}
	return nil
}

// ipAddress is one address that a packet can be sent to.
func ipAddress() *scalarType {
	v4 := `^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])$`
	return &scalarType{want: "an IP address such as 10.0.0.2 or fd00::2", shape: isText,
		schema: map[string]any{"type": "string", "anyOf": []any{
			map[string]any{"pattern": v4, "not": map[string]any{"pattern": `^(0\.0\.0\.0|255\.255\.255\.255|2(2[4-9]|3[0-9])\..*)$`}},
			map[string]any{"format": "ipv6", "pattern": `^[0-9A-Fa-f:.]+$`,
				"not": map[string]any{"pattern": `^([0:]+|[Ff]{2}[0-9A-Fa-f]{2}:.*|.*:[Ff]{4}:[0-9]+\..*)$`}},
		}},
		check: func(s string) error {
			a, err := netip.ParseAddr(s)
			switch {
			case err != nil:
				return fmt.Errorf("%s is no IP address: one such as 10.0.0.2 or fd00::2 is wanted, since a name would have to be looked up first", cite.Quote(s))
			case a.Zone() != "":
				return fmt.Errorf("%s holds an interface (%%%s): leave it out", cite.Quote(s), a.Zone())
			case a.Is4In6():
				return fmt.Errorf("%s is an IPv4 address in disguise: write %s", cite.Quote(s), a.Unmap())
			case a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
				return fmt.Errorf("%s is not the address of one machine", cite.Quote(s))
			}
			return nil
		}}
}

// ldapURI is where an LDAP server is: ldap, ldaps or ldapi.
func ldapURI() *scalarType {
	expr := `^(ldaps?://(` + hostExpr + `|` + v6Expr + `)` + portExpr + `|ldapi://(%2[Ff][A-Za-z0-9%._-]+)?)/?$`
	return &scalarType{want: "an LDAP URI such as ldaps://ldap.acme.private", shape: isText,
		schema: map[string]any{"type": "string", "maxLength": 1024, "pattern": expr},
		check: func(s string) error {
			if err := checkLDAP(s); err != nil {
				return fmt.Errorf("%s is no LDAP URI: %w", quotedURI(s), err)
			}
			return nil
		}}
}

func checkLDAP(s string) error {
	if rest, local := strings.CutPrefix(s, "ldapi://"); local {
		return checkSocket(strings.TrimSuffix(rest, "/"))
	}
	u, err := parseURI(s)
	switch {
	case err != nil:
		return err
	case u.Scheme != "ldap" && u.Scheme != "ldaps":
		return errors.New("begin it with ldaps://, ldap:// or ldapi://")
	case u.Path != "" && u.Path != "/":
		return fmt.Errorf("take %s out: the base has a key of its own", cite.Quote(u.Path))
	}
	return checkHostPort(u)
}

// checkSocket takes what follows ldapi://: nothing, which is the library's own
// socket, or a path with %2F for each slash.
func checkSocket(s string) error {
	path, err := url.PathUnescape(s)
	if s == "" || err == nil && strings.HasPrefix(path, "/") && len(s) < 1000 &&
		strings.Trim(s, "%ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == "" && oneLine(path) == nil {
		return nil
	}
	return errors.New("after ldapi:// a socket's path is wanted with %2F for each slash, or nothing")
}

// webURL is where a coordinator listens: https anywhere, http on loopback.
func webURL() *scalarType {
	tail := portExpr + `(/[A-Za-z0-9._~/-]*)?$`
	return &scalarType{want: "a URL such as https://10.0.0.4:8650", shape: isText,
		schema: map[string]any{"type": "string", "maxLength": 1024, "anyOf": []any{
			map[string]any{"pattern": `^https://(` + hostExpr + `|` + v6Expr + `)` + tail},
			map[string]any{"pattern": `^http://(127\.[0-9]+\.[0-9]+\.[0-9]+|localhost|\[::1\])` + tail},
		}},
		check: func(s string) error {
			u, err := parseURI(s)
			if err == nil {
				switch {
				case u.Scheme != "https" && u.Scheme != "http":
					err = errors.New("begin it with https://")
				case strings.Trim(u.EscapedPath(), "/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-") != "":
					err = fmt.Errorf("its path %s holds more than letters, digits and ._~-", cite.Quote(u.Path))
				default:
					err = checkHostPort(u)
				}
				if err == nil && u.Scheme == "http" && !isLoopback(u.Hostname()) {
					err = errors.New("plain http is for loopback only: write https://")
				}
			}
			if err != nil {
				return fmt.Errorf("%s is no URL for a coordinator: %w", quotedURI(s), err)
			}
			return nil
		}}
}

// quotedURI is quoted without the user and password that a URI may hold.
func quotedURI(s string) string {
	scheme, _, found := strings.Cut(s, "://")
	if at := strings.LastIndexByte(s, '@'); at >= 0 && found {
		return cite.Quote(scheme + "://…" + s[at:])
	} else if at >= 0 {
		return cite.Quote("…" + s[at:])
	}
	return cite.Quote(s)
}

// parseURI takes a URI apart and refuses what no key wants in one.
func parseURI(s string) (*url.URL, error) {
	if len(s) > 1024 {
		return nil, errors.New("1024 characters at most")
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // its own text would repeat the whole value
		}
		return nil, err
	case u.User != nil:
		return nil, errors.New("it holds a user or password: any local process may read this, so take them out")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(s, "#"):
		return nil, errors.New("take out what follows ? or #")
	case u.Opaque != "" || !strings.HasPrefix(s, u.Scheme+"://"):
		return nil, errors.New("a scheme in small letters, then :// is wanted")
	}
	return u, nil
}

// checkHostPort takes a host name or an address, and a port where one is given.
func checkHostPort(u *url.URL) error {
	host, port := u.Hostname(), u.Port()
	if addr, err := netip.ParseAddr(host); err != nil {
		if err := checkHostName("host name", host); err != nil {
			return err
		}
	} else if addr.Zone() != "" || addr.IsUnspecified() {
		return fmt.Errorf("%s is not the address of one machine", cite.Quote(host))
	}
	if n, err := strconv.Atoi(port); port != "" && (err != nil || n < 1 || n > 65535 || port[0] == '0') {
		return fmt.Errorf("port %s is not from 1 to 65535", cite.Quote(port))
	}
	if strings.HasSuffix(u.Host, ":") {
		return errors.New("a port is missing after the colon")
	}
	return nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
