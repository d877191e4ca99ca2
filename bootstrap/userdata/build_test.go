package userdata

import (
	"bytes"
	"compress/gzip"
	"flag"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got):\n%s", file, d)
	}
}

func files() []File {
	return []File{
		{"parts/web.yaml", []byte(config)},
		{"hello.sh", []byte("#!/bin/sh\necho \"grüß dich\"  \n")},
		{"legacy.txt", []byte(keyValue)},
		{"reveille.yaml", []byte(yamlDoc)},
		{"blob", []byte("#!/bin/sh\nexec tail \x00\xff\r\n")},
		{"long name, with \"quotes\" é.txt", []byte("#include\nhttps://acme.example/" + strings.Repeat("x", 1000) + "\n")},
	}
}

func unzip(t *testing.T, raw []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if !z.ModTime.IsZero() || z.Name != "" || z.Comment != "" || len(z.Extra) > 0 {
		t.Errorf("gzip header %+v is not bare", z.Header)
	}
	return out
}

func TestBuild(t *testing.T) {
	raw, err := Build(files(), ours)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "build.golden", unzip(t, raw))
	again, err := Build(files(), ours)
	if err != nil || !bytes.Equal(raw, again) {
		t.Errorf("the same files gave other bytes: %v", err)
	}
	if n := len(raw); n > MaxRaw {
		t.Errorf("%d bytes", n)
	}
}

func TestBuildReadBack(t *testing.T) {
	raw, err := Build(files(), ours)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Split(raw, ours)
	if err != nil {
		t.Fatal(err)
	}
	f := files()
	want := []Part{
		{Name: "web.yaml", Type: typeCloudConfig, Size: len(config), Form: CloudConfig, Text: keep},
		{Name: "hello.sh", Type: typeScript, Size: len(f[1].Data)},
		{Name: "legacy.txt", Type: typeReveille, Size: len(keyValue), Form: KeyValue, Text: keyValue},
		{Name: "reveille.yaml", Type: typeReveille, Size: len(yamlDoc), Form: YAML, Text: yamlDoc},
		{Name: "blob", Type: typeScript, Size: len(f[4].Data)},
		{Name: f[5].Name, Type: "text/x-include-url", Size: len(f[5].Data)},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("parts (-want +got):\n%s", d)
	}
}

// TestBuildTypes covers every first line, and one file alone.
func TestBuildTypes(t *testing.T) {
	for _, f := range firstLines {
		raw, err := Build([]File{{"a", []byte(f.begin + "\nrest: 1\n")}}, nil)
		if err != nil {
			t.Errorf("%s: %v", f.begin, err)
			continue
		}
		got, err := Split(raw, nil)
		if err != nil || len(got) != 1 || got[0].Type != f.typ || got[0].Name != "a" {
			t.Errorf("%s: got %+v, %v; want one part a of type %s", f.begin, got, err, f.typ)
		}
		if !strings.HasPrefix(string(unzip(t, raw)), "Content-Type: multipart/mixed;") {
			t.Errorf("%s: one file is no multipart", f.begin)
		}
	}
}

func TestBoundaryIsNotInTheContent(t *testing.T) {
	var seed [32]byte
	first := newBoundary(seed, nil)
	second := newBoundary(seed, []byte("#!/bin/sh\n"+first+"\n"))
	third := newBoundary(seed, []byte(first+second))
	if first == second || second == third || first == third {
		t.Errorf("boundaries %s, %s, %s: one is in its content", first, second, third)
	}
}

func TestBuildRefuses(t *testing.T) {
	noise := make([]byte, MaxRaw)
	rand.New(rand.NewSource(1)).Read(noise)
	script := []byte("#!/bin/sh\n")
	many := make([]File, MaxParts+1)
	for i := range many {
		many[i] = File{strings.Repeat("a", i+1), script}
	}
	cases := []struct {
		name  string
		files []File
		want  []string
	}{
		{"nothing", nil, []string{"no files"}},
		{"unknown first line", []File{{"a.txt", []byte("hello\nworld")}}, []string{"a.txt: first line \"hello\" tells no type", "#cloud-config,", "#reveille", "## template: jinja"}},
		{"empty file", []File{{"a.txt", nil}}, []string{"a.txt: first line \"\""}},
		{"upstart, which cloud-init no longer takes", []File{{"a", []byte("#upstart-job\n")}}, []string{"a: first line"}},
		{"key=value of others", []File{{"a", []byte("a=b\n")}}, []string{"a: first line"}},
		{"two unknown", []File{{"a", []byte("x")}, {"b", script}, {"c", []byte("y")}}, []string{"build user-data: a: ", "build user-data: c: "}},
		{"one name twice", []File{{"x/a", script}, {"y/a", script}}, []string{"y/a: has the name of x/a"}},
		{"no name", []File{{"", script}}, []string{"no name for a part"}},
		{"a line end in a name", []File{{"a\nb", script}}, []string{"no name for a part"}},
		{"a name that is not UTF-8", []File{{"a\xe9", script}}, []string{"no name for a part"}},
		{"too large", []File{{"s", script}, {"n", append(script, noise...)}}, []string{" above EC2's limit of 16384 (MaxRaw)", "the largest file is n with 16394 bytes"}},
		{"too many", many, []string{"the agent would refuse it", "MaxParts"}},
		{"too much of ours", []File{{"r", []byte("#reveille\n" + strings.Repeat("a: b\n", MaxYAML/5))}}, []string{"the agent would refuse it", "part 1 (r)", "MaxYAML"}},
		{"more than is decompressed", []File{{"s", append(script, make([]byte, MaxOut)...)}}, []string{"the agent would refuse it", "MaxOut"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			raw, err := Build(c.files, ours)
			if err == nil || raw != nil {
				t.Fatalf("Build = %d bytes, %v; want an error and none", len(raw), err)
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q\nlacks %q", err, w)
				}
			}
		})
	}
}

func TestEncode(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"text", "#!/bin/sh\n\techo\n", "7bit"},
		{"empty", "", "7bit"},
		{"longest line", strings.Repeat("x", maxLine) + "\n", "7bit"},
		{"longer line", strings.Repeat("x", maxLine+1) + "\n", "quoted-printable"},
		{"UTF-8", "é \nx\t\n.\n", "quoted-printable"},
		{"CRLF", "a\r\n", "base64"},
		{"NUL", "a\x00", "base64"},
		{"Latin-1", "\xe9", "base64"},
	} {
		encoding, body, err := encode([]byte(c.data))
		if err != nil || encoding != c.want {
			t.Errorf("%s: %s, %v; want %s", c.name, encoding, err, c.want)
		}
		if !isPlainText(body) {
			t.Errorf("%s: body %q is not fit for a message", c.name, body)
		}
		if back, err := decode(encoding, body); err != nil || string(back) != c.data {
			t.Errorf("%s: read back %q, %v", c.name, back, err)
		}
	}
}
