package daemon

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"reveille/agent"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/integration/fakeimds"
	"reveille/roles"
)

// live is a daemon that asks a metadata service of its own, as fast as it can.
func live(t *testing.T) (d Daemon, forget func()) {
	t.Helper()
	imds, err := fakeimds.Open("127.0.0.1:0", fakeimds.Example(), fakeimds.Fault{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = imds.Close() })
	m := machine(t, fakeimds.Example().ID)
	d = Daemon{
		Config: agent.Config{Host: m.Host(), RoleDirs: []string{"testdata/roles"}, Facts: facts.Options{Endpoint: imds.URL, Ours: roles.KnownKey}},
		Times:  Times{Every: time.Nanosecond, Apart: time.Nanosecond, Debounce: time.Nanosecond},
	}
	return d, func() { m.Forget(); imds.Server.Forget() }
}

// A thousand passes leave nothing behind: no goroutine, no descriptor, no heap.
func TestAThousandPassesLeaveNothingBehind(t *testing.T) {
	passes := int64(1000)
	if testing.Short() {
		passes = 100
	}
	d, forget := live(t)
	leaks := goleak.IgnoreCurrent()
	ctx, cancel := context.WithCancel(t.Context())
	var n atomic.Int64
	at, done := make(chan struct{}), make(chan struct{})
	d.Notify = func(state string) error {
		if strings.Contains(state, " pass of ") {
			switch n.Add(1) {
			case passes / 10:
				close(at)
			case passes:
				close(done)
			}
		}
		return nil
	}
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	await(t, at)
	forget() // what the machine and IMDS have noted is the test's own
	files, heap := descriptors(t), inUse()
	await(t, done)
	forget()
	// A pass is always under way: its connections are a few, whichever pass it is.
	if now := descriptors(t); now > files+40 {
		t.Errorf("%d descriptors after %d passes, %d after a tenth of them", now, passes, files)
	}
	if now := inUse(); now > heap+4<<20 {
		t.Errorf("%d KiB of heap after %d passes, %d after a tenth of them", now>>10, passes, heap>>10)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, leaks)
}

func await(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(15 * time.Minute): // on a computer that has little time for them they are minutes
		t.Fatal("the passes do not come")
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// The real words on the real kind of socket: READY once, and STATUS for people.
func TestSystemdIsToldOnItsSocket(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	d, _ := live(t)
	d.Notify, d.Times = host.Notify, Times{}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	said := heardOn(t, conn, " pass of ")
	if !strings.Contains(said, "READY=1\n") || !strings.Contains(said, "STATUS=ready: dev-mysql01 (mysql), boot pass of") {
		t.Errorf("systemd was told:\n%s", said)
	}
	cancel()
	if said := heardOn(t, conn, "STOPPING=1"); strings.Contains(said, "READY=1\n") {
		t.Errorf("systemd was told again:\n%s", said)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// heardOn reads datagrams up to the one that holds some text.
func heardOn(t *testing.T, conn *net.UnixConn, until string) string {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	buf := make([]byte, 64<<10)
	for !strings.Contains(all.String(), until) {
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatalf("%v; until then:\n%s", err, all.String())
		}
		all.Write(append(buf[:n:n], '\n'))
	}
	return all.String()
}
