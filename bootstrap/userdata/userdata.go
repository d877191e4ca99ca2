// Package userdata takes EC2 user-data apart and puts it together: MIME
// multiparts, gzip, base64 where a part declares it, all within bounds. It
// works on bytes alone and reads nothing: where they come from is the
// caller's business, and what ours mean is package roles'.
package userdata

// The bounds. What is above one is an error that names it.
const (
	MaxRaw   = 16384   // bytes, EC2's own limit, before base64
	MaxOut   = 1 << 20 // bytes, all decompressed data of one user-data together
	MaxYAML  = 64 << 10
	MaxParts = 32
	MaxDepth = 4 // multiparts within multiparts
)

// Form is how a part of ours is written.
type Form string

// The forms. NotOurs is everything that belongs to cloud-init or to nobody.
const (
	NotOurs     Form = ""
	KeyValue    Form = "key-value"    // hostname=dev-mysql01
	YAML        Form = "yaml"         // first line #reveille
	CloudConfig Form = "cloud-config" // the value of its top-level key reveille:
)

// Part is one leaf of user-data.
type Part struct {
	Name string `json:"name"`           // file name, or its place: "part 2", "part 1.3"; "user-data" when it is the whole
	Type string `json:"type"`           // MIME type, declared or told by the first line, as cloud-init would
	Size int    `json:"size"`           // bytes, decoded
	Form Form   `json:"form,omitempty"` // how it speaks to us
	Near string `json:"near,omitempty"` // why text that looks much like ours is not
	// Text is kept of parts that are ours only. Of a cloud-config it has the
	// lines of the key reveille: and empty lines for all others, so that line
	// numbers stay true and nothing of cloud-init's is copied.
	Text string `json:"text,omitempty"`
}
