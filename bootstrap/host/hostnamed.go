package host

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/godbus/dbus/v5"
)

// hostnamed is systemd's own keeper of the host's name. It holds what
// /etc/hostname says for the name and tells those who listen for changes.
const (
	hostnamedName  = "org.freedesktop.hostname1"
	hostnamedPath  = "/org/freedesktop/hostname1"
	hostnamedBound = 2 * time.Second
)

// askHostnamed lets hostnamed set the live name where it runs already, so that
// those who listen to it hear of it. It is not started for this, as whoever
// comes later reads the kernel's. Where /etc/hostname says another name it is
// not asked: it would set that one.
func askHostnamed(name string) {
	if rests(cgroups) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), hostnamedBound)
	defer cancel()
	bus, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return
	}
	defer bus.Close()
	var runs bool
	if bus.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, hostnamedName).Store(&runs) != nil || !runs {
		return
	}
	h := bus.Object(hostnamedName, hostnamedPath)
	var static string
	err = h.CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", dbus.FlagNoAutoStart, hostnamedName, "StaticHostname").Store(&static)
	if err != nil || static != name {
		return
	}
	_ = h.CallWithContext(ctx, hostnamedName+".SetHostname", dbus.FlagNoAutoStart, name, false).Err
}

// cgroups are where systemd has a folder for each service that runs: of the
// unified hierarchy, and of its own in the older ones.
var cgroups = []string{"/sys/fs/cgroup/system.slice", "/sys/fs/cgroup/systemd/system.slice"}

// rests says that hostnamed does not run, for certain: a look at the kernel's
// files, and not a millisecond for a connection to the bus.
func rests(slices []string) bool {
	for _, slice := range slices {
		if _, err := os.Stat(slice); err == nil {
			_, err := os.Stat(slice + "/systemd-hostnamed.service")
			return errors.Is(err, fs.ErrNotExist)
		}
	}
	return false
}

// SetHostname takes the system call where hostnamed has not done it.
func (k kernel) SetHostname(name string) error {
	askHostnamed(name)
	if now, err := os.Hostname(); err == nil && now == name {
		return nil
	}
	return setHostname(name)
}
