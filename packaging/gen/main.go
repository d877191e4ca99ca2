// Command gen writes what the packages hold besides the programs and the files
// of the tree: manual pages, shell completion, the change log and the licences
// of what is linked in. It reads the documents that are themselves written
// from the programs, so it runs neither, and works for any architecture.
//
//	gen -version V -epoch SECONDS -maintainer WHO -modules FILE -coordinator FILE -out DIR
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// what is said of the packages on the command line.
type what struct {
	version, maintainer  string
	modules, coordinator string
	date                 time.Time
}

func main() {
	var w what
	flag.StringVar(&w.version, "version", "0.0~devel", "the packages' version")
	flag.StringVar(&w.maintainer, "maintainer", "", "who packs them: NAME <ADDRESS>")
	flag.StringVar(&w.modules, "modules", "", "file with PATH, VERSION and FOLDER of each module that is linked in")
	flag.StringVar(&w.coordinator, "coordinator", "", "file with what reveille-coordinator --help prints")
	epoch := flag.Int64("epoch", 0, "the date of all that is written, in seconds since 1970")
	out := flag.String("out", "", "folder to write into")
	flag.Parse()
	w.date = time.Unix(*epoch, 0).UTC()
	if err := run(w, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(w what, out string) error {
	commands, err1 := os.ReadFile("docs/commands.md")
	profile, err2 := os.ReadFile("docs/profile.md")
	operating, err3 := os.ReadFile("docs/operating.md")
	coordinator, err4 := os.ReadFile(w.coordinator)
	modules, err5 := os.ReadFile(w.modules)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return fmt.Errorf("read the documents, from the project's own folder: %w", err)
	}
	cli, err := parseCommands(string(commands))
	if err != nil {
		return err
	}
	files := tableUnder(string(operating), "## Files")
	keys := tableUnder(string(profile), "# The profile")
	if len(files) == 0 || len(keys) == 0 {
		return errors.New("docs/operating.md lists no files, or docs/profile.md no keys; mend the document, or the parser of its table")
	}
	licences, err := licences(string(modules))
	if err != nil {
		return err
	}
	return write(out, map[string]string{
		"reveille.1.gz":                     agentPage(w, cli, files),
		"reveille-profile.5.gz":             profilePage(w, keys),
		"reveille-coordinator.1.gz":         coordinatorPage(w, string(coordinator)),
		"reveille.bash":                     completion(cli),
		"reveille.changelog.gz":             changelog(w, "reveille"),
		"reveille-coordinator.changelog.gz": changelog(w, "reveille-coordinator"),
		"copyright":                         copyright(w),
		"licences.gz":                       licences,
	})
}

// write puts each file below out, those that are named so compressed.
func write(out string, files map[string]string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		data := []byte(text)
		if filepath.Ext(name) == ".gz" {
			data = compress(data)
		}
		if err := os.WriteFile(filepath.Join(out, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
