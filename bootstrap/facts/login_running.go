package facts

import (
	"context"
	"strings"
	"time"
)

// askUnits bounds the questions to systemd, all together.
const askUnits = 2 * time.Second

const resolvedProgram = "/lib/systemd/systemd-resolved"

// loginDaemon is a program that a login may wait for: its unit, the file with
// its process's number, and what its package brings.
type loginDaemon struct {
	unit, pid, program string
	runs               *bool
}

func loginDaemons(r *LoginRunning) []loginDaemon {
	return []loginDaemon{
		{"nslcd.service", "/run/nslcd/nslcd.pid", "/usr/sbin/nslcd", &r.Nslcd},
		{"sssd.service", "/run/sssd.pid", "/usr/sbin/sssd", &r.SSSD},
		{"nscd.service", "/run/nscd/nscd.pid", "/usr/sbin/nscd", &r.Nscd},
		{"systemd-resolved.service", "", resolvedProgram, &r.Resolved},
		{"autofs.service", "/run/autofs.pid", "/usr/sbin/automount", &r.Automount},
	}
}

// running asks systemd, and looks for a process where systemd does not know of
// any: a daemon may have been started by hand.
func (r *loginReader) running(ctx context.Context) LoginRunning {
	ctx, cancel := context.WithTimeout(ctx, askUnits)
	defer cancel()
	out := LoginRunning{PADL: r.has().NSSLDAP}
	silent := false
	for _, d := range loginDaemons(&out) {
		here := r.exists(d.program)
		if !r.h.Live() {
			*d.runs = here
			continue
		}
		if here && !silent {
			state, err := r.h.Units().State(ctx, d.unit)
			if silent = err != nil; silent {
				r.note("%v: what runs is told by its process alone", err)
			}
			*d.runs = state == "active" || state == "activating" || state == "reloading"
		}
		if !*d.runs && d.pid != "" {
			pid := r.line(d.pid)
			*d.runs = pid != "" && !strings.ContainsAny(pid, "/.* ") && r.exists("/proc/"+pid)
		}
		if here && !*d.runs {
			r.note("%s is installed and does not run: not counted", d.unit)
		}
	}
	return out
}
