package roles

import "fmt"

// storageAgain writes the storage section.
func storageAgain(p Profile, doc map[string]any) {
	s := p.Storage
	if s == nil {
		return
	}
	sets, arrays, groups, mounts := map[string]any{}, map[string]any{}, map[string]any{}, []any{}
	for _, v := range s.Volumes {
		m := map[string]any{"count": v.Count}
		if len(v.Tags) > 0 {
			tags := map[string]any{}
			for k, value := range v.Tags {
				tags[k] = dollars(value)
			}
			m["tags"] = tags
		}
		if len(v.IDs) > 0 {
			m["ids"] = v.IDs
		}
		if len(v.Devices) > 0 {
			m["devices"] = v.Devices
		}
		if v.Store {
			m["instance_store"] = v.Count
		}
		sets[v.Name] = m
	}
	for _, a := range s.Arrays {
		m := filledIn(map[string]string{"of": a.Of, "bitmap": a.Bitmap, "create": string(a.Create), "degraded": a.Degraded}, "")
		if m["level"] = a.Level; a.Chunk >= 1024 {
			m["chunk"] = fmt.Sprintf("%dMiB", a.Chunk/1024)
		} else if a.Chunk > 0 {
			m["chunk"] = fmt.Sprintf("%dKiB", a.Chunk)
		}
		arrays[a.Name] = m
	}
	for _, g := range s.Groups {
		volumes, of := map[string]any{}, []string{}
		for _, v := range g.Volumes {
			m := map[string]any{"size": fmt.Sprintf("%dMiB", v.Size>>20)}
			if v.Percent > 0 {
				m["size"] = fmt.Sprintf("%d%%", v.Percent)
			} else if v.Size >= 1<<40 {
				m["size"] = fmt.Sprintf("%dGiB", v.Size>>30)
			}
			if v.Stripes > 0 {
				m["stripes"] = v.Stripes
			}
			volumes[v.Name] = m
		}
		for _, r := range g.Of {
			of = append(of, r.String())
		}
		groups[g.Name] = map[string]any{"of": of, "volumes": volumes, "create": g.Create, "degraded": g.Degraded}
	}
	for _, m := range s.Mounts {
		entry := filledIn(map[string]string{"path": m.Path, "from": m.From.String(), "type": m.Type, "label": m.Label,
			"owner": m.Owner, "group": m.Group, "mode": m.Mode, "create": string(m.Create)}, "")
		entry["options"], entry["mkfs"] = escaped(m.Options), escaped(m.Mkfs)
		mounts = append(mounts, entry)
	}
	swaps := []any{}
	for _, w := range s.Swaps {
		swaps = append(swaps, filledIn(map[string]string{"from": w.From.String(), "label": w.Label, "create": string(w.Create)}, ""))
	}
	section := map[string]any{"wait": fmt.Sprintf("%.0fs", s.Wait.Seconds()), "volumes": sets, "raid": arrays, "lvm": groups, "mounts": mounts, "swap": swaps, "from_tags": s.FromTags}
	doc["storage"] = section
}
