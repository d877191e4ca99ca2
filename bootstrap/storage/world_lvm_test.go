package storage

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"reveille/bootstrap/host"
)

// warns is a report beside what LVM says of a copy.
func (w *world) warns(report string) (host.Output, error, bool) {
	out := host.Output{Stdout: []byte(report)}
	if w.copied != "" {
		out.Stderr = []byte("  WARNING: Not using device " + w.copied + " for PV q1W2e3-r4T5-y6U7-i8O9-p0A1-s2D3-f4G5h6.\n")
	}
	return out, nil, true
}

// lvmSays is a report of LVM's about these devices alone.
func (w *world) lvmSays(nodes []string) string {
	seen := func(kernel string) bool {
		i, err := w.Host().Stat("/dev/" + kernel)
		return err == nil && i.Exists && slices.Contains(nodes, "/dev/"+kernel)
	}
	groups := map[string]int{} // to how many of its devices are not seen
	for k, p := range w.pvs {
		if p.group != "" && seen(k) {
			groups[p.group] += 0
		}
	}
	var pvs, vgs, lvs []string
	for _, k := range slices.Sorted(maps.Keys(w.pvs)) {
		p := w.pvs[k]
		_, known := groups[p.group]
		name, missing := "/dev/"+k, ""
		switch {
		case seen(k):
		case !known:
			continue
		default:
			groups[p.group]++
			name, missing = "[unknown]", "missing"
		}
		pvs = append(pvs, fmt.Sprintf(`{"pv_name":%q,"pv_uuid":%q,"vg_name":%q,"pv_size":"%d","pv_missing":%q}`, name, p.uuid, p.group, p.bytes(), missing))
	}
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		_, _, size := w.members(g, nil)
		vgs = append(vgs, fmt.Sprintf(`{"vg_name":%q,"vg_uuid":"u-%s","vg_size":"%d","vg_free":"%d","vg_extent_size":"%d","vg_missing_pv_count":"%d"}`, g, g, size, w.free(g), worldExtent, groups[g]))
	}
	for _, n := range slices.Sorted(maps.Keys(w.lvs)) {
		if _, known := groups[path.Dir(n)]; known {
			active := map[bool]string{true: "active"}[w.lvs[n].active]
			lvs = append(lvs, fmt.Sprintf(`{"vg_name":%q,"lv_name":%q,"lv_uuid":"x","lv_size":"%d","lv_active":%q}`, path.Dir(n), path.Base(n), w.lvs[n].size, active))
		}
	}
	rows := func(all []string) string { return "[" + strings.Join(all, ",") + "]" }
	return `{"report":[{"vg":` + rows(vgs) + `,"pv":` + rows(pvs) + `,"lv":` + rows(lvs) + `}]}`
}
