package integration_test

import (
	"errors"
	"syscall"
	"time"

	"reveille/roles/logins"
)

// loginFault is one way in which the servers fail.
type loginFault struct {
	name    string
	servers logins.Servers // the state of the budget that it is a case of
	set     func(l *loginLab) error
	warm    bool // nslcd has open connections when it begins
	homes   bool // the file server alone fails
	mounted bool // the directory's user has just been in his home, when it begins
	chosen  bool // measured by make test
	dropped bool // packets are: the table tells how tight the bound is
	whole   bool // it is all of the budget's state, so that the bound has to be tight
}

// loginFaults are set one after the other. Servers that refuse are a case of
// all_down, which is what comes of them and no sooner.
var loginFaults = []loginFault{
	{name: "none", servers: logins.AllUp, set: func(*loginLab) error { return nil }},
	{name: "LDAP dropped", servers: logins.AllDown, chosen: true, dropped: true,
		set: func(l *loginLab) error { return l.drop(ldapFirst, ldapSecond) }},
	{name: "LDAP refused", servers: logins.AllDown, chosen: true,
		set: func(l *loginLab) error { return l.reject(ldapFirst, ldapSecond) }},
	{name: "LDAP accepts and is silent", servers: logins.AllHung, chosen: true, set: (*loginLab).silence},
	{name: "LDAP one of two dropped", servers: logins.OneDown, dropped: true,
		set: func(l *loginLab) error { return l.drop(ldapFirst) }},
	{name: "DNS dropped", servers: logins.AllDown, dropped: true,
		set: func(l *loginLab) error { return l.drop(nameFirst, nameSecond) }},
	{name: "DNS refused", servers: logins.AllDown,
		set: func(l *loginLab) error { return l.reject(nameFirst, nameSecond) }},
	{name: "DNS says SERVFAIL", servers: logins.AllDown, set: func(l *loginLab) error { return l.names.serve(true) }},
	{name: "DNS slow", servers: logins.AllSlow, set: func(l *loginLab) error { return l.slow(l.names.stall, 700*time.Millisecond) }},
	{name: "LDAP slow", servers: logins.AllSlow, set: func(l *loginLab) error { return l.slow(l.stall, 3500*time.Millisecond) }},
	{name: "DNS and LDAP slow", servers: logins.AllSlow, set: func(l *loginLab) error {
		return errors.Join(l.slow(l.names.stall, 700*time.Millisecond), l.slow(l.stall, 3500*time.Millisecond))
	}},
	{name: "DNS and LDAP dropped", servers: logins.AllDown, chosen: true, dropped: true, whole: true,
		set: func(l *loginLab) error {
			return l.drop(nameFirst, nameSecond, ldapFirst, ldapSecond)
		}},
	{name: "LDAP dropped, with open connections", servers: logins.AllHung, warm: true, dropped: true,
		set: func(l *loginLab) error { return l.drop(ldapFirst, ldapSecond) }},
	{name: "LDAP silent, with open connections", servers: logins.AllHung, warm: true, set: (*loginLab).silence},
}

func (l *loginLab) drop(addresses ...string) error {
	var all error
	for _, a := range addresses {
		all = errors.Join(all, l.fabric.Drop(a))
	}
	return all
}

func (l *loginLab) reject(addresses ...string) error {
	var all error
	for _, a := range addresses {
		all = errors.Join(all, l.fabric.Reject(a))
	}
	return all
}

// silence stops slapd in its tracks: the kernel goes on taking connections for
// it, and those that are open stay so.
func (l *loginLab) silence() error { return l.stall(true) }

func (l *loginLab) stall(stall bool) error {
	if stall {
		return l.slapd.Signal(syscall.SIGSTOP)
	}
	return l.slapd.Signal(syscall.SIGCONT)
}

// breath is how long a server that is slow works between two halts: for all
// that has come to it meanwhile.
const breath = 20 * time.Millisecond

// slow has a server halt for so long again and again: whoever asks it anything
// waits for nothing to all of that. The fault is there when it has halted once.
func (l *loginLab) slow(stall func(bool) error, halts time.Duration) error {
	if err := stall(true); err != nil {
		return err
	}
	stop, ended := make(chan struct{}), make(chan error)
	go func() {
		work := time.NewTimer(halts)
		defer work.Stop()
		var all error
		for halted := true; ; halted = !halted {
			select {
			case <-work.C:
			case <-stop:
				ended <- all
				return
			}
			all = errors.Join(all, stall(!halted))
			work.Reset(map[bool]time.Duration{true: breath, false: halts}[halted])
		}
	}()
	l.slowed = append(l.slowed, func() error { close(stop); return errors.Join(<-ended, stall(false)) })
	return nil
}

// heal takes every fault back.
func (l *loginLab) heal() error {
	var all error
	for _, end := range l.slowed {
		all = errors.Join(all, end())
	}
	l.slowed = nil
	all = errors.Join(all, l.stall(false), l.names.serve(false))
	if l.homes {
		all = errors.Join(all, l.mendHomes())
	}
	for _, a := range []string{nameFirst, nameSecond, ldapFirst, ldapSecond} {
		all = errors.Join(all, l.fabric.Undrop(a))
	}
	return all
}
