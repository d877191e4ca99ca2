package debug

import (
	"slices"
	"strings"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
)

// lvmMonitor asks every disk of the machine before sysinit.target. It is a
// oneshot, which systemd gives no limit by itself.
const lvmMonitor = "lvm2-monitor.service"

// lvmWaits finds LVM's own unit where a volume that hangs would hold up the
// boot, and with it every login.
func lvmWaits(p Patient) []facts.Finding {
	disks := slices.ContainsFunc(p.Wanted.Plan, func(s plan.Step) bool { return s.Concern == "storage" })
	if !disks || masked(p.Host, lvmMonitor) || len(pulledInBy(p.Host, lvmMonitor)) == 0 || limited(p, lvmMonitor) {
		return nil
	}
	return found("lvm-waits", facts.Warning, lvmMonitor+" looks at every disk before anybody may log in, and has no limit: a volume that hangs at boot keeps people out.",
		"Give it one, by a file /etc/systemd/system/"+lvmMonitor+".d/limit.conf with [Service] and TimeoutSec=10s; or `systemctl mask "+lvmMonitor+"`, where no logical volume is a mirror, a thin one or a snapshot.")
}

// limited says that a drop-in bounds how long the unit starts. What cannot be
// read bounds nothing.
func limited(p Patient, unit string) bool {
	for _, dir := range unitDirs {
		files, _ := p.Host.Glob(dir + "/" + unit + ".d/*.conf")
		for _, f := range files {
			text, err := p.Host.ReadFile(f)
			if err == nil && slices.ContainsFunc(strings.Split(string(text), "\n"), isLimit) {
				return true
			}
		}
	}
	return false
}

// isLimit says that a line sets the time in which a unit must start, and not to
// none.
func isLimit(line string) bool {
	key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	return (key == "TimeoutSec" || key == "TimeoutStartSec") && value != "" && value != "infinity" && value != "0"
}
