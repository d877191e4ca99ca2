package integration_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/roles"
)

var update = flag.Bool("update", false, "write the generated documents anew")

// generated holds a document to what makes it.
func generated(t *testing.T, name, want string) {
	t.Helper()
	path := filepath.Join(caseDir(), "..", "docs", name)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), want); diff != "" {
		t.Errorf("docs/%s does not say what the program does (-it says +it should); go test ./integration -run Docs -update writes it anew\n%s", name, diff)
	}
}

// TestDocsOfTheCommands: docs/commands.md is what --help prints.
func TestDocsOfTheCommands(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Commands\n\nWhat `reveille help` and `reveille help COMMAND` print.\n\n")
	overview := say(t, "help")
	fmt.Fprintf(&b, "```\n%s```\n", overview)
	_, list, _ := strings.Cut(overview, "Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	for line := range strings.Lines(list) {
		name := commandName(line)
		fmt.Fprintf(&b, "\n## %s\n\n```\n%s```\n", name, say(t, append([]string{"help"}, strings.Fields(name)...)...))
	}
	generated(t, "commands.md", b.String())
}

// commandName is the words before the first in capitals, a bracket or a gap.
func commandName(line string) string {
	left, _, _ := strings.Cut(strings.TrimSpace(line), "  ")
	var words []string
	for _, w := range strings.Fields(left) {
		if strings.ToLower(w) != w || strings.HasPrefix(w, "[") {
			break
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

func say(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(filepath.Join(binDir, "reveille"), args...).Output()
	if err != nil {
		t.Fatalf("reveille %v: %v", args, err)
	}
	return string(out)
}

// TestDocsOfTheProfile: docs/profile.md lists every key of the schema.
func TestDocsOfTheProfile(t *testing.T) {
	var root node
	if err := json.Unmarshal(roles.JSONSchema(), &root); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("# The profile, key by key\n\nRole files, user-data and `/etc/reveille/local.yaml` share one schema, which `reveille schema` prints as JSON Schema. " +
		"Examples are in [packaging/examples/roles.d](../packaging/examples/roles.d).\n\n| key | default | meaning |\n|---|---|---|\n")
	rows := root.rows("")
	if len(rows) < 30 {
		t.Fatalf("the schema has only %d keys", len(rows))
	}
	for _, r := range rows {
		b.WriteString(r)
	}
	generated(t, "profile.md", b.String())
}

// node is as much of JSON Schema as the document shows.
type node struct {
	Description string          `json:"description"`
	Default     any             `json:"default"`
	Properties  map[string]node `json:"properties"`
	Named       map[string]node `json:"patternProperties"` // sections of free names, under what a name must be
	Required    []string        `json:"required"`
	Not         any             `json:"not"`
	AnyOf       []node          `json:"anyOf"`
	Items       *node           `json:"items"` // of a list of maps
}

func (n node) rows(under string) []string {
	var rows []string
	for _, name := range sortedKeys(n.Properties) {
		p := n.Properties[name]
		key := strings.TrimPrefix(under+"."+name, ".")
		must := ""
		if slices.Contains(n.Required, name) {
			must = " Required."
		}
		value := ""
		if p.Default != nil {
			value = fmt.Sprintf("`%v`", p.Default)
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s%s |\n", key, value, strings.ReplaceAll(p.Description, "|", "\\|"), must))
		rows = append(rows, p.rows(key)...)
		for _, form := range p.AnyOf {
			if form.Items != nil {
				rows = append(rows, form.Items.rows(key+"[]")...)
			}
		}
		for _, of := range p.Named {
			rows = append(rows, of.rows(key+".NAME")...)
			for _, form := range of.AnyOf {
				rows = append(rows, form.rows(key+".NAME")...)
			}
		}
	}
	return rows
}

func sortedKeys(m map[string]node) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
