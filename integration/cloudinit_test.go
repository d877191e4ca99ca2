package integration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/userdata"
)

// needCloudInit skips, with the reason, where Debian's cloud-init is not
// installed, and fails where everything is meant to run.
func needCloudInit(t *testing.T) {
	t.Helper()
	err := exec.Command("/usr/bin/python3", "-c", "import cloudinit.user_data").Run()
	if err == nil {
		return
	}
	say := fmt.Sprintf("cloud-init is not there (%v): apt-get install --no-install-recommends cloud-init", err)
	if os.Getenv("CI") != "" || os.Getenv("REVEILLE_REAL") == "1" {
		t.Fatal(say)
	}
	t.Skip(say)
}

func udKeys(key string) bool { return key == "hostname" || key == "role" }

// ciPart is a part as cloud-init takes it.
type ciPart struct {
	Type string `json:"type"`
	Name string `json:"name"`
	Data []byte `json:"data"`
}

type ciRequest struct {
	Split  [][]byte `json:"split,omitempty"`
	Handle []byte   `json:"handle,omitempty"`
	YAML   []string `json:"yaml,omitempty"`
}

type ciAnswer struct {
	Split  []json.RawMessage `json:"split"`
	Handle struct {
		Config  map[string]any    `json:"config"`
		Scripts map[string]string `json:"scripts"`
		Log     []string          `json:"log"`
	} `json:"handle"`
	YAML []struct {
		Has   bool   `json:"has"`
		Value string `json:"value"`
		Error string `json:"error"`
	} `json:"yaml"`
}

// askCloudInit runs one Python for all questions of a test.
func askCloudInit(t *testing.T, r ciRequest) ciAnswer {
	t.Helper()
	in, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/usr/bin/python3", "testdata/userdata/parts.py")
	cmd.Stdin = bytes.NewReader(in)
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ask cloud-init: %v\n%s", err, stderr.String())
	}
	var a ciAnswer
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatalf("cloud-init's answer: %v\n%s", err, out)
	}
	return a
}

func udFiles() []userdata.File {
	return []userdata.File{
		{Name: "web.yaml", Data: []byte("#cloud-config\npackages: [vim]\nreveille:\n  hostname: dev-web01\n")},
		{Name: "hello.sh", Data: []byte("#!/bin/sh\necho \"grüß dich\"  \n\t# €\n")},
		{Name: "legacy.txt", Data: []byte("hostname=dev-web01\nrole=web\n")},
		{Name: "reveille.yaml", Data: []byte("#reveille\nrole: web\n")},
		{Name: "windows.sh", Data: []byte("#!/bin/sh\r\necho hello\r\n")},
		{Name: "binary.sh", Data: []byte("#!/bin/sh\nexec true\n\x00\x01\xff\xfe\x85")},
		{Name: "long.sh", Data: []byte("#!/bin/sh\n: " + strings.Repeat("x", 3000))},
		{Name: "From a \"quoted\" name, é.sh", Data: []byte("#!/bin/sh\nFrom me\n.\n--\n=3D \n\n\n")},
		{Name: "hook", Data: []byte("#cloud-boothook\n#!/bin/sh\n")},
		{Name: "handler.py", Data: []byte("#part-handler\n")},
		{Name: "template", Data: []byte("## template: jinja\n#!/bin/sh\n")},
		{Name: "patch", Data: []byte("#cloud-config-jsonp\n[]\n")},
	}
}

// TestCloudInitTakesWhatBuildMade compares types, names and every byte.
func TestCloudInitTakesWhatBuildMade(t *testing.T) {
	needCloudInit(t)
	files := udFiles()
	raw, err := userdata.Build(files, udKeys)
	if err != nil {
		t.Fatal(err)
	}
	one, err := userdata.Build(files[:1], udKeys)
	if err != nil {
		t.Fatal(err)
	}
	for i, answer := range askCloudInit(t, ciRequest{Split: [][]byte{raw, one}}).Split {
		var got []ciPart
		if err := json.Unmarshal(answer, &got); err != nil {
			t.Fatalf("cloud-init refused it: %s", answer)
		}
		ours, err := userdata.Split([][]byte{raw, one}[i], udKeys)
		if err != nil {
			t.Fatal(err)
		}
		var want []ciPart
		for j, p := range ours {
			want = append(want, ciPart{p.Type, files[j].Name, files[j].Data})
			if p.Name != files[j].Name {
				t.Errorf("Split names part %d %q, Build was given %q", j+1, p.Name, files[j].Name)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("parts (-built +cloud-init's):\n%s", d)
		}
	}
}

// TestCloudInitLeavesOursAlone: a part of ours costs a warning and nothing else.
func TestCloudInitLeavesOursAlone(t *testing.T) {
	needCloudInit(t)
	raw, err := userdata.Build(udFiles()[:4], udKeys)
	if err != nil {
		t.Fatal(err)
	}
	got := askCloudInit(t, ciRequest{Handle: raw}).Handle
	if want := map[string]string{"hello.sh": string(udFiles()[1].Data)}; !cmp.Equal(got.Scripts, want) {
		t.Errorf("scripts %q, want %q", got.Scripts, want)
	}
	want := map[string]any{"packages": []any{"vim"}, "reveille": map[string]any{"hostname": "dev-web01"}}
	if d := cmp.Diff(want, got.Config); d != "" {
		t.Errorf("cloud-config (-want +got):\n%s", d)
	}
	if len(got.Log) != 2 {
		t.Errorf("log %q, want one warning for each part of ours", got.Log)
	}
	for _, line := range got.Log {
		if !strings.HasPrefix(line, "Unhandled unknown content-type (text/x-reveille) userdata:") {
			t.Errorf("unexpected warning %q", line)
		}
	}
}

// makeMIME runs cloud-init's own tool in dir.
func makeMIME(t *testing.T, dir string, attach ...string) []byte {
	t.Helper()
	args := []string{"devel", "make-mime", "--force"}
	for _, a := range attach {
		args = append(args, "-a", a)
	}
	cmd := exec.Command("cloud-init", args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("cloud-init %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return out
}

// TestSplitReadsMakeMIME reads what cloud-init's own tool makes: plain, in
// gzip, and within another multipart.
func TestSplitReadsMakeMIME(t *testing.T) {
	needCloudInit(t)
	dir := t.TempDir()
	for _, f := range udFiles()[:4] {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	made := makeMIME(t, dir, "web.yaml:cloud-config", "hello.sh:x-shellscript", "legacy.txt:x-reveille", "reveille.yaml:plain")
	outer := append([]byte("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=outer\n\n--outer\n"), made...)
	outer = append(outer, "\n--outer--\n"...)
	keep := "\n\nreveille:\n  hostname: dev-web01\n"
	want := []userdata.Part{
		{Name: "web.yaml", Type: "text/cloud-config", Size: 62, Form: userdata.CloudConfig, Text: keep},
		{Name: "hello.sh", Type: "text/x-shellscript", Size: len(udFiles()[1].Data)},
		{Name: "legacy.txt", Type: "text/x-reveille", Size: 28, Form: userdata.KeyValue, Text: "hostname=dev-web01\nrole=web\n"},
		{Name: "reveille.yaml", Type: "text/x-reveille", Size: 20, Form: userdata.YAML, Text: "#reveille\nrole: web\n"},
	}
	for name, raw := range map[string][]byte{
		"plain": made, "gzip": gzipped(t, made), "nested": outer, "nested, gzip": gzipped(t, outer),
	} {
		got, err := userdata.Split(raw, udKeys)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// gzipped is what gzip(1) makes.
func gzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	cmd := exec.Command("gzip", "-9c")
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("gzip: %v", err)
	}
	return out
}

// TestSplitSeesWhatCloudInitSees gives both the same odd user-data, hand-made
// as people make it.
func TestSplitSeesWhatCloudInitSees(t *testing.T) {
	needCloudInit(t)
	files, err := filepath.Glob("testdata/userdata/*.ud")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var raws [][]byte
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		raws = append(raws, raw, gzipped(t, raw))
	}
	for i, answer := range askCloudInit(t, ciRequest{Split: raws}).Split {
		f := files[i/2]
		var want []ciPart
		if err := json.Unmarshal(answer, &want); err != nil {
			t.Errorf("%s: cloud-init: %s", f, answer)
			continue
		}
		l, err := userdata.Show(raws[i], udKeys)
		if err != nil || len(l.Parts) != len(want) {
			t.Errorf("%s: %d parts, %v; cloud-init has %d", f, len(l.Parts), err, len(want))
			continue
		}
		for j, p := range l.Parts {
			w := want[j]
			if p.For == userdata.ForReveille && w.Type != "text/x-reveille" {
				p.Type = w.Type // what cloud-init cannot know
			}
			if p.Type != w.Type || p.Size != len(w.Data) || p.Name != "" && p.Name != w.Name {
				t.Errorf("%s: part %d: %+v; cloud-init has %s %q of %d bytes", f, j+1, p, w.Type, w.Name, len(w.Data))
			}
		}
	}
}

// TestReveilleKeyIsWhereYAMLHasIt: the lines that Split keeps of a cloud-config
// give the same value as the whole does, in documents put together at random
// from pieces that are easy to misread.
func TestReveilleKeyIsWhereYAMLHasIt(t *testing.T) {
	needCloudInit(t)
	pieces := []string{
		"reveille:\n  hostname: a\n  list: [b, 'c']\n", "reveille: {role: \"x\"}\n", "\"reveille\":\n  role: |\n    y\n     z\n\n", "reveille:\n- 1\n- {a: b}\n",
		"k%d: don't [\n", "k%d: \"a\\\" b\n  c\"\n", "k%d: 'it''s\n  # no comment'\n", "k%d: |\n  reveille: x\n  \"[{\n", "k%d: >-\n\n   'a\n   reveille: b\n",
		"k%d: [a,\n  reveille, {reveille: c}, \"]\"\n  ]\n", "k%d: {a: 'b}',\n \"c\": \"d\"}\n", "k%d:\n- |\n  x\n  '\n- a: >\n   b\n  c: \"d\"\n- reveille: e\n",
		"k%d:\n  reveille:\n    z: 1\n", "# reveille: [\n", "k%d: a # \"b\n", "\n", "k%d: plain\n  and \"more\n", "k%d:\n  - - - a\n      - \"b\n        c\"\n", "k%d: !!str 'x'\n", "k%d: &a%[1]d [1]\nl%[1]d: *a%[1]d\n",
		"? k%d\n: \"v\n  w\"\n", "k%d: |2+\n    deep\n  '\n\n", "k%d: a:b::c\n", "k%d: http://x/#y\n",
	}
	random := rand.New(rand.NewSource(20))
	var docs, kept []string
	for len(docs) < 600 {
		var doc strings.Builder
		doc.WriteString("#cloud-config\n")
		for i := range 1 + random.Intn(6) {
			p := pieces[random.Intn(len(pieces))]
			if strings.Contains(p, "%d") || strings.Contains(p, "%[") {
				p = fmt.Sprintf(p, i)
			}
			doc.WriteString(p)
		}
		parts, err := userdata.Split([]byte(doc.String()), nil)
		if err != nil {
			t.Fatalf("%v:\n%s", err, doc.String())
		}
		docs = append(docs, doc.String())
		kept = append(kept, parts[0].Text)
	}
	answers := askCloudInit(t, ciRequest{YAML: append(docs, kept...)}).YAML
	with := 0
	for i, doc := range docs {
		want, got := answers[i], answers[len(docs)+i]
		if want.Error != "" {
			t.Errorf("the test's own document is no YAML: %s\n%s", want.Error, doc)
		}
		if want != got {
			t.Errorf("whole: %+v\nkept:  %+v\n%s\n-- kept:\n%s", want, got, doc, kept[i])
		}
		if want.Has {
			with++
		}
	}
	if with < 100 || with > 500 {
		t.Errorf("%d of %d documents have the key: the test tests little", with, len(docs))
	}
}
