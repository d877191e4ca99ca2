package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
)

// inner are the commands that the program itself runs in a child, which no help
// lists: they read devices, and a device may hang. They print JSON.
func inner() []command {
	return []command{
		{"look blank", "NODE", "read a device to see whether all of it is zero", "", bindLookBlank},
		{"look ends", "NODE", "see whether a device can be read", "", bindLookEnds},
		{"look names", "NODE…", "ask NVMe disks for the names of their attachment", "", bindLookNames},
		{"look fill", "PATH", "see how full the file system is that is mounted on a path", "", bindLookFill},
	}
}

func bindLookBlank(a *app, fs *flag.FlagSet) runner {
	witnessed := fs.Bool("witnessed", false, "samples do, whatever its size")
	return func(ctx context.Context, words []string) int {
		if len(words) != 1 {
			return a.usage(errors.New("look blank needs one device"), nil)
		}
		d, err := host.OpenDevice(words[0])
		if errors.Is(err, host.ErrInUse) {
			return a.printJSON(block.Verdict{Found: "it is in use: mounted, swapped to, or part of an array or a group"})
		}
		if err != nil {
			return a.fail(err)
		}
		defer d.Close()
		var seed [32]byte
		rand.Read(seed[:])
		v, err := block.Scan(ctx, d, d.Size(), *witnessed, seed)
		if err != nil {
			return a.fail(err)
		}
		return a.printJSON(v)
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
