package facts

import (
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"reveille/bootstrap/host"
)

// Where cloud-init keeps what it knows.
const (
	cloudRun    = "/run/cloud-init"
	cloudStatus = cloudRun + "/status.json" // a link into /var/lib/cloud/data, in most releases
	cloudOff    = "/etc/cloud/cloud-init.disabled"
	cloudData   = "/var/lib/cloud"
)

// CloudUnits are cloud-init's network stage: releases from 24.3 on, and those
// before.
var CloudUnits = []string{"cloud-init-network.service", "cloud-init.service"}

// CloudInit is what cloud-init has done on this boot, and will do. The zero
// value is a machine on which it does nothing.
type CloudInit struct {
	Off      string   // why it does nothing; "" where it runs
	First    bool     // its later stages have never run for this instance id
	Begun    bool     // its network stage has begun on this boot
	Ended    bool     // … and ended
	Rewrites []string // settings by which it writes hosts or the host name at every boot
}

// Writes says that it may still be writing files that a plan is about.
func (c CloudInit) Writes() bool {
	return c.Off == "" && !c.Ended && (c.First || len(c.Rewrites) > 0)
}

// ReadCloudInit looks at the marks that cloud-init leaves. An id that is not
// known is a new one: whoever is not sure waits.
func ReadCloudInit(h *host.Host, id string) CloudInit {
	l := &looker{h: h}
	c := CloudInit{Off: l.cloudOff(), Rewrites: []string{}}
	if c.Off != "" {
		return c
	}
	c.First = id == "" || !l.cloudKnows(id)
	c.Begun, c.Ended = l.cloudStage()
	c.Rewrites = l.cloudRewrites(id)
	return c
}

// CloudInitFolders are where a change of its marks shows: that of the status
// file, of the file that it leads to, and systemd's own marks of units.
func CloudInitFolders(h *host.Host) []string {
	dirs := []string{cloudRun, "/run/systemd/units"}
	if to, err := h.Resolve(cloudStatus); err == nil {
		dirs = append(dirs, path.Dir(to))
	}
	return append(dirs, cloudData+"/data")
}

// cloudOff follows cloud-init's own order: its generator has the last word,
// then a word on the kernel's command line, then the file.
func (l *looker) cloudOff() string {
	if !l.exists("/usr/bin/cloud-init") {
		return "it is not installed"
	}
	words := strings.Fields(l.line("/proc/cmdline"))
	switch {
	case l.exists(cloudRun + "/enabled"):
		return ""
	case l.exists(cloudRun + "/disabled"):
		return "its generator found no data source, or was told to"
	case slices.Contains(words, "cloud-init=enabled"):
		return ""
	case slices.Contains(words, "cloud-init=disabled"):
		return "the kernel's command line says cloud-init=disabled"
	case l.exists(cloudOff):
		return cloudOff + " is there"
	}
	return ""
}

// cloudKnows says that the stages after the network's have run for this
// instance before: each does part of its work once an instance, and marks that.
// (boot-finished goes at the beginning of every boot.) Where none of them is
// configured, every boot is taken for the first, and waits.
func (l *looker) cloudKnows(id string) bool {
	sem := path.Join(cloudData, "instances", id, "sem")
	return l.exists(sem+"/config_runcmd", sem+"/config_scripts_user", sem+"/config_scripts_per_instance")
}

// cloudStage reads the status of this boot: the folder is in memory, and the
// first stage begins it anew.
func (l *looker) cloudStage() (begun, ended bool) {
	text, ok := l.text(cloudStatus)
	if !ok {
		return false, false
	}
	var s struct {
		V1 struct {
			Init struct {
				Start    *float64 `json:"start"`
				Finished *float64 `json:"finished"`
			} `json:"init"`
		} `json:"v1"`
	}
	// It is replaced as a whole, so one that cannot be read is not cloud-init's.
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		l.fail(cloudStatus, err)
		return false, false
	}
	is := func(at *float64) bool { return at != nil && *at > 0 }
	return is(s.V1.Init.Start), is(s.V1.Init.Finished)
}

// cloudSetting is a key at the top of a configuration, in block style: in
// another style it is missed, and what is missed is repaired like anybody
// else's doing.
var cloudSetting = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^(preserve_hostname|manage_etc_hosts)[ \t]*:[ \t]*["']?([A-Za-z0-9_]+)`)
})

// cloudRewrites are the settings that win over our own drop-in: user-data's,
// and those of files that come after it. Where the id is known, not by the link
// /var/lib/cloud/instance: it is away from the beginning of a boot until the
// data source is found.
func (l *looker) cloudRewrites(id string) []string {
	found := []string{}
	user := path.Join(cloudData, "instances", id, "cloud-config.txt")
	if id == "" {
		user = cloudData + "/instance/cloud-config.txt"
	}
	for _, file := range append(l.glob("/etc/cloud/cloud.cfg.d/*.cfg"), user) {
		if file != user && path.Base(file) <= path.Base(CloudDropIn) {
			continue
		}
		text, _ := l.text(file)
		if !strings.Contains(text, "preserve_hostname") && !strings.Contains(text, "manage_etc_hosts") {
			continue // as on nearly every machine, and the expression is dear
		}
		for _, m := range cloudSetting().FindAllStringSubmatch(text, -1) {
			key, value := m[1], strings.ToLower(m[2])
			off := slices.Contains([]string{"false", "no", "off", "0", "none", "null"}, value)
			if (key == "preserve_hostname") == off {
				found = append(found, key+": "+m[2]+" in "+file)
			}
		}
	}
	return found
}

// CloudDropIn is the file of ours that tells cloud-init to leave the host's
// name alone.
const CloudDropIn = "/etc/cloud/cloud.cfg.d/99-reveille.cfg"
