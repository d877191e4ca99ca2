package integration_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"reveille/integration/guest"
)

// get is an image by its name in the cases:
//
//	plain      Debian, without anything of ours
//	installed  with our programs and units, none enabled
//	agent      the same with reveille.service enabled: a fleet's own image
func (i *images) get(ctx context.Context, name string, kind guest.Kind) (guest.Image, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	key := name + " " + string(kind)
	if image, ok := i.made[key]; ok {
		return image, nil
	}
	image, err := i.build(ctx, name)
	if err == nil && kind == guest.VM {
		image, err = image.ForVM(ctx, i.log)
	}
	if err != nil {
		return image, err
	}
	if i.made == nil {
		i.made = map[string]guest.Image{}
	}
	i.made[key] = image
	return image, nil
}

func (i *images) build(ctx context.Context, name string) (guest.Image, error) {
	image, err := guest.Build(ctx, i.log)
	if err != nil || name == "plain" {
		return image, err
	}
	if name != "installed" && name != "agent" {
		return image, fmt.Errorf("no image is called %q", name)
	}
	files, err := ourFiles()
	if err != nil {
		return image, err
	}
	if name == "agent" {
		links, err := image.Enable("reveille.service", files)
		if err != nil {
			return image, err
		}
		files = append(files, links...)
	}
	return image.WithFiles(ctx, i.log, i.dir, name, files...)
}

// ourFiles are the programs as they are released and the units.
func ourFiles() ([]guest.File, error) {
	var files []guest.File
	for _, program := range []string{"reveille", "reveille-coordinator"} {
		b, err := os.ReadFile(filepath.Join(binDir, program))
		if err != nil {
			return nil, err
		}
		files = append(files, guest.File{Path: "/usr/bin/" + program, Data: b, Mode: 0o755})
	}
	units, err := filepath.Glob(filepath.Join(caseDir(), "..", "systemd", "reveille*"))
	if err != nil {
		return nil, err
	}
	for _, path := range units {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files = append(files, guest.File{Path: "/usr/lib/systemd/system/" + filepath.Base(path), Data: b})
	}
	return files, nil
}
