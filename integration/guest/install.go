package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// WithFiles is the image with some files more, in a layer below dir, which the
// caller removes.
func (i Image) WithFiles(ctx context.Context, log *slog.Logger, dir, name string, files ...File) (Image, error) {
	i.cache = dir
	var made bytes.Buffer
	fmt.Fprintf(&made, "%v", files)
	return i.with(ctx, log, name, made.Bytes(), func(_ context.Context, into string) error {
		for _, f := range files {
			if err := put(into, f); err != nil {
				return err
			}
		}
		return nil
	})
}

// With is the image with a Debian package installed as dpkg does it, in a
// layer below dir, which the caller removes. Services stay as the package has
// them.
func (i Image) With(ctx context.Context, log *slog.Logger, dir, deb string) (Image, error) {
	b, err := os.ReadFile(deb)
	if err != nil {
		return i, fmt.Errorf("install a package into the machines' image: %w", err)
	}
	i.cache = dir
	return i.over(ctx, log, "package", b, func(ctx context.Context, root string) error {
		at := "/var/cache/" + filepath.Base(deb)
		if err := put(root, File{Path: at, Data: b}); err != nil {
			return err
		}
		return inside(ctx, root, []byte("dpkg --force-unsafe-io -i '"+at+"'\nrm '"+at+"'"))
	})
}

// Enable is what systemctl enable would link for a unit of the image, or of
// the files given: for a machine that is not booted yet.
func (i Image) Enable(unit string, files []File) ([]File, error) {
	if links := i.sysv(strings.TrimSuffix(unit, ".service")); links != nil {
		return links, nil
	}
	text, path, err := i.unit(unit, files)
	if err != nil {
		return nil, err
	}
	var links []File
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		for _, v := range strings.Fields(value) {
			switch key {
			case "WantedBy":
				links = append(links, File{Path: "/etc/systemd/system/" + v + ".wants/" + unit, Link: path})
			case "RequiredBy":
				links = append(links, File{Path: "/etc/systemd/system/" + v + ".requires/" + unit, Link: path})
			case "Alias":
				links = append(links, File{Path: "/etc/systemd/system/" + v, Link: path})
			case "Also":
				more, err := i.Enable(v, files)
				if err != nil {
					return nil, err
				}
				links = append(links, more...)
			}
		}
	}
	if len(links) == 0 {
		return nil, fmt.Errorf("enable %s: it has no [Install] section that says where", unit)
	}
	return links, nil
}

// sysv is how a script of /etc/init.d is enabled, of which systemd makes the unit
// itself: slapd, nslcd and gmond are started so on Debian.
func (i Image) sysv(name string) (links []File) {
	for _, l := range i.Layers {
		if _, err := os.Stat(filepath.Join(l, "etc/init.d", name)); err != nil {
			continue
		}
		if _, _, err := i.unit(name+".service", nil); err == nil {
			return nil // it has both, and the unit counts
		}
		for _, level := range []string{"2", "3", "4", "5"} {
			links = append(links, File{Path: "/etc/rc" + level + ".d/S01" + name, Link: "../init.d/" + name})
		}
		return links
	}
	return nil
}

// unit finds a unit's file, as the machine will see it.
func (i Image) unit(name string, files []File) (text []byte, path string, err error) {
	for _, dir := range []string{"/etc/systemd/system/", "/usr/lib/systemd/system/", "/lib/systemd/system/"} {
		for _, f := range files {
			if f.Path == dir+name && f.Link == "" {
				return f.Data, f.Path, nil
			}
		}
		for _, l := range i.Layers {
			b, err := os.ReadFile(filepath.Join(l, dir, name))
			if err == nil {
				return b, dir + name, nil
			} else if !errors.Is(err, fs.ErrNotExist) {
				return nil, "", fmt.Errorf("enable %s: %w", name, err)
			}
		}
	}
	return nil, "", fmt.Errorf("enable %s: the image has no such unit", name)
}
