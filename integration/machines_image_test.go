package integration_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"reveille/integration/guest"
)

// get is an image by its name in the cases:
//
//	plain      Debian, without anything of ours
//	installed  with our packages, and nothing enabled
//	agent      the same with reveille.service enabled: a fleet's own image
//
// NAME+PACKAGE is the same over one of Debian's packages that the image has not.
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
	name, debian, more := strings.Cut(name, "+")
	image, err := guest.Build(ctx, i.log)
	if err == nil && more {
		image, err = image.WithDebian(ctx, i.log, debian)
	}
	if err != nil || name == "plain" {
		return image, err
	}
	if name != "installed" && name != "agent" {
		return image, fmt.Errorf("no image is called %q", name)
	}
	// As everybody gets them: by the packages.
	if i.debs == nil {
		dir := filepath.Join(i.dir, "packages")
		if err := makePackages(dir, "VERSION=1.2.3", "ARCHES=amd64"); err != nil {
			return image, err
		}
		if i.debs, err = filepath.Glob(filepath.Join(dir, "*.deb")); err != nil {
			return image, err
		}
	}
	for _, deb := range i.debs {
		if image, err = image.With(ctx, i.log, i.dir, deb); err != nil {
			return image, err
		}
	}
	if name == "installed" {
		return image, nil
	}
	links, err := image.Enable("reveille.service", nil)
	if err != nil {
		return image, err
	}
	return image.WithFiles(ctx, i.log, i.dir, name, links...)
}
