package roles

import (
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"reveille/roles/cite"
)

// Names of what a role makes of its disks. None holds a dot: that separates
// keys.
var (
	setName   = word("a volume set's name of letters, digits, _ and -, such as data", "[A-Za-z0-9]", "[A-Za-z0-9_-]", 63)
	arrayName = word("an array's name of letters, digits, _ and -, a letter first, such as data", "[A-Za-z]", "[A-Za-z0-9_-]", 24)
	groupName = word("an LVM name of letters, digits, _, + and -, such as data", "[A-Za-z0-9_]", "[A-Za-z0-9_+-]", 60)
	volumeTag = pattern("the name of a volume's tag", `^[0-9A-Za-z_+=,.@:/-]([0-9A-Za-z_+=,.@:/ -]{0,126}[0-9A-Za-z_+=,.@:/-])?$`)
)

func volumeID() *scalarType {
	return pattern("a volume id such as vol-0123456789abcdef0", "^vol-([0-9a-f]{8}|[0-9a-f]{17})$")
}

func deviceName() *scalarType {
	return pattern("the name of an attachment such as sdf or /dev/xvdba", "^(/dev/)?(sd|xvd)[a-z]{1,2}([1-9][0-9]?)?$")
}

// attachment is such a name in its one form: sdf, /dev/sdf and xvdf are "sdf".
func attachment(name string) string {
	name = strings.TrimPrefix(name, "/dev/")
	if letters, xen := strings.CutPrefix(name, "xvd"); xen {
		return "sd" + letters
	}
	return name
}

// reference is what lies below a layer: the kinds are "volumes", "raid" and
// "lvm". A bare name is a volume set.
func reference(kinds ...string) *scalarType {
	forms := map[string]string{"volumes": "(volumes/)?[A-Za-z0-9][A-Za-z0-9_-]{0,62}", "raid": "raid/[A-Za-z][A-Za-z0-9_-]{0,23}",
		"lvm": "lvm/[A-Za-z0-9_][A-Za-z0-9_+-]{0,59}/[A-Za-z0-9_][A-Za-z0-9_+-]{0,59}"}
	says := map[string]string{"volumes": "volumes/NAME", "raid": "raid/NAME", "lvm": "lvm/GROUP/VOLUME"}
	var exprs, words []string
	for _, k := range kinds {
		exprs, words = append(exprs, forms[k]), append(words, says[k])
	}
	return pattern(strings.Join(words, " or "), "^("+strings.Join(exprs, "|")+")$")
}

// raidLevel is one of the levels that md can be asked for.
func raidLevel() *scalarType {
	const want = "one of the levels 0, 1, 5, 6, 10"
	return &scalarType{want: want, shape: isInt, schema: map[string]any{"enum": []int{0, 1, 5, 6, 10}},
		check: func(s string) error {
			switch s {
			case "0", "1", "5", "6", "10":
				return nil
			}
			return fmt.Errorf("%s is not %s", cite.Quote(s), want)
		}}
}

// chunkSize is a power of two, as md wants it.
func chunkSize() *scalarType {
	return oneOf("4KiB", "8KiB", "16KiB", "32KiB", "64KiB", "128KiB", "256KiB", "512KiB", "1MiB", "2MiB", "4MiB")
}

// volumeSize is a size of a volume: absolute, or of its group.
func volumeSize() *scalarType {
	const want = "a size such as 20GiB or 80%"
	t := pattern(want, "^([1-9][0-9]{0,5}(MiB|GiB|TiB)|([1-9][0-9]?|100)%)$")
	other := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("^([1-9][0-9]{0,5}) *([MGTmgt])[Bb]?$") })
	plain := t.check
	t.check = func(s string) error {
		err := plain(s)
		switch m := other().FindStringSubmatch(s); {
		case err == nil:
			return nil
		case m != nil:
			return fmt.Errorf("%s is not %s: write %s%siB", cite.Quote(s), want, m[1], strings.ToUpper(m[2]))
		case strings.Trim(s, "0123456789") == "" && s != "":
			return fmt.Errorf("%s has no unit: %s is wanted", s, want)
		}
		return err
	}
	return t
}

// bytesOf reads an absolute size that its key's type has checked.
func bytesOf(text string) int64 {
	for unit, shift := range map[string]int{"KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40} {
		if digits, ok := strings.CutSuffix(text, unit); ok {
			n, _ := strconv.ParseInt(digits, 10, 64)
			return n << shift
		}
	}
	return 0
}

// percentOf reads a share that its key's type has checked; 0 where it is none.
func percentOf(text string) int {
	digits, ok := strings.CutSuffix(text, "%")
	if !ok {
		return 0
	}
	n, _ := strconv.Atoi(digits)
	return n
}

// mountPath is a folder that a file system may be mounted on: none that the
// system needs to come up, or to let somebody in. Its characters mean nothing
// to systemd.
func mountPath() *scalarType {
	const taken = `^(/(run|proc|sys|dev|etc|boot|root|bin|sbin|lib|lib32|lib64|libx32|var/run|var/lock|var/lib/reveille)(/.*)?` +
		`|/(home|usr|var|tmp)|/usr/(bin|sbin|lib|lib32|lib64|libx32|libexec|share|local)|/var/(lib|cache|log|tmp|spool))$`
	t := plainPath()
	t.want = "a folder's absolute path of letters, digits, . _ and -, none of the system's own"
	t.schema = maps.Clone(t.schema)
	t.schema["not"] = map[string]any{"anyOf": []any{t.schema["not"], map[string]any{"pattern": taken}}}
	system := pattern("", taken)
	plain := t.check
	t.check = func(s string) error {
		if s == "/" {
			return fmt.Errorf("%s is the root file system: name a folder of the role's own, such as /data", cite.Quote(s))
		}
		if err := plain(s); err != nil || system.check(s) != nil {
			return err
		}
		return fmt.Errorf("%s is the system's own, which a mount would hide: name a folder of the role's own, such as /data", cite.Quote(s))
	}
	return t
}

// mountOption is one option of a mount, and none that is for fstab, or that
// would make it another mount.
func mountOption() *scalarType {
	return except("a mount option such as noatime, and none of those that are for fstab alone (auto, nofail, user, …) or that mount something else (bind, loop, remount, …)",
		`^[a-z][a-z0-9_-]*(=[A-Za-z0-9._:/@+-]+)?$`,
		`^(defaults|auto|noauto|fail|nofail|users?|nouser|owner|group|comment|bind|rbind|move|remount|loop|offset|sizelimit)(=|$)`)
}

// mkfsWord is one word for mkfs. Options stand each by itself, so that none
// hides among others; a value is no path, so that it names no other device.
func mkfsWord() *scalarType {
	return except("a word for mkfs: an option of one letter such as -i, or a value such as size=512; none of -f, -F, -L, -U and uuid=",
		`^(-[A-Za-z]|[A-Za-z0-9^][A-Za-z0-9=,.^_:-]*)$`, `^-[fFLU]$|(^|,)uuid=`)
}

// except is what one expression takes and another does not.
func except(want, expr, not string) *scalarType {
	t, taken := pattern(want, expr), pattern("", not)
	t.schema["not"] = map[string]any{"pattern": not}
	plain := t.check
	t.check = func(s string) error {
		if err := plain(s); err != nil || taken.check(s) != nil {
			return err
		}
		return fmt.Errorf("%s is not %s", cite.Quote(s), want)
	}
	return t
}
