package resource

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/plan"
)

// ready asks once, as a pass that may change something does.
func ready(t *testing.T, m *hosttest.Machine, r Ready) error {
	t.Helper()
	m.Forget()
	changes, err := r.Check(plan.WithAllowed(context.Background(), plan.Safe), m.Host())
	if len(changes) > 0 {
		t.Errorf("%s wants to change something: %+v", r.ID(), changes)
	}
	return err
}

func waits(t *testing.T, err error, words string) {
	t.Helper()
	var wait *plan.NotYet
	if !errors.As(err, &wait) || wait.Facts || !strings.Contains(err.Error(), words) {
		t.Errorf("%v, want a wait with %q", err, words)
	}
}

func is(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("not ready: %v", err)
	}
}

func TestReadyTCP(t *testing.T) {
	m := hosttest.New(t, nil)
	r := Ready{TCP: "10.0.0.9:3306"}
	waits(t, ready(t, m, r), "connections to 10.0.0.9:3306 (connect to 10.0.0.9:3306: connection refused)")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	m.Forward("10.0.0.9:3306", l.Addr().String())
	is(t, ready(t, m, r))
}

func TestReadyHTTP(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	answer := http.StatusServiceUnavailable
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		asked++
		if answer == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(answer)
		_, _ = w.Write(make([]byte, 1<<20)) // more than anyone should read
	}))
	defer srv.Close()
	m := hosttest.New(t, nil)
	r := Ready{HTTP: "http://10.0.0.9:8080/health"}
	waits(t, ready(t, m, r), "connection refused")
	m.Forward("10.0.0.9:8080", srv.Listener.Addr().String())
	waits(t, ready(t, m, r), "2xx of http://10.0.0.9:8080/health, which answers 503")
	answer = http.StatusFound
	waits(t, ready(t, m, r), "answers 302")
	answer = http.StatusAccepted
	is(t, ready(t, m, r))
	if asked != 3 {
		t.Errorf("asked %d times in three tries", asked)
	}
}

func TestReadyUnitAndFile(t *testing.T) {
	m := hosttest.New(t, nil)
	r := Ready{Unit: mysql}
	for _, state := range []string{"absent", "inactive", "activating", "failed"} {
		m.SetUnit(mysql, state)
		waits(t, ready(t, m, r), "unit mysql.service, which is "+state)
	}
	m.SetUnit(mysql, "active")
	is(t, ready(t, m, r))

	f := Ready{File: "/run/mysqld/mysqld.sock"}
	waits(t, ready(t, m, f), "file /run/mysqld/mysqld.sock")
	m.Put("/run/mysqld/mysqld.sock", "", 0o600)
	is(t, ready(t, m, f))
}

func TestReadyCommand(t *testing.T) {
	const program = "/usr/local/bin/check"
	m := hosttest.New(t, nil)
	m.Put(program, "", 0o755)
	r := Ready{Command: []string{program, "--lag", "10"}}
	m.Command(r.Command, host.Output{Code: 1}, &host.ExitError{Argv: r.Command, Output: host.Output{Code: 1, Stderr: []byte("lag is 99")}})
	m.Command(r.Command, host.Output{}, nil)
	if _, err := r.Check(context.Background(), m.Host()); len(m.Effects()) > 0 {
		t.Errorf("a dry run has run it: %v, %v", m.Effects(), err)
	} else {
		waits(t, err, "a pass that may run "+program)
	}
	waits(t, ready(t, m, r), "exit code 1: lag is 99")
	is(t, ready(t, m, r))
	if want := []string{"run:" + strings.Join(r.Command, " ")}; !slices.Equal(m.Effects(), want) {
		t.Errorf("%v, want %v", m.Effects(), want)
	}
	m.Put(program, "", 0o777)
	var wait *plan.NotYet
	if err := ready(t, m, r); err == nil || errors.As(err, &wait) || len(m.Effects()) > 0 {
		t.Errorf("a program that anybody may write is run: %v, %v", err, m.Effects())
	}
}

// No check has anything to say of a machine that lies in a folder.
func TestReadyUnderAnotherRoot(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/a": "x"})
	for _, r := range []Ready{{TCP: "a:1"}, {HTTP: "http://a"}, {Unit: mysql}, {File: "/a"}, {Command: []string{"/a"}}} {
		if _, err := r.Check(context.Background(), m.Offline()); !errors.Is(err, host.ErrOffline) || !r.Live() {
			t.Errorf("%s: %v, want ErrOffline", r.ID(), err)
		}
	}
}
