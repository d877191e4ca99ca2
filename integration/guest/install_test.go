package guest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEnableLinksWhatTheUnitSays(t *testing.T) {
	upper, lower := t.TempDir(), t.TempDir()
	for path, text := range map[string]string{
		filepath.Join(upper, "usr/lib/systemd/system/agent.service"):  "[Install]\nWantedBy=multi-user.target rescue.target\nAlias=a.service\nAlso=agent.socket\n",
		filepath.Join(lower, "usr/lib/systemd/system/agent.service"):  "[Install]\nWantedBy=nothing.target\n",
		filepath.Join(lower, "usr/lib/systemd/system/agent.socket"):   "[Install]\nRequiredBy=sockets.target\n",
		filepath.Join(lower, "usr/lib/systemd/system/static.service"): "[Service]\nExecStart=/bin/true\n",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	image := Image{Layers: []string{upper, lower}}
	own := []File{{Path: "/etc/systemd/system/own.service", Data: []byte("[Install]\nWantedBy=multi-user.target\n")}}
	for unit, want := range map[string][]string{
		"agent.service": {"multi-user.target.wants/agent.service", "rescue.target.wants/agent.service", "a.service", "sockets.target.requires/agent.socket"},
		"own.service":   {"multi-user.target.wants/own.service"},
	} {
		links, err := image.Enable(unit, own)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range links {
			if !strings.HasSuffix(l.Link, ".service") && !strings.HasSuffix(l.Link, ".socket") {
				t.Errorf("%s points to %q", l.Path, l.Link)
			}
			got = append(got, strings.TrimPrefix(l.Path, "/etc/systemd/system/"))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", unit, d)
		}
	}
	for _, unit := range []string{"static.service", "absent.service"} {
		if _, err := image.Enable(unit, nil); err == nil || !strings.Contains(err.Error(), unit) {
			t.Errorf("enable %s: %v", unit, err)
		}
	}
}

func TestACommandArrivesInTheShellAsItIs(t *testing.T) {
	if got, want := quote([]string{"sh", "-c", `echo 'a b' "$HOME"`}), `'sh' '-c' 'echo '\''a b'\'' "$HOME"'`; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}
