package guest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
)

// Attach plugs a volume into the machine, or puts it into one that is off. Its
// bytes are those of the last time, if it was this machine's before.
func (v *vm) Attach(ctx context.Context, d Volume) error {
	if slices.ContainsFunc(v.volumes, func(have Volume) bool { return have.ID == d.ID }) {
		return fmt.Errorf("attach %s: it is attached", d.ID)
	}
	if err := v.makeVolume(d); err != nil {
		return err
	}
	if q := v.on; q != nil {
		// The guest must not read the disk before it looks like EBS.
		if err := q.monitor.do(ctx, "stop", nil, nil); err != nil {
			return fmt.Errorf("attach %s: %w", d.ID, err)
		}
		err := v.plug(ctx, q, d)
		if err := errors.Join(err, q.monitor.do(ctx, "cont", nil, nil)); err != nil {
			return fmt.Errorf("attach: %w", err)
		}
	}
	v.volumes = append(v.volumes, d)
	return nil
}

// Detach pulls a volume out and waits until the machine's kernel has let go of it.
func (v *vm) Detach(ctx context.Context, id string) error {
	at := slices.IndexFunc(v.volumes, func(have Volume) bool { return have.ID == id })
	if at < 0 {
		return fmt.Errorf("detach %s: it is not attached", id)
	}
	if q := v.on; q != nil {
		told, stop := q.monitor.watch("DEVICE_DELETED", id)
		defer stop()
		if err := q.monitor.do(ctx, "device_del", map[string]any{"id": id}, nil); err != nil {
			return fmt.Errorf("detach %s: %w", id, err)
		}
		select {
		case <-told:
		case <-q.gone:
			return fmt.Errorf("detach %s: %w", id, orOff(q.because(q.result)))
		case <-ctx.Done():
			return fmt.Errorf("detach %s: the machine's kernel does not let go of it: %w", id, ctx.Err())
		}
		if err := q.monitor.do(ctx, "blockdev-del", map[string]any{"node-name": node(id)}, nil); err != nil {
			return fmt.Errorf("detach %s: %w", id, err)
		}
		if err := q.dropFaulty(ctx, id); err != nil {
			return fmt.Errorf("detach %s: %w", id, err)
		}
		delete(q.ports, id)
	}
	v.volumes = slices.Delete(v.volumes, at, at+1)
	return nil
}

// plug gives a QEMU whose guest stands still a disk more.
func (v *vm) plug(ctx context.Context, q *qemu, d Volume) error {
	port, err := q.freePort()
	if err != nil {
		return fmt.Errorf("plug %s in: %w", d.ID, err)
	}
	bytes := map[string]any{"driver": "file", "node-name": fileNode(d.ID), "filename": v.volumeFile(d.ID)}
	if s, ok := v.spec.Served[d.ID]; ok {
		bytes = map[string]any{"driver": "nbd", "node-name": fileNode(d.ID), "server": map[string]any{"type": "unix", "path": s.Socket}, "export": d.ID}
	}
	err = q.monitor.do(ctx, "blockdev-add", map[string]any{"driver": "raw", "node-name": node(d.ID), "discard": "unmap", "file": bytes}, nil)
	if err == nil && d.Fault != Sound {
		err = q.refile(ctx, d.ID, d.Fault)
	}
	if err == nil {
		err = q.monitor.do(ctx, "device_add", map[string]any{
			"driver": "nvme", "id": d.ID, "drive": node(d.ID), "serial": serialOf(d.ID), "bus": fmt.Sprintf("port%d", port),
		}, nil)
	}
	if err == nil {
		err = makeEBS(q.pid(), []Volume{d})
	}
	if err == nil && d.Most > d.Size {
		err = setSize(q.pid(), d, d.Most, d.Size)
	}
	if err != nil {
		return fmt.Errorf("plug %s in: %w", d.ID, err)
	}
	q.ports[d.ID] = port
	return nil
}

// freePort is a PCIe port with nothing in it.
func (q *qemu) freePort() (int, error) {
	taken := slices.Collect(maps.Values(q.ports))
	for port := range ports {
		if !slices.Contains(taken, port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("all %d ports of the machine are taken", ports)
}

func (v *vm) makeVolume(d Volume) error {
	if len(serialOf(d.ID)) > 20 || d.ID == "" {
		return fmt.Errorf("%q is no volume id: the serial number of an NVMe disk has 1 to 20 characters", d.ID)
	}
	if _, ok := v.spec.Served[d.ID]; ok {
		return nil
	}
	f, err := os.OpenFile(v.volumeFile(d.ID), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("make %s: %w", d.ID, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if size := max(d.Size, d.Most); err == nil && info.Size() < size { // EBS volumes grow and never shrink
		err = f.Truncate(size)
	}
	if err != nil {
		return fmt.Errorf("make %s: %w", d.ID, err)
	}
	return nil
}

func (v *vm) volumeFile(id string) string { return v.path(id + ".disk") }

// node is what QEMU calls the volume's bytes; the disk itself has its id.
func node(id string) string { return "bytes-" + id }

// fileNode is what QEMU calls the file that they are in.
func fileNode(id string) string { return "file-" + id }
