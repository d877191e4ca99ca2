package facts

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"
)

// maxValue is more than any single value of IMDS has, in bytes.
const maxValue = 1024

// word reads one line. What is not one, or holds what no EC2 name may hold,
// is a page of somebody who is not IMDS.
func word(s string) (string, error) {
	v := strings.TrimSpace(s)
	switch {
	case v == "":
		return "", errEmpty
	case len(v) > maxValue:
		return "", fmt.Errorf("%d bytes where one short value is expected", len(v))
	case strings.ContainsFunc(v, func(r rune) bool { return unicode.IsControl(r) || r == '<' || r == '>' }):
		return "", fmt.Errorf("%.40q is not a value of one line", v)
	}
	return v, nil
}

// The characters of EC2's names.
const (
	digits       = "0123456789"
	lower        = "abcdefghijklmnopqrstuvwxyz"
	alphanumeric = digits + lower + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// matching reads one line of most bytes at most: a prefix, and then one or more
// of these characters. To compile a regular expression would take longer than
// all that is read by it.
func matching(prefix, chars string, most int, what string) func(string) (string, error) {
	return func(s string) (string, error) {
		v, err := word(s)
		rest, ok := strings.CutPrefix(v, prefix)
		if err == nil && (!ok || rest == "" || strings.Trim(rest, chars) != "" || len(v) > most) {
			err = fmt.Errorf("%.40q is no %s", v, what)
		}
		return v, err
	}
}

var (
	instanceID = matching("i-", alphanumeric, 66, "instance id")
	place      = matching("", digits+lower+"-", maxValue, "name of a region or zone")
	name       = matching("", alphanumeric+"._/-", maxValue, "name")
)

// hostName takes the first word: with several domains in the VPC's DHCP
// options, EC2 lists them all behind the name.
func hostName(s string) (string, error) {
	v, err := word(s)
	if err != nil {
		return "", err
	}
	return strings.Fields(v)[0], nil
}

func address(s string) (string, error) {
	v, err := word(s)
	if err != nil {
		return "", err
	}
	if _, err := netip.ParseAddr(v); err != nil {
		return "", fmt.Errorf("%.40q is no address", v)
	}
	return v, nil
}

func hardware(s string) (string, error) {
	v, err := word(s)
	if err != nil {
		return "", err
	}
	if _, err := net.ParseMAC(v); err != nil {
		return "", fmt.Errorf("%.40q is no MAC address", v)
	}
	return strings.ToLower(v), nil
}

// lines reads a value a line, each once and by the same parser.
func lines(one func(string) (string, error)) func(string) ([]string, error) {
	return func(s string) ([]string, error) {
		var list []string
		for line := range strings.Lines(s) {
			v, err := one(line)
			if err == errEmpty {
				continue
			}
			if err != nil {
				return nil, err
			}
			if !slices.Contains(list, v) {
				list = append(list, v)
			}
		}
		if len(list) == 0 {
			return nil, errEmpty
		}
		return list, nil
	}
}

func document(s string) (Document, error) {
	var read struct {
		Document
		PendingTime string `json:"pendingTime"` // read apart: one in another form takes nothing else with it
	}
	err := json.Unmarshal([]byte(s), &read)
	d := read.Document
	if err != nil {
		return d, fmt.Errorf("the identity document is not JSON: %w", err)
	}
	if at, err := time.Parse(time.RFC3339, read.PendingTime); err == nil {
		d.PendingTime = at.UTC()
	}
	if d.InstanceID == "" {
		return d, fmt.Errorf("the identity document names no instance")
	}
	return d, nil
}

// spotAction is the action of spot/instance-action: stop, terminate, hibernate.
func spotAction(s string) (string, error) {
	var a struct {
		Action string `json:"action"`
	}
	if err := json.Unmarshal([]byte(s), &a); err != nil {
		return "", fmt.Errorf("the spot action is not JSON: %w", err)
	}
	return word(a.Action)
}
