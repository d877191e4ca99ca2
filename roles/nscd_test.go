package roles

import (
	"slices"
	"strings"
	"testing"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/resource"
)

func TestValidateNscd(t *testing.T) {
	for text, want := range map[string]string{
		"nscd: {}\n":                            "",
		"nscd: {databases: []}\n":               "",
		"nscd: {databases: [hosts, passwd]}\n":  "",
		"nscd: {databases: [netgroup]}\n":       "one of passwd, group, hosts, services",
		"nscd: {databases: [shadow]}\n":         "one of passwd, group, hosts, services",
		"nscd: {negative_ttl: 2m}\n":            "whole seconds from 1s to 60s",
		"nscd: {negative_ttl: 0s}\n":            "who is new would be unknown for as long",
		"nscd: {positive_ttl: 600}\n":           "has no unit: write 600s",
		"nscd: {persistent: true}\n":            "no key \"nscd.persistent\"",
		"updatedb: {}\n":                        "",
		"updatedb: {filesystems: [\"a b\"]}\n":  "updatedb.filesystems",
		"updatedb: {paths: [\"/a\\\"b\"]}\n":    "updatedb.paths",
		"updatedb: {paths: [relative]}\n":       "not an absolute path",
		"updatedb: {filesystems: [nfs, nfs]}\n": "twice",
	} {
		if got := validated(role("a", "role: a\n"+text)); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s%q, want %q", text, got, want)
		}
	}
}

// Two caches never stand behind each other: what sssd looks up, nscd keeps not.
func TestNscdLeavesToSSSDWhatIsItsOwn(t *testing.T) {
	all := "nscd: {databases: [services, hosts, group, passwd]}\n"
	client := func(c string) string { return strings.Replace(directory, "{", "{client: "+c+", ", 1) }
	for name, c := range map[string]struct {
		text string
		has  facts.Has
		kept []string
		why  string // part of it
	}{
		"nslcd":                        {all + client("nslcd"), facts.Has{Nslcd: true}, []string{"passwd", "group", "hosts", "services"}, "its file waits for it"},
		"nslcd, sssd beside it":        {all + client("nslcd"), facts.Has{Nslcd: true, SSSD: true, Nscd: true}, []string{"passwd", "group", "hosts", "services"}, "nscd is installed"},
		"sssd":                         {all + client("sssd"), facts.Has{SSSD: true}, []string{"hosts"}, "services, group, passwd not, since sssd looks them up"},
		"sssd, not installed yet":      {all + client("sssd"), facts.Has{Nslcd: true}, []string{"hosts"}, "since sssd"},
		"auto, where sssd is":          {all + directory, facts.Has{SSSD: true}, []string{"hosts"}, "since sssd"},
		"auto, both":                   {all + directory, facts.Has{SSSD: true, Nslcd: true}, []string{"hosts"}, "since sssd"},
		"auto, neither":                {all + directory, facts.Has{}, []string{"passwd", "group", "hosts", "services"}, ""},
		"the image's own sssd":         {all, facts.Has{SSSD: true}, []string{"hosts"}, "since sssd"},
		"hosts alone, nothing is left": {"nscd: {databases: [hosts]}\n" + client("sssd"), facts.Has{SSSD: true}, []string{"hosts"}, ""},
		"by default":                   {"nscd: {}\n", facts.Has{}, []string{"passwd", "group"}, "nscd asked for in local.yaml:1"},
	} {
		t.Run(name, func(t *testing.T) {
			f := machine(installed(c.has))
			steps, err := planNscd(f, mustResolve(t, f, local(c.text)))
			if err != nil {
				t.Fatal(err)
			}
			text := string(steps[0].Resource.(resource.File).Content)
			var kept []string
			for _, db := range nscdDatabases {
				if strings.Contains(text, "enable-cache "+db+" yes\n") {
					kept = append(kept, db)
				} else if !strings.Contains(text, "enable-cache "+db+" no\n") {
					t.Errorf("%s is left to nscd's own default", db)
				}
			}
			if !slices.Equal(kept, c.kept) || !strings.Contains(steps[0].Why, c.why) || c.why == "" && strings.Contains(steps[0].Why, "sssd") {
				t.Errorf("kept %q, why %s; want %q, %q", kept, steps[0].Why, c.kept, c.why)
			}
			if strings.Contains(text, "persistent passwd yes") {
				t.Error("what is kept would outlive a restart, which is to forget it")
			}
			if len(steps) > 1 != c.has.Nscd {
				t.Errorf("%d steps, nscd installed: %v", len(steps), c.has.Nscd)
			}
		})
	}
}

// A name service that changes has nscd forget what it has kept, whichever
// concern it is that asks for the restart, and only one of them does.
func TestNscdIsRestartedByOneConcern(t *testing.T) {
	f := machine(installed(facts.Has{Nslcd: true, Nscd: true}))
	for _, text := range []string{directory, directory + "nscd: {}\n"} {
		steps, err := Plan(f, mustResolve(t, f, local(text)))
		if err != nil {
			t.Fatal(err)
		}
		units := 0
		for _, s := range steps {
			if u, ok := s.Resource.(resource.Unit); ok && u.Name == "nscd.service" {
				units++
				if !slices.ContainsFunc(u.Reads, func(f resource.File) bool { return f.Path == nsswitchPath }) || !slices.Contains(s.Needs, "file:"+nsswitchPath) {
					t.Errorf("%snscd is not restarted for nsswitch.conf: reads %+v, needs %q", text, u.Reads, s.Needs)
				}
			}
		}
		if units != 1 {
			t.Errorf("%s%d steps restart nscd", text, units)
		}
	}
}

// updatedb leaves out what autofs mounts, whoever names it, once.
func TestUpdatedbLeavesOutTheHomes(t *testing.T) {
	for text, want := range map[string][]string{
		"updatedb: {paths: [/srv]}\n":                       {"/srv"},
		"updatedb: {paths: [/srv]}\n" + nfsHomes:            {"/srv", "/nfs/home"},
		"updatedb: {paths: [/nfs/home, /srv]}\n" + nfsHomes: {"/nfs/home", "/srv"},
	} {
		steps, err := planUpdatedb(machine(), mustResolve(t, machine(), local(text)))
		if err != nil {
			t.Fatal(err)
		}
		lists := steps[0].Resource.(resource.File).Edit.(resource.Words).Lists
		if !slices.Equal(lists[1].Words, want) {
			t.Errorf("%s%q, want %q", text, lists[1].Words, want)
		}
		for _, kind := range []string{"nfs", "nfs4", "afs", "cifs", "autofs", "fuse.sshfs"} {
			if !slices.Contains(lists[0].Words, kind) {
				t.Errorf("%sdoes not leave out %s", text, kind)
			}
		}
	}
}

// installed makes it a Debian with these programs.
func installed(has facts.Has) func(*facts.Facts) {
	return func(f *facts.Facts) { f.Machine.OS, f.Machine.Has = facts.OS{ID: "debian"}, has }
}
