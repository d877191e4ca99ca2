package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"

	"reveille/agent"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
	"reveille/roles"
)

func bindCollector(a *app, fs *flag.FlagSet) runner {
	out := fs.String("out", "", "write the files below `DIR` instead of printing them")
	return a.onMachine(func(_ context.Context, cfg agent.Config) int {
		files, err := collectorFiles(cfg)
		if err != nil {
			a.fail(err)
			return exitUsage
		}
		switch {
		case *out != "":
			err = writeBelow(*out, files)
		case a.json:
			return a.printJSON(filesByPath(files))
		default:
			for _, f := range files {
				fmt.Fprintf(a.out, "==> %s <==\n%s\n", f.Path, f.Content)
			}
		}
		if err != nil {
			return a.fail(err)
		}
		return exitOK
	})
}

func collectorFiles(cfg agent.Config) ([]roles.CollectorFile, error) {
	sources, err := cfg.ReadSources()
	if err != nil {
		return nil, err
	}
	f := facts.Facts{Machine: facts.ReadMachine(cfg.Host)}
	fleet, err := roles.Fleet(sources)
	if err != nil {
		return nil, err
	}
	return roles.GangliaCollector(f.Machine.OS, fleet)
}

func filesByPath(files []roles.CollectorFile) map[string]string {
	all := map[string]string{}
	for _, f := range files {
		all[f.Path] = string(f.Content)
	}
	return all
}

// writeBelow writes the files as on a machine whose root is dir.
func writeBelow(dir string, files []roles.CollectorFile) error {
	if err := os.MkdirAll(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	h, err := host.New(host.Options{Root: dir})
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := h.Write(f.Path, f.Content, host.Public); err != nil {
			return err
		}
	}
	return nil
}
