package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"reveille/agent"
	"reveille/roles"
)

func bindValidate(a *app, _ *flag.FlagSet) runner {
	return func(_ context.Context, words []string) int {
		if len(words) == 0 {
			return a.usage(errors.New("validate needs a file or a folder of role files"), nil)
		}
		sources, err := readWords(words)
		if err != nil {
			a.fail(err)
			return exitUsage
		}
		found := append(roles.Validate(sources), roles.ValidateLogins(sources)...)
		if a.json {
			if found == nil {
				found = []*roles.Error{}
			}
			a.printJSON(found)
		} else {
			for _, e := range found {
				fmt.Fprintln(a.out, e)
			}
		}
		if len(found) > 0 {
			return exitUsage
		}
		if !a.json {
			fmt.Fprintf(a.out, "%s, no errors\n", count(len(sources), "file"))
		}
		return exitOK
	}
}

// readWords reads the files named and the role files of the folders named. A
// file called local.yaml is a local layer; any other is a role file.
func readWords(words []string) ([]roles.Source, error) {
	var all []roles.Source
	for _, w := range words {
		paths, err := expand(w)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			read := agent.ReadRole
			if path == w { // named as it is: a shell's <(command) is a pipe
				read = os.ReadFile
			}
			data, err := read(path)
			if err != nil {
				return nil, err
			}
			layer := roles.RoleFile
			if filepath.Base(path) == filepath.Base(agent.LocalFile) {
				layer = roles.Local
			}
			all = append(all, roles.Source{Layer: layer, Name: path, Data: data})
		}
	}
	return all, nil
}

func expand(word string) ([]string, error) {
	info, err := os.Stat(word)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{word}, nil
	}
	names, err := agent.ListRoles(word)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s holds no role file (*.yaml): %w", word, fs.ErrNotExist)
	}
	for i, n := range names {
		names[i] = filepath.Join(word, n)
	}
	return names, nil
}

func bindSchema(a *app, _ *flag.FlagSet) runner {
	return a.onMachine(func(context.Context, agent.Config) int {
		a.out.Write(roles.JSONSchema())
		return exitOK
	})
}
