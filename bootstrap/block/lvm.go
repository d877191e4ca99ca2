package block

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"reveille/bootstrap/host"
)

// PV is a physical volume of LVM's.
type PV struct {
	Node  string // "" where it is missing
	UUID  string
	Group string // "" where it belongs to none
	Size  int64
}

// LV is a logical volume.
type LV struct {
	Group, Name, UUID string
	Size              int64
	Active            bool
}

// VG is a volume group.
type VG struct {
	Name, UUID string
	Size, Free int64
	Extent     int64 // bytes
	Missing    int   // physical volumes that it lacks
}

// LVM is what LVM sees on some devices, and on them alone.
type LVM struct {
	PVs []PV
	VGs []VG
	LVs []LV
	// Copies are devices that have the identity of another among PVs, as a
	// volume of a snapshot has beside its origin. LVM takes one of them, by no
	// rule that tells which is the right one, and passes over the others.
	Copies []PV
}

// Look asks LVM about these devices, whatever lists it has of its own. Devices
// that hold nothing of LVM's, or are not there, are passed over. It needs LVM
// 2.03.11.
func Look(ctx context.Context, h *host.Host, nodes []string) (LVM, error) {
	if len(nodes) == 0 {
		return LVM{}, nil
	}
	out, err := look(ctx, h, "lvm", append(slices.Clone(report), "--devices", strings.Join(nodes, ","))...)
	if err != nil {
		return LVM{}, err
	}
	all, err := parseLVM(out.Stdout)
	if err != nil {
		return LVM{}, fmt.Errorf("lvm fullreport: %w; it says: %s", err, warnings(out.Stderr))
	}
	all.Copies = copies(string(out.Stderr))
	return all, nil
}

// report asks for all of it at once: each of LVM's commands reads every device
// anew. Segments cannot be left out of it, and one column of them is least.
var report = []string{"fullreport", "--reportformat", "json", "--units", "b", "--nosuffix",
	"--configreport", "pv", "-o", "pv_name,pv_uuid,vg_name,pv_size,pv_missing",
	"--configreport", "vg", "-o", "vg_name,vg_uuid,vg_size,vg_free,vg_extent_size,vg_missing_pv_count",
	"--configreport", "lv", "-o", "vg_name,lv_name,lv_uuid,lv_size,lv_active",
	"--configreport", "pvseg", "-o", "pvseg_start",
	"--configreport", "seg", "-o", "seg_start",
}

// notUsed is LVM's only word of a copy: no column has it.
var notUsed = regexp.MustCompile(`Not using device (\S+) for PV (\S+)\.`)

// copies are those devices that LVM says it passes over.
func copies(said string) (all []PV) {
	for _, m := range notUsed.FindAllStringSubmatch(said, -1) {
		all = append(all, PV{Node: m[1], UUID: m[2]})
	}
	return all
}

// warnings are the first of LVM's words, on one line: those that follow come of
// them.
func warnings(stderr []byte) string {
	const most = 400
	text := strings.Join(strings.Fields(string(stderr)), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return cmp.Or(text, "nothing")
}

// row is one line of a report: LVM writes numbers as text as well.
type row map[string]string

func parseLVM(data []byte) (LVM, error) {
	var said struct {
		// An entry is a group with all that it has, or the physical volumes of
		// none; none is there where nothing is.
		Report []struct{ PV, VG, LV []row } `json:"report"`
	}
	if err := json.Unmarshal(data, &said); err != nil {
		return LVM{}, fmt.Errorf("its report is no JSON: %w", err)
	}
	if said.Report == nil {
		return LVM{}, errors.New("it made no report")
	}
	var all LVM
	var n numbers
	for _, r := range said.Report {
		for _, p := range r.PV {
			pv := PV{Node: p["pv_name"], UUID: p["pv_uuid"], Group: p["vg_name"], Size: n.of(p, "pv_size")}
			if p["pv_missing"] != "" {
				pv.Node = "" // "[unknown]"
			}
			all.PVs = append(all.PVs, pv)
		}
		for _, g := range r.VG {
			all.VGs = append(all.VGs, VG{Name: g["vg_name"], UUID: g["vg_uuid"], Size: n.of(g, "vg_size"), Free: n.of(g, "vg_free"),
				Extent: n.of(g, "vg_extent_size"), Missing: int(n.of(g, "vg_missing_pv_count"))})
		}
		for _, l := range r.LV {
			all.LVs = append(all.LVs, LV{Group: l["vg_name"], Name: l["lv_name"], UUID: l["lv_uuid"],
				Size: n.of(l, "lv_size"), Active: l["lv_active"] == "active"})
		}
	}
	return all, errors.Join(n.errs...)
}

// numbers reads columns that are numbers, and keeps what is wrong with them.
type numbers struct{ errs []error }

func (n *numbers) of(r row, column string) int64 {
	v, err := strconv.ParseInt(r[column], 10, 64)
	if err != nil {
		n.errs = append(n.errs, fmt.Errorf("%s %q is no number of bytes or volumes", column, r[column]))
	}
	return v
}
