package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"reveille/bootstrap/userdata"
	"reveille/roles"
)

func bindUserdataBuild(a *app, fs *flag.FlagSet) runner {
	out := fs.String("out", "", "write the bytes to `FILE` instead of standard output")
	return func(_ context.Context, words []string) int {
		if len(words) == 0 {
			return a.usage(errors.New("userdata build needs the files that become its parts"), nil)
		}
		if f, ok := a.out.(*os.File); ok && *out == "" && term.IsTerminal(int(f.Fd())) {
			return a.usage(errors.New("the bytes are compressed and would spoil the terminal: redirect them, or name a file with --out"), nil)
		}
		data, err := buildUserdata(words)
		if err != nil {
			a.fail(err)
			return exitUsage
		}
		if *out != "" {
			err = os.WriteFile(*out, data, 0o644)
		} else {
			_, err = a.out.Write(data)
		}
		if err != nil {
			return a.fail(fmt.Errorf("write the user-data: %w", err))
		}
		fmt.Fprintf(a.err, "%s, %d of %d bytes\n", count(len(words), "part"), len(data), userdata.MaxRaw)
		return exitOK
	}
}

func buildUserdata(paths []string) ([]byte, error) {
	var files []userdata.File
	var errs []error
	for _, path := range paths {
		data, err := os.ReadFile(path)
		errs = append(errs, err)
		files = append(files, userdata.File{Name: path, Data: data})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return userdata.Build(files, roles.KnownKey)
}

func bindUserdataShow(a *app, _ *flag.FlagSet) runner {
	return func(_ context.Context, words []string) int {
		if len(words) != 1 {
			return a.usage(errors.New("userdata show needs one FILE, or - for standard input"), nil)
		}
		raw, err := a.readInput(words[0])
		if err != nil {
			a.fail(err)
			return exitUsage
		}
		found, err := userdata.Show(raw, roles.KnownKey)
		if a.json {
			a.printJSON(found)
		} else if werr := found.Write(a.out); werr != nil {
			return a.fail(werr)
		}
		if err != nil {
			a.fail(err)
			return exitUsage
		}
		return exitOK
	}
}

// readInput reads a file of the caller's own, or standard input, and a byte
// more than user-data can have: what is larger is said to be so, not cut.
func (a *app) readInput(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(a.in, userdata.MaxRaw+1))
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, userdata.MaxRaw+1))
}

// count is a number of things in words: "1 part", "2 parts".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
