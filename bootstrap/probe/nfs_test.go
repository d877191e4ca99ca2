package probe

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/probe/probetest"
)

func TestFileServersThatAnswer(t *testing.T) {
	const server = "10.0.0.9:2049"
	tests := map[string]struct {
		serve  func(net.Conn) // nil: the port is closed
		within time.Duration
		want   string // of the error; "" it answers
	}{
		"does nothing":         {serve: probetest.Replies(1, 0, 0, 0, 0)},
		"has no such version":  {serve: probetest.Replies(1, 0, 0, 0, 2, 3, 3)},
		"refuses":              {serve: probetest.Replies(1, 1, 1, 5)},
		"closed":               {want: "connection refused"},
		"holds":                {serve: holds, within: soon, want: "context deadline exceeded"},
		"hangs up":             {serve: func(net.Conn) {}, want: "no NFS, or it hung up"},
		"is another server":    {serve: says("220 smtp.acme.private ESMTP\r\n"), want: "no NFS, or it hung up"},
		"calls back":           {serve: probetest.Replies(0, 0, 0, 0, 0), want: "no NFS, or it hung up"},
		"answers another call": {serve: says("\x80\x00\x00\x18\x00\x00\x00\x00\x00\x00\x00\x01" + strings.Repeat("\x00", 16)), want: "no NFS, or it hung up"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := hosttest.New(t, nil)
			if tt.serve != nil {
				probetest.Directory(t, m, server, tt.serve)
			}
			if tt.within == 0 {
				tt.within = long
			}
			ctx, cancel := context.WithTimeout(t.Context(), tt.within)
			defer cancel()
			err := FileServer{Host: m.Host()}.ask(ctx, server)
			if said := fmt.Sprint(err); tt.want == "" && err != nil || !strings.Contains(said, tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// A file server's name is found by the name servers that are given, and one that
// is not is said to be so.
func TestFileServersByName(t *testing.T) {
	m := hosttest.New(t, nil)
	probetest.NameServer(t, m, fresh, func(q dnsmessage.Message) [][]byte {
		return [][]byte{probetest.Reply(q, dnsmessage.RCodeSuccess, "10.0.0.9")}
	})
	probetest.NameServer(t, m, old, always(dnsmessage.RCodeServerFailure))
	probetest.Directory(t, m, "10.0.0.9:2049", probetest.Replies(1, 0, 0, 0, 0))
	f := FileServer{m.Host(), &Resolver{Host: m.Host(), Servers: []string{fresh}}}
	if err := f.ask(t.Context(), "nas.acme.private:2049"); err != nil {
		t.Error(err)
	}
	f.Resolver.Servers = []string{old}
	if err := f.ask(t.Context(), "nas.acme.private:2049"); err == nil || err.Error() != "its name is not found: it answers SERVFAIL" {
		t.Errorf("its name is not known: %v", err)
	}
	if err := f.ask(t.Context(), "nas.acme.private"); err == nil || !strings.Contains(err.Error(), "is no server") {
		t.Errorf("no port: %v", err)
	}
}
