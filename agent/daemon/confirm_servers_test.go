package daemon

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/probe/probetest"
)

// answersNames answers every query at an address, a name of the directory with
// 10.9.9.7, and counts them.
func answersNames(t *testing.T, m *hosttest.Machine, address string) *atomic.Int32 {
	t.Helper()
	var asked atomic.Int32
	probetest.NameServer(t, m, address, func(q dnsmessage.Message) [][]byte {
		asked.Add(1)
		if strings.HasPrefix(q.Questions[0].Name.String(), "ldap.") {
			return [][]byte{probetest.Reply(q, dnsmessage.RCodeSuccess, "10.9.9.7")}
		}
		return [][]byte{probetest.Reply(q, dnsmessage.RCodeSuccess)}
	})
	return &asked
}

// answersNamesAfter answers every query at an address, once the channel is closed.
func answersNamesAfter(t *testing.T, m *hosttest.Machine, address string, after <-chan struct{}) {
	t.Helper()
	ctx := t.Context()
	probetest.NameServer(t, m, address, func(q dnsmessage.Message) [][]byte {
		select {
		case <-after:
			return [][]byte{probetest.Reply(q, dnsmessage.RCodeSuccess)}
		case <-ctx.Done():
			return nil
		}
	})
}

// answersLDAP is a directory that answers the first search of each connection
// with success, and counts them.
func answersLDAP(t *testing.T, m *hosttest.Machine, address string) *atomic.Int32 {
	t.Helper()
	var asked atomic.Int32
	answer := probetest.Result(0)
	probetest.Directory(t, m, address+":389", func(c net.Conn) {
		asked.Add(1)
		answer(c)
	})
	return &asked
}
