package integration_test

import (
	"crypto/sha256"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// makePackages is what `make package` puts into a folder.
func makePackages(dir string, settings ...string) error {
	out, err := exec.Command("make", append([]string{"-C", filepath.Join(caseDir(), ".."), "package", "DIST=" + dir}, settings...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("make package: %w\n%s", err, out)
	}
	return nil
}

// only is the one file that a pattern finds.
func only(t *testing.T, pattern ...string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(pattern...))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v, %v", filepath.Join(pattern...), found, err)
	}
	return found[0]
}

// tell runs a program that looks at a package.
func tell(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

func TestPackages(t *testing.T) {
	dir := t.TempDir()
	if err := makePackages(dir, "VERSION=v1.2.3-4-gabcdef0-dirty"); err != nil {
		t.Fatal(err)
	}
	t.Run("names", func(t *testing.T) {
		for _, name := range []string{"reveille", "reveille-coordinator"} {
			for _, arch := range []string{"amd64", "arm64"} {
				only(t, dir, name+"_1.2.3+4.gabcdef0+dirty_"+arch+".deb")
			}
			for _, arch := range []string{"x86_64", "aarch64"} {
				only(t, dir, name+"-1.2.3+4.gabcdef0+dirty-1."+arch+".rpm")
			}
		}
	})
	t.Run("lintian", func(t *testing.T) {
		needProgram(t, "/usr/bin/lintian", "lintian")
		for _, arch := range []string{"amd64", "arm64"} {
			tell(t, "lintian", "--allow-root", "--fail-on", "error,warning",
				only(t, dir, "reveille_*_"+arch+".deb"), only(t, dir, "reveille-coordinator_*_"+arch+".deb"))
		}
	})
	t.Run("programs", func(t *testing.T) {
		for arch, want := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
			for _, name := range []string{"reveille", "reveille-coordinator"} {
				root := t.TempDir()
				tell(t, "dpkg-deb", "-x", only(t, dir, name+"_*_"+arch+".deb"), root)
				f, err := elf.Open(filepath.Join(root, "usr/bin", name))
				if err != nil {
					t.Fatal(err)
				}
				if libraries, _ := f.ImportedLibraries(); f.Machine != want || len(libraries) > 0 {
					t.Errorf("%s for %s is of %s and wants %v", name, arch, f.Machine, libraries)
				}
				f.Close()
			}
		}
	})
	t.Run("contents", func(t *testing.T) { packageContents(t, dir) })
	t.Run("completion", func(t *testing.T) {
		root := t.TempDir()
		tell(t, "dpkg-deb", "-x", only(t, dir, "reveille_*_amd64.deb"), root)
		completes(t, filepath.Join(root, "usr/share/bash-completion/completions/reveille"))
	})
}

// packageContents holds what is in a package, and whose it is, to a golden
// text; rpm has the same files but for what Debian alone wants.
func packageContents(t *testing.T, dir string) {
	needProgram(t, "/usr/bin/rpm", "rpm")
	var b strings.Builder
	for _, name := range []string{"reveille", "reveille-coordinator"} {
		amd := debFiles(t, only(t, dir, name+"_*_amd64.deb"))
		if d := cmp.Diff(amd, debFiles(t, only(t, dir, name+"_*_arm64.deb"))); d != "" {
			t.Errorf("%s has other files on arm64:\n%s", name, d)
		}
		fmt.Fprintf(&b, "%s\n%s", name, amd)
		var want []string
		for line := range strings.Lines(amd) {
			if f := strings.Fields(line); f[0][0] == '-' && !strings.Contains(line, "/changelog.gz") && !strings.Contains(line, "/lintian/") {
				want = append(want, f[2])
			}
		}
		got := strings.Fields(tell(t, "rpm", "-qp", "--nosignature", "--qf", `[%{FILEMODES:perms} %{FILENAMES}\n]`, only(t, dir, name+"-1*.x86_64.rpm")))
		var files []string
		for i := 0; i < len(got); i += 2 {
			if got[i][0] == '-' {
				files = append(files, got[i+1])
			}
		}
		if d := cmp.Diff(want, files); d != "" {
			t.Errorf("the rpm of %s has other files (-deb +rpm):\n%s", name, d)
		}
		conf := tell(t, "rpm", "-qpc", "--nosignature", only(t, dir, name+"-1*.x86_64.rpm"))
		if conf != "/etc/default/"+name+"\n" {
			t.Errorf("the rpm of %s has the configuration files %q", name, conf)
		}
	}
	path := filepath.Join(caseDir(), "testdata", "packages.golden")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("the packages hold something else (-golden +now); go test ./integration -run Packages -update writes it anew\n%s", d)
	}
}

var debLine = regexp.MustCompile(`(?m)^(\S+ \S+) +\d+ \S+ \S+ \.(\S*)$`)

// debFiles is mode, owner and path of all in a package.
func debFiles(t *testing.T, deb string) string {
	t.Helper()
	var b strings.Builder
	for _, m := range debLine.FindAllStringSubmatch(tell(t, "dpkg-deb", "-c", deb), -1) {
		fmt.Fprintf(&b, "%s %s\n", m[1], m[2])
	}
	return b.String()
}

// completes asks bash what it would offer.
func completes(t *testing.T, script string) {
	for line, want := range map[string]string{
		"reveille deb":                       "debug",
		"reveille debug ti":                  "timeline",
		"reveille --root /x debug ti":        "timeline",
		"reveille debug timeline --s":        "--strict --svg",
		"reveille boot --log-level inf":      "info",
		"reveille --log-level info ganglia ": "collector",
		"reveille --root /et":                "", // files
	} {
		words := strings.Split(line, " ")
		ask := fmt.Sprintf("source %s; COMP_WORDS=(%s); COMP_CWORD=%d; _reveille; printf '%%s\\n' \"${COMPREPLY[@]}\" | sort", script, shellWords(words), len(words)-1)
		got := strings.Join(strings.Fields(tell(t, "bash", "-c", ask)), " ")
		if got != want {
			t.Errorf("%q is completed by %q, not %q", line, got, want)
		}
	}
}

func shellWords(words []string) string {
	var quoted []string
	for _, w := range words {
		quoted = append(quoted, "'"+w+"'")
	}
	return strings.Join(quoted, " ")
}

// Whoever builds them, where and under whatever umask: the same bytes.
func TestPackagesAreTheSameTwice(t *testing.T) {
	nfpm := filepath.Join(caseDir(), "..", "build", "bin", "nfpm")
	if out, err := exec.Command("make", "-C", filepath.Join(caseDir(), ".."), "build/bin/nfpm").CombinedOutput(); err != nil {
		t.Fatalf("make build/bin/nfpm: %v\n%s", err, out)
	}
	first, second := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "elsewhere")
	copySources(t, filepath.Join(caseDir(), ".."), first)
	copySources(t, first, second)
	build := func(dir, umask, zone string) map[string]string {
		cmd := exec.Command("sh", "-c", "umask "+umask+"; chmod -R g-rwx .; exec packaging/build out")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "NFPM="+nfpm, "VERSION=1.2.3", "SOURCE_DATE_EPOCH=1767225600", "TZ="+zone)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("packaging/build: %v\n%s", err, out)
		}
		return digests(t, filepath.Join(dir, "out"))
	}
	one := build(first, "022", "UTC")
	if len(one) != 8 {
		t.Errorf("%d packages, not 8", len(one))
	}
	if d := cmp.Diff(one, build(second, "077", "Pacific/Auckland")); d != "" {
		t.Errorf("built twice, they differ:\n%s", d)
	}
}

// copySources copies all but what is built and what git keeps.
func copySources(t *testing.T, from, to string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(to, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		switch e.Name() {
		case ".git", "build", "dist", "out":
			continue
		}
		tell(t, "cp", "-R", filepath.Join(from, e.Name()), to)
	}
}

func digests(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"*.deb", "*.rpm"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all[filepath.Base(path)] = fmt.Sprintf("%x", sha256.Sum256(b))
		}
	}
	return all
}
