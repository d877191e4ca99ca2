package facts

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"reveille/integration/fakeimds"
)

func TestSaveAndLoadRoundTrip(t *testing.T) {
	r := serve(t, fakeimds.Example(), "none")
	full := Gather(t.Context(), machine(t, map[string]string{bootIDPath: "b", "/etc/os-release": "ID=debian\n"}), options(r.URL))
	broken := serveFault(t, fakeimds.Example(), fakeimds.Fault{Path: "tags", Act: fakeimds.Status(403)})
	for name, f := range map[string]Facts{
		"full":    full,
		"partial": Gather(t.Context(), machine(t, nil), options(broken.URL)),
		"zero":    {Version: Version, Source: FromNone},
	} {
		var b bytes.Buffer
		if err := Save(&b, f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		saved := b.String()
		got, err := Load(&b)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, saved)
		}
		if jsonOf(got) != jsonOf(f) {
			t.Errorf("%s: another after loading:\n%s\n%s", name, jsonOf(f), jsonOf(got))
		}
	}
}

func TestLoadIsStrict(t *testing.T) {
	whole := jsonOf(Facts{Version: Version, Source: FromNone})
	with := func(old, new string) string { return strings.Replace(whole, old, new, 1) }
	for name, c := range map[string]struct{ data, want string }{
		"nothing":            {"", "unexpected end"},
		"not JSON":           {"{\n\n  x", "line 3"},
		"no version":         {"{}", "no version"},
		"another version":    {with(`"version":1`, `"version":7`), "version 7"},
		"unknown field":      {with(`"source"`, `"sauce":1,"source"`), "sauce"},
		"unknown in a fact":  {with(`"unknown":"not-asked"`, `"unknown":"not-asked","x":1`), `"x"`},
		"two forms of fact":  {with(`"unknown":"not-asked"`, `"unknown":"not-asked","absent":true`), "a fact has one of"},
		"empty fact":         {with(`{"unknown":"not-asked"}`, `{}`), "a fact has one of"},
		"unknown in a value": {with(`"identity_document":{"unknown":"not-asked"}`, `"identity_document":{"value":{"zzz":1}}`), "zzz"},
		"another source":     {with(`"none"`, `"guess"`), "guess"},
		"more behind":        {whole + "{}", "after top-level value"},
		"too large":          {strings.Repeat(" ", maxSaved+1), "larger"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Load(strings.NewReader(c.data)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestFactForms(t *testing.T) {
	for _, c := range []struct {
		fact Fact[[]string]
		json string
	}{
		{Known([]string{"a"}), `{"value":["a"]}`},
		{Known([]string{}), `{"value":[]}`},
		{Known[[]string](nil), `{"value":null}`},
		{Absent[[]string](), `{"absent":true}`},
		{Unknown[[]string](Throttled, "429"), `{"unknown":"throttled","detail":"429"}`},
		{Fact[[]string]{}, `{"unknown":"not-asked"}`},
	} {
		if got := jsonOf(c.fact); got != c.json {
			t.Errorf("%v is %s, want %s", c.fact, got, c.json)
		}
		var back Fact[[]string]
		if err := json.Unmarshal([]byte(c.json), &back); err != nil || jsonOf(back) != c.json {
			t.Errorf("%s came back as %s, %v", c.json, jsonOf(back), err)
		}
	}
}
