package facts

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxSaved bounds what Load reads, in bytes: many times what facts can take.
const maxSaved = 8 << 20

// Save writes facts as indented JSON, for another machine to load.
func Save(w io.Writer, f Facts) error {
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("save the facts: %w", err)
	}
	if _, err := w.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("save the facts: %w", err)
	}
	return nil
}

// Load reads facts that Save wrote. An unknown field, another version and
// anything behind the facts are errors: a replay that leaves something out
// would show another plan than the machine's.
func Load(r io.Reader) (Facts, error) {
	var f Facts
	if err := decodeStrict(r, &f); err != nil {
		return Facts{}, fmt.Errorf("load facts: %w", err)
	}
	switch f.Source {
	case FromIMDS, FromCache, FromNone:
		return f, nil
	}
	return Facts{}, fmt.Errorf("load facts: source %q is none of imds, cache, none", f.Source)
}

// decodeStrict reads one JSON value with a version and nothing else.
func decodeStrict(r io.Reader, into any) error {
	b, err := io.ReadAll(io.LimitReader(r, maxSaved+1))
	if err != nil {
		return err
	}
	if len(b) > maxSaved {
		return fmt.Errorf("larger than %d bytes", maxSaved)
	}
	// The version first: of another version, unknown fields are to be expected.
	var v struct {
		Version *int `json:"version"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return jsonError(b, err)
	}
	if v.Version == nil {
		return errors.New("no version: these are not facts that `reveille debug facts --json` wrote")
	}
	if *v.Version != Version {
		return fmt.Errorf("version %d, and this program reads version %d; use the reveille that wrote them", *v.Version, Version)
	}
	return strict(b, into)
}

// jsonError adds the line to a syntax error.
func jsonError(b []byte, err error) error {
	var s *json.SyntaxError
	if !errors.As(err, &s) {
		return err
	}
	line := 1
	for _, c := range b[:min(int(s.Offset), len(b))] {
		if c == '\n' {
			line++
		}
	}
	return fmt.Errorf("line %d: %w", line, err)
}
