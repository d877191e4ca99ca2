package host_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
)

func TestWalk(t *testing.T) {
	files := map[string]string{
		"/srv/data/file": "x", "/usr/bin/tool": "x",
		"/abs": "-> /usr/bin", "/srv/rel": "-> data/./file", "/srv/up": "-> ../usr/../../usr/bin", "/root": "-> /", "/srv/here": "-> .",
		"/chain0": "-> /usr/bin/tool", "/round": "-> round",
	}
	for n := 1; n <= 40; n++ { // chain39 is forty links, as many as the kernel follows
		files[fmt.Sprintf("/chain%d", n)] = fmt.Sprintf("-> chain%d", n-1)
	}
	m := hosttest.New(t, files)
	for p, want := range map[string]string{
		"/":                    "/",
		"/srv//data/./file/":   "/ /srv /srv/data /srv/data/file",
		"/abs/tool":            "/ (/abs) / /usr /usr/bin /usr/bin/tool",
		"/srv/rel":             "/ /srv (/srv/rel) /srv/data /srv/data/file",
		"/srv/up/tool":         "/ /srv (/srv/up) / /usr / / /usr /usr/bin /usr/bin/tool",
		"/srv/here/data":       "/ /srv (/srv/here) /srv/data",
		"/root":                "/ (/root) /",
		"/srv/none/file":       "/ /srv !/srv/none",
		"/usr/bin/tool/beyond": "/ /usr /usr/bin /usr/bin/tool !/usr/bin/tool/beyond",
		"/chain40":             "loop",
		"/round":               "loop",
	} {
		if got := walked(t, m.Host(), p); got != want && !(want == "loop" && strings.HasSuffix(got, " loop")) {
			t.Errorf("%s: by way of %s, want %s", p, got, want)
		}
	}
	if got := walked(t, m.Host(), "/chain39"); !strings.HasSuffix(got, " /usr/bin/tool") || strings.Count(got, "(") != 40 {
		t.Errorf("forty links: %s", got)
	}
}

// walked is each place, a link in brackets, and ! before what is not there.
func walked(t *testing.T, h *host.Host, p string) string {
	t.Helper()
	var out []string
	w := h.Walk(p)
	for next := w.Next(); next != ""; next = w.Next() {
		i, err := w.Look()
		switch {
		case errors.Is(err, host.ErrLoop):
			return strings.Join(append(out, "loop"), " ")
		case err != nil:
			t.Fatal(err)
		case !i.Exists:
			return strings.Join(append(out, "!"+next), " ")
		case i.Link != "":
			next = "(" + next + ")"
		}
		out = append(out, next)
	}
	return strings.Join(out, " ")
}
