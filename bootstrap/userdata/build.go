package userdata

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"path"
	"strings"
)

// File is what Build makes a part of.
type File struct {
	Name string // its path; the part is named by the last element, as cloud-init names scripts
	Data []byte
}

// Build puts files together as a gzip'd MIME multipart, in their order, each
// typed by its first line; key=value text of which ours knows a key is typed
// as ours. The same files give the same bytes with the same Go release.
//
// It errs, all files at once, on an unknown first line, a name that two files
// share, and on what Split would not take back: above MaxRaw, MaxParts and so
// on.
//
// cloud-init 22.4 takes out the same parts. It does nothing with one of type
// text/x-reveille but log a warning that names the type and the first 24
// characters; no other part suffers. Neither that warning nor `cloud-init
// status` is an error there; releases since 23.4 count such a boot as degraded.
func Build(files []File, ours func(key string) bool) ([]byte, error) {
	if len(files) == 0 {
		return nil, errors.New("build user-data: no files: name at least one")
	}
	if ours == nil {
		ours = func(string) bool { return false }
	}
	var parts []outPart
	var errs []error
	named := map[string]string{}
	for _, f := range files {
		p, err := newPart(f, ours)
		if first, ok := named[p.name]; ok && err == nil {
			err = fmt.Errorf("has the name of %s, and cloud-init would keep one of the two: rename it", first)
		}
		named[p.name] = f.Name
		if err != nil {
			errs = append(errs, fmt.Errorf("build user-data: %s: %w", f.Name, err))
		}
		parts = append(parts, p)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	raw, err := compress(render(parts))
	if err != nil {
		return nil, fmt.Errorf("build user-data: %w", err)
	}
	if len(raw) > MaxRaw {
		return nil, fmt.Errorf("build user-data: %d bytes compressed, %d above EC2's limit of %d (MaxRaw); the largest file is %s with %d bytes: leave it out, or let the machine fetch it",
			len(raw), len(raw)-MaxRaw, MaxRaw, largest(files).Name, len(largest(files).Data))
	}
	if _, err := Split(raw, ours); err != nil {
		return nil, fmt.Errorf("build user-data: the agent would refuse it: %w", err)
	}
	return raw, nil
}

func largest(files []File) File {
	l := files[0]
	for _, f := range files[1:] {
		if len(f.Data) > len(l.Data) {
			l = f
		}
	}
	return l
}

// outPart is one part, encoded.
type outPart struct {
	name, typ, encoding string
	body                []byte
}

func newPart(f File, ours func(string) bool) (outPart, error) {
	p := outPart{name: path.Base(f.Name), typ: byFirstLine(trimBOM(f.Data))}
	if p.name == "." || p.name == "/" || p.name != printable(p.name) || len(p.name) > 255 {
		return p, fmt.Errorf("%q is no name for a part: rename the file", p.name)
	}
	if p.typ == "" && isKeyValue(trimBOM(f.Data), ours) {
		p.typ = typeReveille
	}
	if p.typ == "" {
		var known []string
		for _, l := range firstLines {
			known = append(known, l.begin)
		}
		return p, fmt.Errorf("first line %q tells no type: begin it with one of %s, or write key=value lines with a key of ours", firstLine(f.Data), strings.Join(known, ", "))
	}
	var err error
	p.encoding, p.body, err = encode(f.Data)
	return p, err
}

// firstLine is the beginning of a file for an error message.
func firstLine(data []byte) string {
	line, _ := cutLine(data)
	return string(bytes.TrimRight(line[:min(len(line), 40)], "\r\n"))
}

// render writes the multipart. The boundary comes from the content, so that
// the same files give the same bytes.
func render(parts []outPart) []byte {
	var all bytes.Buffer
	for _, p := range parts {
		fmt.Fprintf(&all, "%s\n%s\n%d\n", p.name, p.typ, len(p.body))
		all.Write(p.body)
	}
	boundary := newBoundary(sha256.Sum256(all.Bytes()), all.Bytes())
	var out bytes.Buffer
	fmt.Fprintf(&out, "Content-Type: multipart/mixed; boundary=%q\nMIME-Version: 1.0\n", boundary)
	for _, p := range parts {
		fmt.Fprintf(&out, "\n--%s\nContent-Type: %s; charset=\"utf-8\"\nMIME-Version: 1.0\nContent-Transfer-Encoding: %s\nContent-Disposition: %s\n\n",
			boundary, p.typ, p.encoding, mime.FormatMediaType("attachment", map[string]string{"filename": p.name}))
		out.Write(p.body)
	}
	fmt.Fprintf(&out, "\n--%s--\n", boundary)
	return out.Bytes()
}

// newBoundary makes a boundary of the seed that content does not hold.
func newBoundary(seed [sha256.Size]byte, content []byte) string {
	for {
		b := hex.EncodeToString(seed[:12])
		if !bytes.Contains(content, []byte(b)) {
			return b
		}
		seed = sha256.Sum256(seed[:])
	}
}

// compress leaves time and name out of the gzip header.
func compress(data []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if _, err := z.Write(data); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return out.Bytes(), nil
}
