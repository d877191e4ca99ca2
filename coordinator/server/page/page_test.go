package page_test

import (
	"bytes"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"reveille/coordinator/api"
	"reveille/coordinator/server/page"
	"reveille/coordinator/store"
)

var now = time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)

// doc is a parsed page, and its text for messages.
type doc struct {
	*testing.T
	root *html.Node
	raw  string
}

func render(t *testing.T, r func(io.Writer) error) doc {
	t.Helper()
	var buf bytes.Buffer
	if err := r(&buf); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(bytes.NewReader(buf.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return doc{t, root, buf.String()}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// all finds elements by name and, where it is given, a class.
func (d doc) all(name, class string) []*html.Node { return find(d.root, name, class) }

func find(n *html.Node, name, class string) []*html.Node {
	var out []*html.Node
	for c := range n.Descendants() {
		if c.Type == html.ElementNode && c.Data == name && (class == "" || strings.Contains(" "+attr(c, "class")+" ", " "+class+" ")) {
			out = append(out, c)
		}
	}
	return out
}

func text(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func (d doc) texts(name, class string) string {
	var out []string
	for _, n := range d.all(name, class) {
		out = append(out, text(n))
	}
	return strings.Join(out, "|")
}

func (d doc) says(want ...string) {
	d.Helper()
	for _, w := range want {
		if !strings.Contains(text(d.root), w) {
			d.Errorf("the page does not say %q:\n%s", w, text(d.root))
		}
	}
}

// sound is what every page must be: all that the policy allows, usable without
// a mouse or eyes, and with nothing that only the policy keeps from running.
func (d doc) sound() {
	d.Helper()
	for _, name := range []string{"script", "style", "iframe", "object", "embed", "base"} {
		if len(d.all(name, "")) > 0 {
			d.Errorf("the page has a <%s>", name)
		}
	}
	ids := map[string]bool{}
	for n := range d.root.Descendants() {
		for _, a := range n.Attr {
			switch {
			case a.Key == "style", strings.HasPrefix(a.Key, "on"):
				d.Errorf("<%s %s=%q>: an inline style or handler", n.Data, a.Key, a.Val)
			case a.Key == "id" && ids[a.Val]:
				d.Errorf("the id %q comes twice", a.Val)
			case a.Key == "id":
				ids[a.Val] = true
			case (a.Key == "href" || a.Key == "src" || a.Key == "action") && a.Val != "" && !strings.HasPrefix(a.Val, "#") &&
				(!strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "//")):
				d.Errorf("<%s %s=%q> leads off this server", n.Data, a.Key, a.Val)
			}
		}
	}
	if len(d.all("h1", "")) != 1 || len(d.all("main", "")) != 1 || attr(d.all("html", "")[0], "lang") != "en" {
		d.Error("want one h1, one main and a language")
	}
	for _, n := range d.all("img", "") {
		if src := strings.TrimPrefix(attr(n, "src"), "/assets/"); page.Assets()[src].Type == "" {
			d.Errorf("the image %q is no asset", src)
		}
	}
	for _, n := range d.all("link", "") {
		if page.Assets()[strings.TrimPrefix(attr(n, "href"), "/assets/")].Type == "" {
			d.Errorf("%q is no asset", attr(n, "href"))
		}
	}
	for _, n := range d.all("use", "") {
		if !ids[strings.TrimPrefix(attr(n, "href"), "#")] {
			d.Errorf("the shape %q is not there", attr(n, "href"))
		}
	}
}

func rec(id, host, role string, state api.State, more string) store.Record {
	report := fmt.Sprintf(`{"version":1,"instance_id":%q,"hostname":%q,"role":%q,"state":%q%s}`, id, host, role, state, more)
	return store.Record{Report: []byte(report),
		Head: store.Head{ID: id, Host: host, Role: role, State: state, Received: now.Add(-3 * time.Minute)}}
}

func fleet(t *testing.T, query string, recs ...store.Record) doc {
	t.Helper()
	v, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	f, err := page.ParseFilter(v)
	if err != nil {
		t.Fatal(err)
	}
	var heads []store.Head
	byID := map[string]store.Record{}
	for _, r := range recs {
		heads, byID[r.ID] = append(heads, r.Head), r
	}
	p := page.NewFleet(heads, f, now, "127.0.0.1:8650")
	for _, h := range p.Shown() {
		if err := p.Add(byID[h.ID]); err != nil {
			t.Fatal(err)
		}
	}
	d := render(t, p.Render)
	d.sound()
	return d
}

func (d doc) names() string {
	var out []string
	for _, n := range d.all("td", "c-name") {
		out = append(out, text(find(n, "a", "")[0]))
	}
	return strings.Join(out, " ")
}

func some() []store.Record {
	return []store.Record{
		rec("i-1", "db1", "mysql", api.Ready, `,"took_ms":41.7,"pass":"boot","facts":{"zone":"us-east-1a","private_ip":"10.0.0.20"}`),
		rec("i-2", "db2", "mysql", api.Failed, `,"errors":["no space left"]`),
		rec("i-3", "web1", "web", api.Booting, ``),
		rec("i-4", "web2", "web", api.Degraded, `,"steps":[{"id":"a","error":"optional one"},{"id":"b","required":true,"error":"needed one"}]`),
		rec("i-5", "", "", api.Ready, `,"took_ms":61000,"pass":"timer"`),
	}
}

// A machine that goes down is told apart from one that fails.
func TestAStoppingInstanceHasItsOwnMark(t *testing.T) {
	d := fleet(t, "", rec("i-1", "db1", "mysql", api.Stopping, ""), rec("i-2", "db2", "mysql", api.Ready, ""))
	if got, want := d.texts("td", "c-state"), "stopping|ready"; got != want {
		t.Errorf("states in words %q, want %q", got, want)
	}
	if use := find(d.all("td", "c-state")[0], "use", ""); attr(use[0], "href") != "#m-stopping" {
		t.Errorf("its mark is %s", attr(use[0], "href"))
	}
}

func TestFleetAtAGlance(t *testing.T) {
	d := fleet(t, "", some()...)
	if got, want := text(d.all("h1", "")[0]), "5 instances"; got != want {
		t.Errorf("heading %q, want %q", got, want)
	}
	if got, want := d.names(), "db2 web2 web1 db1 i-5"; got != want {
		t.Errorf("rows %q, want what is wrong first: %q", got, want)
	}
	if got, want := d.texts("td", "c-state"), "failed|degraded|booting|ready|ready"; got != want {
		t.Errorf("states in words %q, want %q", got, want)
	}
	for _, n := range d.all("td", "c-state") {
		if use := find(n, "use", ""); len(use) != 1 || attr(use[0], "href") != "#m-"+text(n) {
			t.Errorf("%s has not its own shape", text(n))
		}
	}
	if got, want := d.texts("li", "card"), "mysql 2 instances 1 failed 1 ready|web 2 instances 1 degraded 1 booting|no role 1 instance 1 ready"; got != want {
		t.Errorf("cards\n%q, want\n%q", got, want)
	}
	d.says("no space left", "b: needed one", "3 min ago", "10.0.0.20", "us-east-1a", "42 ms", "1 min 01 s timer pass", "unknown", "1–5 of 5")
}

func TestFleetEmptySaysWhatToDo(t *testing.T) {
	d := fleet(t, "")
	d.says("Nobody has reported yet", `coordinator: {urls: ["http://127.0.0.1:8650"]}`, "reveille boot")
}

func TestFleetFilters(t *testing.T) {
	for query, want := range map[string]string{
		"role=mysql":             "db2 db1",
		"norole=1":               "i-5",
		"state=ready":            "db1 i-5",
		"q=WEB":                  "web2 web1",
		"q=i-4":                  "web2",
		"q=nobody":               "",
		"role=mysql&q=db&state=": "db2 db1",
		"zone=none":              "",
		"page=900":               "db2 web2 web1 db1 i-5",
	} {
		d := fleet(t, query, some()...)
		if got := d.names(); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
		if want == "" {
			d.says("No instance matches")
		}
		d.says("5 instances") // the whole fleet stays in sight
	}
	for _, query := range []string{"state=lost", "page=0", "page=x", "page=99999999999999999999"} {
		v, _ := url.ParseQuery(query)
		if _, err := page.ParseFilter(v); err == nil {
			t.Errorf("%s: no error", query)
		}
	}
}

// Every link of a page leads to a filter that shows what it promised.
func TestFleetLinks(t *testing.T) {
	all := append(some(), rec("i-6", "x", "a&b=c#d%", api.Failed, ""))
	d := fleet(t, "q=b", all...)
	for _, card := range d.all("li", "card") {
		links := find(card, "a", "")
		for _, a := range links {
			to, err := url.Parse(attr(a, "href"))
			if err != nil {
				t.Fatal(err)
			}
			there := fleet(t, to.RawQuery, all...)
			n := len(there.all("td", "c-name"))
			var want int
			if a == links[0] {
				fmt.Sscan(text(find(card, "span", "count")[0]), &want)
			} else {
				fmt.Sscan(text(a), &want)
			}
			if n != want || n == 0 {
				t.Errorf("%s: the link %q promises %d and shows %d", text(card), attr(a, "href"), want, n)
			}
		}
	}
	for _, in := range d.all("input", "") {
		if attr(in, "name") == "q" && attr(in, "value") != "b" {
			t.Error("the search field forgets what was searched")
		}
	}
}

func TestFleetPages(t *testing.T) {
	var all []store.Record
	for i := range 250 {
		all = append(all, rec(fmt.Sprintf("i-%03d", i), fmt.Sprintf("h%03d", i), "web", api.Ready, ""))
	}
	query, seen := "role=web", 0
	for n := range 3 {
		d := fleet(t, query, all...)
		names := strings.Fields(d.names())
		if want := fmt.Sprintf("h%03d", n*100); names[0] != want {
			t.Errorf("page %d begins with %s, want %s", n, names[0], want)
		}
		seen += len(names)
		query = ""
		for _, a := range d.all("a", "") {
			if attr(a, "rel") == "next" {
				query = strings.TrimPrefix(attr(a, "href"), "/?")
			}
		}
		if (query == "") != (n == 2) {
			t.Fatalf("page %d: next page %q", n, query)
		}
	}
	if seen != 250 {
		t.Errorf("the pages show %d instances", seen)
	}
}

func TestFleetOfManyRoles(t *testing.T) {
	var all []store.Record
	for i := range 300 {
		all = append(all, rec(fmt.Sprintf("i-%d", i), "", fmt.Sprintf("role%d", i), api.Ready, ""))
	}
	d := fleet(t, "", all...)
	if n := len(d.all("li", "card")); n > 100 {
		t.Errorf("%d cards", n)
	}
	d.says("and 240 more roles")
}
