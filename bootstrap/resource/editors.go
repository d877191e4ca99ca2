package resource

import "fmt"

// editorOf reads a kept edit back. A new Editor is one line here, and its kind
// is never renamed: machines keep it for years.
func editorOf(kind string, _ []byte) (Editor, error) {
	return nil, fmt.Errorf("no editor of kind %q: it was kept by another version of this program", kind)
}

