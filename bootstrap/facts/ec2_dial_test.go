package facts

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"

	"reveille/integration/fakeec2"
	"reveille/integration/fakeimds"
)

// nameServer answers for every name with an address, or with an error, or never.
func nameServer(t *testing.T, code dnsmessage.RCode, address string) (at string, asked *atomic.Int32) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { pc.Close(); <-ended })
	asked = &atomic.Int32{}
	go func() {
		defer close(ended)
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			asked.Add(1)
			var q dnsmessage.Message
			if address == "silence" || q.Unpack(buf[:n]) != nil {
				continue
			}
			_, _ = pc.WriteTo(reply(q, code, address), from)
		}
	}()
	return pc.LocalAddr().String(), asked
}

func reply(q dnsmessage.Message, code dnsmessage.RCode, address string) []byte {
	q.Response, q.RCode, q.Additionals = true, code, nil
	if ip := net.ParseIP(address).To4(); ip != nil && q.Questions[0].Type == dnsmessage.TypeA {
		q.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Questions[0].Name, Class: dnsmessage.ClassINET},
			Body:   &dnsmessage.AResource{A: [4]byte(ip)},
		}}
	}
	p, err := q.Pack()
	if err != nil {
		panic(err)
	}
	return p
}

// A machine whose own name servers are dead, or know private names alone, still
// finds EC2, and is told by TLS that it is EC2.
func TestEC2IsFoundWithoutTheMachinesNameServers(t *testing.T) {
	const name = "ec2.us-east-1.amazonaws.com"
	e := fakeimds.Example()
	var s fakeec2.Server
	s.Trust(e.Region, e.Credentials.AccessKeyID, e.Credentials.SecretAccessKey, e.Credentials.Token, clock)
	s.Set(fakeec2.Volume{ID: "vol-0a", Instance: exampleID, Device: "sdf", Created: noon})
	srv := httptest.NewUnstartedServer(&s)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // it says who hung up on its certificate
	srv.StartTLS()
	defer srv.Close()
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	for label, c := range map[string]struct {
		code  dnsmessage.RCode
		says  string // of the machine's server
		own   bool
		vpc   string // what the VPC's says
		cert  string // whose certificate is wanted; it is example.com's
		found Reason // "": it is
	}{
		"they tell":                 {0, "127.0.0.1", true, "192.0.2.1", "example.com", ""},
		"they are silent":           {0, "silence", true, "127.0.0.1", "example.com", ""},
		"they know no such name":    {dnsmessage.RCodeNameError, "", true, "127.0.0.1", "example.com", ""},
		"nobody tells":              {0, "silence", true, "silence", "example.com", NoName},
		"a name that a person gave": {dnsmessage.RCodeNameError, "", false, "127.0.0.1", "example.com", NoName},
		"somebody else answers":     {0, "127.0.0.1", true, "127.0.0.1", name, Malformed},
	} {
		machine, _ := nameServer(t, c.code, c.says)
		vpc, vpcAsked := nameServer(t, 0, c.vpc)
		d := ec2Defaults()
		d.tuning.attempts, d.tls = 1, &tls.Config{RootCAs: roots, ServerName: c.cert}
		d.names = namesAt(vpc, time.Second)
		d.names.machine = resolver(machine)
		if c.says == "silence" {
			d.names.within = 100 * time.Millisecond
		}
		o := Options{Now: clock, api: &d}
		who := role{e.Role, aws.Credentials{AccessKeyID: e.Credentials.AccessKeyID, SecretAccessKey: e.Credentials.SecretAccessKey, SessionToken: e.Credentials.Token}}
		ec2 := newEC2("https://"+name+":"+port, e.Region, c.own, who, o)
		all, err := ec2.describeVolumes(t.Context(), exampleID)
		ec2.web.CloseIdleConnections()
		var got Reason
		if err != nil {
			got, _ = ec2Reason(err)
		}
		if d := cmp.Diff(c.found, got); d != "" || (len(all) == 1) != (c.found == "") {
			t.Errorf("%s: %d volumes, %v (-want +got):\n%s", label, len(all), err, d)
		}
		if wrong := vpcAsked.Load() > 0 && (!c.own || c.says == "127.0.0.1"); wrong {
			t.Errorf("%s: the VPC's name server was asked", label)
		}
	}
}
