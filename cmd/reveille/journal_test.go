package main

import (
	"log/slog"
	"strings"
	"testing"
)

func TestTheJournalGetsPrioritiesAndNoTime(t *testing.T) {
	var out strings.Builder
	l := slog.New(logHandler(&out, true, slog.LevelInfo))
	l.Debug("unheard")
	l.Info("step", "step", "hostname")
	l.WithGroup("g").Warn("late", "time", "noon")
	l.Error("level=INFO is no level of mine")
	want := "<6>msg=step step=hostname\n<4>msg=late g.time=noon\n<3>msg=\"level=INFO is no level of mine\"\n"
	if out.String() != want {
		t.Errorf("got\n%s, want\n%s", out.String(), want)
	}
	out.Reset()
	slog.New(logHandler(&out, false, slog.LevelInfo)).Info("step")
	if !strings.HasPrefix(out.String(), "time=") || !strings.Contains(out.String(), "level=INFO msg=step") {
		t.Errorf("on a terminal: %s", out.String())
	}
}
