package roles

import (
	"slices"

	"reveille/roles/cite"
)

// lookups reads the sections of what else a login passes through.
func (b *builder) lookups(p *Profile) {
	if b.asked("nscd") {
		p.Nscd = &Nscd{
			Databases:   b.listOr("nscd.databases", []string{"passwd", "group"}),
			PositiveTTL: b.seconds("nscd.positive_ttl"),
			NegativeTTL: b.seconds("nscd.negative_ttl"),
			Asked:       b.m.open["nscd"].String(),
		}
	}
	if b.asked("autofs") {
		p.Autofs = b.autofs()
		if over := autofsOver(p.Autofs.Path, b.text("directory.break_glass")); over != "" {
			b.fail("autofs.path", cite.Quote(p.Autofs.Path)+" cannot be covered: "+over+"; choose a folder of its own, such as /nfs/home")
		}
	}
	if b.asked("updatedb") {
		p.Updatedb = &Updatedb{Filesystems: b.listOr("updatedb.filesystems", networkFilesystems()), Paths: b.list("updatedb.paths"), Asked: b.m.open["updatedb"].String()}
	}
}

func (b *builder) autofs() *Autofs {
	server := b.text("autofs.server")
	return &Autofs{
		Path:      b.text("autofs.path"),
		Server:    addresses([]string{server})[0],
		Export:    b.text("autofs.export"),
		Vers:      b.text("autofs.vers"),
		Soft:      b.flag("autofs.soft"),
		Timeo:     b.seconds("autofs.timeo"),
		Retrans:   b.number("autofs.retrans"),
		Options:   b.listOr("autofs.options", []string{"nosuid", "nodev"}),
		Timeout:   b.seconds("autofs.timeout"),
		MountWait: b.seconds("autofs.mount_wait"),
	}
}

// listOr is a list, or what stands for it where no layer sets it. An empty one
// that a layer does set is empty.
func (b *builder) listOr(path string, def []string) []string {
	if _, set := b.m.live[path]; !set {
		return def
	}
	return b.list(path)
}

// whySection is Why for a section that may be asked for without a single key.
func (p Profile) whySection(section, asked string) string {
	if set := func(s Setting) bool { return under(s.Key, section) && s.Layer != Defaults && !s.Over }; slices.ContainsFunc(p.Settings, set) {
		return p.Why(section)
	}
	return section + " asked for in " + asked
}
