package daemon

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"reveille/bootstrap/host/hosttest"
)

// answersNames answers every query at an address, a name of the directory with
// 10.9.9.7, and counts them.
func answersNames(t *testing.T, m *hosttest.Machine, address string) *atomic.Int32 {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	ended := make(chan struct{})
	t.Cleanup(func() { pc.Close(); <-ended })
	m.Forward(address+":53", pc.LocalAddr().String())
	go func() {
		defer close(ended)
		buf := make([]byte, 512)
		for {
			n, from, err := pc.ReadFrom(buf)
			var q dnsmessage.Message
			if err != nil || q.Unpack(buf[:n]) != nil {
				return
			}
			asked.Add(1)
			q.Response = true
			if one := q.Questions[0]; one.Type == dnsmessage.TypeA && strings.HasPrefix(one.Name.String(), "ldap.") {
				q.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: one.Name, Class: one.Class}, Body: &dnsmessage.AResource{A: [4]byte{10, 9, 9, 7}}}}
			}
			packet, _ := q.Pack()
			_, _ = pc.WriteTo(packet, from)
		}
	}()
	return &asked
}

// answersLDAP is a directory that answers the first search of each connection
// with success, and counts them.
func answersLDAP(t *testing.T, m *hosttest.Machine, address string) *atomic.Int32 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	ended := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-ended })
	m.Forward(address+":389", l.Addr().String())
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			if _, err := c.Read(make([]byte, 512)); err == nil {
				_, _ = c.Write([]byte("\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\x00\x04\x00\x04\x00"))
				_, _ = c.Read(make([]byte, 512))
			}
			c.Close()
		}
	}()
	return &asked
}
