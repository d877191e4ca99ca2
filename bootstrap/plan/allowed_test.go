package plan

import "testing"

func TestWhatAGrantCreates(t *testing.T) {
	ab := []string{"vol-a", "vol-b"}
	for name, c := range map[string]struct {
		grant   Grant
		consent bool
		on      []string
		want    bool
	}{
		"nobody's word":                    {Grant{}, true, ab, false},
		"the profile's":                    {Grant{IfBlank: true}, true, ab, true},
		"the profile does not consent":     {Grant{IfBlank: true}, false, ab, false},
		"a person's for both":              {Grant{Volumes: []string{"vol-b", "vol-a", "vol-c"}}, false, ab, true},
		"a person's for one of two":        {Grant{Volumes: []string{"vol-a"}}, false, ab, false},
		"a person's for another":           {Grant{Volumes: []string{"vol-aa"}}, true, []string{"vol-a"}, false},
		"on no volume that anybody knows":  {Grant{Volumes: ab}, false, nil, false},
		"a person's beside the profile's":  {Grant{IfBlank: true, Volumes: []string{"vol-c"}}, true, ab, true},
		"on scratch":                       {Grant{Scratch: ab}, true, ab, true},
		"on scratch, without consent":      {Grant{Scratch: ab}, false, ab, false},
		"on scratch and another":           {Grant{Scratch: []string{"vol-a"}}, true, ab, false},
		"on scratch of no volume":          {Grant{Scratch: ab}, true, nil, false},
		"for another, and no consent here": {Grant{IfBlank: true, Volumes: []string{"vol-c"}}, false, ab, false},
	} {
		if got := c.grant.Creates(c.consent, c.on); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	ctx := WithGrant(t.Context(), Grant{IfBlank: true})
	if !Granted(ctx).IfBlank || Granted(t.Context()).IfBlank {
		t.Error("the walk's word does not reach the resource, or comes from nowhere")
	}
}
