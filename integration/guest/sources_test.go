package guest

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestSourcesAreDebiansOwn(t *testing.T) {
	debian := "Types: deb\nURIs: http://deb.debian.org/debian\nSuites: bookworm bookworm-updates\nComponents: main\n"
	other := "Types: deb\nURIs: https://deb.example.org/node_20.x\nSuites: bookworm\nComponents: main\n"
	for name, c := range map[string]struct {
		etc  map[string]string
		want []string
		not  []string
	}{
		"deb822, and third parties": {map[string]string{"sources.list.d/debian.sources": debian + "\n" + other, "sources.list.d/other.sources": other},
			[]string{"deb.debian.org/debian\nSuites: bookworm"}, []string{"node_20"}},
		"lines": {map[string]string{"sources.list": "deb http://mirror.example.org/debian bookworm main\ndeb-src http://mirror.example.org/debian bookworm main\n# deb http://old/debian bookworm main\n", "sources.list.d/other.list": "deb https://example.org/apt bookworm main\n"},
			[]string{"deb http://mirror.example.org/debian bookworm main\n"}, []string{"deb-src", "apt", "old"}},
		"another suite beside": {map[string]string{"sources.list": "deb http://deb.debian.org/debian bookworm main\ndeb http://deb.debian.org/debian trixie main\n"},
			[]string{"bookworm"}, []string{"trixie"}},
	} {
		t.Run(name, func(t *testing.T) {
			etc := fstest.MapFS{}
			for path, text := range c.etc {
				etc[path] = &fstest.MapFile{Data: []byte(text)}
			}
			got, err := aptSources(etc)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range c.want {
				if !strings.Contains(got, w) {
					t.Errorf("lacks %q:\n%s", w, got)
				}
			}
			for _, n := range c.not {
				if strings.Contains(got, n) {
					t.Errorf("has %q:\n%s", n, got)
				}
			}
		})
	}
	if _, err := aptSources(fstest.MapFS{"sources.list": &fstest.MapFile{Data: []byte("deb https://example.org/apt bookworm main\n")}}); err == nil {
		t.Error("an image is to be made of a third party's packages")
	}
}
