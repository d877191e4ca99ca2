package probe

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/probe/probetest"
)

const fresh, other, old = "10.0.0.53", "10.0.0.54", "10.0.0.2"

// soon is a bound that a test has to wait for, and long one that it must not.
const soon, long = 400 * time.Millisecond, time.Hour

func contest(m *hosttest.Machine, within time.Duration, names ...string) Contest {
	ask := Names(m.Host(), names)
	return Contest{New: []string{fresh}, Old: []string{old}, Questions: names, AskNew: ask, AskOld: ask, Within: within}
}

func TestNamesThatAreAnswered(t *testing.T) {
	const success, nx, fail, refused = dnsmessage.RCodeSuccess, dnsmessage.RCodeNameError, dnsmessage.RCodeServerFailure, dnsmessage.RCodeRefused
	type answer = func(dnsmessage.Message) [][]byte
	foreign := func(q dnsmessage.Message) [][]byte {
		id, name, query := q, q, q
		id.ID += 500
		name.Questions = slices.Clone(q.Questions)
		name.Questions[0].Name = dnsmessage.MustNewName("elsewhere.")
		plain, _ := query.Pack() // no response
		return [][]byte{probetest.Reply(id, success), probetest.Reply(name, success), plain, {}, {1}, []byte(strings.Repeat("x", 600))}
	}
	truncated := func(q dnsmessage.Message) [][]byte { q.Truncated = true; return [][]byte{probetest.Reply(q, success)} }
	tests := map[string]struct {
		fresh, old answer // nil: the port is closed
		within     time.Duration
		want       Outcome
	}{
		"both":                    {fresh: always(success), old: always(success), within: long},
		"the new one alone":       {fresh: always(success), within: long},
		"the old one is silent":   {fresh: always(success), old: silent, within: long},
		"no such name":            {fresh: always(nx), old: always(success), within: long},
		"cut off to fit":          {fresh: truncated, old: silent, within: long},
		"a packet got lost":       {fresh: loses(1, always(success)), old: always(success), within: long},
		"the new one is closed":   {old: always(success), within: long, want: Outcome{Lost: true, Question: "a.b", By: old, Reasons: fresh + ": connection refused"}},
		"the new one fails":       {fresh: always(fail), old: always(nx), within: long, want: Outcome{Lost: true, Question: "a.b", By: old, Reasons: fresh + ": it answers SERVFAIL"}},
		"the new one refuses":     {fresh: always(refused), old: always(success), within: long, want: Outcome{Lost: true, Question: "a.b", By: old, Reasons: fresh + ": it answers REFUSED"}},
		"the new one is silent":   {fresh: silent, old: always(success), within: soon, want: Outcome{Lost: true, Question: "a.b", By: old, Reasons: fresh + ": no answer within 400ms"}},
		"the new one says more":   {fresh: foreign, old: always(success), within: soon, want: Outcome{Lost: true, Question: "a.b", By: old, Reasons: fresh + ": what it answers is no DNS"}},
		"both refuse":             {fresh: always(refused), old: always(refused), within: long, want: Outcome{Silent: true, Reasons: fresh + ": it answers REFUSED"}},
		"both are closed":         {within: long, want: Outcome{Silent: true, Reasons: fresh + ": connection refused"}},
		"the old one fails alone": {fresh: silent, old: always(fail), within: soon, want: Outcome{Silent: true, Reasons: fresh + ": no answer within 400ms"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := hosttest.New(t, nil)
			for address, answer := range map[string]answer{fresh: tt.fresh, old: tt.old} {
				if answer != nil {
					probetest.NameServer(t, m, address, answer)
				}
			}
			got, err := contest(m, tt.within, "a.b").Run(t.Context())
			if err != nil || got != tt.want {
				t.Errorf("%+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

// One of the new ones is enough, but for each name that an old one knows.
func TestEachNameNeedsAServer(t *testing.T) {
	refusesAWS := func(q dnsmessage.Message) [][]byte {
		if strings.HasSuffix(q.Questions[0].Name.String(), "amazonaws.com.") {
			return [][]byte{probetest.Reply(q, dnsmessage.RCodeRefused)}
		}
		return [][]byte{probetest.Reply(q, dnsmessage.RCodeSuccess)}
	}
	m := hosttest.New(t, nil)
	probetest.NameServer(t, m, fresh, refusesAWS)
	probetest.NameServer(t, m, old, always(dnsmessage.RCodeSuccess))
	c := contest(m, long, "acme.private", "ssm.us-east-1.amazonaws.com")
	got, err := c.Run(t.Context())
	want := Outcome{Lost: true, Question: "ssm.us-east-1.amazonaws.com", By: old, Reasons: fresh + ": it answers REFUSED"}
	if err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	probetest.NameServer(t, m, other, always(dnsmessage.RCodeSuccess))
	c.New = append(c.New, other)
	if got, err = c.Run(t.Context()); err != nil || got != (Outcome{}) {
		t.Errorf("with another that knows it: %+v, %v", got, err)
	}
	// What no old one answers either is nothing that is lost.
	probetest.NameServer(t, m, old, refusesAWS)
	c.New = []string{fresh}
	if got, err = c.Run(t.Context()); err != nil || got != (Outcome{}) {
		t.Errorf("where the old one refuses too: %+v, %v", got, err)
	}
}

// All ends with the context, and says so; that nothing is left is TestMain's.
func TestAContestEndsWithItsContext(t *testing.T) {
	m := hosttest.New(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	probetest.NameServer(t, m, fresh, func(dnsmessage.Message) [][]byte { cancel(); return nil })
	probetest.NameServer(t, m, old, silent)
	if got, err := contest(m, long, "a.b", "c.d").Run(ctx); !errors.Is(err, context.Canceled) || got != (Outcome{}) {
		t.Errorf("%+v, %v", got, err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	probetest.Directory(t, m, "10.0.0.9:389", func(c net.Conn) { cancel(); holds(c) })
	d := Directory{Host: m.Host()}
	c := Contest{New: []string{"ldap://10.0.0.9:389"}, Questions: []string{""}, AskNew: d.Ask, AskOld: d.Ask, Within: long}
	if _, err := c.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a directory: %v", err)
	}
}

func TestDirectoriesThatAnswer(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	named := x509.Certificate{DNSNames: []string{"ldap.acme.private"}}
	common := x509.Certificate{Subject: pkix.Name{CommonName: "ldap.acme.private"}}
	expired := named
	expired.NotAfter = time.Now().Add(-time.Minute)
	const plain, secure = "ldap://ldap.acme.private:389", "ldaps://ldap.acme.private:636"
	tests := map[string]struct {
		server string
		serve  func(net.Conn) // nil: the port is closed
		anyone bool           // no certificate is looked at
		within time.Duration
		want   string // of the error; "" it answers
	}{
		"an entry":              {server: plain, serve: probetest.Result(0)},
		"operations error":      {server: plain, serve: probetest.Result(1)},
		"wants confidentiality": {server: plain, serve: probetest.Result(13)},
		"refuses":               {server: plain, serve: probetest.Result(50)},
		"closed":                {server: plain, want: "connection refused"},
		"holds":                 {server: plain, serve: holds, within: soon, want: "context deadline exceeded"},
		"hangs up":              {server: plain, serve: func(net.Conn) {}, want: "no LDAP, or it hung up"},
		"is another server":     {server: plain, serve: says("220 smtp.acme.private ESMTP\r\n"), want: "no LDAP, or it hung up"},
		"says without end": {server: plain, serve: func(c net.Conn) {
			_, _ = c.Write([]byte("\x30\x84\x7f\xff\xff\xff\x04\x84\x7f\xff\xff\xf0" + strings.Repeat("x", 2*maxReply)))
			holds(c)
		}, want: "no LDAP, or it hung up"},
		"TLS":                     {server: secure, serve: secured(ours.sign(t, named), probetest.Result(0))},
		"TLS by the common name":  {server: secure, serve: secured(ours.sign(t, common), probetest.Result(0))},
		"TLS, and then nothing":   {server: secure, serve: secured(ours.sign(t, named), holds), within: soon, want: "context deadline exceeded"},
		"TLS of another":          {server: secure, serve: secured(theirs.sign(t, named), probetest.Result(0)), want: "does not verify by /etc/ours.pem"},
		"TLS, not looked at":      {server: secure, serve: secured(theirs.sign(t, named), probetest.Result(0)), anyone: true},
		"TLS that is over":        {server: secure, serve: secured(ours.sign(t, expired), probetest.Result(0)), want: "does not verify by /etc/ours.pem"},
		"TLS for another name":    {server: secure, serve: secured(ours.sign(t, x509.Certificate{DNSNames: []string{"www"}, Subject: common.Subject}), probetest.Result(0)), want: "for another name"},
		"no TLS where it is due":  {server: secure, serve: probetest.Result(0), want: "TLS: EOF"},
		"speaks first, not TLS":   {server: secure, serve: says("220 smtp.acme.private ESMTP\r\n"), want: "TLS: "},
		"no server to connect to": {server: "ldap://", want: "is no server"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := hosttest.New(t, map[string]string{"/etc/ours.pem": ours.pem})
			if tt.serve != nil {
				_, address, _ := strings.Cut(tt.server, "://")
				probetest.Directory(t, m, address, tt.serve)
			}
			if tt.within == 0 {
				tt.within = long
			}
			ctx, cancel := context.WithTimeout(t.Context(), tt.within)
			defer cancel()
			d := Directory{Host: m.Host(), CAFile: "/etc/ours.pem"}
			if tt.anyone {
				d.CAFile = ""
			}
			err := d.ask(ctx, tt.server)
			if said := fmt.Sprint(err); tt.want == "" && err != nil || !strings.Contains(said, tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func TestNoAuthorityToCheckBy(t *testing.T) {
	ours := newAuthority(t)
	m := hosttest.New(t, map[string]string{"/etc/empty.pem": "nothing\n"})
	probetest.Directory(t, m, "10.0.0.9:636", secured(ours.sign(t, x509.Certificate{}), probetest.Result(0)))
	for _, file := range []string{"/etc/empty.pem", "/etc/none.pem"} {
		if err := (Directory{Host: m.Host(), CAFile: file}).ask(t.Context(), "ldaps://10.0.0.9:636"); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// The directory's names are found by the servers that will be in force, and by
// /etc/hosts before them.
func TestLookup(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/hosts": "127.0.0.1 localhost\n10.0.9.9 Ldap9 ldap9.acme.private # 10.0.9.8\nfd00::9 ldap9.acme.private\n"})
	probetest.NameServer(t, m, fresh, func(q dnsmessage.Message) [][]byte {
		switch q.Questions[0].Name.String() {
		case "ldap.acme.private.":
			return [][]byte{probetest.Reply(q, dnsmessage.RCodeSuccess, "10.0.3.3", "fd00::3")}
		case "empty.acme.private.":
			return [][]byte{probetest.Reply(q, dnsmessage.RCodeSuccess)}
		}
		return [][]byte{probetest.Reply(q, dnsmessage.RCodeNameError)}
	})
	probetest.NameServer(t, m, other, silent)
	for name, want := range map[string]string{
		"10.0.0.1": "[10.0.0.1] <nil>", "ldap9": "[10.0.9.9] <nil>", "LDAP9.acme.private": "[10.0.9.9 fd00::9] <nil>",
		"ldap.acme.private": "[10.0.3.3 fd00::3] <nil>", "ldap": "[10.0.3.3 fd00::3] <nil>",
		"empty.acme.private": "[] its name has no address", "x.acme.private": "[] its name has no address",
	} {
		r := Resolver{Host: m.Host(), Servers: []string{other, fresh}, Search: []string{"elsewhere", "acme.private"}}
		if strings.HasPrefix(want, "[]") || !strings.Contains(name, ".") {
			r.Servers = []string{fresh, other} // the silent one would be waited for first
		}
		got, err := r.Lookup(t.Context(), name)
		if said := fmt.Sprint(got, " ", err); said != want {
			t.Errorf("%s: %s, want %s", name, said, want)
		}
	}
	probetest.NameServer(t, m, old, always(dnsmessage.RCodeServerFailure))
	if _, err := (Resolver{Host: m.Host(), Servers: []string{old}}).Lookup(t.Context(), "x.y"); err == nil || err.Error() != "its name is not found: it answers SERVFAIL" {
		t.Errorf("a server that fails: %v", err)
	}
	d := Directory{Host: m.Host(), Resolver: &Resolver{Host: m.Host(), Servers: []string{fresh}}}
	probetest.Directory(t, m, "[fd00::3]:389", probetest.Result(0))
	if err := d.ask(t.Context(), "ldap://ldap.acme.private:389"); err != nil {
		t.Errorf("by the second of its addresses: %v", err)
	}
}
