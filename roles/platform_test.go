package roles

import (
	"reflect"
	"strings"
	"testing"

	"reveille/bootstrap/facts"
)

func TestPlatformOf(t *testing.T) {
	for _, c := range []struct {
		os     facts.OS
		family string
		known  bool
		note   string // part of it; "" for none
	}{
		{facts.OS{ID: "debian", Version: "12"}, "debian", true, ""},
		{facts.OS{ID: "ubuntu", Like: []string{"debian"}}, "debian", true, ""},
		{facts.OS{ID: "amzn", Like: []string{"centos", "rhel", "fedora"}, Version: "2"}, "rhel", true, ""},
		{facts.OS{ID: "amzn", Like: []string{"fedora"}, Version: "2023"}, "rhel", true, ""},
		{facts.OS{ID: "rhel"}, "rhel", true, ""},
		{facts.OS{ID: "rocky"}, "rhel", true, ""},
		{facts.OS{ID: "almalinux"}, "rhel", true, ""},
		{facts.OS{ID: "ol", Like: []string{"fedora"}}, "rhel", true, `"ol": treated as fedora`},
		{facts.OS{ID: "linuxmint", Like: []string{"ubuntu", "debian"}}, "debian", true, "treated as ubuntu"},
		{facts.OS{ID: "x", Like: []string{"y", "rhel"}}, "rhel", true, "treated as rhel"},
		{facts.OS{ID: "alpine"}, "debian", false, `"alpine", which is unknown here`},
		{facts.OS{}, "debian", false, "nothing, which is unknown here"},
	} {
		p := platformOf(c.os)
		if p.Family != c.family || p.Known != c.known {
			t.Errorf("%+v: %s, known %v", c.os, p.Family, p.Known)
		}
		if (p.Note == "") != (c.note == "") || !strings.Contains(p.Note, c.note) {
			t.Errorf("%+v: note %q, want %q", c.os, p.Note, c.note)
		}
	}
}

// A row with a hole would put a file at "" on one family only.
func TestEveryRowIsWhole(t *testing.T) {
	for id, p := range platforms {
		if p.Note != "" || !p.Known {
			t.Errorf("%s: note %q, known %v", id, p.Note, p.Known)
		}
		v := reflect.ValueOf(p)
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if field.Type.Kind() != reflect.Bool && field.Name != "Note" && v.Field(i).IsZero() {
				t.Errorf("%s: %s is empty", id, field.Name)
			}
		}
		for _, client := range []string{"nslcd", "sssd", "nss_ldap"} {
			if p.ClientPackage[client] == "" {
				t.Errorf("%s: no package for %s", id, client)
			}
		}
		// run-parts, which lists Debian's hooks, passes over names with a dot.
		if !p.HookIsShared && strings.Contains(p.DhclientHook[strings.LastIndex(p.DhclientHook, "/"):], ".") {
			t.Errorf("%s: dhclient would never see %s", id, p.DhclientHook)
		}
	}
}
