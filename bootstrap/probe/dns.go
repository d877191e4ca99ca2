package probe

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"reveille/bootstrap/host"
)

// again is after how long a name server that is silent is asked once more: one
// packet that got lost is no server that is dead.
const again = 300 * time.Millisecond

// maxPacket is the longest answer that fits into a query without extensions.
const maxPacket = 512

// Names asks name servers for names. NOERROR and NXDOMAIN are answers: the
// server knows, or knows that there is none. SERVFAIL and REFUSED are none, as
// glibc goes on to the next server at either, and with no other the name is not
// found.
func Names(h *host.Host, names []string) Asker {
	return func(ctx context.Context, server string, tell func(int, error)) {
		var qs []dnsmessage.Question
		for _, n := range names {
			q := dnsmessage.Question{Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}
			if n == "." {
				q.Type = dnsmessage.TypeNS
			}
			var err error
			if q.Name, err = dnsmessage.NewName(strings.TrimSuffix(n, ".") + "."); err != nil {
				for i := range names {
					tell(i, fmt.Errorf("the name %q cannot be asked for: %w", n, err))
				}
				return
			}
			qs = append(qs, q)
		}
		exchange(ctx, h, server, qs, func(i int, r reply) { tell(i, r.err) })
	}
}

// reply is what came of one question: an error, or the addresses in it.
type reply struct {
	err       error
	addresses []netip.Addr
}

// exchange asks one server all questions at once, by one socket, and tells of
// each once what came of it. Whatever is no reply to one of them is passed
// over: anybody may send to a socket.
func exchange(ctx context.Context, h *host.Host, server string, qs []dnsmessage.Question, tell func(int, reply)) {
	open := map[int]bool{}
	for i := range qs {
		open[i] = true
	}
	fail := func(err error) {
		for i := range qs {
			if open[i] {
				tell(i, reply{err: err})
			}
		}
	}
	conn, err := h.Dial(ctx, "udp", net.JoinHostPort(server, "53"))
	if err != nil {
		fail(plain(ctx, err))
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()

	first := uint16(rand.Uint32())
	garbled := false
	buf := make([]byte, maxPacket+1)
	var due time.Time
	for len(open) > 0 {
		if !time.Now().Before(due) {
			due = time.Now().Add(again)
			if err := send(conn, qs, open, first, due); err != nil {
				fail(plain(ctx, err))
				return
			}
		}
		n, err := conn.Read(buf)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil:
			continue // asked again
		case err != nil && ctx.Err() != nil && garbled:
			fail(errors.New("what it answers is no DNS"))
			return
		case err != nil:
			fail(plain(ctx, err))
			return
		}
		i, r, ok := parseReply(buf[:n], qs, first)
		if garbled = garbled || !ok; !ok || !open[i] {
			continue
		}
		delete(open, i)
		tell(i, r)
	}
}

// send asks those that are open, and has the next read end when they are due
// again.
func send(conn net.Conn, qs []dnsmessage.Question, open map[int]bool, first uint16, due time.Time) error {
	for i, q := range qs {
		if !open[i] {
			continue
		}
		m := dnsmessage.Message{
			Header:    dnsmessage.Header{ID: first + uint16(i), RecursionDesired: true},
			Questions: []dnsmessage.Question{q},
		}
		packet, err := m.Pack()
		if err == nil {
			_, err = conn.Write(packet)
		}
		if err != nil {
			return fmt.Errorf("ask for %s: %w", q.Name, err)
		}
	}
	return conn.SetReadDeadline(due)
}

// parseReply finds the question that a packet answers. An answer that was cut
// off to fit is one all the same.
func parseReply(packet []byte, qs []dnsmessage.Question, first uint16) (i int, r reply, ok bool) {
	var p dnsmessage.Parser
	head, err := p.Start(packet)
	if err != nil || !head.Response {
		return 0, reply{}, false
	}
	asked, err := p.Question()
	if i = int(head.ID - first); err != nil || i >= len(qs) {
		return 0, reply{}, false
	}
	if q := qs[i]; asked.Type != q.Type || asked.Class != q.Class || !strings.EqualFold(asked.Name.String(), q.Name.String()) {
		return 0, reply{}, false
	}
	if c := head.RCode; c != dnsmessage.RCodeSuccess && c != dnsmessage.RCodeNameError {
		return i, reply{err: fmt.Errorf("it answers %s", rcode(c))}, true
	}
	if p.SkipAllQuestions() == nil {
		r.addresses = addresses(&p)
	}
	return i, r, true
}

// addresses is as many as can be read.
func addresses(p *dnsmessage.Parser) []netip.Addr {
	var all []netip.Addr
	for {
		rr, err := p.Answer()
		if err != nil {
			return all
		}
		switch b := rr.Body.(type) {
		case *dnsmessage.AResource:
			all = append(all, netip.AddrFrom4(b.A))
		case *dnsmessage.AAAAResource:
			all = append(all, netip.AddrFrom16(b.AAAA))
		}
	}
}

func rcode(c dnsmessage.RCode) string {
	names := map[dnsmessage.RCode]string{
		dnsmessage.RCodeFormatError: "FORMERR", dnsmessage.RCodeServerFailure: "SERVFAIL",
		dnsmessage.RCodeNotImplemented: "NOTIMP", dnsmessage.RCodeRefused: "REFUSED",
	}
	if n, ok := names[c]; ok {
		return n
	}
	return fmt.Sprintf("with code %d", c)
}

// plain is an error without the addresses that the reader knows already, and
// the context's own where that ended it.
func plain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var number syscall.Errno
	if errors.As(err, &number) {
		return number
	}
	return err
}
