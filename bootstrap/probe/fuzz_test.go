package probe

import (
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"reveille/bootstrap/probe/probetest"
)

// Whatever a server sends is a reply to one of the questions, or none.
func FuzzReply(f *testing.F) {
	qs := []dnsmessage.Question{
		{Name: dnsmessage.MustNewName("a.b."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET},
		{Name: dnsmessage.MustNewName("c.d."), Type: dnsmessage.TypeAAAA, Class: dnsmessage.ClassINET},
	}
	for i, q := range qs {
		m := dnsmessage.Message{Header: dnsmessage.Header{ID: 65535 + uint16(i)}, Questions: []dnsmessage.Question{q}}
		f.Add(probetest.Reply(m, dnsmessage.RCodeSuccess, "10.0.0.1", "fd00::1"), uint16(65535))
		f.Add(probetest.Reply(m, dnsmessage.RCodeRefused), uint16(65535))
	}
	f.Fuzz(func(t *testing.T, packet []byte, first uint16) {
		i, r, ok := parseReply(packet, qs, first)
		if !ok && (i != 0 || r.err != nil || r.addresses != nil) || i < 0 || i >= len(qs) {
			t.Errorf("question %d, %+v, %v", i, r, ok)
		}
		if r.err != nil && r.addresses != nil {
			t.Errorf("an error and addresses: %+v", r)
		}
	})
}

// A name of /etc/hosts has addresses only where a line holds both.
func FuzzHosts(f *testing.F) {
	f.Add("10.0.0.1 a b # c\nfd00::1\ta\n", "a")
	f.Fuzz(func(t *testing.T, text, name string) {
		for _, a := range inHosts(text, name) {
			if !a.IsValid() || name == "" {
				t.Errorf("%q has %v", name, a)
			}
		}
	})
}
