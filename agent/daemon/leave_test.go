package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reveille/bootstrap/host"
)

// A document that somebody broke meanwhile, so that the last pass could decide
// nothing, does not take the scripts away that the machine leaves with.
func TestShutdownScriptsOutliveAPassThatDecidedNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		const script = "/usr/local/sbin/leave"
		r.m.Put(script, "#!/bin/sh\n", 0o755)
		r.m.Command([]string{script}, host.Output{}, nil)
		f := crawl(thisID)
		f.UserData.Parts[0].Text += "scripts.shutdown=" + script + "\n"
		r.set(f)
		r.start()
		r.after(time.Minute)
		if err := os.MkdirAll(filepath.Join(r.m.Root, "etc/reveille"), 0o755); err != nil {
			t.Fatal(err)
		}
		r.m.Put("/etc/reveille/local.yaml", "no such key: 1\n", 0o644)
		r.hup <- nil
		r.after(time.Minute)
		if got := r.report(); len(got.Errors) == 0 {
			t.Fatalf("the pass decided:\n%s", text(got))
		}
		r.m.SetUnit("shutdown.target", "activating")
		r.m.Forget()
		r.stop()
		if !strings.Contains(strings.Join(r.m.Effects(), "\n"), script) {
			t.Errorf("effects: %q", r.m.Effects())
		}
	})
}
