package main

import (
	"bytes"
	"io"
	"log/slog"
)

// logHandler writes lines for people. The journal has a time and a priority of
// its own, so that a line for it is told its priority (sd-daemon(3)) and brings
// no time.
func logHandler(w io.Writer, journal bool, level slog.Level) slog.Handler {
	o := &slog.HandlerOptions{Level: level}
	if !journal {
		return slog.NewTextHandler(w, o)
	}
	o.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			return slog.Attr{}
		}
		return a
	}
	return slog.NewTextHandler(priority{w}, o)
}

// priority turns the level that a line begins with into the journal's prefix.
// A handler writes each record at once.
type priority struct{ w io.Writer }

var priorities = []struct{ level, prefix string }{
	{"level=ERROR ", "<3>"}, {"level=WARN ", "<4>"}, {"level=INFO ", "<6>"}, {"level=DEBUG ", "<7>"},
}

func (p priority) Write(line []byte) (int, error) {
	for _, one := range priorities {
		if rest, ok := bytes.CutPrefix(line, []byte(one.level)); ok {
			_, err := p.w.Write(append([]byte(one.prefix), rest...))
			return len(line), err
		}
	}
	return p.w.Write(line)
}
