package storage

import (
	"slices"
	"testing"

	"reveille/bootstrap/host"
)

// What is being made on a volume is told as long as its tool runs, once, however
// many volumes know of it; what was seen whole is not.
func TestRunningStorage(t *testing.T) {
	s, i := theIntent()
	m := tooled(t)
	for state, want := range map[string][]string{"activating": {toolUnit(i.For)}, "active": nil, "failed": nil, "absent": nil} {
		if err := s.intend(m.Host(), i); err != nil {
			t.Fatal(err)
		}
		m.SetTask(toolUnit(i.For), host.TaskState{State: state})
		if got, err := Running(t.Context(), m.Host(), s.Folder); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v; want %q", state, got, err, want)
		}
	}
	m.SetTask(toolUnit(i.For), host.TaskState{State: "activating"})
	if err := s.ended(m.Host(), i); err != nil {
		t.Fatal(err)
	}
	if got, err := Running(t.Context(), m.Host(), s.Folder); err != nil || got != nil {
		t.Errorf("seen whole: %q, %v", got, err)
	}
	if got, err := Running(t.Context(), tooled(t).Host(), s.Folder); err != nil || got != nil {
		t.Errorf("no storage: %q, %v", got, err)
	}
}
