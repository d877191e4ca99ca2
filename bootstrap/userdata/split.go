package userdata

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Split takes user-data apart into its leaves, in their order. ours says which
// keys mark key=value text as ours: "hostname", "role" and the schema's keys;
// nil knows none.
//
// Only parts of ours carry Text, without a byte order mark and with \n for
// every line end. Empty user-data has no parts. What is not ours is no error;
// an exceeded bound, broken gzip, broken MIME and a part of ours that is not
// UTF-8 are, each with its place, and then no part is returned.
func Split(raw []byte, ours func(key string) bool) ([]Part, error) {
	w, err := walk(raw, ours)
	if err != nil {
		return nil, err
	}
	var parts []Part
	for _, l := range w.leaves {
		parts = append(parts, l.Part)
	}
	return parts, nil
}

// place is where a part stands, "part 1.3", or the whole.
type place string

const whole place = "user-data"

func (p place) child(i int) place {
	if p == whole {
		return place("part " + strconv.Itoa(i))
	}
	return p + place("."+strconv.Itoa(i))
}

// fail puts the place, and the file name where there is one, before an error.
func (p place) fail(name string, err error) error {
	at := string(whole)
	if p != whole {
		at += " " + string(p)
	}
	if name != "" && name != string(p) {
		at += fmt.Sprintf(" (%s)", name)
	}
	return fmt.Errorf("%s: %w", at, err)
}

// boundError ends the walk: what comes after it would only repeat it.
type boundError struct{ say string }

func (e *boundError) Error() string { return e.say }

func tooMuch(format string, args ...any) error {
	return &boundError{fmt.Sprintf(format, args...)}
}

// leaf is a Part and how it was wrapped.
type leaf struct {
	Part
	at       place
	encoding string // Content-Transfer-Encoding, lower case; "" where none is declared
	gzipped  bool   // the part by itself, not the whole
}

type walker struct {
	ours    func(string) bool
	left    int // bytes that may still come out of gzip
	gzipped bool
	size    int // of the whole, decompressed
	leaves  []leaf
}

// walk visits every leaf. The walker holds those read before an error as well.
func walk(raw []byte, ours func(string) bool) (*walker, error) {
	if ours == nil {
		ours = func(string) bool { return false }
	}
	w := &walker{ours: ours, left: MaxOut}
	if len(raw) > MaxRaw {
		return w, whole.fail("", tooMuch("more than EC2's limit of %d bytes (MaxRaw): compress it with `reveille userdata build`, or leave parts out", MaxRaw))
	}
	data := raw
	if isGzip(raw) {
		var err error
		if data, err = w.gunzip(raw); err != nil {
			return w, whole.fail("", err)
		}
		w.gzipped = true
	}
	w.size = len(data)
	text := trimBOM(data)
	if len(bytes.TrimSpace(text)) == 0 {
		return w, nil
	}
	if isMessage(text) {
		return w, w.message(whole, text, 0)
	}
	return w, w.leaf(whole, header{}, typeNone, data)
}

// message reads headers and what follows them; level counts the containers
// around it.
func (w *walker) message(at place, data []byte, level int) error {
	h, body := cutHeader(data)
	t := h.mediaType()
	container := strings.HasPrefix(t, "multipart/")
	if !container && t != "message/rfc822" {
		return w.leaf(at, h, t, body)
	}
	if level++; level > MaxDepth {
		return at.fail("", tooMuch("multiparts nested more than %d deep (MaxDepth): put its parts into the outer multipart", MaxDepth))
	}
	if !container {
		return w.message(at, body, level)
	}
	parts, err := cutParts(h.boundary(), body)
	if err != nil {
		return at.fail("", err)
	}
	var errs []error
	for i, p := range parts {
		err := w.message(at.child(i+1), p, level)
		errs = append(errs, err)
		if bound := (*boundError)(nil); errors.As(err, &bound) {
			break
		}
	}
	return errors.Join(errs...)
}

// leaf decodes one part, finds out whose it is and keeps it.
func (w *walker) leaf(at place, h header, declared string, body []byte) error {
	l := leaf{at: at, encoding: h.encoding()}
	l.Name = h.fileName()
	fail := func(err error) error { return at.fail(l.Name, err) }
	if len(w.leaves) == MaxParts {
		return fail(tooMuch("more than %d parts (MaxParts): put some of them into one", MaxParts))
	}
	data, err := decode(l.encoding, body)
	if err != nil {
		return fail(err)
	}
	if gzipTypes[declared] || isGzip(data) && maybeOurs(declared) {
		if data, err = w.gunzip(data); err != nil {
			return fail(err)
		}
		l.gzipped = true
		if gzipTypes[declared] {
			declared = typePlain // its first line says what it is
		}
	}
	l.Size = len(data)
	data = trimBOM(data)
	l.Type, l.Form = classify(declared, data, w.ours)
	if l.Form == NotOurs && (l.Type == typePlain || l.Type == typeNone) {
		l.Near = near(data, w.ours)
	}
	if l.looseMIME(data) {
		return fail(errors.New("MIME headers that are not read as such, by cloud-init neither: begin with them on the first line, `MIME-Version: 1.0` among them"))
	}
	if l.Form != NotOurs {
		if err := l.take(data); err != nil {
			return fail(err)
		}
	}
	if l.Name == "" {
		l.Name = string(at)
	}
	w.leaves = append(w.leaves, l)
	return nil
}

// looseMIME is true of a multipart that was meant as one but is not: it begins
// with an empty line, or lacks MIME-Version. Both cloud-init and we read it as
// text, and everything in it would be passed over in silence.
func (l *leaf) looseMIME(data []byte) bool {
	if l.at != whole || l.Type != typeNone && l.Type != typePlain {
		return false
	}
	h, _ := cutHeader(bytes.TrimLeft(data, " \t\r\n"))
	return strings.HasPrefix(h.mediaType(), "multipart/") && h.boundary() != ""
}

// take keeps the text that is ours.
func (l *leaf) take(data []byte) error {
	text := newlines.Replace(string(data))
	if l.Form == CloudConfig {
		var err error
		if text, err = reveilleLines(text); err != nil {
			return err
		}
		if text == "" {
			l.Form = NotOurs
			return nil
		}
	}
	if len(text) > MaxYAML {
		return tooMuch("%d bytes of text of ours, above %d (MaxYAML): it belongs into a role file", len(text), MaxYAML)
	}
	if line := badUTF8(text); line > 0 {
		return fmt.Errorf("line %d is not UTF-8: save the file as UTF-8", line)
	}
	l.Text = text
	return nil
}
