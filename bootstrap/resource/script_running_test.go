package resource

import (
	"slices"
	"testing"

	"reveille/bootstrap/host"
)

// Only what goes on in this boot is told of.
func TestRunningScripts(t *testing.T) {
	m := scripted(t, goesOn)
	ask := func(want ...string) {
		t.Helper()
		got, err := RunningScripts(t.Context(), m.Host(), theScript().Journal)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("running: %v, %v; want %v", got, err, want)
		}
	}
	ask()
	_ = walk(t, m.Host(), theScript())
	m.Put(theScript().Journal+"/%2Ftorn.json", "{", 0o600)
	ask(prepareUnit)
	m.SetTask(prepareUnit, well)
	ask()
	m.SetTask(prepareUnit, goesOn)
	m.Put("/proc/sys/kernel/random/boot_id", "another\n", 0o444)
	ask()
	m.SetTask(prepareUnit, host.TaskState{})
}
