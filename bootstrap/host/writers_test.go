package host_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"reveille/bootstrap/host/hosttest"
)

func TestWritersNameWhoWrites(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/resolv.conf": "ours\n", "/etc/hosts": ""})
	h := m.Host()
	w, err := h.Writers()
	if errors.Is(err, unix.EPERM) && os.Getuid() != 0 {
		t.Skip("not root, who alone may see who writes a file")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, path := range []string{"/etc/resolv.conf", "/etc/hosts"} {
		if err := w.Add(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Write("/etc/hosts", []byte("ours"), attr(0)); err != nil {
		t.Fatal(err)
	}
	// As dhclient's script does it: a file beside, and a rename. It stays until
	// it has been seen, as a daemon would.
	sh := exec.Command("sh", "-c", "echo theirs >resolv.conf.new.1; mv resolv.conf.new.1 resolv.conf; read end")
	sh.Dir = m.Root + "/etc"
	in, err := sh.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := sh.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for w.Who("/etc/resolv.conf") == "" && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	in.Close()
	_ = sh.Wait()
	if who := w.Who("/etc/resolv.conf"); !strings.HasPrefix(who, "sh (process ") {
		t.Errorf("resolv.conf was written by %q", who)
	}
	if who := w.Who("/etc/hosts"); who != "" {
		t.Errorf("this program's own write is told as %q's", who)
	}
}
