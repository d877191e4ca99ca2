package daemon

import (
	"context"
	"slices"
	"strings"
	"time"

	"reveille/agent/report"
	"reveille/coordinator/api"
)

// tellWithin bounds what a pass spends on coordinators, all together: a
// machine is ready without anybody knowing.
const tellWithin = 2 * time.Second

// tellSpread is how far a fleet that boots together spreads its reports.
const tellSpread = 250 * time.Millisecond

// tell sends the newest report to every coordinator that answers in time.
// Who has not got it is kept and shown by `reveille debug status`.
func (p Pass) tell(ctx context.Context, out Outcome) {
	if p.teller != nil {
		p.teller.tell(ctx, out)
		return
	}
	var untold []string
	if err := send(ctx, out); err != nil {
		untold = lines(err)
		p.log().Info("not every coordinator has got the report", "error", err)
	}
	// Also where nobody is to be told: what was said of an earlier report is over.
	if err := report.SaveUntold(p.Host, untold); err != nil {
		p.log().Warn("which coordinators have not got the report could not be kept", "error", err)
	}
}

func send(ctx context.Context, out Outcome) error {
	if len(out.Whom) == 0 {
		return nil
	}
	sender, err := api.NewSender(out.Whom, api.SenderOptions{Once: true})
	if err != nil {
		return err
	}
	defer sender.Close()
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	spread(ctx, out.Whom)
	sender.Offer(out.Report)
	return sender.Flush(ctx)
}

// onLoopback says that every coordinator is on this machine: plain HTTP goes
// nowhere else.
func onLoopback(urls []string) bool {
	return !slices.ContainsFunc(urls, func(url string) bool { return !strings.HasPrefix(url, "http://") })
}
