package fakeimds

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// The faults that are the network's: no server answers at all.
const (
	Refused = "refused"
	Dropped = "syn-dropped"
)

// Running is an open service. Close it.
type Running struct {
	URL    string  // "http://127.0.0.1:34567"
	Server *Server // nil where the fault is the network's
	close  func() error
}

// Close ends the service and what still waits for it.
func (r *Running) Close() error { return r.close() }

// Open listens on an address, "127.0.0.1:0" or "[::1]:0", and serves the
// instance with a fault. Only IPv4 loopback addresses can imitate Refused
// and Dropped.
func Open(addr string, i Instance, f Fault) (*Running, error) {
	if f.Name == Refused || f.Name == Dropped {
		return openDead(addr, f.Name == Dropped)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("open the metadata service: %w", err)
	}
	return Serve(l, i, f), nil
}

// Serve is Open on a listener that is there already, inside a network of its
// own for example. The network's own faults are not for it.
func Serve(l net.Listener, i Instance, f Fault) *Running {
	s := New(i)
	if f.Act != nil {
		s.Inject(f)
	}
	srv := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	return &Running{URL: "http://" + l.Addr().String(), Server: s, close: func() error {
		s.Close()
		err := srv.Close()
		if e := <-ended; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
		return err
	}}
}

// openDead holds a port that answers nothing. A bound socket that does not
// listen refuses; one whose queue of one is full drops every further SYN.
func openDead(addr string, drop bool) (*Running, error) {
	a, err := net.ResolveTCPAddr("tcp4", addr)
	if err != nil {
		return nil, fmt.Errorf("open a dead port: %w", err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open a dead port: socket: %w", err)
	}
	sa := &unix.SockaddrInet4{Port: a.Port}
	copy(sa.Addr[:], a.IP.To4())
	if err := unix.Bind(fd, sa); err != nil {
		return nil, errors.Join(fmt.Errorf("open a dead port: bind %s: %w", addr, err), unix.Close(fd))
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open a dead port: its number: %w", err), unix.Close(fd))
	}
	where := net.JoinHostPort(a.IP.String(), strconv.Itoa(bound.(*unix.SockaddrInet4).Port))
	r := &Running{URL: "http://" + where, close: func() error { return unix.Close(fd) }}
	if !drop {
		return r, nil
	}
	if err := unix.Listen(fd, 0); err != nil {
		return nil, errors.Join(fmt.Errorf("open a dead port: listen: %w", err), unix.Close(fd))
	}
	filler, err := fill(where)
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	r.close = func() error { return errors.Join(filler.Close(), unix.Close(fd)) }
	return r, nil
}

// fill takes the one place in the queue of a listener that never accepts.
func fill(where string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "tcp4", where)
	if err != nil {
		return nil, fmt.Errorf("fill the queue of a dead port: %w", err)
	}
	return c, nil
}
