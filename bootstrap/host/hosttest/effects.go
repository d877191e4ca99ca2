package hosttest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"reveille/bootstrap/host"
)

// Points is every hook point since the last Forget, in order: "write:/etc/hosts
// rename", "sync:/etc done".
func (m *Machine) Points() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.points)
}

// Effects is what has been begun since the last Forget, one line each, in
// order: "write:/etc/hosts", "unit:restart nslcd.service". To wait for the disk
// is none.
func (m *Machine) Effects() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var effects []string
	fresh := true // the next point is the first of its effect
	open := map[string]bool{}
	for _, p := range m.points {
		i := strings.LastIndexByte(p, ' ')
		what, stage := p[:i], p[i+1:]
		if strings.HasPrefix(what, "sync:") {
			continue
		}
		fresh = !open[what]
		if fresh {
			effects = append(effects, what)
		}
		open[what] = stage != "done"
	}
	return effects
}

// Writes is how many effects there were since the last Forget. A command
// counts too.
func (m *Machine) Writes() int { return len(m.Effects()) }

// Forget empties the record of effects.
func (m *Machine) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.points = nil
}

// hook records each point, and dies at the one that was asked for.
func (m *Machine) hook(point string) {
	m.mu.Lock()
	m.points = append(m.points, point)
	m.passed++
	dies := m.killAt != 0 && m.passed >= m.killAt
	die := m.die
	m.mu.Unlock()
	if dies {
		die()
	}
}

// Tree is what is below the root, but for the given paths and what is below
// them: path to type, mode, owner and content (or target).
func (m *Machine) Tree(but ...string) map[string]string {
	m.t.Helper()
	tree := map[string]string{}
	err := filepath.WalkDir(m.Root, func(real string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path := strings.TrimPrefix(real, m.Root)
		for _, b := range but {
			if path == b {
				if d.IsDir() {
					return filepath.SkipDir
				}
				return nil
			}
		}
		if path != "" {
			tree[path], err = describe(real, d)
		}
		return err
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return tree
}

func describe(real string, d fs.DirEntry) (string, error) {
	st, err := d.Info()
	if err != nil {
		return "", err
	}
	sys := st.Sys().(*syscall.Stat_t)
	head := fmt.Sprintf("%v %d:%d", st.Mode(), sys.Uid, sys.Gid)
	switch {
	case st.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(real)
		return head + " -> " + target, err
	case st.Mode().IsRegular():
		data, err := os.ReadFile(real)
		return head + " " + string(data), err
	}
	return head, nil
}

// Temps is the temporary files that lie about.
func (m *Machine) Temps() []string {
	m.t.Helper()
	var temps []string
	for path := range m.Tree() {
		if strings.HasPrefix(filepath.Base(path), host.TempPrefix) {
			temps = append(temps, path)
		}
	}
	return temps
}
