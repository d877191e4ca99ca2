package main

import (
	"context"
	"errors"
	"flag"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
)

// inner are the commands that the program itself runs in a child, which no help
// lists: they read devices, and a device may hang. They print JSON.
func inner() []command {
	return []command{
		{"look blank", "NODE…", "read devices to see whether all of each is zero", "", bindLookBlank},
		{"look ends", "NODE", "see whether a device can be read", "", bindLookEnds},
		{"look names", "NODE…", "ask NVMe disks for the names of their attachment", "", bindLookNames},
		{"look fill", "PATH", "see how full the file system is that is mounted on a path", "", bindLookFill},
	}
}

func bindLookBlank(a *app, fs *flag.FlagSet) runner {
	witnessed := fs.Bool("witnessed", false, "samples do, whatever its size")
	return func(ctx context.Context, nodes []string) int {
		var said any
		var err error
		switch len(nodes) {
		case 0:
			return a.usage(errors.New("look blank needs a device"), nil)
		case 1:
			said, err = block.ReadBlank(ctx, nodes[0], *witnessed)
		default:
			said, err = block.ReadAllBlank(ctx, nodes, *witnessed)
		}
		if err != nil {
			return a.fail(err)
		}
		return a.printJSON(said)
	}
}

func bindLookEnds(a *app, _ *flag.FlagSet) runner {
	return func(_ context.Context, words []string) int {
		if len(words) != 1 {
			return a.usage(errors.New("look ends needs one device"), nil)
		}
		d, err := host.OpenDeviceShared(words[0])
		if err == nil {
			defer d.Close()
			err = block.ReadEnds(d, d.Size())
		}
		if err != nil {
			return a.fail(err)
		}
		return exitOK
	}
}

func bindLookNames(a *app, _ *flag.FlagSet) runner {
	return func(_ context.Context, nodes []string) int {
		said, err := block.ReadNames(nodes)
		if err != nil {
			return a.fail(err)
		}
		return a.printJSON(said)
	}
}

func bindLookFill(a *app, _ *flag.FlagSet) runner {
	return func(_ context.Context, words []string) int {
		if len(words) != 1 {
			return a.usage(errors.New("look fill needs one path"), nil)
		}
		f, err := host.FillOf(words[0])
		if err != nil {
			return a.fail(err)
		}
		return a.printJSON(f)
	}
}
