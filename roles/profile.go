package roles

import (
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
)

// Layer is where a value comes from. A later layer overrides an earlier one.
type Layer int

// The layers, weakest first.
const (
	Defaults Layer = iota
	RoleFile
	Tags
	UserData
	Local
)

// String is the layer's name as explain and reports print it.
func (l Layer) String() string {
	return [...]string{"defaults", "role file", "tags", "user-data", "local file"}[l]
}

// Source is one document of a layer; the caller has read it. Role files and
// the local file come as Sources; tags and user-data come with the facts.
type Source struct {
	Layer Layer
	Name  string // its path, as errors and explain print it
	Data  []byte
}

// Profile is what this machine should be: all layers merged, names filled in,
// validated. A nil section is not asked for, and leaves its files alone.
type Profile struct {
	Role        string
	RoleFile    string // path of the role file; "" where no role was named or matched
	Chosen      string // why this role, in words: "user-data names it"
	Vars        map[string]string
	Identity    Identity
	Resolver    *Resolver
	Directory   *Directory
	LoginBudget time.Duration // what a local user's login may take until sshd lets him in; 0 is the default, which hangs on sshd's
	Nscd        *Nscd
	Autofs      *Autofs
	Updatedb    *Updatedb
	Ganglia     *Ganglia
	Storage     *Storage
	Scripts     *Scripts
	Services    []string // units that the agent starts once a boot
	Ready       []Ready  // what must be so before the machine counts as ready
	Coordinator *Coordinator
	Notes       []string  // findings that are no errors: a tag value passed over, and why
	Settings    []Setting // who set what, by key, for explain and for the steps' reasons
}

// Identity is what the machine is called.
type Identity struct {
	Hostname    string // short or full name, valid by RFC 1123; "" where nothing names it
	Domain      string // "" or a domain without a leading dot
	HostnameTag string // the instance tag that may name the host; "" is the tag "hostname" alone
}

// Resolver is what resolv.conf should say.
type Resolver struct {
	Nameservers []string      // IP addresses, nearest first, at most 3
	Search      []string      // the domain first
	Timeout     time.Duration // whole seconds, 1..30
	Attempts    int           // 1..5
	Rotate      bool
}

// Directory is how users are looked up in LDAP.
type Directory struct {
	Client        string // auto, nslcd, sssd or nss_ldap
	URIs          []string
	Base          string
	BindDN        string // "" binds anonymously
	PasswordFile  string // path on the machine; its first line is the bind password
	CACertFile    string // "" is the system's own
	BindTimeLimit time.Duration
	TimeLimit     time.Duration
	AccessHosts   bool   // access: {hosts: true}
	BreakGlass    string // the local account that must always get in
}

// Ganglia is the role's cluster.
type Ganglia struct {
	Cluster    string
	Port       int
	Collectors []string // IP addresses
}

// Scripts are programs that prepare the machine, and that take leave of it.
type Scripts struct {
	Startup         []string      // paths, run in this order once on an instance
	StartupTimeout  time.Duration // of each
	Shutdown        []string      // paths, run in this order when the machine goes down
	ShutdownTimeout time.Duration // of all together
}

// Ready is one check, for which exactly one field but Timeout is set.
type Ready struct {
	TCP     string // host:port
	HTTP    string // URL
	Unit    string
	File    string // path
	Command []string
	Timeout time.Duration // how long it may take to become so
}

// Coordinator is who is told.
type Coordinator struct{ URLs []string }

// Setting is a key's value and the place that set it.
type Setting struct {
	Key     string // "resolver.timeout"
	Value   string // after filling in; "null" where Null is set
	Null    bool   // the layer returns the key, or all of the section, to the default
	Written string // as written, where filling in changed it; of a volume's tags, those
	Layer   Layer
	Name    string // file, "tag reveille:resolver.timeout", "user-data part 2"; "" for defaults
	Line    int    // 1-based; 0 where the source has no lines
	Over    bool   // overridden by a later Setting of the same key
}

// Concern is one room of the house: facts and profile to steps. It is pure.
type Concern struct {
	Name string // "resolver", as in Step.Concern
	Plan func(facts.Facts, Profile) (plan.Plan, error)
}
