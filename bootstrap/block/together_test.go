package block

import (
	"testing"

	"reveille/bootstrap/host"
)

// Several are blank only where each look of all says so of each.
func TestAllBlank(t *testing.T) {
	const (
		a, b  = "/dev/nvme1n1", "/dev/nvme2n1"
		zeros = `{"/dev/nvme1n1": {"blank": true, "size": 8192, "read": 8192}, "/dev/nvme2n1": {"blank": true, "size": 8192, "read": 8192}}`
	)
	none := host.Output{Code: 2}
	for name, c := range map[string]struct {
		first, last   host.Output // of blkid
		wipefs, child string
		want          bool
	}{
		"blank":                     {none, none, nothingThere, zeros, true},
		"the first holds an ext4":   {*said(testdata(t, "blkid/ext4")), none, nothingThere, zeros, false},
		"the last holds an ext4":    {none, *said(testdata(t, "blkid/ext4")), nothingThere, zeros, false},
		"the first holds several":   {host.Output{Code: 8}, none, nothingThere, zeros, false},
		"blkid fails":               {none, host.Output{Code: 4}, nothingThere, zeros, false},
		"one has a signature":       {none, none, testdata(t, "wipefs/ext4"), zeros, false},
		"wipefs says nothing":       {none, none, "DEVICE OFFSET", zeros, false},
		"one has data":              {none, none, nothingThere, `{"/dev/nvme1n1": {"blank": true, "size": 8192, "read": 8192}, "/dev/nvme2n1": {"found": "data at byte 4096", "size": 8192, "read": 8192}}`, false},
		"one is blank, and has":     {none, none, nothingThere, `{"/dev/nvme1n1": {"blank": true, "size": 8192, "read": 8192}, "/dev/nvme2n1": {"blank": true, "found": "data", "size": 8192, "read": 8192}}`, false},
		"one was not read":          {none, none, nothingThere, `{"/dev/nvme1n1": {"blank": true, "size": 8192, "read": 8192}, "/dev/nvme2n1": {"blank": true, "size": 8192}}`, false},
		"of one nothing is said":    {none, none, nothingThere, `{"/dev/nvme1n1": {"blank": true, "size": 8192, "read": 8192}}`, false},
		"the child says no more":    {none, none, nothingThere, allZero, false},
		"the child says no verdict": {none, none, nothingThere, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSys()
			s.ebs("nvme1n1", "vol0aaaaaaaaaaaaaaa1")
			s.ebs("nvme2n1", "vol0aaaaaaaaaaaaaaa2")
			m := s.machine(t)
			say(m, c.first, "blkid", "-p", "-o", "export", a)
			say(m, c.last, "blkid", "-p", "-o", "export", b)
			say(m, *said(c.wipefs), "wipefs", "--no-act", "--json", a, b)
			say(m, *said(c.child), "/proc/self/exe", "look", "blank", "--witnessed", a, b)
			if got := AllBlank(t.Context(), m.Host(), []string{a, b}, true); got != c.want {
				t.Errorf("it says %v", got)
			}
		})
	}
}

// What others lie upon, and what is not there, is not even asked for; nor is a
// large device that would have to be read whole twice, where one of them is not
// blank.
func TestAllBlankAsksForNoMore(t *testing.T) {
	s := newSys()
	s.ebs("nvme1n1", "vol0aaaaaaaaaaaaaaa1")
	s.ebs("nvme2n1", "vol0aaaaaaaaaaaaaaa2")
	s.ebs("nvme3n1", "vol0aaaaaaaaaaaaaaa3")
	s.upon("md127", "nvme2n1")
	m := s.machine(t)
	m.Put("/sys/class/block/nvme3n1/size", "134217736\n", 0o444) // 64 GiB and a page
	for _, other := range []string{"/dev/nvme2n1", "/dev/nvme3n1", "/dev/nvme9n1"} {
		if AllBlank(t.Context(), m.Host(), []string{"/dev/nvme1n1", other}, false) {
			t.Errorf("beside %s it says yes", other)
		}
	}
}
