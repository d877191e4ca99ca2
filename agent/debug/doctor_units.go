package debug

import (
	"fmt"
	"strings"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
)

const ownUnit = "reveille.service"

// unitDirs is where unit files lie, the first to be read first.
var unitDirs = []string{"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"}

func unitNotEnabled(p Patient) []facts.Finding {
	switch {
	case !installed(p.Host, ownUnit):
		return found("unit-absent", facts.Info, ownUnit+" is not installed: a pass is made only where somebody calls `reveille boot`.",
			"Install the package, or call it from cloud-init's runcmd.")
	case masked(p.Host, ownUnit):
		return found("unit-masked", facts.Warning, ownUnit+" is masked: it never starts.", "systemctl unmask reveille; `reveille pause` is the brake that says why.")
	case len(pulledInBy(p.Host, ownUnit)) == 0:
		return found("unit-not-enabled", facts.Warning, ownUnit+" is not enabled: the next boot makes no pass.", "systemctl enable reveille.")
	}
	return nil
}

// servicesEnabled finds role services that systemd starts by itself: they may
// run before their data is there.
func servicesEnabled(p Patient) []facts.Finding {
	var all []facts.Finding
	for _, name := range p.Wanted.Profile.Services {
		if by := pulledInBy(p.Host, name); len(by) > 0 {
			all = append(all, found("service-enabled", facts.Warning,
				fmt.Sprintf("%s is enabled (%s): at boot it starts before the agent has prepared the machine for it.", name, strings.Join(by, ", ")),
				"systemctl disable "+name+": the agent starts it once what it needs is so.")...)
		}
	}
	return all
}

func installed(h *host.Host, unit string) bool {
	for _, dir := range unitDirs {
		if i, err := h.Lstat(dir + "/" + unit); err == nil && i.Exists {
			return true
		}
	}
	return false
}

// masked follows systemd: a link to /dev/null, or an empty file.
func masked(h *host.Host, unit string) bool {
	for _, dir := range unitDirs[:2] {
		i, err := h.Lstat(dir + "/" + unit)
		if err == nil && i.Exists && (i.Link == "/dev/null" || i.Link == "" && i.Size == 0) {
			return true
		}
	}
	return false
}

// pulledInBy is the links that systemctl enable has made.
func pulledInBy(h *host.Host, unit string) []string {
	var all []string
	for _, kind := range []string{"wants", "requires"} {
		// What cannot be listed pulls nothing in that we could name.
		links, _ := h.Glob("/etc/systemd/system/*." + kind + "/" + unit)
		all = append(all, links...)
	}
	return all
}
