package logins

import "testing"

func TestMatchPattern(t *testing.T) {
	for pattern, want := range map[string]bool{
		"admin": true, "a*": true, "*": true, "adm?n": true, "*min*": true, "a*i*n": true, "": false, "admi": false, "admin?": false, "b*": false, "*x": false,
	} {
		if matchPattern("admin", pattern) != want {
			t.Errorf("%q", pattern)
		}
	}
}
