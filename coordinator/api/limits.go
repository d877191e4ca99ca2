package api

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds that both sides hold to.
const (
	MaxReport = 256 << 10 // bytes of one report on the wire
	MaxName   = 255       // bytes of a host name, role, region or zone
)

// Ids also name paths and store keys, so they may hold nothing that needs
// quoting there; 64 characters are three times what EC2 uses.
const (
	maxID   = 64
	idChars = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-"
)

// CheckInstanceID says whether id can name an instance.
func CheckInstanceID(id string) error {
	if id == "" || len(id) > maxID || strings.Trim(id, idChars) != "" || strings.ContainsAny(id[:1], "._-") {
		return fmt.Errorf("instance id %.80q: want 1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit", id)
	}
	return nil
}

// States are the states that a report can have, the worst first.
func States() []State { return []State{Failed, Degraded, Booting, Stopping, Ready} }

// CheckState says whether s is a state that this version knows.
func CheckState(s State) error {
	if !slices.Contains(States(), s) {
		return fmt.Errorf("state %.80q: want booting, ready, degraded, failed or stopping", string(s))
	}
	return nil
}

// CheckName says whether s can be shown and searched for as a name: bounded,
// and free of characters that steer a terminal or turn the reading direction.
func CheckName(field, s string) error {
	if len(s) > MaxName {
		return fmt.Errorf("%s: %d bytes long, at most %d are taken", field, len(s), MaxName)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s: not UTF-8", field)
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("%s: holds the unprintable character %U", field, r)
		}
	}
	return nil
}

// Check says everything that would make a coordinator refuse the report. Only
// version, instance id and state are required.
func (r Report) Check() error {
	var errs []error
	if r.Version != Version {
		errs = append(errs, fmt.Errorf("version %d: this coordinator reads version %d", r.Version, Version))
	}
	errs = append(errs, CheckInstanceID(r.InstanceID), CheckState(r.State),
		CheckName("hostname", r.Hostname), CheckName("role", r.Role))
	if r.Facts.Region != nil {
		errs = append(errs, CheckName("facts.region", *r.Facts.Region))
	}
	if r.Facts.Zone != nil {
		errs = append(errs, CheckName("facts.zone", *r.Facts.Zone))
	}
	return errors.Join(errs...)
}
