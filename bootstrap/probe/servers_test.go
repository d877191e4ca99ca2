package probe

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"

	"reveille/bootstrap/host/hosttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// nameServer puts a name server at an address of the machine. What it makes of
// a query is the test's: no packets are silence.
func nameServer(t *testing.T, m *hosttest.Machine, address string, answer func(query dnsmessage.Message) [][]byte) {
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

// replies makes the packet of a query's reply.
func replies(q dnsmessage.Message, code dnsmessage.RCode, addresses ...string) []byte {
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

func always(code dnsmessage.RCode) func(dnsmessage.Message) [][]byte {
	return func(q dnsmessage.Message) [][]byte { return [][]byte{replies(q, code)} }
}

func silent(dnsmessage.Message) [][]byte { return nil }

// loses the first packets, as a network does.
func loses(n int32, answer func(dnsmessage.Message) [][]byte) func(dnsmessage.Message) [][]byte {
	var seen atomic.Int32
	return func(q dnsmessage.Message) [][]byte {
		if seen.Add(1) <= n {
			return nil
		}
		return answer(q)
	}
}

// ldapServer puts a server at an address of the machine, which does with each
// connection what the test says.
func ldapServer(t *testing.T, m *hosttest.Machine, address string, serve func(net.Conn)) {
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

// result answers a search with a result code, as slapd does; 0 with an entry
// before it.
func result(code int64) func(net.Conn) {
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

func says(text string) func(net.Conn) {
	return func(c net.Conn) { _, _ = c.Write([]byte(text)); _, _ = bufio.NewReader(c).ReadString(0) }
}

// holds the connection and says nothing until the client goes.
func holds(c net.Conn) {
	for buf := make([]byte, 512); ; {
		if _, err := c.Read(buf); err != nil {
			return
		}
	}
}

func secured(cert tls.Certificate, serve func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
		_ = s.SetDeadline(time.Now().Add(time.Minute))
		if s.Handshake() == nil {
			serve(s)
		}
	}
}

// authority signs certificates; its own is in PEM.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ours"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return authority{c, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

func (a authority) sign(t *testing.T, c x509.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber, c.NotBefore = big.NewInt(2), time.Now().Add(-time.Hour)
	if c.NotAfter.IsZero() {
		c.NotAfter = time.Now().Add(time.Hour)
	}
	der, err := x509.CreateCertificate(rand.Reader, &c, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
