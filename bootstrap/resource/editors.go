package resource

import (
	"encoding/json"
	"fmt"
)

// editorOf reads a kept edit back. A new Editor is one line here, and its kind
// is never renamed: machines keep it for years.
func editorOf(kind string, data []byte) (Editor, error) {
	switch kind {
	case "nsswitch":
		return decodeEditor[NSSwitch](data)
	case "settings":
		return decodeEditor[Settings](data)
	case "words":
		return decodeEditor[Words](data)
	case "block":
		return decodeEditor[Block](data)
	case "group-member":
		return decodeEditor[GroupMember](data)
	}
	return nil, fmt.Errorf("no editor of kind %q: it was kept by another version of this program; restore with that one", kind)
}

func decodeEditor[E Editor](data []byte) (Editor, error) {
	var e E
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("read the kept edit: %w", err)
	}
	return e, nil
}
