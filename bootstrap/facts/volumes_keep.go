package facts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"time"

	"reveille/bootstrap/host"
)

// VolumesCachePath is where EC2's last answer about an instance's volumes is
// kept.
func VolumesCachePath(id string) string { return path.Join(InstancesPath, id, "volumes.json") }

// keptVolumes is an answer of EC2's as it lies on the disk.
type keptVolumes struct {
	Version  int                  `json:"version"`
	Instance string               `json:"instance"`
	Read     time.Time            `json:"read"`
	Volumes  map[string]EBSVolume `json:"volumes"`
}

// keepVolumes writes EC2's answer to the instance's folder, as Keep does the
// crawl. What was kept before stays where EC2 has not answered.
func keepVolumes(h *host.Host, id string, f Facts) error {
	all, known := f.Volumes.Get()
	if !known || !f.VolumesRead.Equal(f.Now) {
		return nil
	}
	k := keptVolumes{Version: Version, Instance: id, Read: f.VolumesRead, Volumes: all}
	// As with the crawl, one that cannot be read is of no use to anyone.
	old, err := readKeptVolumes(h, id)
	if err == nil && old.sameAs(k) && f.Now.Sub(old.Read) < keepFor && !f.Now.Before(old.Read) {
		return nil
	}
	return placed(h, id, VolumesCachePath(id), k)
}

func (k keptVolumes) sameAs(other keptVolumes) bool {
	other.Read = k.Read
	a, errA := json.Marshal(k)
	b, errB := json.Marshal(other)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

func readKeptVolumes(h *host.Host, id string) (keptVolumes, error) {
	var k keptVolumes
	at := VolumesCachePath(id)
	b, err := h.ReadFile(at)
	if err != nil {
		return k, err
	}
	if err := decodeStrict(bytes.NewReader(b), &k); err != nil {
		return k, fmt.Errorf("read %s: %w", at, err)
	}
	if k.Instance != id {
		return k, fmt.Errorf("read %s: it is about %q; remove it", at, k.Instance)
	}
	return k, nil
}
