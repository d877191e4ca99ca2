package api

// Instance is a report as a coordinator hands it out again. A coordinator also
// keeps fields that it does not know; whoever needs those reads the document.
type Instance struct {
	Report
	Received string `json:"received"` // RFC 3339, by the coordinator's clock
}

// Instances answers GET /v1/instances, ordered by instance id. A page may hold
// fewer than were asked for, because it is bounded in bytes too: only an empty
// Next says that it was the last one.
type Instances struct {
	Instances []Instance `json:"instances"`
	Next      string     `json:"next"` // the after= of the next page
}

// Role answers GET /v1/roles/{role}: how many instances last reported as this
// role, in all and by state. A role that nobody reported is all zeros.
type Role struct {
	Role      string `json:"role"`
	Ready     int    `json:"ready"`
	Degraded  int    `json:"degraded"`
	Failed    int    `json:"failed"`
	Booting   int    `json:"booting"`
	Stopping  int    `json:"stopping,omitempty"`
	Instances int    `json:"instances"`
}

// Add counts n instances of one state.
func (r *Role) Add(s State, n int) {
	r.Instances += n
	switch s {
	case Ready:
		r.Ready += n
	case Degraded:
		r.Degraded += n
	case Failed:
		r.Failed += n
	case Booting:
		r.Booting += n
	case Stopping:
		r.Stopping += n
	}
}
