package debug

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"reveille/agent"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/bootstrap/storage"
)

const cleanIt = "`reveille clean` before the image is made."

func stateLeft(p Patient) []facts.Finding {
	if names, err := p.Host.ReadDir("/var/lib/reveille"); err == nil && len(names) > 0 {
		return found("bake-state", facts.Error, "/var/lib/reveille holds what belongs to this instance: "+strings.Join(names, ", ")+".", cleanIt)
	}
	return nil
}

// marks are files that we may have written, and by what each is told.
var marks = [][2]string{
	{"/etc/resolv.conf", "written by reveille"},
	{"/etc/hosts", "# begin reveille "},
	{facts.CloudDropIn, ""},
}

// oursLeft finds files of ours, those too of which nothing is kept any more.
func oursLeft(p Patient) []facts.Finding {
	var all []facts.Finding
	kept := map[string]bool{}
	for _, o := range p.Machine.Owned {
		kept[o.Path] = true
		all = append(all, found("bake-file", facts.Error, o.Path+" is not the image's own: it was changed for "+p.Machine.Owner+".", cleanIt)...)
	}
	for _, m := range marks {
		path, mark := m[0], m[1]
		text, err := p.Host.ReadFile(path)
		if err == nil && !kept[path] && strings.Contains(strings.ToLower(string(text)), mark) {
			all = append(all, found("bake-file", facts.Error, path+" was written by the agent, and its original is not kept.",
				"Put the image's own back by hand.")...)
		}
	}
	return all
}

func disabledLeft(p Patient) []facts.Finding {
	if !p.Machine.Brake.Disabled {
		return nil
	}
	return found("bake-disabled", facts.Warning, facts.DisabledPath+" is there: no instance of the image would ever be changed.", "Remove it.")
}

func localFileLeft(p Patient) []facts.Finding {
	if !is(p.Host, agent.LocalFile) {
		return nil
	}
	return found("bake-local", facts.Info, agent.LocalFile+" outranks all other layers, on every instance of the image.", "Keep it if that is meant.")
}

func cloudInitLeft(p Patient) []facts.Finding {
	if !is(p.Host, "/var/lib/cloud/instance") {
		return nil
	}
	return found("bake-cloud-init", facts.Info, "cloud-init keeps what it did here. A new instance id makes it a first boot all the same.", "cloud-init clean --logs.")
}

func machineIDLeft(p Patient) []facts.Finding {
	text, err := p.Host.ReadFile("/etc/machine-id")
	id := strings.TrimSpace(string(text))
	if err != nil || id == "" || id == "uninitialized" {
		return nil
	}
	return found("bake-machine-id", facts.Info, "/etc/machine-id is this machine's: every instance of the image would have the same.", "truncate -s 0 /etc/machine-id, as the last thing.")
}

func hostKeysLeft(p Patient) []facts.Finding {
	keys, err := p.Host.Glob("/etc/ssh/ssh_host_*_key")
	if err != nil || len(keys) == 0 {
		return nil
	}
	return found("bake-host-keys", facts.Info, "SSH host keys would be those of every instance, unless cloud-init makes new ones (ssh_deletekeys).", "rm /etc/ssh/ssh_host_*, where something makes them anew.")
}

// ec2Name is a name that EC2 or cloud-init gave this very instance.
var ec2Name = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\b(ip(-\d{1,3}){4}|i-[0-9a-f]{17})\b`)
})

func nameLeft(p Patient) []facts.Finding {
	var all []facts.Finding
	for _, path := range []string{"/etc/hostname", "/etc/hosts"} {
		text, err := p.Host.ReadFile(path)
		if name := ec2Name().FindString(string(text)); err == nil && name != "" {
			all = append(all, found("bake-name", facts.Info, path+" names an instance: "+name+". The agent names every one anew.", "Take it out, if an instance must not show it before.")...)
		}
	}
	return all
}

// fstabTraps finds lines that stop a boot where their device is not there.
func fstabTraps(p Patient) []facts.Finding {
	lines, err := storage.FstabLines(p.Host)
	if err != nil {
		return nil
	}
	var all []facts.Finding
	for _, l := range lines {
		if l.Holds() {
			all = append(all, found("fstab-trap", facts.Warning,
				fmt.Sprintf("%s:%d: the boot stops where %s is not there for %s.", storage.Fstab, l.Number, l.Source, l.Path),
				"Add the option nofail, or let a role's profile mount it.")...)
		}
	}
	return all
}

// fstabVolumes finds lines about what the role's profile mounts: systemd would
// mount it by them before anybody has looked at what it is.
func fstabVolumes(p Patient) []facts.Finding {
	var all []facts.Finding
	for _, s := range p.Wanted.Plan {
		if m, ok := s.Resource.(storage.Mount); ok {
			for _, note := range m.FstabNotes(p.Host) {
				all = append(all, found("fstab-volume", facts.Error, note+".", "Take the line out of "+storage.Fstab+": the agent mounts it once it is checked.")...)
			}
		}
	}
	return all
}

func is(h *host.Host, path string) bool {
	i, err := h.Lstat(path)
	return err == nil && i.Exists
}
