package logins

import (
	"strings"
	"testing"
	"time"
)

func TestExceeds(t *testing.T) {
	mk := func(u Who, s Servers, terms ...Term) Case {
		return Case{User: u, Name: string(u), Servers: s, Terms: terms}
	}
	wait := func(w When, of Of, b Bound) Term { return Term{When: w, Of: of, What: "x", Takes: b} }
	budget := func(cases ...Case) Budget { return Budget{Grace: 120 * time.Second, Cases: cases} }
	dir := func(n int) Term { return wait(BeforeLogin, OfDirectory, secs(n)) }
	for name, c := range map[string]struct {
		now, after Budget
		want       string // "": nothing speaks against it
	}{
		"within its limit":     {budget(), budget(mk(LocalUser, AllDown, dir(30))), ""},
		"over it":              {budget(), budget(mk(LocalUser, AllDown, dir(31))), "(local), servers all_down: before authentication takes up to 31s"},
		"no longer than it is": {budget(mk(LocalUser, AllHung, dir(31))), budget(mk(LocalUser, AllDown, dir(31))), ""},
		"longer than it is":    {budget(mk(LocalUser, AllHung, dir(31))), budget(mk(LocalUser, AllDown, dir(32))), "takes up to 32s"},
		"without end":          {budget(mk(LocalUser, AllHung, dir(90))), budget(mk(LocalUser, AllHung, wait(BeforeLogin, OfDirectory, forEver))), "no limit"},
		"another user's":       {budget(mk(BreakGlassUser, AllHung, dir(90))), budget(mk(LocalUser, AllHung, dir(60))), "local"},
		"another part":         {budget(mk(LocalUser, AllHung, dir(90))), budget(mk(LocalUser, AllHung, wait(AfterLogin, OfDirectory, secs(60)))), "after authentication"},
		"a program's":          {budget(), budget(mk(LocalUser, AllHung, wait(BeforeLogin, OfCommand, forEver), dir(20))), ""},
		"a program's, and ours": {budget(mk(LocalUser, AllHung, wait(BeforeLogin, OfCommand, forEver))),
			budget(mk(LocalUser, AllHung, wait(BeforeLogin, OfCommand, forEver), dir(40))), "takes up to 40s"},
		"a home":             {budget(), budget(mk(LocalUser, AllHung, wait(AfterLogin, OfHome, forEver))), ""},
		"a directory user's": {budget(), budget(mk(DirectoryUser, AllDown, dir(121))), "may take 2m0s"},
		"his, slow":          {budget(), budget(mk(DirectoryUser, AllSlow, wait(BeforeLogin, OfDirectory, forEver))), ""},
		"his, slow before":   {budget(mk(DirectoryUser, AllSlow, dir(500))), budget(mk(DirectoryUser, AllDown, dir(121))), "directory"},
	} {
		var said []string
		for _, e := range c.after.Exceeds(c.now, 0) {
			said = append(said, e.String())
		}
		if got := strings.Join(said, "\n"); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if over := budget(mk(LocalUser, AllDown, dir(20))).Exceeds(budget(), 10*time.Second); len(over) != 1 {
		t.Errorf("the profile's own limit: %v", over)
	}
}

// A home on NFS is over its limit, and no file of a name service is refused for
// it, nor where the home is new.
func TestExceedsLeavesHomesOut(t *testing.T) {
	l := quick(map[string]string{"/etc/auto.master": "/home auto.home -vers=4.2,soft,timeo=20,retrans=1\n", "/etc/auto.home": "* nas:/home/&\n"})
	l.Files[autofsPath], l.Running.Automount = "[autofs]\nmount_wait = 5\n", true
	with := BudgetOf(l)
	l.Running.Automount = false
	without := BudgetOf(l)
	if e := without.Over(time.Minute, 0); len(e) != 0 {
		t.Fatalf("over its limit without a home: %v", e)
	}
	over := Worst(with.Over(time.Minute, 0))
	if len(over) == 0 || over[0].When != AfterLogin || over[0].Longest().Of != OfHome {
		t.Errorf("the home is not over its limit: %v", over)
	}
	if e := with.Exceeds(without, time.Minute); len(e) != 0 {
		t.Errorf("refused for a home: %v", e)
	}
}

// What is judged is the same whether or not the rest is worked out.
func TestJudgedAlone(t *testing.T) {
	l := measuredLogin(map[string]string{})
	whole := BudgetOf(l)
	l.Judged = true
	brief := BudgetOf(l)
	if len(brief.Over(time.Second, time.Second)) == 0 || len(brief.Cases) != len(whole.Cases)-3 {
		t.Fatalf("%+v", brief)
	}
	for _, limit := range []time.Duration{time.Second, 5 * time.Second, 25 * time.Second} {
		var want, got []string
		for _, e := range whole.Over(limit, limit) {
			want = append(want, e.String())
		}
		for _, e := range brief.Over(limit, limit) {
			got = append(got, e.String())
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("within %s: %q, want %q", limit, got, want)
		}
	}
}

func TestLimit(t *testing.T) {
	b := Budget{Grace: 40 * time.Second}
	for _, c := range []struct {
		login, want time.Duration
		wrong       bool
	}{{0, 20 * time.Second, false}, {40 * time.Second, 40 * time.Second, false}, {41 * time.Second, 40 * time.Second, true}} {
		got, err := b.Limit(c.login)
		if got != c.want || (err != nil) != c.wrong {
			t.Errorf("%s: %s, %v", c.login, got, err)
		}
	}
}

// nslcd's modules and PADL's have one name: where nslcd is there it answers.
func TestRunningWith(t *testing.T) {
	for _, c := range []struct {
		now  Running
		file string
		want Running
	}{
		{Running{}, "/etc/nslcd.conf", Running{Nslcd: true}},
		{Running{Nscd: true}, "/etc/sssd/sssd.conf", Running{Nscd: true, SSSD: true}},
		{Running{}, "/etc/libnss-ldap.conf", Running{PADL: true}},
		{Running{Nslcd: true}, "/etc/ldap.conf", Running{Nslcd: true}},
		{Running{}, "/etc/resolv.conf", Running{}},
	} {
		if got := c.now.With(c.file); got != c.want {
			t.Errorf("%+v with %s: %+v", c.now, c.file, got)
		}
	}
}
