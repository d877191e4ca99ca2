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
