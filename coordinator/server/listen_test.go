package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"reveille/coordinator/server"
	"reveille/coordinator/store"
)

func TestListen(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "127.1.2.3:0", "localhost:0", "[::1]:0"} {
		l, err := server.Listen(t.Context(), address)
		if err != nil {
			if strings.HasPrefix(address, "[::1]") && !errors.Is(err, server.ErrAddress) {
				t.Logf("this machine has no IPv6 loopback: %v", err)
				continue
			}
			t.Errorf("Listen(%q): %v", address, err)
			continue
		}
		if !l.Addr().(*net.TCPAddr).IP.IsLoopback() {
			t.Errorf("Listen(%q) is on %v", address, l.Addr())
		}
		l.Close()
	}
}

func TestListenRefuses(t *testing.T) {
	for address, want := range map[string]string{
		"0.0.0.0:0":         "0.0.0.0 is not a loopback address",
		"[::]:0":            ":: is not a loopback address",
		":8650":             "means every address",
		"10.0.0.4:8650":     "10.0.0.4 is not a loopback address",
		"[fd00:ec2::254]:1": "not a loopback address",
		"169.254.169.254:1": "not a loopback address",
		"127.0.0.1":         "want HOST:PORT",
		"127.0.0.1:http":    `port "http"`,
		"127.0.0.1:70000":   `port "70000"`,
		"no.invalid:1":      "look up no.invalid",
		"":                  "want HOST:PORT",
	} {
		l, err := server.Listen(t.Context(), address)
		if err == nil {
			l.Close()
		}
		if !errors.Is(err, server.ErrAddress) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), fmt.Sprintf("%q", address)) {
			t.Errorf("Listen(%q): %v, want ErrAddress with %q", address, err, want)
		}
	}
}

func TestListenTakenPort(t *testing.T) {
	first, err := server.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	_, err = server.Listen(t.Context(), first.Addr().String())
	if err == nil || errors.Is(err, server.ErrAddress) || !strings.Contains(err.Error(), first.Addr().String()) {
		t.Errorf("a port in use: %v, want an error that names it and is none of usage", err)
	}
}

// Stopping waits neither for idle connections nor for one that sends its
// report a byte a minute, and what was under way in time is answered.
func TestServeStops(t *testing.T) {
	st, err := store.OpenBolt(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	l, err := server.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.New(server.Options{Store: st}).Serve(ctx, l) }()

	slow, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	fmt.Fprintf(slow, "PUT /v1/instances/i-1/report HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n")
	// "100 Continue" comes when the handler reads, so it is under way.
	if line, err := bufio.NewReader(slow).ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("%q %v", line, err)
	}
	c := &http.Client{}
	res, err := c.Get("http://" + l.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	res.Body.Close() // the connection stays, idle
	defer c.CloseIdleConnections()

	stop()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("Serve: %v", err)
		}
	case <-time.After(10 * time.Second): // below the 15 s after which a slow body ends by itself
		t.Fatal("Serve has not ended")
	}
	if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
		c.Close()
		t.Error("it still takes connections")
	}
}
