package roles

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/resource"
	"reveille/roles/logins"
)

const (
	nfsHomes  = "autofs: {path: /nfs/home, server: nas.acme.private, export: /export/home}\n"
	directory = "directory: {uris: [ldaps://ldap.acme.private], base: \"dc=acme\", break_glass: admin}\n"
)

// What a profile alone shows to be dangerous is refused offline, by file and line.
func TestValidateAutofs(t *testing.T) {
	with := func(key, value string) string {
		all := map[string]string{"path": "/nfs/home", "server": "nas.acme.private", "export": "/export/home"}
		all[key] = value
		text := "autofs:\n"
		for _, k := range slices.Sorted(maps.Keys(all)) {
			text += "  " + k + ": " + all[k] + "\n"
		}
		return text
	}
	for name, c := range map[string]struct{ text, want string }{
		"whole":                      {nfsHomes + directory, ""},
		"without a server":           {"autofs: {path: /nfs/home}\n", "autofs.server is missing: an autofs section needs path, server and export"},
		"over the homes":             {with("path", "/home") + directory, "cannot be covered: local accounts have their homes in /home"},
		"over one home":              {with("path", "/home/admin") + directory, "a.yaml:4:3: autofs.path \"/home/admin\" cannot be covered: /home/admin, the home of the break-glass account admin, would wait for the file server; choose a folder of its own"},
		"below that home":            {with("path", "/home/admin/nfs") + directory, "would wait for the file server"},
		"beside it":                  {with("path", "/home/nfs") + directory, ""},
		"nobody is named":            {with("path", "/home"), "a.yaml:4:3: autofs.path \"/home\" cannot be covered: local accounts have their homes in /home"},
		"root's home":                {with("path", "/root/nfs"), "/root is the system's own"},
		"the system's":               {with("path", "/usr/home"), "/usr is the system's own"},
		"everything":                 {with("path", "/"), "autofs.path"},
		"up and away":                {with("path", "/nfs/../home"), "shortest form"},
		"a variable of autofs":       {with("path", "/nfs/$HOST"), "letters, digits, . _ and -"},
		"a second line":              {with("export", `"/a\n/root /etc/x"`), "autofs.export"},
		"a key in the export":        {with("export", "/export/&"), "autofs.export"},
		"a blank":                    {with("export", `"/export/my home"`), "autofs.export"},
		"the root of a server":       {with("export", "/"), ""},
		"an address":                 {with("server", "10.0.0.9"), ""},
		"an address of six":          {with("server", "fd00::9"), ""},
		"an address of this link":    {with("server", "fe80::9%eth0"), "autofs.server"},
		"two servers":                {with("server", "a,b"), "autofs.server"},
		"a list of servers":          {with("server", "[a, b]"), "autofs.server"},
		"a server with its export":   {with("server", "nas:/export"), "autofs.server"},
		"an option with a key":       {with("options", "[timeo=900]"), "none of soft, softerr, hard, timeo"},
		"hard by an option":          {with("options", "[hard]"), "none of soft"},
		"the background":             {with("options", "[bg]"), "none of soft"},
		"two options in one":         {with("options", `["noatime,hard"]`), "autofs.options"},
		"an option that begins with": {with("options", "[hardly, timeout=1]"), ""},
		"no wait":                    {with("mount_wait", "0s"), "autofs.mount_wait"},
		"wait for ever":              {with("mount_wait", "-1"), "autofs.mount_wait"},
		"a version of another time":  {with("vers", "2"), "autofs.vers"},
		"a version":                  {with("vers", `"4.1"`), ""},
	} {
		got := validated(role("a", "role: a\n"+c.text))
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	got := validated(role("a", "role: a\n"+with("path", "/home/admin")), local(directory))
	contains(t, got, "a.yaml:4:3: autofs.path", "the break-glass account admin")
}

// Whatever is taken stands in one field of one line, as it was given: nothing
// that autofs would read as more.
func TestAutofsMapHoldsWhatWasAsked(t *testing.T) {
	draw := func(t *rapid.T, name string, is *scalarType, good ...string) string {
		odd := rapid.StringOfN(rapid.RuneFrom([]rune("/ab.-_:,&$*#\\\"' \t\n(){}[]=%@1é")), 0, 12, -1)
		return rapid.OneOf(rapid.SampledFrom(good), odd).Filter(func(s string) bool { return is.check(s) == nil }).Draw(t, name)
	}
	rapid.Check(t, func(t *rapid.T) {
		a := Autofs{
			Path: draw(t, "path", plainPath(), "/nfs/home"), Export: draw(t, "export", exportPath(), "/", "/export/home"),
			Server: draw(t, "server", fileServer(), "nas.acme", "10.0.0.9", "fd00::9"), Vers: draw(t, "vers", nfsVersion(), "3", "4.2"),
			Options: []string{draw(t, "option", nfsOption(), "noatime", "rsize=65536")}, Soft: rapid.Bool().Draw(t, "soft"),
			Timeo: 2 * time.Second, Retrans: 1, Timeout: time.Minute, MountWait: 5 * time.Second,
		}
		if err := checkAutofs(a); err != nil {
			t.Fatal(err)
		}
		master, homes := mapLines(a.master("# x\n")), mapLines(a.homes("# x\n"))
		if len(master) != 1 || len(master[0]) < 2 || master[0][0] != a.Path || master[0][1] != autofsMapPath {
			t.Fatalf("the master map says %q", master)
		}
		if len(homes) != 1 {
			t.Fatalf("the map is %q", homes)
		}
		server := a.Server
		if strings.Contains(server, ":") {
			server = "[" + server + "]"
		}
		f := homes[0]
		if len(f) != 3 || f[0] != "*" || strings.Count(f[1], ",") != 7-1 || !strings.HasSuffix(f[1], ","+a.Options[0]) ||
			f[2] != server+":"+strings.TrimSuffix(a.Export, "/")+"/&" || strings.Count(f[2], "&") != 1 || strings.ContainsAny(f[2], "$*(,") {
			t.Fatalf("the map's line is %q", f)
		}
	})
}

// What is written is what the login budget reads: a directory user's home waits
// as one that is mounted when its server goes, where that takes longer than
// mount_wait, the break-glass account's not at all, and the whole is within its
// limits.
func TestBudgetOfOurOwnHomes(t *testing.T) {
	for name, c := range map[string]struct {
		more string // keys of autofs
		want logins.Bound
		says string
	}{
		"the defaults":  {"", after(105 + 2*12), "soft, timeo=20, retrans=1, retry=0 min; mount_wait 5"},
		"hard":          {", soft: false, mount_wait: 7s", logins.Bound{Unbounded: true}, "a hard mount, and mount_wait 7"},
		"a short NFS":   {", timeo: 1s, retrans: 0", after(105 + 2*2), "soft, timeo=10"},
		"NFS 3":         {", vers: \"3\"", after(2 * 6), "NFS 3, soft, timeo=20, retrans=1: 6s for each of 2 files, mounted when its server goes; 5s, yet to be mounted"},
		"a short NFS 3": {", vers: \"3\", timeo: 1s, retrans: 0, mount_wait: 1s", after(2), "soft, timeo=10"},
	} {
		t.Run(name, func(t *testing.T) {
			has := facts.Has{Nslcd: true, Autofs: true, Nscd: true}
			f := machine(installed(has))
			p := mustResolve(t, f, local(strings.Replace(directory, "ldaps:", "ldap:", 1)+"resolver: {nameservers: [10.0.0.2]}\nnscd: {}\n"+strings.Replace(nfsHomes, "}", c.more+"}", 1)))
			l := logins.Login{BreakGlass: "admin", Running: logins.Running{Nslcd: true, Automount: true, Nscd: true}, Files: map[string]string{
				nsswitchPath: "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n", "/etc/hostname": "dev-mysql01.acme.private\n",
				"/etc/passwd": "admin:x:1000:1000::/home/admin:/bin/bash\n", "/etc/group": "sudo:x:27:admin\n",
				sshdStack:          "account sufficient pam_localuser.so\naccount required pam_ldap.so\n",
				"/etc/auto.master": "+dir:/etc/auto.master.d\n", autofsPath: "[ autofs ]\ntimeout = 300\n",
			}}
			steps, err := Plan(f, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range steps {
				if file, ok := s.Resource.(resource.File); ok && file.Edit == nil {
					l.Files[file.Path] = string(file.Content)
				} else if ok {
					text, err := file.Edit.Apply([]byte(l.Files[file.Path]))
					if err != nil {
						t.Fatal(err)
					}
					l.Files[file.Path] = string(text)
				}
			}
			b := logins.BudgetOf(l)
			// Where the directory is dead as well nobody gets as far as his home. sshd
			// holds its answer back for as long again.
			home := func(who logins.Who) []logins.Term {
				return slices.DeleteFunc(slices.Clone(b.Case(who, logins.AllSlow).Terms), func(t logins.Term) bool { return t.Of != logins.OfHome })
			}
			if got := home(logins.DirectoryUser); len(got) != 1 || got[0].Takes != c.want.Times(2) || !strings.Contains(got[0].Limit, c.says) {
				t.Errorf("a directory user's home: %+v", got)
			}
			if got := home(logins.BreakGlassUser); len(got) != 0 {
				t.Errorf("the break-glass account waits for a home: %+v", got)
			}
			for _, e := range b.Over(0, 0) {
				t.Errorf("over its limit: %s", e)
			}
			if b.Case(logins.DirectoryUser, logins.AllSlow).Total.Unbounded != c.want.Unbounded {
				t.Error("a directory user's login has no bound, or one in spite of a hard mount")
			}
		})
	}
}

// The map goes back after the master map that names it.
func TestAutofsGoesBackInOrder(t *testing.T) {
	f := machine()
	for _, path := range []string{autofsMapPath, autofsPath, autofsMasterPath} {
		f.Machine.Owned = append(f.Machine.Owned, facts.Owned{Path: path, Concern: "autofs"})
	}
	steps := undo(f, nil)
	if len(steps) != 3 {
		t.Errorf("%d files go back", len(steps))
	}
	for _, s := range steps {
		want := []string{"original:" + autofsMasterPath}
		if s.ID() == want[0] {
			want = nil
		}
		if !slices.Equal(s.Needs, want) {
			t.Errorf("%s goes back after %q", s.ID(), s.Needs)
		}
	}
}

// after is a bound of so many seconds.
func after(seconds int) logins.Bound { return logins.Bound{Most: time.Duration(seconds) * time.Second} }

// mapLines is the words of a map's lines, comments left out.
func mapLines(text []byte) [][]string {
	var all [][]string
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 0 && !strings.HasPrefix(f[0], "#") {
			all = append(all, f)
		}
	}
	return all
}
