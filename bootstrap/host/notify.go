package host

import (
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Notify tells the service manager that started this process how it does, in
// sd_notify's words: "READY=1", "STATUS=…". Where none listens, nobody is told.
func Notify(state string) error {
	if _, err := daemon.SdNotify(false, state); err != nil {
		return fmt.Errorf("tell the service manager %q: %w", state, err)
	}
	return nil
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
