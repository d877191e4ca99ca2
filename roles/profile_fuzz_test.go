package roles

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/userdata"
)

// placed checks that a refusal has the type, the places and the words that
// its readers count on.
func placed(t *testing.T, err error, lines bool) {
	t.Helper()
	var unknown *UnknownFact
	if errors.As(err, &unknown) {
		t.Fatalf("all facts are known, and yet: %v", err)
	}
	var bad Errors
	if !errors.As(err, &bad) || len(bad) == 0 {
		t.Fatalf("an error of another type: %v", err)
	}
	for _, e := range bad {
		if e.File == "" || e.Message == "" || strings.ContainsAny(e.Message, "\n\x00\x1b") {
			t.Errorf("an error without a place or with raw text: %+v", e)
		}
		if lines && (e.Line < 1 || e.Column < 1) {
			t.Errorf("an error without a line: %+v", e)
		}
	}
}

// again writes a profile as a role file, and reads it.
func again(t *testing.T, p Profile) Profile {
	t.Helper()
	doc := map[string]any{"role": "again", "vars": map[string]any{}, "identity": filledIn(map[string]string{
		"hostname": p.Identity.Hostname, "domain": p.Identity.Domain}, p.Identity.HostnameTag)}
	for k, v := range p.Vars {
		doc["vars"].(map[string]any)[k] = dollars(v)
	}
	if r := p.Resolver; r != nil {
		doc["resolver"] = map[string]any{"nameservers": r.Nameservers, "search": r.Search, "timeout": fmt.Sprintf("%.0fs", r.Timeout.Seconds()), "attempts": r.Attempts, "rotate": r.Rotate}
		if len(r.Search) == 0 {
			delete(doc["resolver"].(map[string]any), "search")
		}
	}
	if d := p.Directory; d != nil {
		m := filledIn(map[string]string{"base": d.Base, "bind_dn": d.BindDN, "password_file": d.PasswordFile, "ca_cert_file": d.CACertFile, "client": d.Client, "break_glass": d.BreakGlass}, "")
		m["uris"], m["access"] = d.URIs, map[string]any{"hosts": d.AccessHosts}
		m["timelimit"], m["bind_timelimit"] = fmt.Sprintf("%.0fs", d.TimeLimit.Seconds()), fmt.Sprintf("%.0fs", d.BindTimeLimit.Seconds())
		doc["directory"] = m
	}
	if p.LoginBudget > 0 {
		doc["login_budget"] = fmt.Sprintf("%.0fs", p.LoginBudget.Seconds())
	}
	lookupsAgain(p, doc)
	if g := p.Ganglia; g != nil {
		doc["ganglia"] = map[string]any{"cluster": g.Cluster, "port": g.Port, "collectors": g.Collectors}
	}
	storageAgain(p, doc)
	if s := p.Scripts; s != nil {
		m := map[string]any{"startup_timeout": fmt.Sprintf("%.0fs", s.StartupTimeout.Seconds()), "shutdown_timeout": fmt.Sprintf("%.0fs", s.ShutdownTimeout.Seconds())}
		m["startup"], m["shutdown"] = escaped(s.Startup), escaped(s.Shutdown)
		doc["scripts"] = m
	}
	doc["services"] = escaped(p.Services)
	ready := []any{}
	for _, r := range p.Ready {
		m := filledIn(map[string]string{"tcp": r.TCP, "http": r.HTTP, "unit": r.Unit, "file": r.File}, "")
		if len(r.Command) > 0 {
			m["command"] = escaped(r.Command)
		}
		m["timeout"] = fmt.Sprintf("%.0fs", r.Timeout.Seconds())
		ready = append(ready, m)
	}
	doc["ready"] = ready
	if c := p.Coordinator; c != nil {
		doc["coordinator"] = map[string]any{"urls": c.URLs}
	}
	data, err := json.Marshal(doc) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	out, err := Resolve(machine(says("role=again")), []Source{{RoleFile, "again.yaml", data}})
	if err != nil {
		t.Fatalf("what was taken is refused when written again: %v\n%s", err, data)
	}
	return out
}

// lookupsAgain writes nscd, autofs and updatedb.
func lookupsAgain(p Profile, doc map[string]any) {
	seconds := func(d time.Duration) string { return fmt.Sprintf("%.0fs", d.Seconds()) }
	if n := p.Nscd; n != nil {
		doc["nscd"] = map[string]any{"databases": escaped(n.Databases), "positive_ttl": seconds(n.PositiveTTL), "negative_ttl": seconds(n.NegativeTTL)}
	}
	if a := p.Autofs; a != nil {
		doc["autofs"] = map[string]any{"path": a.Path, "server": a.Server, "export": a.Export, "vers": a.Vers, "soft": a.Soft,
			"timeo": seconds(a.Timeo), "retrans": a.Retrans, "options": escaped(a.Options), "timeout": seconds(a.Timeout), "mount_wait": seconds(a.MountWait)}
	}
	if u := p.Updatedb; u != nil {
		doc["updatedb"] = map[string]any{"filesystems": escaped(u.Filesystems), "paths": escaped(u.Paths)}
	}
}

// escaped is a list, never null, that means itself when it is read.
func escaped(texts []string) []string {
	out := []string{}
	for _, s := range texts {
		out = append(out, dollars(s))
	}
	return out
}

func dollars(s string) string { return strings.ReplaceAll(s, "$", "$$") }

func filledIn(texts map[string]string, tag string) map[string]any {
	out := map[string]any{}
	for k, v := range texts {
		if v != "" {
			out[k] = dollars(v)
		}
	}
	if tag != "" {
		out["hostname_tag"] = tag
	}
	return out
}

// sameProfile compares what two profiles ask for.
func sameProfile(t *testing.T, a, b Profile) {
	t.Helper()
	ignore := cmpopts.IgnoreFields(Profile{}, "Role", "RoleFile", "Chosen", "Notes", "Settings")
	places := []cmp.Option{cmpopts.IgnoreFields(Nscd{}, "Asked"), cmpopts.IgnoreFields(Updatedb{}, "Asked")}
	if d := cmp.Diff(a, b, append(places, ignore, cmpopts.EquateEmpty())...); d != "" {
		t.Errorf("written and read again it is another profile:\n%s", d)
	}
}

// seeds are the corpus and the examples.
func seeds(f *testing.F) {
	for _, glob := range []string{"testdata/corpus/good/*.yaml", "testdata/corpus/bad/*.yaml", "../packaging/examples/roles.d/*.yaml"} {
		for _, s := range readAll(f, RoleFile, filepath.FromSlash(glob)) {
			f.Add(string(s.Data))
		}
	}
}

// Whatever a role file holds: no panic, no hang, every error with its place,
// and what is taken is the same when written and read again.
func FuzzProfile(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		source := Source{RoleFile, "fuzz.yaml", []byte(text)}
		found := Validate([]Source{source})
		if len(found) > 0 {
			placed(t, Errors(found), true)
		}
		var d documents
		d.readSources([]Source{source})
		if len(d.roles) == 0 {
			return
		}
		p, err := Resolve(machine(says("role="+d.roles[0].role)), []Source{source})
		if err != nil {
			placed(t, err, true)
			return
		}
		if len(found) > 0 {
			t.Fatalf("Resolve takes what Validate refuses: %v", Errors(found))
		}
		for _, s := range p.Settings {
			if !KnownKey(s.Key) {
				t.Errorf("a setting of no key: %+v", s)
			}
		}
		sameProfile(t, p, again(t, p))
	})
}

// The same for key=value lines.
func FuzzKeyValue(f *testing.F) {
	for _, s := range []string{"hostname=dev-mysql01", "hostname=a\nresolver.nameservers=10.0.0.2,fd00::2\nresolver.search=a.b\r\n", "vars.a=$${x}\nhostname=${region}",
		"resolver.nameservers.us-east-1a=10.0.0.2\n#x\n\n", "role=x\n=\na==b\n.=1\nresolver.=2", "storage.volumes.a.ids=vol-01234567,vol-01234568\nstorage.raid.r.of=a\nstorage.raid.r.level=1\nstorage.lvm.g.of=raid/r\nstorage.lvm.g.volumes.l=20%", "directory.uris=ldapi://\ndirectory.base=dc=a\ndirectory.break_glass=u", "storage.raid=1", "hostname=a\nservices=a.service,b.timer\nscripts.startup=/a,/b\nscripts.startup_timeout=1m", "ready=/a", "\ufeffhostname=a\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Resolve(machine(part("part 1", userdata.KeyValue, text)), nil)
		if err != nil {
			placed(t, err, true)
			return
		}
		sameProfile(t, p, again(t, p))
	})
}

// Tags that nobody allowed can name the host and the role and do nothing
// else; allowed ones are read as strictly as a file. Never a panic.
func FuzzTags(f *testing.F) {
	for _, s := range [][2]string{{"hostname", "dev01"}, {"hostname", "a_b"}, {"Name", "x y"}, {"role", ""}, {"reveille:pause", "x"}, {"reveille:resolver.nameservers", "10.0.0.2"},
		{"reveille:vars.a", "${b}"}, {"reveille:", "x"}, {"reveille:identity.hostname", "h"}, {"reveille:storage", "x"}, {"reveille:services", "a.service"}, {"reveille:scripts.startup", "/a"}, {"reveille:match.tags.a", "b"}} {
		f.Add(s[0], s[1])
	}
	for _, key := range []string{"storage.wait", "storage.volumes.a.ids", "storage.mounts"} {
		f.Add("reveille:"+key, "1m")
	}
	may := local("tags_may_set: [identity, vars, resolver, directory, ganglia, coordinator]\n")
	f.Fuzz(func(t *testing.T, key, value string) {
		p, err := Resolve(machine(tagged(key, value)), nil)
		if err != nil {
			placed(t, err, false)
			if key != "role" {
				t.Errorf("a tag that nobody allowed refuses the pass: %v", err)
			}
			return
		}
		if key != "hostname" && p.Identity != (Identity{}) || p.Resolver != nil || p.Directory != nil || p.Ganglia != nil || p.Coordinator != nil || len(p.Vars) > 0 ||
			p.Storage != nil || p.Scripts != nil || len(p.Services) > 0 || len(p.Ready) > 0 {
			t.Errorf("a tag that nobody allowed steers: %+v", p)
		}
		if h := p.Identity.Hostname; h != "" && checkHostName("host name", h) != nil {
			t.Errorf("no host name: %q", h)
		}
		if p, err = Resolve(machine(tagged(key, value)), []Source{may}); err != nil {
			placed(t, err, false)
			return
		}
		sameProfile(t, p, again(t, p))
	})
}

// Unknown facts must never make a panic either, nor a profile.
func TestNothingKnownIsNoProfile(t *testing.T) {
	if _, err := Resolve(facts.Facts{}, readAll(t, RoleFile, "../packaging/examples/roles.d/*.yaml")); err == nil {
		t.Error("a profile was made of nothing")
	}
}
