package hosttest

import (
	"context"
	"sync"
)

// disks is who is told of disks that come and go.
type disks struct {
	mu     sync.Mutex
	on     map[int]func(string)
	joined int
}

// ChangeDisk tells whoever listens that a disk has come or gone. It returns
// when they have been told.
func (m *Machine) ChangeDisk(kernel string) {
	m.disks.mu.Lock()
	defer m.disks.mu.Unlock()
	for _, on := range m.disks.on {
		on(kernel)
	}
}

// Changes tells what ChangeDisk is told.
func (d *disks) Changes(ctx context.Context, on func(string)) error {
	d.mu.Lock()
	d.joined++
	n := d.joined
	d.on[n] = on
	d.mu.Unlock()
	<-ctx.Done()
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.on, n)
	return nil
}
