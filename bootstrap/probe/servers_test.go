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
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"

	"reveille/bootstrap/probe/probetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func always(code dnsmessage.RCode) func(dnsmessage.Message) [][]byte {
	return func(q dnsmessage.Message) [][]byte { return [][]byte{probetest.Reply(q, code)} }
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
