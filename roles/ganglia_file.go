package roles

import (
	"fmt"
	"strings"
)

// gmondFile writes gmond's block language.
type gmondFile struct {
	strings.Builder
	depth int
}

func (w *gmondFile) line(text string) {
	w.WriteString(strings.Repeat("  ", w.depth) + text + "\n")
}

func (w *gmondFile) open(section string) { w.line(section + " {"); w.depth++ }

func (w *gmondFile) set(key string, value any) { w.line(fmt.Sprintf("%s = %v", key, value)) }

func (w *gmondFile) note(comment string) { w.line("# " + comment) }

func (w *gmondFile) close() {
	w.depth--
	w.line("}")
	if w.depth == 0 {
		w.WriteString("\n")
	}
}

// gmondString is a string of gmond's language. Whatever could end it has been
// refused before.
func gmondString(s string) string { return `"` + s + `"` }

// modules names gmond's modules by their whole paths: it passes over one that
// it does not find in silence, and its metrics with it.
func (w *gmondFile) modules(dir string) {
	w.open("modules")
	w.open("module")
	w.set("name", gmondString("core_metrics"))
	w.close()
	for _, m := range []string{"cpu", "disk", "load", "mem", "net", "proc", "sys"} {
		w.open("module")
		w.set("name", gmondString(m+"_module"))
		w.set("path", gmondString(dir+"/mod"+m+".so"))
		w.close()
	}
	w.close()
}

// metric is one number that gmond reads.
type metric struct {
	name  string
	title string
	delta string // a change by this much is sent at once; "" where it never changes
}

// metricGroup is metrics that are read and sent together.
type metricGroup struct {
	every  int // seconds between readings; 0 reads once
	atMost int // seconds after which it is sent, changed or not
	of     []metric
}

// metricGroups are the numbers that every host sends. The heartbeat is what
// makes a host "up" at the collector, which gives it up after four of them.
func metricGroups() []metricGroup {
	return []metricGroup{
		{0, 20, []metric{{"heartbeat", "", ""}}},
		// Never changing, but a collector that starts later has yet to hear them.
		{0, 300, []metric{
			{"cpu_num", "CPUs", ""}, {"cpu_speed", "CPU speed", ""},
			{"mem_total", "Memory", ""}, {"swap_total", "Swap", ""},
			{"boottime", "Last boot", ""}, {"machine_type", "Architecture", ""},
			{"os_name", "System", ""}, {"os_release", "Kernel", ""},
		}},
		{20, 90, []metric{
			{"cpu_user", "CPU user", "1.0"}, {"cpu_system", "CPU system", "1.0"},
			{"cpu_idle", "CPU idle", "5.0"}, {"cpu_nice", "CPU nice", "1.0"},
			{"cpu_wio", "CPU waiting for I/O", "1.0"},
			// What the neighbours take from a virtual machine.
			{"cpu_steal", "CPU stolen", "1.0"},
		}},
		{20, 90, []metric{
			{"load_one", "Load, 1 min", "1.0"}, {"load_five", "Load, 5 min", "1.0"},
			{"load_fifteen", "Load, 15 min", "1.0"},
		}},
		{80, 950, []metric{
			{"proc_run", "Processes running", "1.0"}, {"proc_total", "Processes", "1.0"},
		}},
		{40, 180, []metric{
			{"mem_free", "Memory free", "1024.0"}, {"mem_shared", "Memory shared", "1024.0"},
			{"mem_buffers", "Memory in buffers", "1024.0"}, {"mem_cached", "Memory in cache", "1024.0"},
			{"swap_free", "Swap free", "1024.0"},
		}},
		{40, 300, []metric{
			{"bytes_out", "Bytes sent", "4096"}, {"bytes_in", "Bytes received", "4096"},
			{"pkts_out", "Packets sent", "256"}, {"pkts_in", "Packets received", "256"},
		}},
		{40, 180, []metric{
			{"disk_total", "Disk", "1.0"}, {"disk_free", "Disk free", "1.0"},
			{"part_max_used", "Fullest file system", "1.0"},
		}},
	}
}

func (w *gmondFile) groups() {
	for _, g := range metricGroups() {
		w.open("collection_group")
		if g.every == 0 {
			w.set("collect_once", "yes")
		} else {
			w.set("collect_every", g.every)
		}
		w.set("time_threshold", g.atMost)
		for _, m := range g.of {
			w.open("metric")
			w.set("name", gmondString(m.name))
			if m.title != "" {
				w.set("title", gmondString(m.title))
			}
			if m.delta != "" {
				w.set("value_threshold", gmondString(m.delta))
			}
			w.close()
		}
		w.close()
	}
}
