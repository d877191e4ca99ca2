package main

import (
	"context"
	"flag"
	"time"

	"reveille/agent"
	"reveille/agent/debug"
	"reveille/bootstrap/block"
)

// lookWithin bounds a look at all disks: one that hangs keeps nobody waiting.
const lookWithin = 30 * time.Second

func bindDebugStorage(a *app, _ *flag.FlagSet) runner {
	return a.onMachine(func(ctx context.Context, cfg agent.Config) int {
		ctx, cancel := context.WithTimeout(ctx, lookWithin)
		defer cancel()
		disks, err := block.Tree(ctx, cfg.Host)
		if a.json {
			a.printJSON(disks)
		} else {
			debug.Storage(a.out, disks)
		}
		if err != nil {
			return a.fail(err)
		}
		return exitOK
	})
}
