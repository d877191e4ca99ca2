// Package logins is what a login passes through: the text of the files on a
// machine's disk, or of those that would be written. From it the package works
// out how long logins take at worst (the budget), and proves that one account
// gets in at all (proof*.go). Both follow the same sshd, PAM and name service,
// which is why they are one package. Files named read_*.go read one program's
// file each, by that program's own rules; the others know what waits for whom,
// and how long.
//
// It is arithmetic alone: it reads no file, asks nobody, and knows neither
// profiles nor plans.
package logins

import "time"

// Budget is the longest that a login can take, worked out and not measured:
// for each kind of user and each way in which the servers can fail, every wait
// that stands in the way, the setting that makes it, and what to change.
type Budget struct {
	Grace time.Duration // sshd's LoginGraceTime; 120 s where that is 0, for no limit
	Cases []Case        // users in the order of the constants, then servers
	Notes []string      // what could not be read, and what is not counted
}

// Who is whose login it is.
type Who string

// The kinds of user.
const (
	BreakGlassUser Who = "break_glass" // the local account that must always get in
	LocalUser      Who = "local"       // any other local user
	DirectoryUser  Who = "directory"   // one whom the directory alone knows
)

// Servers is how the DNS, directory and file servers fail.
type Servers string

// The states that a login is worked out for. A client holds no connection when
// a state begins, but for AllHung, where it does.
const (
	AllUp   Servers = "up"       // all answer at once
	OneDown Servers = "one_down" // the first of each list drops what it is sent, the others answer; of a list of one, none does
	AllDown Servers = "all_down" // all drop what they are sent
	AllHung Servers = "hung"     // all take connections, keep those that are open, and never answer
	AllSlow Servers = "slow"     // all answer, each time just before the client gives up
)

// When is which part of a login waits.
type When string

// The parts. sshd's LoginGraceTime ends with the first.
const (
	BeforeLogin When = "before"   // until sshd has let the user in
	AfterLogin  When = "after"    // from then to a shell
	ForPassword When = "password" // asking for a password, as sudo does; no part of a key's login
)

// Of is what a wait hangs on.
type Of string

// The kinds of term.
const (
	OfLogin     Of = "login" // what a login costs with nothing in its way
	OfResolver  Of = "resolver"
	OfDirectory Of = "directory" // name service and PAM, by way of a directory client
	OfCommand   Of = "command"   // a program that sshd or PAM runs, which bounds itself or nobody does
	OfHome      Of = "home"      // home or shell on a network path
)

// Case is the worst of one kind of user's logins in one state of the servers.
type Case struct {
	User    Who     `json:"user"`
	Name    string  `json:"name"` // whom it was worked out for
	Servers Servers `json:"servers"`
	Before  Bound   `json:"before_s"`
	After   Bound   `json:"after_s"`
	// Total is from the connection to the shell. It is less than the sum of
	// both parts where a client that has once found its servers dead gives up
	// at once the next time: either part may be the one that finds it.
	Total    Bound  `json:"total_s"`
	Password Bound  `json:"password_s"`
	Refused  string `json:"refused"` // why the login ends before a shell, though nobody is late; "" where it does not
	Terms    []Term `json:"terms"`   // in the order in which they are waited for
}

// Term is one wait.
type Term struct {
	When   When   `json:"when"`
	Of     Of     `json:"of"`
	What   string `json:"what"` // who waits for what
	Takes  Bound  `json:"takes_s"`
	Limit  string `json:"limit"`  // the settings that bound it; "(default)" behind those that no file sets
	File   string `json:"file"`   // what has it asked: an nsswitch line, a PAM module, an option of sshd
	Line   int    `json:"line"`   // 0: no line of the file says so, it is the program's own way
	Remedy string `json:"remedy"` // "" where there is nothing to mend
}

// BudgetOf works out every case. It is pure, and gives an answer for any
// input: what cannot be read is a note.
func BudgetOf(l Login) Budget {
	m := newLoginMachine(l)
	b := Budget{Grace: time.Duration(m.sshd.graceSeconds()) * time.Second}
	for _, who := range []Who{BreakGlassUser, LocalUser, DirectoryUser} {
		if who == BreakGlassUser && l.BreakGlass == "" {
			continue
		}
		for _, s := range []Servers{AllUp, OneDown, AllDown, AllHung, AllSlow} {
			if !l.Judged || (Case{User: who, Servers: s}).counts() {
				b.Cases = append(b.Cases, m.worst(who, s))
			}
		}
	}
	b.Notes = m.allNotes()
	return b
}

// Case finds one of the cases; the zero Case where it was not worked out.
func (b Budget) Case(u Who, s Servers) Case {
	for _, c := range b.Cases {
		if c.User == u && c.Servers == s {
			return c
		}
	}
	return Case{}
}
