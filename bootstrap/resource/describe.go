package resource

import (
	"cmp"
	"fmt"
	"strings"
)

// Describe is the file as it should be, for golden plans: a line of mode and
// owner, then the content with its secrets masked, or what the edit asks for.
func (f File) Describe() string {
	var head []string
	if f.Mode.Perm() != 0 {
		head = append(head, fmt.Sprintf("mode %04o", f.Mode.Perm()))
	}
	if f.Owner != "" || f.Group != "" {
		head = append(head, "owner "+cmp.Or(f.Owner, "root")+":"+cmp.Or(f.Group, "root"))
	}
	body := string(f.masked())
	if f.Edit != nil {
		head = append([]string{"edit " + f.Edit.Kind()}, head...)
		body = f.Edit.Describe()
	}
	if len(head) == 0 {
		head = []string{"mode as it is"}
	}
	if body != "" && !strings.HasSuffix(body, "\n") {
		body += "\n"
	}
	return strings.Join(head, ", ") + "\n" + body
}
