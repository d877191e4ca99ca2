package integration_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"reveille/integration/guest"
)

// The addresses of the two name servers, which are one named.
const nameFirst, nameSecond = "10.0.0.20", "10.0.0.21"

// loginNames are the servers by the names that the machine knows them by.
var loginNames = map[string]string{"ldap1.acme.private": ldapFirst, "ldap2.acme.private": ldapSecond}

// nameServer is named with the machine's zone and the root, of which it knows no
// other name: nothing that it is asked goes any further.
type nameServer struct {
	fabric *guest.Fabric
	dir    string
	on     *exec.Cmd
	said   bytes.Buffer // to be read when it is stopped
	broken bool         // its zones do not load, and every answer is SERVFAIL
}

const namedConf = `options {
	directory "%s"; managed-keys-directory "."; pid-file none; session-keyfile none;
	listen-on { ` + nameFirst + `; ` + nameSecond + `; }; listen-on-v6 { none; };
	recursion no; dnssec-validation no; notify no;
};
controls { };
zone "acme.private" { type primary; file "acme"; };
zone "." { type primary; file "root"; };
`

const zoneHead = "$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A " + nameFirst + "\n"

// startFabricNames runs named at both addresses of the fabric, and ends it with
// the test. What it printed is shown where the test failed.
func startFabricNames(t *testing.T, f *guest.Fabric) *nameServer {
	t.Helper()
	n, err := newNameServer(f, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.stop(); err != nil || t.Failed() {
			t.Logf("named: %v\n%s", err, n.said.Bytes())
		}
	})
	if err := n.serve(false); err != nil {
		t.Fatal(err)
	}
	return n
}

// newNameServer has the fabric's two addresses and named's files, in a folder
// of its own.
func newNameServer(f *guest.Fabric, dir string) (*nameServer, error) {
	n := &nameServer{fabric: f, dir: dir}
	// A copy: AppArmor lets the program in its own place read no folder of a test.
	program, err := os.ReadFile("/usr/sbin/named")
	if err != nil {
		return nil, fmt.Errorf("read named (Debian's bind9): %w", err)
	}
	return n, errors.Join(f.Add(nameFirst), f.Add(nameSecond), os.WriteFile(filepath.Join(dir, "named"), program, 0o755),
		os.WriteFile(filepath.Join(dir, "named.conf"), fmt.Appendf(nil, namedConf, dir), 0o644))
}

// serve has both name servers answer: with what the zones say or, where those
// have no SOA and named does not load them, with SERVFAIL.
func (n *nameServer) serve(broken bool) error {
	if n.on != nil && n.broken == broken {
		return nil
	}
	root, acme, want := zoneHead, zoneHead, dnsmessage.RCodeSuccess
	for name, address := range loginNames {
		acme += name + ". A " + address + "\n"
	}
	if broken {
		root, acme, want = "@ NS ns\n", "@ NS ns\n", dnsmessage.RCodeServerFailure
	}
	err := errors.Join(n.stop(),
		os.WriteFile(filepath.Join(n.dir, "root"), []byte(root), 0o644), os.WriteFile(filepath.Join(n.dir, "acme"), []byte(acme), 0o644))
	if err != nil {
		return err
	}
	n.broken = broken
	n.on = exec.Command("ip", "netns", "exec", filepath.Base(n.fabric.Namespace()), filepath.Join(n.dir, "named"), "-g", "-n", "1", "-c", filepath.Join(n.dir, "named.conf"))
	n.on.Stdout, n.on.Stderr = &n.said, &n.said
	if err := n.on.Start(); err != nil {
		n.on = nil
		return err
	}
	return errors.Join(n.answers(nameFirst, want), n.answers(nameSecond, want))
}

// answers waits until it does so at an address.
func (n *nameServer) answers(at string, want dnsmessage.RCode) error {
	return waited(20*time.Second, "named answers", func() error {
		got, err := n.ask(at, "ldap1.acme.private.")
		if err == nil && got != want {
			err = fmt.Errorf("it answers with %s, not %s", got, want)
		}
		return err
	})
}

// ask is how a name server answers a name.
func (n *nameServer) ask(at, name string) (dnsmessage.RCode, error) {
	question := dnsmessage.Message{Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}}
	packet, err := question.Pack()
	if err != nil {
		return 0, err
	}
	conn, err := n.fabric.Dial(context.Background(), "udp", net.JoinHostPort(at, "53"))
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return 0, err
	}
	if _, err := conn.Write(packet); err != nil {
		return 0, err
	}
	answer := make([]byte, 1500)
	size, err := conn.Read(answer)
	if err != nil {
		return 0, err
	}
	var m dnsmessage.Message
	err = m.Unpack(answer[:size])
	return m.RCode, err
}

// stall stops named in its tracks: the kernel goes on taking what it is sent.
// Or it lets it go on.
func (n *nameServer) stall(stall bool) error {
	if stall {
		return n.on.Process.Signal(syscall.SIGSTOP)
	}
	return n.on.Process.Signal(syscall.SIGCONT)
}

// stop ends named where it runs.
func (n *nameServer) stop() error {
	if n.on == nil {
		return nil
	}
	err := n.on.Process.Kill()
	_ = n.on.Wait() // killed, as it was asked to
	n.on = nil
	return err
}
