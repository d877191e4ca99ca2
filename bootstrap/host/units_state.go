package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	godbus "github.com/godbus/dbus/v5"
)

// private is systemd's own socket. On it every signal is told to everybody, and
// nobody subscribes.
const private = "unix:path=/run/systemd/private"

// dial connects to it for one question; ctx's end closes it as well.
func dial(ctx context.Context) (*godbus.Conn, error) {
	c, err := godbus.Dial(private, godbus.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	if err := c.Auth([]godbus.Auth{godbus.AuthExternal(strconv.Itoa(os.Getuid()))}); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// stateOf is what systemd says of a unit, with one thing of ours: a unit with a
// job in the queue is "activating", as it is about to be something else than it
// is. It asks for one row of a list: all that systemd knows of a unit is a hundred
// properties, and takes both sides long.
func stateOf(ctx context.Context, name string) (string, error) {
	load, active, job, err := listed(ctx, name)
	switch {
	case err != nil:
		return "", err
	case load == "not-found" && active == "inactive":
		return "absent", nil
	case load == "masked" && active == "inactive":
		return "masked", nil
	case load == "bad-setting" || load == "error":
		return "", fmt.Errorf("the unit file cannot be loaded (%s); see systemctl status %s", load, name)
	case job != 0 && active != "deactivating":
		return "activating", nil
	}
	return active, nil
}

// listed is systemd's row of a unit; job is 0 without one.
func listed(ctx context.Context, name string) (load, active string, job uint32, err error) {
	c, err := dial(ctx)
	if err != nil {
		return propertiesOf(ctx, name)
	}
	defer c.Close()
	var rows [][]any // name, description, load, active, sub, following, path, job, its type, its path
	err = c.Object("org.freedesktop.systemd1", "/org/freedesktop/systemd1").
		CallWithContext(ctx, "org.freedesktop.systemd1.Manager.ListUnitsByNames", 0, []string{name}).Store(&rows)
	var old godbus.Error
	if errors.As(err, &old) && old.Name == "org.freedesktop.DBus.Error.UnknownMethod" {
		return propertiesOf(ctx, name)
	}
	if err != nil {
		return "", "", 0, err
	}
	if len(rows) != 1 || len(rows[0]) < 8 {
		return "", "", 0, fmt.Errorf("systemd says %d things of it, and one is wanted", len(rows))
	}
	load, ok := rows[0][2].(string)
	active, ok2 := rows[0][3].(string)
	job, ok3 := rows[0][7].(uint32)
	if !ok || !ok2 || !ok3 {
		return "", "", 0, fmt.Errorf("systemd's words of it are not understood: %v", rows[0])
	}
	return load, active, job, nil
}

// propertiesOf is listed of a systemd before 230, and for whoever is not root.
func propertiesOf(ctx context.Context, name string) (load, active string, job uint32, err error) {
	c, err := connect(ctx)
	if err != nil {
		return "", "", 0, err
	}
	defer c.Close()
	p, err := c.GetUnitPropertiesContext(ctx, name)
	if err != nil {
		return "", "", 0, err
	}
	load, _ = p["LoadState"].(string)
	active, _ = p["ActiveState"].(string)
	if pair, _ := p["Job"].([]any); len(pair) > 0 { // a number and an object's path
		job, _ = pair[0].(uint32)
	}
	return load, active, job, nil
}
