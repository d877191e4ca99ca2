package integration_test

import (
	"errors"
	"syscall"

	"reveille/integration/guest"
	"reveille/roles/budget"
)

// loginFault is one way in which the servers fail.
type loginFault struct {
	name    string
	servers budget.Servers // the state of the budget that it is a case of
	set     func(l *loginLab) error
	warm    bool // nslcd has open connections when it begins
	chosen  bool // measured by make test
	dropped bool // packets are: the table tells how tight the bound is
	whole   bool // it is all of the budget's state, so that the bound has to be tight
}

// loginFaults are set one after the other. Servers that refuse are a case of
// all_down, which is what comes of them and no sooner.
var loginFaults = []loginFault{
	{name: "none", servers: budget.AllUp, set: func(*loginLab) error { return nil }},
	{name: "LDAP dropped", servers: budget.AllDown, chosen: true, dropped: true,
		set: func(l *loginLab) error { return l.drop(ldapFirst, ldapSecond) }},
	{name: "LDAP refused", servers: budget.AllDown, chosen: true,
		set: func(l *loginLab) error { return l.reject(ldapFirst, ldapSecond) }},
	{name: "LDAP accepts and is silent", servers: budget.AllHung, chosen: true, set: (*loginLab).silence},
	{name: "LDAP one of two dropped", servers: budget.OneDown, dropped: true,
		set: func(l *loginLab) error { return l.drop(ldapFirst) }},
	{name: "DNS dropped", servers: budget.AllDown, dropped: true,
		set: func(l *loginLab) error { return l.drop(guest.Resolver, guest.SecondResolver) }},
	{name: "DNS refused", servers: budget.AllDown,
		set: func(l *loginLab) error { return l.reject(guest.Resolver, guest.SecondResolver) }},
	{name: "DNS and LDAP dropped", servers: budget.AllDown, chosen: true, dropped: true, whole: true,
		set: func(l *loginLab) error {
			return l.drop(guest.Resolver, guest.SecondResolver, ldapFirst, ldapSecond)
		}},
	{name: "LDAP dropped, with open connections", servers: budget.AllHung, warm: true, dropped: true,
		set: func(l *loginLab) error { return l.drop(ldapFirst, ldapSecond) }},
	{name: "LDAP silent, with open connections", servers: budget.AllHung, warm: true, set: (*loginLab).silence},
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
func (l *loginLab) silence() error { return l.slapd.Signal(syscall.SIGSTOP) }

// heal takes every fault back.
func (l *loginLab) heal() error {
	all := l.slapd.Signal(syscall.SIGCONT)
	for _, a := range []string{guest.Resolver, guest.SecondResolver, ldapFirst, ldapSecond} {
		all = errors.Join(all, l.fabric.Undrop(a))
	}
	return all
}
