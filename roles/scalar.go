package roles

import (
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"reveille/roles/cite"
)

// scalarType is what a single value must be. The decoder, key=value and tags,
// the values after filling in, and the JSON Schema all read it here.
type scalarType struct {
	want   string                  // in words with an example, "a duration in whole seconds, such as 2s"
	shape  shape                   // how YAML must have it: isText, isInt or isBool
	check  func(text string) error // on the text alone; the error says what is wrong and what is right
	schema map[string]any          // the same as JSON Schema, as far as that can say it
	isKey  bool                    // the name of a key that a tag may set: checked by the decoder
}

// pattern is a type that one regular expression describes whole. It is
// compiled at first use: most commands read no profile.
func pattern(want, expr string) *scalarType { return byExpression(want, expr, expr, -1) }

// word is a type of one character of a first class and others of a second, of
// most characters in all. The bound is counted by itself: in an expression it
// is compiled to as many copies, which takes longer than to read a profile.
func word(want, first, others string, most int) *scalarType {
	return byExpression(want, fmt.Sprintf("^%s%s{0,%d}$", first, others, most-1), "^"+first+others+"*$", most)
}

// byExpression has one expression to show, and one, with its bound apart, to match.
func byExpression(want, expr, match string, most int) *scalarType {
	re := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(match) })
	return &scalarType{want: want, shape: isText,
		schema: map[string]any{"type": "string", "pattern": expr},
		check: func(s string) error {
			if most >= 0 && len(s) > most || !re().MatchString(s) {
				return fmt.Errorf("%s is not %s", cite.Quote(s), want)
			}
			return nil
		}}
}

// oneOf is a type of a few words.
func oneOf(words ...string) *scalarType {
	want := "one of " + strings.Join(words, ", ")
	return &scalarType{want: want, shape: isText, schema: map[string]any{"type": "string", "enum": words},
		check: func(s string) error {
			for _, w := range words {
				if s == w {
					return nil
				}
			}
			return fmt.Errorf("%s is not %s%s", cite.Quote(s), want, meant(s, words))
		}}
}

// wholeNumber is a decimal number within a range. why says who would bend a
// value outside of it.
func wholeNumber(least, most int, why string) *scalarType {
	want := fmt.Sprintf("a whole number from %d to %d", least, most)
	return &scalarType{want: want, shape: isInt,
		schema: map[string]any{"type": "integer", "minimum": least, "maximum": most},
		check: func(s string) error {
			n, err := strconv.Atoi(s)
			if err != nil || strconv.Itoa(n) != s {
				return fmt.Errorf("%s is not %s", cite.Quote(s), want)
			}
			if n < least || n > most {
				return fmt.Errorf("%d is not %s%s", n, want, why)
			}
			return nil
		}}
}

// wholeSeconds is a duration in whole seconds, written as such, so that what is
// read is what the program that gets it will do.
func wholeSeconds(most int, why string) *scalarType {
	want := fmt.Sprintf("a duration in whole seconds from 1s to %ds", most)
	words := make([]string, most)
	for i := range words {
		words[i] = fmt.Sprintf("%ds", i+1)
	}
	return &scalarType{want: want, shape: isText, schema: map[string]any{"type": "string", "enum": words},
		check: func(s string) error {
			if _, err := strconv.Atoi(s); err == nil {
				return fmt.Errorf("%s has no unit: write %ss", s, s)
			}
			d, err := time.ParseDuration(s)
			switch {
			case err != nil:
				return fmt.Errorf("%s is not %s", cite.Quote(s), want)
			case d%time.Second != 0:
				return fmt.Errorf("%s is not whole seconds: %s is wanted", s, want)
			case d < time.Second || d > time.Duration(most)*time.Second:
				return fmt.Errorf("%s is not %s%s", s, want, why)
			case s != fmt.Sprintf("%ds", d/time.Second):
				return fmt.Errorf("%s: write %ds", cite.Quote(s), d/time.Second)
			}
			return nil
		}}
}

// loginBudget is a duration up to sshd's own default. None is no limit: nobody
// may be locked out on request.
func loginBudget() *scalarType {
	t := wholeSeconds(120, ": sshd itself waits no longer by default (LoginGraceTime)")
	seconds := t.check
	t.check = func(s string) error {
		if d, err := time.ParseDuration(s); err == nil && d == 0 {
			return fmt.Errorf("%s would switch the limit off, which cannot be: %s is wanted; without login_budget it is half of sshd's LoginGraceTime, 30s at most", cite.Quote(s), t.want)
		}
		return seconds(s)
	}
	return t
}

// yesNo is true or false.
func yesNo() *scalarType {
	return &scalarType{want: "true or false", shape: isBool, schema: map[string]any{"type": "boolean"},
		check: func(s string) error {
			if s != "true" && s != "false" {
				return fmt.Errorf("%s is not true or false", cite.Quote(s))
			}
			return nil
		}}
}

// freeText is any one line without control characters.
func freeText(most int) *scalarType {
	return &scalarType{want: "one line of text", shape: isText,
		schema: map[string]any{"type": "string", "maxLength": most, "pattern": "^[^" + controls + "]*$",
			"not": map[string]any{"pattern": `^([^$]|\$\$|\$[^${])*\$\{`}},
		check: func(s string) error {
			if utf8.RuneCountInString(s) > most {
				return fmt.Errorf("%s is too long: %d characters at most", cite.Quote(s), most)
			}
			return oneLine(s)
		}}
}

// glob is a pattern with *, ? and [a-z].
func glob() *scalarType {
	return &scalarType{want: `a pattern such as "*-mysql*"`, shape: isText,
		schema: map[string]any{"type": "string", "minLength": 1, "maxLength": 256},
		check: func(s string) error {
			if s == "" || utf8.RuneCountInString(s) > 256 {
				return fmt.Errorf("%s is no pattern: 1 to 256 characters", cite.Quote(s))
			}
			if _, err := globMatch(s, ""); err != nil {
				return fmt.Errorf("%s is no pattern: a [ has no ], or a \\ ends it", cite.Quote(s))
			}
			return nil
		}}
}

// globMatch is path.Match where a slash is a character like any other.
func globMatch(pattern, s string) (bool, error) {
	flat := strings.NewReplacer("/", "\x00")
	return path.Match(flat.Replace(pattern), flat.Replace(s))
}

// filePath is an absolute path in its shortest form.
func filePath() *scalarType {
	return &scalarType{want: "an absolute path", shape: isText,
		schema: map[string]any{"type": "string", "maxLength": 1024,
			"pattern": "^(/[^/" + controls + "]+)+$",
			"not":     map[string]any{"pattern": `/\.\.?(/|$)`}},
		check: func(s string) error {
			switch {
			case !strings.HasPrefix(s, "/"):
				return fmt.Errorf("%s is not an absolute path: it must begin with /", cite.Quote(s))
			case path.Clean(s) != s || s == "/":
				return fmt.Errorf("%s is not a file's path in its shortest form: %s", cite.Quote(s), path.Clean(s))
			case utf8.RuneCountInString(s) > 1024:
				return fmt.Errorf("%s is too long: 1024 characters at most", cite.Quote(s))
			}
			return oneLine(s)
		}}
}

// controls are the characters that oneLine refuses, for a pattern's brackets.
const controls = `\x00-\x1f\x7f-\x9f` + "\u2028\u2029\ufffd"

// oneLine refuses what could begin a new line, or hide, in a file that a
// value is written to.
func oneLine(s string) error {
	for _, r := range s {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == utf8.RuneError {
			return fmt.Errorf("%s holds the control character %U: one line of plain text is wanted", cite.Quote(s), r)
		}
	}
	return nil
}
