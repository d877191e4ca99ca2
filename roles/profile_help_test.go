package roles

import (
	"errors"
	"strings"
	"testing"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/userdata"
)

// machine is a machine of which all is known: no user-data, no tags, in the
// group default, named by IMDS.
func machine(change ...func(*facts.Facts)) facts.Facts {
	f := sampleFacts()
	f.UserData.State = facts.Absent[facts.Digest]()
	f.Instance.Tags = facts.Known(map[string]string{})
	f.Instance.SecurityGroups = facts.Known([]string{"default"})
	for _, c := range change {
		c(&f)
	}
	return f
}

// says gives the machine user-data of key=value lines.
func says(lines ...string) func(*facts.Facts) {
	return part("user-data", userdata.KeyValue, strings.Join(lines, "\n"))
}

// part adds a part of user-data.
func part(name string, form userdata.Form, text string) func(*facts.Facts) {
	return func(f *facts.Facts) {
		f.UserData.State = facts.Known(facts.Digest{Size: len(text)})
		f.UserData.Parts = append(f.UserData.Parts, userdata.Part{Name: name, Form: form, Text: text})
	}
}

// tagged gives the machine tags: key, value, key, value.
func tagged(pairs ...string) func(*facts.Facts) {
	return func(f *facts.Facts) {
		all := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			all[pairs[i]] = pairs[i+1]
		}
		f.Instance.Tags = facts.Known(all)
	}
}

func grouped(groups ...string) func(*facts.Facts) {
	return func(f *facts.Facts) { f.Instance.SecurityGroups = facts.Known(groups) }
}

func role(name, text string) Source { return Source{RoleFile, name + ".yaml", []byte(text)} }

func local(text string) Source { return Source{Local, "local.yaml", []byte(text)} }

func mustResolve(t *testing.T, f facts.Facts, sources ...Source) Profile {
	t.Helper()
	p, err := Resolve(f, sources)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return p
}

// refused checks that the configuration is refused with every one of some texts.
func refused(t *testing.T, err error, texts ...string) {
	t.Helper()
	var bad Errors
	if !errors.As(err, &bad) {
		t.Fatalf("not a bad configuration: %v", err)
	}
	contains(t, err.Error(), texts...)
}

func contains(t *testing.T, got string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(got, text) {
			t.Errorf("%q is not in\n%s", text, got)
		}
	}
}
