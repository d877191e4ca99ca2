package daemon

import (
	"context"
	"errors"
	"net/netip"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
)

// awaitRoute waits for a way to the metadata service. What cannot be waited for
// is asked at once: the crawl says what is wrong, and better.
func awaitRoute(ctx context.Context, h *host.Host, to []netip.Addr) error {
	err := h.Links().AwaitRoute(ctx, to)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if !errors.Is(err, host.ErrOffline) {
		h.Log().Warn("a way to the metadata service could not be waited for", "error", err)
	}
	return nil
}

// patient is how a pass asks the metadata service: it begins the moment there
// is a way to it, and a machine that lies in a folder has no network of its own
// to wait for.
func (p Pass) patient() Pass {
	if p.Facts.Ready == nil && p.Host.Live() {
		p.Facts.Ready = func(ctx context.Context, to []netip.Addr) error { return awaitRoute(ctx, p.Host, to) }
	}
	return p
}

// addressNote tells of another private address than the one that was kept with
// the last good crawl of this same instance: after a stop and start, or a move
// of its interface. Whoever still speaks to the old one reads it here. "" where
// there is nothing to tell.
func addressNote(h *host.Host, f facts.Facts) string {
	now, ok := f.Instance.PrivateIP.Get()
	if !ok || f.Source != facts.FromIMDS {
		return ""
	}
	before, err := facts.LastPrivateIP(h, f.InstanceID())
	if err != nil || before == "" || before == now {
		return "" // a kept crawl that cannot be read is about to be replaced
	}
	return "private address changed from " + before + " to " + now
}
