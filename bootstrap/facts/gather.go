package facts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"slices"
	"sync"

	"reveille/bootstrap/host"
	"reveille/bootstrap/stack"
	"reveille/bootstrap/userdata"
)

// Gather reads all facts: the machine's files and, in one crawl under one
// deadline, IMDS. Where IMDS did not answer all that matters, the last good
// crawl of this same instance stands in, whole. What went wrong is in
// Problems; nothing is written. Of the volumes nothing is asked: see AskVolumes.
func Gather(ctx context.Context, h *host.Host, o Options) Facts {
	o = o.withDefaults()
	now := o.Now().UTC()
	f := Facts{Version: Version, Read: now, Now: now, Problems: []Problem{}}
	brake := ReadBrake(h) // as it was at the beginning, whatever a crawl of half a minute brings
	var local []Problem
	var reading sync.WaitGroup // beside the crawl, which mostly waits
	reading.Go(func() {
		stack.Grow(12)
		f.Machine, local = readMachine(h, now)
	})
	unread := f.readDisks(h, o)
	got := ask(ctx, o)
	f.Instance, f.UserData, f.Problems = got.instance, got.userData, got.problems
	reading.Wait()
	local = slices.Concat(local, unread)
	f.Machine.Brake = brake
	f.Source = FromIMDS
	if !f.Instance.ID.IsKnown() {
		f.Source = FromNone
	}
	if id, ok := f.Instance.ID.Get(); ok && f.Machine.DMI != "" && f.Machine.DMI != id {
		local = append(local, Problem{Path: assetTagPath, Reason: Malformed,
			Detail: "DMI names " + f.Machine.DMI + ", IMDS " + id + "; IMDS is believed"})
	}
	if !good(f) {
		local = append(local, f.standIn(h)...)
	}
	f.Problems = append(f.Problems, local...)
	o.Log.Debug("facts", slog.String("source", string(f.Source)), slog.Int("problems", len(f.Problems)))
	return f
}

// asked is what others than the machine said.
type asked struct {
	instance Instance
	userData UserData
	problems []Problem
}

// ask crawls IMDS.
func ask(ctx context.Context, o Options) (got asked) {
	urls, setBy, err := o.endpoints()
	if err != nil {
		r := Malformed
		if setBy == envDisabled {
			r = NotAsked
		}
		return nothing(setBy, r, err.Error())
	}
	if err := o.ready(ctx, urls); err != nil {
		return nothing(idPath, NoRoute, err.Error())
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	at := reach(ctx, urls, o)
	defer at.client.close()
	c := &crawl{ctx: ctx, cancel: cancel, client: at.client, crew: newCrew(), naked: at.id.naked}
	defer c.crew.close()
	if at.id.reason != "" {
		c.problem(idPath, at.id.reason, at.id.detail)
	}
	got.instance = c.instance(at.id, func() { got.userData = c.userData(o.Ours) })
	if c.naked {
		c.problem("api/token", NotAsked, "no token could be had; IMDSv1 was used, as was allowed")
	}
	got.problems = c.told()
	return got
}

// nothing is the result of a crawl that could not begin.
func nothing(path string, r Reason, detail string) (got asked) {
	c := &crawl{dead: &answer{reason: r, detail: detail}, cancel: func() {}}
	got.instance = c.instance(answer{reason: r, detail: detail}, func() { got.userData = c.userData(nil) })
	got.problems = []Problem{{Path: path, Reason: r, Detail: detail}}
	return got
}

// userData reads user-data and takes it apart. Of what is not ours only the
// names and sizes are kept.
func (c *crawl) userData(ours func(string) bool) UserData {
	u := UserData{Parts: []userdata.Part{}}
	a := c.ask("user-data")
	switch {
	case a.absent || a.reason == "" && a.body == "":
		u.State = Absent[Digest]()
		return u
	case a.reason != "":
		u.State = Unknown[Digest](a.reason, a.detail)
		return u
	}
	sum := sha256.Sum256([]byte(a.body))
	u.State = Known(Digest{Size: len(a.body), SHA256: hex.EncodeToString(sum[:])})
	parts, err := userdata.Split([]byte(a.body), ours)
	if err != nil {
		u.Broken = err.Error()
		c.problem("user-data", Malformed, u.Broken)
	}
	u.Parts = append(u.Parts, parts...)
	return u
}
