package integration_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// TestNslcdGivesTheVerdicts runs the real nslcd on the rendered nslcd.conf and
// asks it, as PAM would, whom it lets in. It is the one to say whether the
// rule survives nslcd's own reading of the line.
func TestNslcdGivesTheVerdicts(t *testing.T) {
	needProgram(t, "/usr/sbin/nslcd", "nslcd")
	needRoot(t, "give nslcd a mount namespace with another /etc/nslcd.conf")
	table := readAccessTable(t)
	server := startDirectory(t, table.Entries)
	for _, h := range table.Hosts {
		t.Run(h.Name+"."+h.Zone, func(t *testing.T) {
			socket := startNslcd(t, directoryFile(t, h, "nslcd", "/etc/nslcd.conf", server.uri()))
			for uid := range table.Entries {
				got, err := askNslcd(socket, uid)
				if err != nil {
					t.Fatalf("%s: %v", uid, err)
				}
				if want := slices.Contains(h.Admits, uid); got != want {
					t.Errorf("%s is let in: %v, want %v", uid, got, want)
				}
			}
		})
	}
}

// startNslcd runs nslcd with this file as its /etc/nslcd.conf and a folder of
// the test's as its /run/nslcd, seen so by that process alone.
func startNslcd(t *testing.T, conf []byte) (socket string) {
	t.Helper()
	dir := t.TempDir()
	file, run := filepath.Join(dir, "nslcd.conf"), filepath.Join(dir, "run")
	if err := os.WriteFile(file, conf, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(run, 0o755); err != nil {
		t.Fatal(err)
	}
	who, err := user.Lookup("nslcd")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(who.Uid)
	gid, _ := strconv.Atoi(who.Gid)
	if err := os.Chown(run, uid, gid); err != nil {
		t.Fatal(err)
	}
	runReal(t, exec.Command("unshare", "--mount", "sh", "-ec", `
		[ -e /etc/nslcd.conf ] || { echo "/etc/nslcd.conf is not there to be covered"; exit 1; }
		mount --bind "$1" /etc/nslcd.conf
		run=$(mktemp -d) && mount --bind "$2" "$run"
		mount -t tmpfs none /run && mkdir /run/nslcd && mount --bind "$run" /run/nslcd
		umount "$run" && rmdir "$run"
		exec /usr/sbin/nslcd --debug`, "sh", file, run))
	socket = filepath.Join(run, "socket")
	waitFor(t, 20*time.Second, "nslcd answers", func() error {
		_, err := askNslcd(socket, "nobody-of-that-name")
		return err
	})
	return socket
}

// nslcd's protocol, version 2: big-endian words, and strings after their length.
const (
	nslcdVersion  = 2
	nslcdPAMAuthz = 0x000d0002
	nslcdBegin    = 1
	nslcdEnd      = 2
)

// askNslcd asks for the account phase of a login: whether this user may enter.
// A user who is not in the directory may not.
func askNslcd(socket, uid string) (bool, error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return false, err
	}
	var ask []byte
	word := func(w uint32) { ask = binary.BigEndian.AppendUint32(ask, w) }
	word(nslcdVersion)
	word(nslcdPAMAuthz)
	for _, s := range []string{uid, "sshd", "", "", ""} { // service, ruser, rhost, tty
		word(uint32(len(s)))
		ask = append(ask, s...)
	}
	if _, err := conn.Write(ask); err != nil {
		return false, err
	}
	var head [3]uint32
	if err := binary.Read(conn, binary.BigEndian, &head); err != nil {
		return false, fmt.Errorf("read nslcd's answer: %w", err)
	}
	if head[0] != nslcdVersion || head[1] != nslcdPAMAuthz {
		return false, fmt.Errorf("nslcd answers %x", head)
	}
	if head[2] == nslcdEnd {
		return false, nil
	}
	var verdict uint32
	if err := binary.Read(conn, binary.BigEndian, &verdict); err != nil {
		return false, fmt.Errorf("read nslcd's verdict: %w", err)
	}
	_, err = io.Copy(io.Discard, conn)
	return head[2] == nslcdBegin && verdict == 0, err
}
