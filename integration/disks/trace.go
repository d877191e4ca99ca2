package disks

import (
	"bufio"
	"regexp"
	"strconv"
	"strings"
)

// QEMU's NVMe disks know no FUA: they write as ever, and the guest believes that
// the bytes last. Its kernel says in its trace which writes it meant.

// asked is a line of the event block_rq_issue: disk, flags, first sector, length.
var asked = regexp.MustCompile(`block_rq_issue: (\d+,\d+) ([A-Z]+) \d+ \([^)]*\) (\d+) \+ (\d+) `)

// lasting is what the flags of a write say whose bytes have to last: an F after
// the W, or after the N of one that is of zeroes.
var lasting = regexp.MustCompile(`^F?[WN]F`)

const sector = 512

// place is where a write of a guest's lies.
type place struct {
	disk       string
	at, length int64
}

// Lasting marks the writes of a recording that the guest's trace says to have
// asked for with FUA, by the names of the disks that its kernel numbers so:
// "259,1". It tells how many it marked, and how many of its log are in no trace:
// those are taken to last as well, since nobody knows.
func (r Recording) Lasting(trace string, names map[string]string) (marked, unknown int) {
	flags := map[place][]bool{} // in the order in which they were asked for
	for lines := bufio.NewScanner(strings.NewReader(trace)); lines.Scan(); {
		m := asked.FindStringSubmatch(lines.Text())
		if m == nil || names[m[1]] == "" || !strings.ContainsAny(m[2], "WND") {
			continue
		}
		at, _ := strconv.ParseInt(m[3], 10, 64)
		length, _ := strconv.ParseInt(m[4], 10, 64)
		p := place{names[m[1]], at * sector, length * sector}
		flags[p] = append(flags[p], lasting.MatchString(m[2]))
	}
	for n := range r.Log {
		w := &r.Log[n]
		if w.Flush || w.Lasts {
			continue
		}
		p := place{w.Disk, w.At, w.Length}
		if len(flags[p]) == 0 {
			w.Lasts = true
			unknown++
			continue
		}
		if w.Lasts = flags[p][0]; w.Lasts {
			marked++
		}
		flags[p] = flags[p][1:]
	}
	return marked, unknown
}
