package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"

	"reveille/roles"
)

// defaultRoleDirs are looked through in this order; a file in the first hides
// one of the same name in the second, which is the packages' to fill.
var defaultRoleDirs = []string{"/etc/reveille/roles.d", "/usr/share/reveille/roles.d"}

// LocalFile is the layer that outranks all others: the machine's own.
const LocalFile = "/etc/reveille/local.yaml"

// ReadSources reads the role files and the local file. A folder of the
// defaults may be missing; one that the caller named may not.
func (c Config) ReadSources() ([]roles.Source, error) {
	var all []roles.Source
	seen := map[string]bool{}
	read, list := c.readerOfRoles()
	for _, dir := range c.roleDirs() {
		names, err := list(dir)
		if errors.Is(err, fs.ErrNotExist) && len(c.RoleDirs) == 0 {
			continue
		}
		if err != nil {
			return nil, c.inputError("list role files", err)
		}
		for _, name := range names {
			if !isRoleFile(name) || seen[name] {
				continue
			}
			seen[name] = true
			path := filepath.Join(dir, name)
			data, err := read(path)
			if err != nil {
				return nil, c.inputError("read a role file", err)
			}
			all = append(all, roles.Source{Layer: roles.RoleFile, Name: path, Data: data})
		}
	}
	return c.addLocal(all)
}

// inputError is the caller's fault where the caller named the folder.
func (c Config) inputError(did string, err error) error {
	if len(c.RoleDirs) > 0 {
		return fmt.Errorf("%w: %s: %w", ErrInput, did, err)
	}
	return fmt.Errorf("%s: %w", did, err)
}

func (c Config) addLocal(all []roles.Source) ([]roles.Source, error) {
	data, err := c.Host.ReadFile(LocalFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return all, nil
	case err != nil:
		return nil, fmt.Errorf("read the local file: %w", err)
	}
	return append(all, roles.Source{Layer: roles.Local, Name: LocalFile, Data: data}), nil
}

func (c Config) roleDirs() []string {
	if len(c.RoleDirs) > 0 {
		return c.RoleDirs
	}
	return defaultRoleDirs
}

// readerOfRoles says how role files are read: a folder named on the command
// line is the caller's own, the defaults lie below the root.
func (c Config) readerOfRoles() (read func(string) ([]byte, error), list func(string) ([]string, error)) {
	if len(c.RoleDirs) == 0 {
		return c.Host.ReadFile, c.Host.ReadDir
	}
	return ReadRole, ListRoles
}

// ReadRole reads a role file in a folder of the caller's own. A pipe or a
// device there would be waited for without end.
func ReadRole(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read %s: it is no regular file", path)
	}
	return os.ReadFile(path)
}

// ListRoles is the names of the role files in a folder of the caller's own,
// sorted.
func ListRoles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if isRoleFile(e.Name()) {
			names = append(names, e.Name())
		}
	}
	sort.Strings(names)
	return names, nil
}

// isRoleFile leaves out what editors and packagers leave behind: hidden files,
// role.yaml~, role.yaml.dpkg-dist.
func isRoleFile(name string) bool {
	ext := filepath.Ext(name)
	return name[0] != '.' && (ext == ".yaml" || ext == ".yml")
}
