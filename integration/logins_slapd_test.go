package integration_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"maps"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"reveille/integration/guest"
)

// The addresses of the two directory servers, which are one slapd.
const ldapFirst, ldapSecond = "10.0.0.10", "10.0.0.11"

// loginPeople is the directory's content: one person and the groups that she is
// in, and one whose home is on a file server.
const loginPeople = `dn: dc=acme,dc=private
objectClass: dcObject
objectClass: organization
dc: acme
o: acme

dn: uid=carol,dc=acme,dc=private
objectClass: account
objectClass: posixAccount
objectClass: shadowAccount
uid: carol
cn: Carol
uidNumber: 5001
gidNumber: 5000
homeDirectory: /home/carol
loginShell: /bin/sh

dn: uid=dora,dc=acme,dc=private
objectClass: account
objectClass: posixAccount
objectClass: shadowAccount
uid: dora
cn: Dora
uidNumber: 5003
gidNumber: 5000
homeDirectory: /nfs/home/dora
loginShell: /bin/sh

dn: cn=people,dc=acme,dc=private
objectClass: posixGroup
cn: people
gidNumber: 5000

dn: cn=oncall,dc=acme,dc=private
objectClass: posixGroup
cn: oncall
gidNumber: 5002
memberUid: carol
`

// startFabricDirectory runs slapd at both addresses of the fabric, in plain and
// in TLS, and returns its process and the certificate to trust.
func startFabricDirectory(t *testing.T, f *guest.Fabric) (*os.Process, []byte) {
	t.Helper()
	dir := t.TempDir()
	certificate, key := loginCertificate(t)
	text := "modulepath /usr/lib/ldap\nmoduleload back_mdb\n"
	for _, schema := range []string{"core", "cosine", "nis"} {
		text += "include /etc/ldap/schema/" + schema + ".schema\n"
	}
	text += "TLSCertificateFile " + dir + "/cert.pem\nTLSCertificateKeyFile " + dir + "/key.pem\n" +
		"database mdb\nmaxsize 16777216\nsuffix " + ldapSuffix + "\ndirectory " + dir + "\n"
	for name, data := range map[string][]byte{"slapd.conf": []byte(text), "cert.pem": certificate, "key.pem": key, "people.ldif": []byte(loginPeople)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("slapadd", "-f", dir+"/slapd.conf", "-l", dir+"/people.ldif").CombinedOutput(); err != nil {
		t.Fatalf("fill the directory: %v\n%s", err, out)
	}
	urls := ""
	for _, a := range []string{ldapFirst, ldapSecond} {
		if err := f.Add(a); err != nil {
			t.Fatal(err)
		}
		urls += "ldap://" + a + "/ ldaps://" + a + "/ "
	}
	cmd := exec.Command("ip", "netns", "exec", filepath.Base(f.Namespace()), "slapd", "-f", dir+"/slapd.conf", "-h", urls, "-d", "0")
	runReal(t, cmd)
	waitFor(t, 20*time.Second, "slapd answers", func() error {
		conn, err := f.Dial(t.Context(), "tcp", net.JoinHostPort(ldapSecond, "636"))
		if err == nil {
			err = conn.Close()
		}
		return err
	})
	return cmd.Process, certificate
}

// loginCertificate is one for both names that vouches for itself.
func loginCertificate(t *testing.T) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ldap1.acme.private"}, DNSNames: slices.Collect(maps.Keys(loginNames)),
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	b, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b})
}
