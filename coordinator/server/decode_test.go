package server

import (
	"encoding/json"
	"reflect"
	"testing"
	"unicode"

	"reveille/coordinator/api"
)

// Whatever is taken means what it meant, is safe to print, and reads the same
// to this program and to a reader that minds the case of keys.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"version":1,"instance_id":"i-1","state":"ready"}`,
		`{"version":1,"instance_id":"i-1","state":"ready","received":"x","future":{"a":[1,null,"\u202e"]}}`,
		`{"version":1,"instance_id":"i-1","state":"ready","notes":["` + "\u009b\U000e0041" + `"]}`,
		`{"version":1,"instance_id":"i-1","STATE":"ready","state":"ready"}`,
		`{"version":1,"instance_id":"i-1","state":"ready","\u0000é":{}}`,
		`{"version":1,"instance_id":"i-1","state":"ready","steps":[{"start_ms":-1e308,"took_ms":1e308}]}`,
		`{`, `[]`, `null`, ``, `{"a":1}{`, "{\"\xff\":1}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, raw, err := decode(body)
		if err != nil {
			return
		}
		if err := r.Check(); err != nil {
			t.Errorf("taken, though %v", err)
		}
		var before, after map[string]any
		if err := json.Unmarshal(body, &before); err != nil {
			t.Fatalf("taken, though %v", err)
		}
		if err := json.Unmarshal(raw, &after); err != nil {
			t.Fatalf("what is kept is no JSON: %v", err)
		}
		for key := range before {
			if _, kept := after[key]; !kept && len(key) == len("received") {
				delete(before, key)
			}
		}
		if !reflect.DeepEqual(before, after) {
			t.Errorf("%s\nbecame\n%s", body, raw)
		}
		if after["instance_id"] != r.InstanceID || after["state"] != string(r.State) {
			t.Errorf("readers disagree on %s: %+v", raw, r)
		}
		for _, c := range string(raw) {
			if !unicode.IsPrint(c) {
				t.Errorf("%q holds %U as it is", raw, c)
			}
		}
		var again api.Report
		if err := json.Unmarshal(raw, &again); err != nil || !reflect.DeepEqual(r, again) {
			t.Errorf("%+v is read back as %+v (%v)", r, again, err)
		}
	})
}
