// Package api is what agents and coordinators say to each other: the report,
// the answers, and the client. It is all of the coordinator's tree that the
// agent may import, so it knows neither a server nor a store.
package api

// Version of the report document. Fields are added, never renamed.
const Version = 1

// State of an instance, as its last report says.
type State string

// The states of an instance.
const (
	Booting  State = "booting"
	Ready    State = "ready"
	Degraded State = "degraded" // something not required is not so
	Failed   State = "failed"   // something required is not so
	Stopping State = "stopping" // the machine goes down
)

// Report is the outcome of one pass. The same document is kept on disk,
// printed by `reveille boot --json` and sent to coordinators.
// An empty string is "absent", null is "unknown".
type Report struct {
	Version       int      `json:"version"`
	InstanceID    string   `json:"instance_id"`
	BootID        string   `json:"boot_id"`
	Hostname      string   `json:"hostname"`
	Role          string   `json:"role"`
	State         State    `json:"state"`
	Pass          string   `json:"pass"`    // boot, address, device, hup or timer
	Started       string   `json:"started"` // RFC 3339
	TookMS        float64  `json:"took_ms"`
	Facts         Facts    `json:"facts"`
	Errors        []string `json:"errors"`
	Misconfigured bool     `json:"misconfigured"` // the errors are a document's, not the machine's
	Notes         []string `json:"notes"`
	Steps         []Step   `json:"steps"`
	Phases        []Phase  `json:"phases"` // what the pass did before and around its steps

	BreakGlass *BreakGlass `json:"break_glass"` // null where no directory is asked for, or nothing was decided
}

// BreakGlass is whether the account that must always get in can, with every
// server dead.
type BreakGlass struct {
	User     string    `json:"user"`
	Proven   bool      `json:"proven"` // nothing graver than a remark was found
	Findings []Finding `json:"findings"`
}

// Finding is something that is wrong, or that could not be looked at, and what
// to do about it.
type Finding struct {
	Code     string `json:"code"`     // break-glass-modes
	Severity string `json:"severity"` // error, warning, info
	Title    string `json:"title"`
	Remedy   string `json:"remedy"`
}

// Phase is a stretch of a pass: reading facts, deciding, walking the plan.
type Phase struct {
	Name    string  `json:"name"`
	StartMS float64 `json:"start_ms"`
	TookMS  float64 `json:"took_ms"`
}

// Facts is the part of an instance's facts that a fleet's operators look for.
type Facts struct {
	Region    *string `json:"region"`
	Zone      *string `json:"zone"`
	PrivateIP *string `json:"private_ip"`
	PublicIP  *string `json:"public_ip"`
	Source    string  `json:"source"` // imds, cache or none
	AgeS      float64 `json:"age_s"`  // seconds since they were read
}

// Step is the outcome of one step of a plan.
type Step struct {
	ID       string   `json:"id"`
	Concern  string   `json:"concern"`
	State    string   `json:"state"` // ok, changed, drifted, failed, blocked or unknown
	Required bool     `json:"required"`
	Why      string   `json:"why"`
	Changes  []string `json:"changes"`
	Error    string   `json:"error"`
	StartMS  float64  `json:"start_ms"` // from the start of the pass
	TookMS   float64  `json:"took_ms"`
	Attempts int      `json:"attempts"`
}
