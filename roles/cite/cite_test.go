package cite

import (
	"strings"
	"testing"
)

func TestPlace(t *testing.T) {
	for p, want := range map[Place]string{
		{File: "defaults"}:                        "defaults",
		{File: "/etc/hosts", Line: 7}:             "/etc/hosts:7",
		{File: "/etc/r.yaml", Line: 7, Column: 3}: "/etc/r.yaml:7",
	} {
		if got := p.String(); got != want {
			t.Errorf("%#v is %s, want %s", p, got, want)
		}
	}
}

func TestQuote(t *testing.T) {
	for s, want := range map[string]string{
		"ä\n\x1b[2J":             `"ä\n\x1b[2J"`,
		strings.Repeat("ä", 60):  `"` + strings.Repeat("ä", 60) + `"`,
		strings.Repeat("ä", 500): `"` + strings.Repeat("ä", 60) + `"…`,
	} {
		if got := Quote(s); got != want {
			t.Errorf("%q is quoted as %s, want %s", s, got, want)
		}
	}
}
