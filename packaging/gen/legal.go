package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// copyright is what Debian wants to find in each package.
func copyright(w what) string {
	return fmt.Sprintf(`Copyright %d the authors of Reveille. They have not stated a licence yet:
ask them before you pass it on.

The programs are static: they hold modules of others as well, under their own
licences, which are all in licences.gz beside this file.
`, w.date.Year())
}

// changelog has one entry: the history is git's.
func changelog(w what, pkg string) string {
	return fmt.Sprintf("%s (%s) unstable; urgency=medium\n\n  * Packed from the sources of this version.\n\n -- %s  %s\n",
		pkg, w.version, w.maintainer, w.date.Format(time.RFC1123Z))
}

// licences is the text of every licence and notice of what is linked in, each
// once, under the modules that it is for. Modules come as lines of path,
// version and folder.
func licences(modules string) (string, error) {
	of := map[string][]string{}
	for line := range strings.Lines(modules) {
		f := strings.Fields(line)
		if len(f) != 3 {
			return "", fmt.Errorf("modules: %q is not a path, a version and a folder", strings.TrimSpace(line))
		}
		texts, err := licencesIn(f[2])
		if err != nil {
			return "", fmt.Errorf("the licence of %s: %w", f[0], err)
		}
		for _, text := range texts {
			of[text] = append(of[text], f[0]+" "+f[1])
		}
	}
	var blocks []string
	for text, who := range of {
		sort.Strings(who)
		blocks = append(blocks, strings.Join(who, "\n")+"\n\n"+text)
	}
	sort.Strings(blocks)
	return strings.Join(blocks, "\n\n"+strings.Repeat("-", 72)+"\n\n") + "\n", nil
}

// licencesIn reads a module's licence files. One without is an error: what may
// not be passed on must not be packed by accident.
func licencesIn(dir string) ([]string, error) {
	var texts []string
	for _, pattern := range []string{"LICENSE*", "LICENCE*", "License*", "COPYING*", "NOTICE*", "PATENTS*"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, err
		}
		for _, name := range found {
			if strings.HasSuffix(name, ".go") {
				continue
			}
			b, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			texts = append(texts, strings.TrimSpace(string(b)))
		}
	}
	if len(texts) == 0 {
		return nil, fmt.Errorf("there is none in %s", dir)
	}
	return texts, nil
}

// compress is gzip -9n: without a name and a time, so that the same text makes
// the same bytes.
func compress(data []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = z.Write(data) // a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}
