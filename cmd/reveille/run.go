package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"reveille/agent"
	"reveille/agent/daemon"
	"reveille/bootstrap/host"
)

func bindRun(a *app, fs *flag.FlagSet) runner {
	timeout := fs.Duration("timeout", daemon.DefaultPass, "end a pass after `TIME`")
	every := fs.Duration("every", 10*time.Minute, "look again `TIME` after a pass, more or less")
	return a.onMachine(func(ctx context.Context, cfg agent.Config) int {
		if cfg.Host.Root() != "/" || a.factsFile != "" {
			return a.usage(errors.New("run is for the running machine: `reveille boot` takes a --root or replays --facts"), nil)
		}
		if *timeout <= 0 || *every <= 0 {
			return a.usage(fmt.Errorf("--timeout %s --every %s: both must be above zero", *timeout, *every), nil)
		}
		watchdog, err := host.Watchdog()
		if err != nil {
			cfg.Log.Warn("no sign of life will be given", "error", err)
		}
		hup := make(chan os.Signal, 1)
		signal.Notify(hup, syscall.SIGHUP)
		defer signal.Stop(hup)
		d := daemon.Daemon{Config: cfg, Notify: host.Notify, Watchdog: watchdog, Hup: hup,
			Times: daemon.Times{Pass: *timeout, Every: *every}}
		if err := d.Run(ctx); err != nil {
			return a.fail(err)
		}
		return exitOK
	})
}
