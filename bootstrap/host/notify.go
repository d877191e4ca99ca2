package host

import (
	"fmt"
	"net"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// notifyWithin bounds a word to the service manager: one that hangs must not
// make this process hang with it, as it would in go-systemd's own SdNotify.
const notifyWithin = time.Second

// Notify tells the service manager that started this process how it does, in
// sd_notify's words: "READY=1", "STATUS=…". Where none listens, nobody is told.
func Notify(state string) error {
	at := os.Getenv("NOTIFY_SOCKET")
	if at == "" {
		return nil
	}
	if err := notify(at, state); err != nil {
		return fmt.Errorf("tell the service manager %q: %w", state, err)
	}
	return nil
}

func notify(at, state string) error {
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: at, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetWriteDeadline(time.Now().Add(notifyWithin)); err != nil {
		return err
	}
	_, err = c.Write([]byte(state))
	return err
}

// Watchdog is how long the service manager waits for a WATCHDOG=1 before it
// takes this process for dead; zero where it does not watch.
func Watchdog() (time.Duration, error) {
	d, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return 0, fmt.Errorf("read how often the service manager wants to hear of us: %w", err)
	}
	return d, nil
}
