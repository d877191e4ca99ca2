package storage

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"strconv"
	"strings"

	"reveille/bootstrap/block"
	"reveille/bootstrap/host"
)

// leastOfFS is how many bytes a file system may leave at the end of its device
// for good: mkfs.xfs makes no allocation group that is smaller.
const leastOfFS = 16 << 20

// room is what the mounted file system leaves of its device.
func (m Mount) room(ctx context.Context, h *host.Host) (*room, error) {
	s, err := m.see(ctx, h)
	if err != nil {
		return nil, err
	}
	if s.on.Path == "" || s.on.Major != s.major || s.on.Minor != s.minor || s.on.Root != "/" {
		return nil, nil // its step says why
	}
	kind, known := growers[s.on.Type]
	if !known {
		return nil, nil
	}
	size, err := block.Size(h, s.node)
	if err != nil {
		return nil, err
	}
	argv := kind.look(s.node, m.Path)
	out, err := h.Run(ctx, argv[0], argv[1:]...)
	if err != nil {
		return nil, err
	}
	has, leaves, err := kind.size(string(out.Stdout))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", strings.Join(argv, " "), err)
	}
	if size-has < max(leaves, leastOfFS) {
		return nil, nil
	}
	r := &room{say: fmt.Sprintf("the %s on %s, which uses %s of %s on %s", s.on.Type, m.Path, gib(has), gib(size), called(m.From.On)),
		on: []Device{m.From.On}, within: mkfsWithin, tools: [][]string{kind.tool(s.node, m.Path)}}
	if s.on.ReadOnly {
		r.held = "it is mounted read-only"
		return r, nil
	}
	r.held, err = unfit(h, path.Base(s.node))
	return r, err
}

// grower is how one type of file system becomes larger while it is mounted.
type grower struct {
	look func(node, at string) []string                     // tells its size and changes nothing
	size func(text string) (bytes, leaves int64, err error) // how large it is, and what it may leave at the end
	tool func(node, at string) []string
}

var growers = map[string]grower{
	"xfs": {
		look: func(_, at string) []string { return []string{"xfs_growfs", "-n", at} },
		size: sizeOfXFS,
		tool: func(_, at string) []string { return []string{"xfs_growfs", "-d", at} },
	},
	"ext4": {
		look: func(node, _ string) []string { return []string{"dumpe2fs", "-h", node} },
		size: sizeOfExt4,
		tool: func(node, _ string) []string { return []string{"resize2fs", node} },
	},
}

// sizeOfXFS reads "data     =                       bsize=4096   blocks=65536, imaxpct=25".
func sizeOfXFS(text string) (size, leaves int64, err error) {
	said, _ := lineOf(text, "data", "=")
	values := map[string]string{}
	for _, word := range strings.Fields(said) {
		key, value, _ := strings.Cut(strings.TrimSuffix(word, ","), "=")
		values[key] = value
	}
	var n [2]int64
	if err := numbersOf(n[:], values["blocks"], values["bsize"]); err != nil {
		return 0, 0, err
	}
	return n[0] * n[1], 0, nil
}

// sizeOfExt4 reads dumpe2fs. An ext4 begins no group of blocks at its end that has
// no room for its own tables: resize2fs leaves that room, and some blocks more.
func sizeOfExt4(text string) (size, leaves int64, err error) {
	said := func(key string) string { v, _ := lineOf(text, key, ":"); return v }
	reserved := cmp.Or(said("Reserved GDT blocks"), "0") // it has none where a group of them serves
	var n [4]int64
	if err := numbersOf(n[:], said("Block count"), said("Block size"), said("Inode blocks per group"), reserved); err != nil {
		return 0, 0, err
	}
	const more = 64
	return n[0] * n[1], 2 * (n[2] + n[3] + more) * n[1], nil
}

// numbersOf reads a count of blocks, their size, and other counts, which may not
// be so large that the bytes cannot be counted.
func numbersOf(into []int64, texts ...string) error {
	for i, text := range texts {
		n, err := strconv.ParseUint(text, 10, 43)
		if i == 1 {
			n, err = strconv.ParseUint(text, 10, 17) // no file system has larger ones than 64 KiB
		}
		if err != nil {
			return fmt.Errorf("how many blocks of what size it has: %w", err)
		}
		into[i] = int64(n)
	}
	return nil
}
