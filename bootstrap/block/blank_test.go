package block

import (
	"context"
	"errors"
	"strings"
	"testing"

	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
)

const (
	nothingThere = "{\n   \"signatures\": [\n\n   ]\n}\n"
	allZero      = `{"blank": true, "size": 67108864, "read": 67108864}`
)

// ask scripts what is said of /dev/nvme1n1, step by step; a step that is not
// told is not asked for.
func ask(m *hosttest.Machine, blkid, wipefs, child *host.Output) {
	const node = "/dev/nvme1n1"
	if blkid != nil {
		say(m, *blkid, "blkid", "-p", "-o", "export", node)
	}
	if wipefs != nil {
		say(m, *wipefs, "wipefs", "--no-act", "--json", node)
	}
	if child != nil {
		say(m, *child, "/proc/self/exe", "look", "blank", node)
	}
}

func said(text string) *host.Output { return &host.Output{Stdout: []byte(text)} }

func TestBlankIsProvenInOrder(t *testing.T) {
	none := &host.Output{Code: 2}
	for name, c := range map[string]struct {
		blkid, wipefs, child *host.Output
		found                string // of a *NotBlank
		fails                string // of any other error
	}{
		"blank":            {none, said(nothingThere), said(allZero), "", ""},
		"file system":      {said(testdata(t, "blkid/xfs")), nil, nil, "a file system, xfs, UUID 37d8c02b", ""},
		"labelled":         {said(testdata(t, "blkid/ext4")), nil, nil, `ext4, labelled "my data"`, ""},
		"member":           {said(testdata(t, "blkid/md-member")), nil, nil, `linux_raid_member, labelled "any:data"`, ""},
		"partitions":       {said(testdata(t, "blkid/gpt")), nil, nil, "a partition table, gpt", ""},
		"encrypted":        {said(testdata(t, "blkid/luks")), nil, nil, "crypto_LUKS", ""},
		"several":          {&host.Output{Code: 8}, nil, nil, "several things at once", ""},
		"signature":        {none, said(testdata(t, "wipefs/ext4")), nil, "a signature of ext4 at byte 0x438", ""},
		"data":             {none, said(nothingThere), said(`{"blank": false, "found": "data at byte 4096", "size": 9, "read": 9}`), "data at byte 4096", ""},
		"data, and blank":  {none, said(nothingThere), said(`{"blank": true, "found": "data at byte 4096", "size": 9, "read": 9}`), "data at byte 4096", ""},
		"blkid fails":      {&host.Output{Code: 2, Stderr: []byte("error: /dev/nvme1n1: Input/output error")}, nil, nil, "", "Input/output error"},
		"wipefs fails":     {none, &host.Output{Code: 1, Stderr: []byte("probing initialization failed")}, nil, "", "probing initialization failed"},
		"wipefs, no JSON":  {none, said("DEVICE OFFSET TYPE"), nil, "", "wipefs"},
		"the child fails":  {none, said(nothingThere), &host.Output{Code: 1, Stderr: []byte("read at byte 4096: input/output error")}, "", "read at byte 4096"},
		"it says nothing":  {none, said(nothingThere), said(""), "", "not said in words"},
		"it says too few":  {none, said(nothingThere), said("{}"), "", "proves nothing"},
		"nothing was read": {none, said(nothingThere), said(`{"blank": true, "size": 9}`), "", "proves nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSys()
			s.ebs("nvme1n1", "vol0aaaaaaaaaaaaaaa1")
			m := s.machine(t)
			ask(m, c.blkid, c.wipefs, c.child)
			err := Blank(t.Context(), m.Host(), "/dev/nvme1n1", false)
			var not *NotBlank
			switch {
			case c.found != "":
				if !errors.As(err, &not) || !strings.Contains(not.Found, c.found) || !strings.Contains(err.Error(), "/dev/nvme1n1") {
					t.Errorf("%v", err)
				}
			case c.fails != "":
				if err == nil || errors.As(err, &not) || !strings.Contains(err.Error(), c.fails) || !strings.Contains(err.Error(), "/dev/nvme1n1") {
					t.Errorf("%v", err)
				}
			case err != nil:
				t.Error(err)
			}
		})
	}
}

func TestBlankWitnessed(t *testing.T) {
	s := newSys()
	s.ebs("nvme1n1", "vol0aaaaaaaaaaaaaaa1")
	m := s.machine(t)
	ask(m, &host.Output{Code: 2}, said(nothingThere), nil)
	say(m, *said(allZero), "/proc/self/exe", "look", "blank", "--witnessed", "/dev/nvme1n1")
	if err := Blank(t.Context(), m.Host(), "/dev/nvme1n1", true); err != nil {
		t.Error(err)
	}
}

// What others lie upon is not even read, and what is not there is not blank.
func TestBlankUnderOthers(t *testing.T) {
	s := newSys()
	s.ebs("nvme1n1", "vol0aaaaaaaaaaaaaaa1")
	s.upon("md127", "nvme1n1")
	h := s.machine(t).Host()
	for node, want := range map[string]string{"/dev/nvme1n1": "md127 on it", "/dev/nvme0n1": "nvme0n1p1 on it"} {
		var not *NotBlank
		if err := Blank(t.Context(), h, node, false); !errors.As(err, &not) || not.Found != want {
			t.Errorf("%s: %v", node, err)
		}
	}
	if err := Blank(t.Context(), h, "/dev/nvme9n1", false); err == nil || !strings.Contains(err.Error(), "/dev/nvme9n1") {
		t.Errorf("what is not there: %v", err)
	}
}

func TestReadable(t *testing.T) {
	m := newSys().machine(t)
	say(m, host.Output{}, "/proc/self/exe", "look", "ends", "/dev/a")
	say(m, host.Output{Code: 1, Stderr: []byte("read at byte 0: input/output error")}, "/proc/self/exe", "look", "ends", "/dev/b")
	if err := Readable(t.Context(), m.Host(), "/dev/a"); err != nil {
		t.Error(err)
	}
	if err := Readable(t.Context(), m.Host(), "/dev/b"); err == nil || !strings.Contains(err.Error(), "input/output error") {
		t.Errorf("one that fails: %v", err)
	}
}

func TestNames(t *testing.T) {
	m := newSys().machine(t)
	say(m, *said(`{"nvme1n1": "sdf", "nvme2n1": ""}`), "/proc/self/exe", "look", "names", "/dev/nvme1n1", "/dev/nvme2n1")
	got, err := Names(t.Context(), m.Host(), []string{"nvme1n1", "xvdf", "nvme2n1"})
	if err != nil || len(got) != 1 || got["nvme1n1"] != "sdf" {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := Names(t.Context(), m.Host(), []string{"xvdf"}); err != nil || got == nil || len(got) > 0 {
		t.Errorf("without an NVMe disk: %v, %v", got, err)
	}
}

// A disk that hangs keeps no other's name from being known.
func TestNamesBesideAHungDisk(t *testing.T) {
	m := newSys().machine(t)
	m.Command([]string{"/proc/self/exe", "look", "names", "/dev/nvme1n1", "/dev/nvme2n1"}, host.Output{Code: -1}, context.DeadlineExceeded)
	m.Command([]string{"/proc/self/exe", "look", "names", "/dev/nvme1n1"}, host.Output{Code: -1}, host.ErrAbandoned)
	say(m, *said(`{"nvme2n1": "sdg"}`), "/proc/self/exe", "look", "names", "/dev/nvme2n1")
	got, err := Names(t.Context(), m.Host(), []string{"nvme1n1", "nvme2n1"})
	if !errors.Is(err, host.ErrAbandoned) || !strings.Contains(err.Error(), "/dev/nvme1n1") {
		t.Errorf("the error is %v", err)
	}
	if len(got) != 1 || got["nvme2n1"] != "sdg" {
		t.Errorf("the others are %v", got)
	}
}

func TestAttachmentNames(t *testing.T) {
	for vendor, want := range map[string]string{
		"/dev/sdf                        ": "sdf", "sdg                             ": "sdg", "xvdba": "xvdba",
		"ephemeral0:sdb\x00\x00rest": "sdb", "ephemeral1:none": "", "": "", "none": "",
		"/dev/../sda": "", "sd f": "", "SDF": "", "\xff\xfe": "", "/dev/sdf1": "sdf1",
	} {
		identity := make([]byte, 4096)
		copy(identity[3072:3104], vendor)
		if got := attachmentName(identity); got != want {
			t.Errorf("%q is %q, not %q", vendor, got, want)
		}
	}
	if got := attachmentName([]byte("short")); got != "" {
		t.Errorf("of too little: %q", got)
	}
}
