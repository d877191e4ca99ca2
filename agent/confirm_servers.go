package agent

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"reveille/bootstrap/host"
	"reveille/bootstrap/probe"
	"reveille/bootstrap/resource"
	"reveille/roles"
	"reveille/roles/logins"
)

// tryWithin bounds one trial, whatever the profile's limits.
const tryWithin = 2 * time.Second

const resolvConf = "/etc/resolv.conf"

// servers is one kind of them: how they are asked, and whose words they are.
type servers interface {
	present(w Wanted, h *host.Host) probe.Contest // of those that are there
	within(w Wanted) time.Duration
	name() string // in the plural
	key() string  // of the profile
}

// triable are those that are tried before the file that names them is written.
type triable interface {
	servers
	contest(ctx context.Context, t *Trials, tr *trial) probe.Contest
}

type (
	nameServers      struct{}
	directoryServers struct{}
	fileServers      struct{} // who has no home gets in all the same: not triable
)

func kindOf(path string) servers {
	switch _, known := logins.ServersIn(path, ""); {
	case path == resolvConf:
		return nameServers{}
	case path == logins.HomesPath:
		return fileServers{}
	case known:
		return directoryServers{}
	}
	return nil
}

// decide makes the trial of a file, once.
func (t *Trials) decide(ctx context.Context, tr *trial) error {
	tr.once.Do(func() {
		tr.err = t.judge(ctx, tr)
		tr.done.Store(true)
	})
	return tr.err
}

func (t *Trials) judge(ctx context.Context, tr *trial) error {
	old, fresh, err := t.both(tr)
	if err != nil {
		return nil // it is the failure of its own step
	}
	tr.force = old
	if changes, err := tr.raw.Check(ctx, t.host); err != nil || above(changes, t.max) {
		return nil // not written now
	}
	if !differ(old, fresh) {
		tr.force = fresh
		return nil
	}
	c := tr.servers.contest(ctx, t, tr)
	c.New, c.Old = fresh, without(old, fresh)
	if c.Old = lessPackaged(ctx, c); len(c.Old) == 0 {
		tr.force = fresh
		return nil
	}
	out, err := c.Run(ctx)
	switch {
	case err != nil:
		return err
	case out.Lost:
		return t.refusal(tr, out)
	case out.Silent:
		tr.note = fmt.Sprintf("no new one of the %s answers (%s), nor one of those that %s named before: nothing is lost by writing it", tr.servers.name(), out.Reasons, tr.path)
	}
	tr.force = fresh
	return nil
}

func (t *Trials) refusal(tr *trial, out probe.Outcome) error {
	asked := ""
	if out.Question != "" {
		asked = " for " + out.Question
	}
	remedy := "ask for others in the profile"
	if _, ours := tr.raw.(resource.File); ours {
		remedy = "correct " + t.wanted.Profile.Why(tr.servers.key())
	}
	return fmt.Errorf("%w: no new one of the %s answers%s (%s), while %s does, which %s names now; to change: see that one of them answers, or %s, then `reveille boot`",
		ErrSilent, tr.servers.name(), asked, out.Reasons, out.By, tr.path, remedy)
}

// both is the servers that the file names, and those that it would.
func (t *Trials) both(tr *trial) (old, fresh []string, err error) {
	if old, err = serversOnDisk(t.host, tr.path); err != nil {
		return nil, nil, err
	}
	var text []byte
	switch r := tr.raw.(type) {
	case resource.File:
		text = r.Content
	case resource.Original:
		if text, _, err = r.Bytes(t.host); err != nil {
			return nil, nil, err
		}
	}
	fresh, _ = logins.ServersIn(tr.path, string(text))
	return old, fresh, nil
}

// lessPackaged is the old servers without this machine itself where it answers
// nobody: packages leave ldap://127.0.0.1/ in their files, which no first boot is
// to weigh against the fleet's servers.
func lessPackaged(ctx context.Context, c probe.Contest) []string {
	here := slices.DeleteFunc(slices.Clone(c.Old), func(s string) bool { return !loopback(s) })
	if len(here) == 0 {
		return c.Old
	}
	asked := probe.Contest{New: here, Questions: c.Questions, AskNew: c.AskOld, Within: hereWithin}
	if out, err := asked.Run(ctx); err != nil || !out.Silent {
		return c.Old
	}
	return without(c.Old, here)
}

// hereWithin is long for a server on this machine: a port that nobody listens at
// refuses at once.
const hereWithin = 200 * time.Millisecond

func loopback(server string) bool {
	host := server
	if u, err := url.Parse(server); err == nil && u.Hostname() != "" {
		host = u.Hostname()
	}
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// differ says whether there is anything to ask: a file that named no other
// server, as at a first boot or where they change places, has none to lose.
func differ(old, fresh []string) bool { return len(fresh) > 0 && len(without(old, fresh)) > 0 }

func without(old, fresh []string) []string {
	return slices.DeleteFunc(slices.Clone(old), func(s string) bool { return slices.Contains(fresh, s) })
}

func (nameServers) name() string { return "name servers" }
func (nameServers) key() string  { return "resolver.nameservers" }

func (n nameServers) contest(_ context.Context, t *Trials, _ *trial) probe.Contest {
	c := probe.Contest{Questions: roles.TrialNames(t.wanted.Facts, t.wanted.Profile), Within: n.within(t.wanted)}
	c.AskNew = probe.Names(t.host, c.Questions)
	c.AskOld = c.AskNew
	return c
}

func (directoryServers) name() string { return "directory's servers" }
func (directoryServers) key() string  { return "directory.uris" }

func (fileServers) name() string { return "homes' file servers" }
func (fileServers) key() string  { return "autofs.server" }

func (nameServers) within(w Wanted) time.Duration {
	if r := w.Profile.Resolver; r != nil {
		return min(tryWithin, r.Timeout*time.Duration(r.Attempts))
	}
	return tryWithin
}

func (directoryServers) within(w Wanted) time.Duration {
	if d := w.Profile.Directory; d != nil {
		return min(tryWithin, d.BindTimeLimit+d.TimeLimit)
	}
	return tryWithin
}

func (fileServers) within(w Wanted) time.Duration {
	if a := w.Profile.Autofs; a != nil {
		return min(tryWithin, a.MountWait)
	}
	return tryWithin
}

// contest asks old servers without a look at their certificates: an old file's
// authority may be another, and who answers at all is reason enough to keep it.
func (d directoryServers) contest(ctx context.Context, t *Trials, tr *trial) probe.Contest {
	ask := probe.Directory{Host: t.host, Resolver: t.resolver(ctx)}
	c := probe.Contest{Questions: []string{""}, Within: d.within(t.wanted), AskOld: ask.Ask}
	if _, ours := tr.raw.(resource.File); ours {
		ask.CAFile = t.wanted.Profile.CACert(t.wanted.Facts)
	}
	c.AskNew = ask.Ask
	return c
}

// resolver is how the directory's names will be found once the walk is over,
// nil for the machine's own way: where resolv.conf is refused, by its old
// servers.
func (t *Trials) resolver(ctx context.Context) *probe.Resolver {
	tr := t.byPath[resolvConf]
	if tr == nil {
		return nil
	}
	_ = t.decide(ctx, tr) // its own step says what came of it
	if len(tr.force) == 0 {
		return nil
	}
	return &probe.Resolver{Host: t.host, Servers: tr.force, Search: t.wanted.Profile.SearchList()}
}
