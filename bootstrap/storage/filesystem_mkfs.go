package storage

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"reveille/bootstrap/host"
)

// maker is what is particular to one type of file system.
type maker struct {
	valued string // its mkfs's flags that take a value, of one letter each
	force  string // its flags that would write over what is there, or give another UUID
	argv   func(f FileSystem, uuid, node string) []string
	// cut says that a file system with our UUID is one whose mkfs never ended.
	// It errs to the safe side: what may have been mounted once is not cut.
	cut func(ctx context.Context, h *host.Host, node string) (bool, error)
}

var makers = map[string]maker{
	"xfs": {valued: "bcdilLmnprs", force: "fNV", cut: cutXFS, argv: func(f FileSystem, uuid, node string) []string {
		return f.mkfs([]string{"mkfs.xfs", "-m", "uuid=" + uuid}, "-L", node)
	}},
	"ext4": {valued: "bCdeEgGiIJlLmMNoOrtTUz", force: "FlnSUV", cut: cutExt4, argv: func(f FileSystem, uuid, node string) []string {
		return f.mkfs([]string{"mkfs.ext4", "-q", "-U", uuid}, "-L", node)
	}},
	// Its signature is the last that mkswap writes.
	"swap": {valued: "eLopsUv", force: "fFU", argv: func(f FileSystem, uuid, node string) []string {
		return f.mkfs([]string{"mkswap", "-U", uuid}, "-L", node)
	}, cut: func(context.Context, *host.Host, string) (bool, error) { return false, nil }},
}

func (f FileSystem) mkfs(argv []string, label, node string) []string {
	if f.Label != "" {
		argv = append(argv, label, f.Label)
	}
	return append(append(argv, f.Options...), node)
}

// sound refuses options by which mkfs would write over what is there, or on
// another device than the one that was proven blank. The others are between
// the profile's author and mkfs.
func (m maker) sound(options []string) error {
	value := false
	for _, o := range options {
		flag := !value && strings.HasPrefix(o, "-")
		switch {
		case o == "" || strings.ContainsFunc(o, func(r rune) bool { return r <= ' ' || r == 0x7f }):
			return fmt.Errorf("mkfs option %q: an entry of the list is one word", o)
		case !flag && !value:
			return fmt.Errorf("mkfs option %s: it belongs to no flag, and would be taken for a device", o)
		case strings.Contains(o, "/") || strings.Contains(o, "device=") || strings.HasPrefix(o, "--"):
			return fmt.Errorf("mkfs option %s: it may name another device or a file, which is not provided for", o)
		}
		value = false
		for i, letter := range o[1:] {
			if !flag {
				break
			}
			if strings.ContainsRune(m.force, letter) {
				return fmt.Errorf("mkfs option %s: nothing is ever made by force, nor with another UUID", o)
			}
			if strings.ContainsRune(m.valued, letter) {
				value = i == len(o)-2 // else the value is the rest of the word
				break
			}
		}
	}
	return nil
}

// cutXFS asks for the mark that mkfs.xfs sets first and takes away last; no
// kernel mounts one that has it.
func cutXFS(ctx context.Context, h *host.Host, node string) (bool, error) {
	out, err := h.Run(ctx, "xfs_db", "-r", "-c", "sb 0", "-c", "print inprogress", node)
	if err != nil {
		return false, err
	}
	return parseXFS(string(out.Stdout))
}

func parseXFS(text string) (cut bool, err error) {
	mark, ok := lineOf(text, "inprogress", "=")
	if !ok {
		return false, errors.New("xfs_db does not say whether mkfs is in progress")
	}
	return mark == "1", nil
}

// cutExt4 asks for one that is not clean and was never mounted: mkfs.ext4 calls
// it clean with the last block that it writes.
func cutExt4(ctx context.Context, h *host.Host, node string) (bool, error) {
	out, err := h.Run(ctx, "dumpe2fs", "-h", node)
	if err != nil {
		return false, err
	}
	return parseExt4(string(out.Stdout))
}

func parseExt4(text string) (cut bool, err error) {
	state, ok := lineOf(text, "Filesystem state", ":")
	mounts, ok2 := lineOf(text, "Mount count", ":")
	last, ok3 := lineOf(text, "Last mount time", ":")
	if !ok || !ok2 || !ok3 {
		return false, errors.New("dumpe2fs does not say whether it is clean and was ever mounted")
	}
	return strings.HasPrefix(state, "not clean") && mounts == "0" && last == "n/a", nil
}

// lineOf is the value of a line "key SEP value" of a tool's output.
func lineOf(text, key, sep string) (string, bool) {
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(line, sep); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v), true
		}
	}
	return "", false
}
