package userdata

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"
)

// Listing is what is inside one user-data, for a person or as JSON.
type Listing struct {
	Size    int   `json:"size"`    // bytes, as EC2 keeps them
	Limit   int   `json:"limit"`   // MaxRaw
	Gzip    bool  `json:"gzip"`    // the whole is compressed
	Decoded int   `json:"decoded"` // bytes of the whole, decompressed
	Parts   []Row `json:"parts"`
}

// Row is one part of a Listing.
type Row struct {
	Place    string `json:"place"` // "part 1.3", or "user-data"
	Name     string `json:"name"`  // its file name; "" where it has none
	Type     string `json:"type"`
	Size     int    `json:"size"`     // bytes, decoded
	Encoding string `json:"encoding"` // Content-Transfer-Encoding; "" where none is declared
	Gzip     bool   `json:"gzip"`     // the part by itself
	Form     Form   `json:"form"`
	For      string `json:"for"` // who takes it: one of the For constants
}

// Who takes a part.
const (
	ForReveille  = "reveille"
	ForCloudInit = "cloud-init"
	ForBoth      = "cloud-init, reveille"
	ForNobody    = "nobody" // unless a part handler of the user's own does
)

// Show lists the parts. With an error, which is Split's, the listing has what
// could be read before it.
func Show(raw []byte, ours func(key string) bool) (Listing, error) {
	w, err := walk(raw, ours)
	l := Listing{Size: len(raw), Limit: MaxRaw, Gzip: w.gzipped, Decoded: w.size, Parts: []Row{}}
	for _, p := range w.leaves {
		r := Row{Place: string(p.at), Name: p.Name, Type: p.Type, Size: p.Size,
			Encoding: p.encoding, Gzip: p.gzipped, Form: p.Form, For: takenBy(p.Part)}
		if r.Name == r.Place {
			r.Name = ""
		}
		l.Parts = append(l.Parts, r)
	}
	return l, err
}

func takenBy(p Part) string {
	switch {
	case p.Form == CloudConfig:
		return ForBoth
	case p.Form != NotOurs:
		return ForReveille
	case p.Size > 0 && (isFirstLineType(p.Type) || cloudInitTypes[p.Type]):
		return ForCloudInit
	}
	return ForNobody
}

func isFirstLineType(t string) bool {
	for _, f := range firstLines {
		if f.typ == t {
			return true
		}
	}
	return false
}

// Write prints the listing as a table.
func (l Listing) Write(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "%d of %d bytes", l.Size, l.Limit); err != nil {
		return err
	}
	if l.Gzip {
		if _, err := fmt.Fprintf(w, ", gzip of %d", l.Decoded); err != nil {
			return err
		}
	}
	if len(l.Parts) == 0 {
		_, err := fmt.Fprint(w, ", no parts\n")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprint(t, "\n\nPLACE\tNAME\tTYPE\tBYTES\tENCODING\tFORM\tFOR\n")
	for _, r := range l.Parts {
		encoding := r.Encoding
		if r.Gzip {
			encoding = join(encoding, "gzip")
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", r.Place, cmp.Or(r.Name, "-"), r.Type, r.Size, cmp.Or(encoding, "-"), cmp.Or(string(r.Form), "-"), r.For)
	}
	return t.Flush()
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + ", " + b
}
