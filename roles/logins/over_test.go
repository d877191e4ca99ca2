package logins

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBudgetIsJSON(t *testing.T) {
	l := measuredLogin(map[string]string{})
	l.Sshd = "authorizedkeyscommand /usr/local/bin/keys %u\nlogingracetime 30\n"
	b := BudgetOf(l)
	data, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"grace_s":30,`, `"user":"break_glass","name":"admin","servers":"up","before_s":0.5,`, `"takes_s":null`, `"notes":[]`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("no %s in %s", want, data)
		}
	}
	var again Budget
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	twice, err := json.Marshal(again)
	if err != nil || string(twice) != string(data) {
		t.Errorf("%v\n%s\n%s", err, data, twice)
	}
	if empty, err := json.Marshal(Budget{}); err != nil || string(empty) != `{"grace_s":0,"cases":[],"notes":[]}` {
		t.Errorf("%s, %v", empty, err)
	}
}

func TestOver(t *testing.T) {
	mk := func(u Who, s Servers, terms ...Term) Case {
		return Case{User: u, Name: string(u), Servers: s, Terms: terms}
	}
	wait := func(w When, of Of, b Bound) Term { return Term{When: w, Of: of, Takes: b} }
	b := Budget{Grace: 40 * time.Second, Cases: []Case{
		mk(BreakGlassUser, AllUp, wait(BeforeLogin, OfDirectory, secs(20))),
		mk(BreakGlassUser, AllDown, wait(BeforeLogin, OfDirectory, secs(21)), wait(AfterLogin, OfDirectory, secs(20))),
		mk(LocalUser, AllHung, wait(BeforeLogin, OfHome, forEver), wait(BeforeLogin, OfDirectory, secs(1))),
		mk(DirectoryUser, AllDown, wait(BeforeLogin, OfDirectory, secs(41)), wait(AfterLogin, OfDirectory, forEver)),
		mk(DirectoryUser, AllHung, wait(BeforeLogin, OfDirectory, secs(40)), wait(BeforeLogin, OfHome, forEver)),
		mk(DirectoryUser, AllSlow, wait(BeforeLogin, OfDirectory, forEver)),
	}}
	var got []string
	for _, e := range b.Over(0, 0) {
		got = append(got, e.String())
		if len(e.Terms()) != 1 {
			t.Errorf("terms of %s: %v", e, e.Terms())
		}
	}
	want := []string{
		"the login of break_glass (break_glass), servers all_down: before authentication takes up to 21s, and may take 20s",
		"the login of local (local), servers hung: after authentication takes up to no limit, and may take 20s",
		"the login of directory (directory), servers all_down: before authentication takes up to 41s, and may take 40s",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if d := (Budget{Grace: 120 * time.Second}).DefaultLimit(); d != 30*time.Second {
		t.Errorf("by default %s", d)
	}
	if n := len(b.Over(30*time.Second, time.Hour)); n != 2 {
		t.Errorf("%d over the limits that were asked for", n)
	}
}

// Told are as many of the longest waits as have to be mended for the rest to
// keep the limit.
func TestBreaks(t *testing.T) {
	for name, tt := range map[string]struct {
		takes []Bound
		want  string
	}{
		"one is too long":        {[]Bound{secs(1), secs(40), secs(2)}, "40s"},
		"none is by itself":      {[]Bound{secs(12), secs(14), secs(13)}, "14s"},
		"nor the longest":        {[]Bound{secs(25), secs(12), secs(24), secs(26)}, "26s 25s 24s"},
		"one that never ends":    {[]Bound{secs(2), forEver, secs(40)}, "no limit 40s"},
		"as long as it may take": {[]Bound{secs(30)}, ""},
	} {
		e := Excess{When: BeforeLogin, Limit: 30 * time.Second}
		for _, b := range tt.takes {
			e.Case.Terms = append(e.Case.Terms, Term{When: BeforeLogin, Takes: b}, Term{When: AfterLogin, Takes: secs(99)})
		}
		var got []string
		for _, term := range e.Breaks() {
			got = append(got, term.Takes.String())
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
