package resource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"reveille/bootstrap/host"
	"reveille/bootstrap/plan"
)

// Placeholders of the storage's resources: what they are called and what they
// ask for, and nothing yet that looks or acts.

var errNotBuilt = errors.New("this version does not look after disks yet")

func (v Volumes) ID() string       { return "volumes:" + v.Name }
func (v Volume) ID() string        { return "volume:" + v.VolumeID }
func (a MDArray) ID() string       { return "raid:" + a.Name }
func (g VolumeGroup) ID() string   { return "lvm:" + g.Name }
func (l LogicalVolume) ID() string { return "lvm:" + l.Group.Name + "/" + l.Name }
func (f FileSystem) ID() string    { return "filesystem:" + f.On.ID() }
func (m Mount) ID() string         { return "mount:" + m.Path }

func (Volumes) Live() bool       { return true }
func (MDArray) Live() bool       { return true }
func (VolumeGroup) Live() bool   { return true }
func (LogicalVolume) Live() bool { return true }
func (FileSystem) Live() bool    { return true }
func (Mount) Live() bool         { return true }

func (Volumes) Check(context.Context, *host.Host) ([]plan.Change, error)     { return nil, errNotBuilt }
func (Volume) Check(context.Context, *host.Host) ([]plan.Change, error)      { return nil, errNotBuilt }
func (MDArray) Check(context.Context, *host.Host) ([]plan.Change, error)     { return nil, errNotBuilt }
func (VolumeGroup) Check(context.Context, *host.Host) ([]plan.Change, error) { return nil, errNotBuilt }
func (LogicalVolume) Check(context.Context, *host.Host) ([]plan.Change, error) {
	return nil, errNotBuilt
}
func (FileSystem) Check(context.Context, *host.Host) ([]plan.Change, error) { return nil, errNotBuilt }
func (Mount) Check(context.Context, *host.Host) ([]plan.Change, error)      { return nil, errNotBuilt }

func (Volume) Node(context.Context, *host.Host) (string, error)        { return "", errNotBuilt }
func (MDArray) Node(context.Context, *host.Host) (string, error)       { return "", errNotBuilt }
func (LogicalVolume) Node(context.Context, *host.Host) (string, error) { return "", errNotBuilt }

func (v Volume) Volumes() []string        { return []string{v.VolumeID} }
func (a MDArray) Volumes() []string       { return a.Over }
func (l LogicalVolume) Volumes() []string { return l.Group.volumes() }

func (g VolumeGroup) volumes() []string {
	var out []string
	for _, d := range g.Over {
		out = append(out, d.Volumes()...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (v Volumes) Describe() string {
	say := fmt.Sprintf("%d by %s: %s\n", v.Count, v.Say, strings.Join(v.IDs, " "))
	if v.Lacks != "" {
		say += "fewer are known: " + v.Lacks + "\n"
	}
	return say
}

func (a MDArray) Describe() string {
	say := fmt.Sprintf("level %d over %d: %s\n", a.Level, a.Count, strings.Join(a.Over, " "))
	if a.Chunk > 0 || a.Bitmap != "" {
		say += fmt.Sprintf("chunk %d KiB, bitmap %s\n", a.Chunk, cmp.Or(a.Bitmap, "as mdadm has it"))
	}
	return say + "degraded: " + a.Degraded + "\n" + a.describe(a.Create)
}

func (g VolumeGroup) Describe() string {
	var over []string
	for _, d := range g.Over {
		over = append(over, d.ID())
	}
	return fmt.Sprintf("over %d: %s\ndegraded: %s\n", g.Count, strings.Join(over, " "), g.Degraded) + g.describe(g.Create)
}

func (l LogicalVolume) Describe() string {
	size := fmt.Sprintf("%d bytes", l.Size)
	if l.Percent > 0 {
		size = fmt.Sprintf("%d%% of the group", l.Percent)
	}
	if l.Stripes > 1 {
		size += fmt.Sprintf(", %d stripes", l.Stripes)
	}
	return size + "\n" + l.Group.describe(l.Create)
}

func (f FileSystem) Describe() string {
	say := f.Type
	if f.Label != "" {
		say += ", label " + f.Label
	}
	if len(f.Options) > 0 {
		say += ", mkfs " + strings.Join(f.Options, " ")
	}
	return say + "\n" + f.describe(f.Create)
}

func (m Mount) Describe() string {
	say := m.From.ID() + "\n"
	if len(m.Options) > 0 {
		say += "options " + strings.Join(m.Options, ",") + "\n"
	}
	if m.Owner+m.Group+m.Mode != "" {
		say += fmt.Sprintf("owner %s, group %s, mode %s\n", cmp.Or(m.Owner, "as it is"), cmp.Or(m.Group, "as it is"), cmp.Or(m.Mode, "as it is"))
	}
	return say
}

func (s Storage) describe(create Consent) string {
	say := "create: " + string(create) + "\n"
	if create == CreateNever {
		return say
	}
	for _, kind := range []struct {
		what string
		ids  map[string]bool
	}{{"new by a witness", s.Witnessed}, {"made from a snapshot", s.Snapshot}} {
		var ids []string
		for id := range kind.ids {
			ids = append(ids, id)
		}
		if slices.Sort(ids); len(ids) > 0 {
			say += kind.what + ": " + strings.Join(ids, " ") + "\n"
		}
	}
	return say + "noted in " + s.Folder + "\n"
}
