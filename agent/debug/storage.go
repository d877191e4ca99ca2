package debug

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"reveille/agent/report"
	"reveille/bootstrap/block"
)

// Storage prints the disks, and below each what lies upon it: volume, array,
// mapped device (a logical volume), file system and where it is mounted. What
// lies upon several disks is taken apart below the first, and named below the
// others.
func Storage(w io.Writer, disks []block.Layer) {
	told := map[string]bool{}
	for _, d := range disks {
		layer(w, d, 0, told)
	}
}

func layer(w io.Writer, l block.Layer, depth int, told map[string]bool) {
	lead := strings.Repeat("  ", depth)
	words := []string{l.What, cmp.Or(l.Name, l.Kernel)}
	if told[l.Kernel] {
		fmt.Fprintf(w, "%s%s (as above)\n", lead, report.Clean(strings.Join(words, " ")))
		return
	}
	told[l.Kernel] = true
	if l.Attach != "" {
		words = append(words, l.Attach)
	}
	if l.Name != "" {
		words = append(words, l.Kernel)
	}
	words = append(words, size(l.Size))
	if l.State != "" {
		words = append(words, l.State)
	}
	fmt.Fprintf(w, "%s%s\n", lead, report.Clean(strings.Join(words, "  ")))
	if l.Error != "" {
		fmt.Fprintf(w, "%s  ! %s\n", lead, report.Clean(l.Error))
	}
	if len(l.Upon) == 0 || len(l.Mounted) > 0 {
		fmt.Fprintf(w, "%s  %s\n", lead, report.Clean(holds(l)))
	}
	for _, u := range l.Upon {
		layer(w, u, depth+1, told)
	}
}

// holds is what the uppermost device says of itself.
func holds(l block.Layer) string {
	text := cmp.Or(l.Type, "nothing that is known")
	if l.Label != "" {
		text += " " + l.Label
	}
	if len(l.Mounted) == 0 {
		return text + ", not mounted"
	}
	return text + " on " + strings.Join(l.Mounted, ", ")
}

// size is bytes in the unit that EC2 counts volumes in, or the next below.
func size(bytes int64) string {
	switch {
	case bytes >= 1<<30:
		return fmt.Sprintf("%.4g GiB", float64(bytes)/(1<<30))
	case bytes >= 1<<20:
		return fmt.Sprintf("%.4g MiB", float64(bytes)/(1<<20))
	}
	return fmt.Sprintf("%d bytes", bytes)
}
