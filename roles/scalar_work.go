package roles

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"reveille/roles/cite"
)

// unitName is the name of one of systemd's units of these kinds, its kind
// included: a name that is completed by a guess may be another unit's.
func unitName(kinds ...string) *scalarType {
	expr := `^[A-Za-z0-9:_.\\@-]+\.(` + strings.Join(kinds, "|") + `)$`
	re := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
	return &scalarType{want: "a unit's name such as mysql." + kinds[0], shape: isText,
		schema: map[string]any{"type": "string", "maxLength": 255, "pattern": expr,
			"not": map[string]any{"pattern": `@\.[a-z]+$`}},
		check: func(s string) error {
			if base, kind, ok := cutLast(s, "."); ok && strings.HasSuffix(base, "@") {
				return fmt.Errorf("%s is a template: name an instance of it, %sNAME.%s", cite.Quote(s), base, kind)
			}
			switch {
			case re().MatchString(s) && len(s) <= 255:
				return nil
			case otherKind().MatchString(s):
				return fmt.Errorf("%s is a unit of another kind: .%s is wanted", cite.Quote(s), strings.Join(kinds, " or ."))
			case re().MatchString(s + "." + kinds[0]):
				return fmt.Errorf("%s has no kind: write %s.%s", cite.Quote(s), s, kinds[0])
			}
			return fmt.Errorf("%s is no unit's name: letters, digits and :_.@- are wanted, then .%s", cite.Quote(s), strings.Join(kinds, " or ."))
		}}
}

// otherKind knows the names of units of every kind that systemd has.
var otherKind = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9:_.\\@-]+\.(service|socket|timer|mount|automount|swap|target|path|slice|scope|device)$`)
})

// cutLast cuts at the last separator.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// someTime is a duration from a second to an hour, in one unit.
func someTime() *scalarType {
	const expr = `^(([1-9][0-9]{0,2}|[12][0-9]{3}|3[0-5][0-9]{2}|3600)s|([1-9]|[1-5][0-9]|60)m|1h)$`
	re := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
	const want = "a duration from 1s to 1h, such as 90s or 2m"
	return &scalarType{want: want, shape: isText, schema: map[string]any{"type": "string", "pattern": expr},
		check: func(s string) error {
			if _, err := strconv.Atoi(s); err == nil {
				return fmt.Errorf("%s has no unit: write %ss", s, s)
			}
			if re().MatchString(s) {
				return nil
			}
			if d, err := time.ParseDuration(s); err == nil && d%time.Second == 0 && d >= time.Second && d <= time.Hour {
				return fmt.Errorf("%s: write %ds", cite.Quote(s), d/time.Second)
			}
			return fmt.Errorf("%s is not %s", cite.Quote(s), want)
		}}
}

// hostPort is where a server listens.
func hostPort() *scalarType {
	return &scalarType{want: `an address and port such as "127.0.0.1:3306"`, shape: isText,
		schema: map[string]any{"type": "string", "maxLength": 300, "pattern": `^(` + hostExpr + `|` + v6Expr + `):[1-9][0-9]{0,4}$`},
		check: func(s string) error {
			host, port, err := net.SplitHostPort(s)
			switch {
			case err != nil:
				err = errors.New(`an address and a port are wanted, such as "127.0.0.1:3306" or "[::1]:3306"`)
			case host == "":
				err = fmt.Errorf("the address is missing: 127.0.0.1:%s is this machine", port)
			case port == "":
				err = errors.New("the port is missing after the colon")
			default:
				err = checkHostPort(&url.URL{Host: s})
			}
			if err != nil {
				return fmt.Errorf("%s is nowhere to connect to: %w", cite.Quote(s), err)
			}
			return nil
		}}
}

// healthURL is where a server says how it is.
func healthURL() *scalarType {
	return &scalarType{want: "a URL such as http://127.0.0.1:8080/health", shape: isText,
		schema: map[string]any{"type": "string", "maxLength": 1024,
			"pattern": `^https?://(` + hostExpr + `|` + v6Expr + `)` + portExpr + `(/[A-Za-z0-9._~/-]*)?$`},
		check: func(s string) error {
			u, err := parseURI(s)
			if !strings.Contains(s, "://") {
				err = errors.New("begin it with http://")
			}
			if err == nil {
				switch {
				case u.Scheme != "https" && u.Scheme != "http":
					err = errors.New("begin it with http://")
				case strings.Trim(u.EscapedPath(), "/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-") != "":
					err = fmt.Errorf("its path %s holds more than letters, digits and ._~-", cite.Quote(u.Path))
				default:
					err = checkHostPort(u)
				}
			}
			if err != nil {
				return fmt.Errorf("%s is no URL for a check: %w", quotedURI(s), err)
			}
			return nil
		}}
}
