// Package probetest is name, directory and file servers on loopback, at the
// addresses of a machine in a folder. It must not know who asks them.
package probetest

import (
	"net"
	"net/netip"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"reveille/bootstrap/host/hosttest"
)

// NameServer puts a name server at an address of the machine. What it makes of
// a query is the test's: no packets are silence.
func NameServer(t testing.TB, m *hosttest.Machine, address string, answer func(query dnsmessage.Message) [][]byte) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { pc.Close(); <-ended })
	m.Forward(address+":53", pc.LocalAddr().String())
	go func() {
		defer close(ended)
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var q dnsmessage.Message
			if q.Unpack(buf[:n]) != nil {
				continue
			}
			for _, p := range answer(q) {
				_, _ = pc.WriteTo(p, from)
			}
		}
	}()
}

// Reply is the packet of a query's reply, with those of the addresses that it
// asks for.
func Reply(q dnsmessage.Message, code dnsmessage.RCode, addresses ...string) []byte {
	q.Header.Response, q.Header.RCode = true, code
	for _, a := range addresses {
		var body dnsmessage.ResourceBody
		typ := dnsmessage.TypeA
		if ip := netip.MustParseAddr(a); ip.Is4() {
			body = &dnsmessage.AResource{A: ip.As4()}
		} else {
			body, typ = &dnsmessage.AAAAResource{AAAA: ip.As16()}, dnsmessage.TypeAAAA
		}
		if q.Questions[0].Type == typ {
			q.Answers = append(q.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Questions[0].Name, Class: dnsmessage.ClassINET}, Body: body})
		}
	}
	p, err := q.Pack()
	if err != nil {
		panic(err)
	}
	return p
}
