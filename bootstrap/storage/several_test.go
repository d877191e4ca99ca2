package storage

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"reveille/bootstrap/host"
)

// severally is what a program that only looks says of several devices: what it
// says of each, in their order, with the worst code. False is for one that
// is told of one device at most.
func severally(argv []string, one func([]string) (host.Output, error, bool)) (host.Output, error, bool) {
	at := slices.IndexFunc(argv, func(a string) bool { return strings.HasPrefix(a, "/dev/") })
	looks := argv[0] == "wipefs" || argv[0] == "mdadm" && argv[1] == "--examine" || argv[0] == "/proc/self/exe" && argv[2] == "blank"
	if at < 0 || at == len(argv)-1 || !looks {
		return host.Output{}, nil, false
	}
	var all host.Output
	signatures, verdicts := []any{}, map[string]any{}
	for _, node := range argv[at:] {
		out, err, ok := one(append(slices.Clone(argv[:at]), node))
		if err != nil || !ok {
			return out, err, ok
		}
		switch argv[0] {
		case "wipefs":
			var said struct{ Signatures []any }
			if err := json.Unmarshal(out.Stdout, &said); err != nil {
				return host.Output{}, err, true
			}
			signatures = append(signatures, said.Signatures...)
		case "/proc/self/exe":
			verdicts[node] = json.RawMessage(out.Stdout)
		}
		all = host.Output{Stdout: bytes.Join([][]byte{all.Stdout, out.Stdout}, nil), Stderr: append(all.Stderr, out.Stderr...), Code: max(all.Code, out.Code)}
	}
	var err error
	switch argv[0] {
	case "wipefs":
		all.Stdout, err = json.Marshal(map[string]any{"signatures": signatures})
	case "/proc/self/exe":
		all.Stdout, err = json.Marshal(verdicts)
	}
	return all, err, true
}
