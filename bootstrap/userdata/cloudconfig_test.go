package userdata

import (
	"strings"
	"testing"
)

// TestReveilleLines gives, for each document, the lines that are kept, each
// with its number: "3 reveille:".
func TestReveilleLines(t *testing.T) {
	cases := []struct {
		name, doc string
		want      []string // none: no such key
	}{
		{"block", "#cloud-config\na: 1\nreveille:\n  hostname: x\n\n  role: y\nb: 2\n", []string{"3 reveille:", "4   hostname: x", "6   role: y"}},
		{"at the end, without a newline", "a: 1\nreveille:\n  role: y", []string{"2 reveille:", "3   role: y"}},
		{"flow value", "reveille: {hostname: x}\na: 1\n", []string{"1 reveille: {hostname: x}"}},
		{"flow value over lines, closed at column 0", "reveille: {hostname: x,\nrole: 'y'\n}\na: 1\n", []string{"1 reveille: {hostname: x,", "2 role: 'y'", "3 }"}},
		{"quoted key", "\"reveille\": {}\n", []string{"1 \"reveille\": {}"}},
		{"single-quoted key, space before the colon", "'reveille' :\n  role: y\n", []string{"1 'reveille' :", "2   role: y"}},
		{"comments", "reveille: # ours\n  role: y # why\n  # said\n# of others\na: 1\n", []string{"1 reveille: # ours", "2   role: y # why", "3   # said"}},
		{"list at the key's own column", "reveille:\n- a\n- b\na: 1\n", []string{"1 reveille:", "2 - a", "3 - b"}},
		{"empty", "reveille:\na: 1\n", []string{"1 reveille:"}},
		{"twice", "reveille: {a: 1}\nb: 1\nreveille: {a: 2}\n", []string{"1 reveille: {a: 1}", "3 reveille: {a: 2}"}},
		{"document markers", "%YAML 1.1\n---\nreveille: {}\n...\n", []string{"3 reveille: {}"}},
		{"indented as a whole", "#cloud-config\n  a: 1\n  reveille:\n    role: y\n  b: 2\n", []string{"3   reveille:", "4     role: y"}},
		{"block scalar of ours", "reveille:\n  motd: |\n    a: 1\n\n   # no comment\n    \"open\nb: 1\n", []string{"1 reveille:", "2   motd: |", "3     a: 1", "5    # no comment", "6     \"open"}},

		{"nested", "a:\n  reveille: {}\n", nil},
		{"longer key", "reveilles: {}\nreveille-x: {}\n", nil},
		{"no colon", "a: 1\nreveille\n", nil},
		{"colon without a space is no key", "reveille:x\n", nil},
		{"in a comment", "# reveille:\na: 1\n", nil},
		{"as a value", "a: reveille\nb: [reveille, c]\n", nil},
		{"in a block scalar", "a: |\n  x\n reveille: {}\nb: 1\n", nil},
		{"in a bracket", "a: {\nreveille: {}\n}\n", nil},
		{"in double quotes", "a: \"x \\\" y\nreveille: {}\n\"\nb: 1\n", nil},
		{"in single quotes", "a: 'it''s\nreveille: {}\n'\n", nil},
		{"in quotes within a list", "runcmd:\n- [sh, -c, \"echo '\nreveille: up\n'\"]\n", nil},

		{"apostrophe in a plain scalar", "a: don't\nreveille: {}\n", []string{"2 reveille: {}"}},
		{"quotes and brackets in a plain scalar", "a: x \"y [z\nreveille: {}\n", []string{"2 reveille: {}"}},
		{"plain scalar over lines", "a: it is\n  \"quoted [so\nreveille: {}\n", []string{"3 reveille: {}"}},
		{"quote in a comment", "a: 1 # don't [\n# \"\nreveille: {}\n", []string{"3 reveille: {}"}},
		{"quote in a block scalar", "a: |\n  don't {\nreveille: {}\n", []string{"3 reveille: {}"}},
		{"folded scalar with header and comment", "a: >2- # x\n    'open\nreveille: {}\n", []string{"3 reveille: {}"}},
		{"block scalar in a list", "runcmd:\n- |\n  echo \"\n  [\n- x\nreveille: {}\n", []string{"6 reveille: {}"}},
		{"block scalar of a key in a list", "write_files:\n- path: /a\n  content: |\n   {{ \"\n  mode: \"x\"\nreveille: {}\n", []string{"6 reveille: {}"}},
		{"empty block scalar before its sibling", "a:\n- b: |\n  c: [1,\n2]\nreveille: {}\n", []string{"5 reveille: {}"}},
		{"tag and anchor", "a: !!str &x \"y\"\nb: *x\nreveille: {}\n", []string{"3 reveille: {}"}},
		{"flow with quotes and #", "a: [\"b]\", 'c]', d#e, {f: \"g\"}] # ]\nreveille: {}\n", []string{"2 reveille: {}"}},
		{"flow over lines with a comment", "a: [b, # don't ]\n  c]\nreveille: {}\n", []string{"3 reveille: {}"}},
		{"value on the next line", "a:\n  \"x\n  y\"\nb:\n  plain\n  'more\nreveille: {}\n", []string{"7 reveille: {}"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			want := ""
			line := 1
			for _, w := range c.want {
				n, text, _ := strings.Cut(w, " ")
				for ; n != itoa(line); line++ {
					want += "\n"
				}
				want += text + "\n"
				line++
			}
			got, err := reveilleLines(c.doc)
			if err != nil || got != want {
				t.Errorf("got %q, %v\nwant %q", got, err, want)
			}
		})
	}
}

func itoa(n int) string { return string(rune('0' + n)) }

func TestReveilleLinesRefused(t *testing.T) {
	for name, c := range map[string]struct{ doc, want string }{
		"in the braces of the whole":          {"#cloud-config\n{a: 1, reveille: {role: y}}\n", "line of its own"},
		"as JSON":                             {"#cloud-config\n{\"a\":{\"b\":1},\n \"reveille\":{\"role\":\"y\"}}\n", "line of its own"},
		"question mark":                       {"? reveille\n: {role: y}\n", "line of its own"},
		"second document":                     {"reveille: {}\n---\na: 1\n", "second YAML document at line 2"},
		"in the second document":              {"a: 1\n---\nreveille: {}\n", "second YAML document at line 2"},
		"behind the end":                      {"a: 1\n...\nreveille: {}\n", "second YAML document at line 3"},
		"behind a quote that is never closed": {"a: \"x\nreveille: {}\n", "before line 2 is never closed"},
		"behind a bracket never closed":       {"a: [x\nb: 1\nreveille: {}\n", "before line 3 is never closed"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := reveilleLines(c.doc)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, %v; want an error with %q", got, err, c.want)
			}
		})
	}
	for name, doc := range map[string]string{
		"JSON with the key below":     "{\"a\":{\"reveille\":1},\"b\":\"reveille: x\"}\n",
		"second document of others":   "a: reveille\n---\nb: 1\n",
		"quote never closed, no key":  "a: \"reveille\n",
		"JSON value, not a key":       "{\"a\": \"reveille\"}\n",
		"brackets with the key below": "[reveille, {reveille: 1}]\n",
	} {
		if got, err := reveilleLines(doc); err != nil || got != "" {
			t.Errorf("%s: got %q, %v; want nothing", name, got, err)
		}
	}
}
