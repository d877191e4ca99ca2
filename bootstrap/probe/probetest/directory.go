package probetest

import (
	"bufio"
	"net"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"

	"reveille/bootstrap/host/hosttest"
)

// Directory puts a server of TCP, whatever it serves, at an address of the
// machine, its port included. What it does with each connection is the test's.
func Directory(t testing.TB, m *hosttest.Machine, address string, serve func(net.Conn)) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-ended })
	m.Forward(address, l.Addr().String())
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
			c.Close()
		}
	}()
}

// Result answers a search with a result code, as slapd does; 0 with an entry
// before it.
func Result(code int64) func(net.Conn) {
	return func(c net.Conn) {
		in := bufio.NewReader(c)
		p, err := ber.ReadPacket(in)
		if err != nil || len(p.Children) < 2 {
			return
		}
		id := p.Children[0].Value.(int64)
		message := func(op *ber.Packet) {
			m := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
			m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
			m.AppendChild(op)
			_, _ = c.Write(m.Bytes())
		}
		word := func(s string) *ber.Packet {
			return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
		}
		if code == 0 {
			entry := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 4, nil, "")
			entry.AppendChild(word(""))
			entry.AppendChild(ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, ""))
			message(entry)
		}
		done := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 5, nil, "")
		done.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, code, ""))
		done.AppendChild(word(""))
		done.AppendChild(word("says who"))
		message(done)
		_, _ = in.ReadByte() // until the client has hung up
	}
}
