package userdata

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
)

// shown is user-data with one part of every kind.
func shown(t *testing.T) []byte {
	return []byte(zip(t, multi("x",
		part(config, "Content-Type: text/cloud-config", "Content-Disposition: attachment; filename=web.yaml"),
		multi("y",
			part(b64("#!/bin/sh\n"), "Content-Type: text/x-shellscript", "Content-Transfer-Encoding: base64"),
			part(b64(zip(t, keyValue)), "Content-Type: application/gzip", "Content-Transfer-Encoding: base64", "Content-Disposition: attachment; filename=legacy.txt.gz")),
		part(yamlDoc, "Content-Type: text/x-reveille", "Content-Transfer-Encoding: 7bit"),
		typed("text/x-acme", "hello"),
		typed("text/x-shellscript-per-boot", "#!/bin/sh\n"),
		part(""))))
}

func TestShow(t *testing.T) {
	l, err := Show(shown(t), ours)
	if err != nil {
		t.Fatal(err)
	}
	l.Size = 600 // what gzip makes of it may change with the Go release
	l.Decoded = 1200
	var table bytes.Buffer
	if err := l.Write(&table); err != nil {
		t.Fatal(err)
	}
	golden(t, "show.golden", table.Bytes())
	j, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "show.json", append(j, '\n'))
}

func TestShowNothing(t *testing.T) {
	l, err := Show(nil, ours)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := l.Write(&b); err != nil || b.String() != "0 of 16384 bytes, no parts\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
	if j, err := json.Marshal(l); err != nil || !bytes.Contains(j, []byte(`"parts":[]`)) {
		t.Errorf("%s, %v; want an empty list, not null", j, err)
	}
}

// TestShowBroken keeps what could be read beside the error.
func TestShowBroken(t *testing.T) {
	l, err := Show([]byte(multi("x", typed(typeScript, "#!/bin/sh\n"), typed("application/gzip", "a"), typed(typeReveille, "hostname=a"))), ours)
	if err == nil || len(l.Parts) != 2 || l.Parts[1].Place != "part 3" {
		t.Errorf("%+v, %v; want parts 1 and 3 and an error", l, err)
	}
}

type full struct{ room int }

func (f *full) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errors.New("disk full")
	}
	return len(b), nil
}

func TestWriteTellsOfAFullDisk(t *testing.T) {
	l, err := Show(shown(t), ours)
	if err != nil {
		t.Fatal(err)
	}
	for _, room := range []int{0, 20, 40, 100} {
		if l.Write(&full{room}) == nil {
			t.Errorf("no error with room for %d bytes", room)
		}
	}
}
