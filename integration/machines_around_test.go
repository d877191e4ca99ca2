package integration_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"reveille/integration/fakeimds"
	"reveille/integration/guest"
)

// metadata is a case's metadata service at its real address.
type metadata struct {
	instance fakeimds.Instance
	running  *fakeimds.Running
	dropped  bool
}

// plainInstance is the example with the one interface that machines have.
func plainInstance() fakeimds.Instance {
	i := fakeimds.Example()
	i.IPv6 = ""
	i.Interfaces = i.Interfaces[:1]
	i.Interfaces[0].MAC, i.Interfaces[0].IPv4, i.Interfaces[0].IPv6 = guest.MAC, []string{i.PrivateIP}, nil
	return i
}

func (m *metadata) stop() error {
	if m.running == nil {
		return nil
	}
	err := m.running.Close()
	m.running = nil
	return err
}

// wordIMDS starts, changes or ends the metadata service.
func wordIMDS(ts *testscript.TestScript, _ bool, args []string) {
	s := theStage(ts)
	m := &s.metadata
	switch {
	case len(args) > 0 && args[0] == "requests":
		s.requests(ts, strings.Join(args[1:], " "))
		return
	case len(args) > 0 && args[0] == "set":
		if m.running == nil {
			ts.Fatalf("imds set: it does not run")
		}
		instance, fault := imdsWords(ts, m.instance, args[1:])
		if m.instance = withAddress(instance); fault.Act != nil {
			m.running.Server.Inject(fault)
		}
		m.running.Server.Set(m.instance)
		return
	}
	ts.Check(m.stop())
	if m.dropped {
		ts.Check(s.fabric.Undrop(guest.Metadata))
		m.dropped = false
	}
	if len(args) == 1 && args[0] == "off" {
		return
	}
	v1 := slices.Contains(args, "v1")
	instance, fault := imdsWords(ts, plainInstance(), slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "v1" }))
	m.instance = withAddress(instance)
	switch fault.Name {
	case fakeimds.Refused: // as a fabric without it is
	case fakeimds.Dropped:
		ts.Check(s.fabric.Drop(guest.Metadata))
		m.dropped = true
	default:
		l, err := s.fabric.Listen("tcp", net.JoinHostPort(guest.Metadata, "80"))
		ts.Check(err)
		m.running = fakeimds.Serve(l, m.instance, fault)
		m.running.Server.AllowV1(v1)
	}
}

// withAddress lets the primary interface have the instance's own address.
func withAddress(i fakeimds.Instance) fakeimds.Instance {
	if len(i.Interfaces) > 0 && i.PrivateIP != "" {
		primary := i.Interfaces[0]
		primary.IPv4 = []string{i.PrivateIP}
		i.Interfaces = append([]fakeimds.Interface{primary}, i.Interfaces[1:]...)
	}
	return i
}

// requests tells what the service was asked, a line each, once it was asked
// what the pattern says.
func (s *stage) requests(ts *testscript.TestScript, pattern string) {
	if s.metadata.running == nil {
		ts.Fatalf("imds requests: it does not run")
	}
	want, err := regexp.Compile(pattern)
	ts.Check(err)
	late := time.After(s.scaled(untilWithin))
	for {
		var all strings.Builder
		for _, r := range s.metadata.running.Server.Requests() {
			fmt.Fprintf(&all, "%s %s %d\n", r.Method, r.Path, r.Status)
		}
		if want.MatchString(all.String()) {
			fmt.Fprint(ts.Stdout(), all.String())
			return
		}
		select {
		case <-time.After(20 * time.Millisecond): // what is waited for is the request
		case <-late:
			ts.Fatalf("imds requests: nobody has asked %q; it was asked\n%s", pattern, all.String())
		}
	}
}

// wordNet is the network's weather.
func wordNet(ts *testscript.TestScript, _ bool, args []string) {
	s := theStage(ts)
	value := strings.Join(args[min(1, len(args)):], " ")
	say := map[string]func() error{
		"cut": s.fabric.Cut, "join": s.fabric.Join, "hold": s.fabric.Hold, "release": s.fabric.Release,
		"drop":     func() error { return s.fabric.Drop(value) },
		"undrop":   func() error { return s.fabric.Undrop(value) },
		"reject":   func() error { return s.fabric.Reject(value) },
		"servfail": func() error { return s.servfail(value) },
		"add":      func() error { return s.fabric.Add(value) },
		"rate":     func() error { return s.fabric.Rate(value) },
		"name": func() error {
			name, address, _ := strings.Cut(value, " ")
			return s.fabric.Name(name, address)
		},
		"lossy": func() error {
			percent, err := strconv.Atoi(value)
			return errors.Join(err, s.fabric.Lossy(percent))
		},
		"address": func() error {
			s.address = value
			return s.fabric.Address(value)
		},
	}
	if len(args) == 0 || say[args[0]] == nil {
		ts.Fatalf("net: unknown word %q; see machines/README.md", strings.Join(args, " "))
	}
	ts.Check(say[args[0]]())
}

// servfail has named say so to all that an address is asked.
func (s *stage) servfail(address string) error {
	if s.names == nil {
		dir, err := os.MkdirTemp("", "reveille-named-")
		if err != nil {
			return err
		}
		if s.names, err = newNameServer(s.fabric, dir); err != nil {
			return errors.Join(err, os.RemoveAll(dir))
		}
	}
	return errors.Join(s.names.serve(true), s.fabric.Divert(address, nameFirst))
}

// wordGuestCoordinator runs one inside the machine, at its loopback: the agent
// speaks plain HTTP to nobody else.
func wordGuestCoordinator(ts *testscript.TestScript, _ bool, _ []string) {
	wordOn(ts, false, []string{"systemd-run", "--quiet", "--unit=coordinator", "reveille-coordinator", "serve", "--store", "bolt:/var/lib/coordinator"})
	wordUntil(ts, false, []string{"curl", "-sfo", "/dev/null", "http://127.0.0.1:8650/healthz"})
}
