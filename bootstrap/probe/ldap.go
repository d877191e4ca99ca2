package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"

	"github.com/go-ldap/ldap/v3"

	"reveille/bootstrap/host"
)

// maxReply bounds what is read of a directory, in bytes: its root entry
// without attributes is a hundred.
const maxReply = 64 << 10

// Directory asks LDAP servers, "ldaps://host:636", for their root entry,
// anonymously. Any result is an answer, a refusal among them: the server is
// alive, and who may ask what is not looked into.
type Directory struct {
	Host     *host.Host
	Resolver *Resolver // nil: by the machine's own resolv.conf
	CAFile   string    // whose certificates a server's is checked by; "" checks none
}

// Ask is an Asker with one question, which needs no name.
func (d Directory) Ask(ctx context.Context, server string, tell func(int, error)) {
	tell(0, d.ask(ctx, server))
}

func (d Directory) ask(ctx context.Context, server string) error {
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" || u.Port() == "" {
		return fmt.Errorf("%q is no server to connect to", server)
	}
	conn, err := connect(ctx, d.Host, d.Resolver, u.Hostname(), u.Port())
	if err != nil {
		return plain(ctx, err)
	}
	defer conn.Close()
	// Whoever reads or writes it ends with the context.
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if u.Scheme == "ldaps" {
		err = d.searchTLS(ctx, conn, u.Hostname())
	} else {
		err = search(ctx, conn, false)
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (d Directory) searchTLS(ctx context.Context, conn net.Conn, name string) error {
	conf, err := d.tls(name)
	if err != nil {
		return err
	}
	secure := tls.Client(conn, conf)
	if err := secure.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("TLS: %w", err)
	}
	return search(ctx, secure, true)
}

// tls checks a certificate as OpenLDAP's library does, which takes the common
// name where there is no other: what the client would speak to must not be
// called dead.
func (d Directory) tls(name string) (*tls.Config, error) {
	conf := &tls.Config{ServerName: name, MinVersion: tls.VersionTLS10, InsecureSkipVerify: true}
	if d.CAFile == "" {
		return conf, nil
	}
	pem, err := d.Host.ReadFile(d.CAFile)
	if err != nil {
		return nil, fmt.Errorf("no certificate to check it by: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s to check it by", d.CAFile)
	}
	conf.VerifyConnection = func(s tls.ConnectionState) error { return verify(s, name, roots, d.CAFile) }
	return conf, nil
}

func verify(s tls.ConnectionState, name string, roots *x509.CertPool, file string) error {
	between := x509.NewCertPool()
	for _, c := range s.PeerCertificates[1:] {
		between.AddCert(c)
	}
	own := s.PeerCertificates[0]
	if _, err := own.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between}); err != nil {
		return fmt.Errorf("its certificate does not verify by %s: %w", file, err)
	}
	bare := len(own.DNSNames) == 0 && len(own.IPAddresses) == 0
	if bare && own.Subject.CommonName == name {
		return nil
	}
	if err := own.VerifyHostname(name); err != nil {
		return fmt.Errorf("its certificate is for another name: %w", err)
	}
	return nil
}

// search asks for the root entry and closes the connection.
func search(ctx context.Context, conn net.Conn, secure bool) error {
	c := ldap.NewConn(bounded{conn, &io.LimitedReader{R: conn, N: maxReply}}, secure)
	if end, ok := ctx.Deadline(); ok {
		// After the context has closed the connection; this bounds the library's own waits.
		c.SetTimeout(max(time.Until(end), 0) + time.Second)
	}
	c.Start()
	defer c.Close()
	_, err := c.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false,
		"(objectClass=*)", []string{"1.1"}, nil))
	var result *ldap.Error
	if errors.As(err, &result) && result.ResultCode < ldap.ErrorNetwork {
		return nil // its own word, whatever it is
	}
	if err != nil {
		return errors.New("what it answers is no LDAP, or it hung up")
	}
	return nil
}

// bounded is a connection of which so much is read, and no more.
type bounded struct {
	net.Conn
	r io.Reader
}

func (b bounded) Read(p []byte) (int, error) { return b.r.Read(p) }
