package facts

import (
	"time"

	"reveille/bootstrap/host"
)

// ReadMachine reads the machine's own part alone: no network, so it is what a
// pass knows before IMDS is asked. What cannot be read is empty, and told as a
// problem by Gather.
func ReadMachine(h *host.Host) Machine {
	m, _ := readMachine(h, time.Now())
	return m
}

// ReadIdentity reads which machine this is, which boot of it, whose files it
// has, and its brake. The rest of Machine, which Gather reads, stays empty.
func ReadIdentity(h *host.Host) Machine {
	l := &looker{h: h}
	m := Machine{BootID: l.line(bootIDPath), Hostname: l.hostname(), Brake: l.brake(time.Now())}
	m.DMI, m.EC2 = l.hardware()
	m.Owned, m.Owner = l.owned()
	return m
}

// These are single answers of ReadMachine, for who asks again and again: all of
// it costs a millisecond.

// ReadBrake is the brake as it is now.
func ReadBrake(h *host.Host) Brake { return (&looker{h: h}).brake(time.Now()) }

// ReadBootID names this boot, "" where the kernel does not tell.
func ReadBootID(h *host.Host) string { return (&looker{h: h}).line(bootIDPath) }

// ReadHostname is the host name as it is now, "" where nobody tells.
func ReadHostname(h *host.Host) string { return (&looker{h: h}).hostname() }

// InstanceID is what IMDS says, and else DMI; "" where neither does.
func (f Facts) InstanceID() string { return f.Instance.ID.Or(f.Machine.DMI) }

// String is the problem in words: "meta-data/tags/instance: throttled: …".
func (p Problem) String() string {
	s := p.Path + ": " + string(p.Reason)
	if p.Detail != "" {
		s += ": " + p.Detail
	}
	return s
}
