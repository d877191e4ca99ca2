package guest

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// official tells Debian's own archive and its mirrors from third parties'.
var official = regexp.MustCompile(`\bhttps?://\S+/debian(-security)?/?(\s|$)`)

// aptSources are the lines of this computer's apt configuration that name
// Debian's own archive for the suite, in one format (deb822 as it comes, or
// single lines), for an image of the same packages that this computer gets.
func aptSources(etc fs.FS) (string, error) {
	files, err := fs.Glob(etc, "sources.list.d/*.sources")
	if err != nil {
		return "", err
	}
	if found, err := pick(etc, files, "\n\n"); err != nil || found != "" {
		return found, err
	}
	if files, err = fs.Glob(etc, "sources.list.d/*.list"); err != nil {
		return "", err
	}
	found, err := pick(etc, append([]string{"sources.list"}, files...), "\n")
	if err == nil && found == "" {
		err = errors.New("read apt's sources: none names Debian's archive for " + suite + "; add deb.debian.org to /etc/apt")
	}
	return found, err
}

// pick keeps the entries of files that are Debian's own.
func pick(etc fs.FS, files []string, between string) (string, error) {
	var kept strings.Builder
	for _, name := range files {
		text, err := fs.ReadFile(etc, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return "", fmt.Errorf("read apt's sources: %w", err)
		}
		for entry := range strings.SplitSeq(string(text), between) {
			e := strings.TrimSpace(entry)
			line := !strings.Contains(e, "\n")
			if line && !strings.HasPrefix(e, "deb ") || !official.MatchString(e) || !strings.Contains(e, suite) {
				continue // a comment, deb-src, a third party
			}
			kept.WriteString(e + between)
		}
	}
	return kept.String(), nil
}
