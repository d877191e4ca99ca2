package integration_test

import (
	"net"
	"strconv"

	"golang.org/x/net/dns/dnsmessage"

	"reveille/integration/guest"
)

// serveFailure answers every question with SERVFAIL, for the name servers that
// are diverted to it.
func (l *loginLab) serveFailure() {
	l.t.Helper()
	conn, err := l.fabric.ListenPacket("udp", net.JoinHostPort(guest.Resolver, strconv.Itoa(guest.Diverted)))
	l.must(err)
	second, err := l.fabric.ListenPacket("udp", net.JoinHostPort(guest.SecondResolver, strconv.Itoa(guest.Diverted)))
	l.must(err)
	for _, c := range []net.PacketConn{conn, second} {
		ended := make(chan struct{})
		l.t.Cleanup(func() { l.end(c.Close()); <-ended })
		go func() {
			defer close(ended)
			answerFailure(c)
		}()
	}
}

// answerFailure ends with its socket.
func answerFailure(c net.PacketConn) {
	buf := make([]byte, 1500)
	for {
		n, from, err := c.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:n]) != nil {
			continue
		}
		m.Response, m.RCode, m.Additionals = true, dnsmessage.RCodeServerFailure, nil
		if packet, err := m.Pack(); err == nil {
			_, _ = c.WriteTo(packet, from) // who asked asks again
		}
	}
}
