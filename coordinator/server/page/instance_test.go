package page_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"reveille/coordinator/api"
	"reveille/coordinator/server/page"
	"reveille/coordinator/store"
)

func instance(t *testing.T, r store.Record) doc {
	t.Helper()
	p, err := page.NewInstance(r, now)
	if err != nil {
		t.Fatal(err)
	}
	d := render(t, p.Render)
	d.sound()
	return d
}

func TestInstance(t *testing.T) {
	d := instance(t, rec("i-1", "db1", "mysql", api.Failed, `,"took_ms":2500,"pass":"boot","started":"2030-01-02T03:04:05+01:00",
		"boot_id":"b-1","errors":["first","second"],"notes":["look here"],
		"facts":{"region":"us-east-1","zone":"us-east-1a","private_ip":"10.0.0.20","public_ip":"","source":"cache","age_s":7300},
		"steps":[{"id":"file:/a","concern":"naming","state":"ok","required":true,"why":"role file x:3","start_ms":10,"took_ms":30,"attempts":1},
		         {"id":"file:/b","concern":"naming","state":"failed","required":false,"error":"no space","changes":["write /b"],"start_ms":40,"took_ms":40,"attempts":3},
		         {"id":"file:/c","state":"frobbed","start_ms":80,"took_ms":0}]`))
	d.says("db1", "failed", "i-1", "reported 3 min ago", "first", "second", "look here",
		"Region us-east-1", "Private address 10.0.0.20", "Public address none", "Started 2030-01-02 02:04:05 UTC", "Took 2.5 s",
		"Facts from cache, read 2 h ago", "Boot id b-1", "file:/b failed optional", "no space", "write /b", "3 attempts", "role file x:3", "frobbed")
	var bars [][2]float64
	for _, n := range d.all("rect", "step-bar") {
		bars = append(bars, [2]float64{number(t, n, "x"), number(t, n, "width")})
	}
	// 80 ms are 1000 wide; a step of no time is still to be seen, within it.
	if want := fmt.Sprint([][2]float64{{125, 375}, {500, 500}, {996, 4}}); fmt.Sprint(bars) != want {
		t.Errorf("bars %v, want %v", bars, want)
	}
	for i, open := range []bool{false, true, false} {
		_, is := attribute(d.all("details", "")[i], "open")
		if is != open {
			t.Errorf("step %d unfolded: %v, want only what went wrong", i, is)
		}
	}
}

func TestInstanceThatKnowsNothing(t *testing.T) {
	d := instance(t, rec("i-1", "", "", api.Booting, ""))
	if got := text(d.all("h1", "")[0]); got != "i-1" {
		t.Errorf("heading %q, want the id where there is no name", got)
	}
	d.says("no role", "Zone unknown", "The report names no step")
}

// Numbers that no boot has still make bars that lie within the picture.
func TestInstanceBars(t *testing.T) {
	for _, steps := range []string{
		`{"start_ms":-5,"took_ms":3}`, `{"start_ms":1e308,"took_ms":1e308}`, `{"start_ms":0,"took_ms":0}`,
		`{"start_ms":1e308,"took_ms":1},{"start_ms":1,"took_ms":1}`, `{"start_ms":5,"took_ms":-1e308}`,
	} {
		d := instance(t, rec("i-1", "", "", api.Ready, `,"took_ms":1e300,"steps":[`+steps+`]`))
		for _, n := range d.all("rect", "step-bar") {
			x, w := number(t, n, "x"), number(t, n, "width")
			if !(x >= 0 && w > 0 && x+w <= 1000.01) {
				t.Errorf("%s: bar from %v, %v wide", steps, x, w)
			}
		}
	}
}

func TestInstanceIsBounded(t *testing.T) {
	many := strings.Repeat(`{"id":"x","changes":["c"]},`, 3000)
	d := instance(t, rec("i-1", "", "", api.Ready, `,"errors":["`+strings.Repeat("W", 100_000)+`"],"notes":[`+
		strings.Repeat(`"n",`, 5000)+`"n"],"steps":[`+many+`{"id":"last"}]`))
	if n := len(d.all("li", "step")); n != 500 {
		t.Errorf("%d steps", n)
	}
	d.says("and 2501 more steps", "… and 4901 more")
	if len(d.raw) > 1<<20 {
		t.Errorf("a page of %d bytes", len(d.raw))
	}
}

// Wherever a report can put text, markup comes out as text and what is
// invisible is spelled out.
func TestPagesEscape(t *testing.T) {
	const evil = `"'><script>alert(1)</script><img src=x onerror=alert(1)>{{.}}`
	q := strconv.Quote(evil + "\x1b[31m\u202e\u0000")
	q = strings.NewReplacer(`\x1b`, "\\u001b", `\x00`, "\\u0000").Replace(q)
	more := fmt.Sprintf(`,"boot_id":%[1]s,"pass":%[1]s,"started":%[1]s,"errors":[%[1]s],"notes":[%[1]s],
		"facts":{"region":%[1]s,"zone":%[1]s,"private_ip":%[1]s,"public_ip":%[1]s,"source":%[1]s},
		"steps":[{"id":%[1]s,"concern":%[1]s,"state":%[1]s,"why":%[1]s,"changes":[%[1]s],"error":%[1]s}]`, q)
	r := rec("i-1", evil, evil, api.Ready, more)
	for name, d := range map[string]doc{
		"fleet":    fleet(t, "q=script&zone=", r),
		"instance": instance(t, r),
		"message":  render(t, page.Message{Title: evil, Text: evil}.Render),
	} {
		d.sound() // no script, no handler, no image but our own
		if !strings.Contains(text(d.root), `<script>alert(1)</script>`) {
			t.Errorf("%s: the markup is not shown as text", name)
		}
		if strings.ContainsAny(d.raw, "\x1b\u202e\x00") {
			t.Errorf("%s: a character that steers is there as it is", name)
		}
		if name != "message" && !strings.Contains(text(d.root), "⟨U+202E⟩") {
			t.Errorf("%s: what is invisible is not spelled out", name)
		}
	}
}

func attribute(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

func number(t *testing.T, n *html.Node, key string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(attr(n, key), 64)
	if err != nil {
		t.Fatalf("%s=%q: %v", key, attr(n, key), err)
	}
	return f
}
