package roles

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
)

// ldapClient is one of the programs that ask the directory on behalf of glibc
// and PAM.
type ldapClient struct {
	name  string // as directory.client and platform.ClientPackage know it
	unit  string // "" where the client runs inside each program that asks
	here  bool   // installed
	files func(ldapSettings) []resource.File

	// keepsLocal says that it looks at its start who is local, and asks the
	// directory for the groups of whoever comes later. sssd's list is written
	// into its file, and holds the break-glass account alone.
	keepsLocal bool
}

// ldapClients is the visible list, the one that answers first at the head.
func ldapClients(has facts.Has, os platform) []ldapClient {
	return []ldapClient{
		{"sssd", os.SSSDUnit, has.SSSD, sssdFiles, false},
		{"nslcd", os.NslcdUnit, has.Nslcd, nslcdFiles, true},
		{"nss_ldap", "", has.NSSLDAP, padlFiles, false},
	}
}

// chooseClients is the clients whose files are wanted: the one that is asked
// for; of auto, all that are installed, and nslcd where none is.
func chooseClients(asked string, all []ldapClient) []ldapClient {
	keep := func(want func(ldapClient) bool) []ldapClient {
		return slices.DeleteFunc(slices.Clone(all), func(c ldapClient) bool { return !want(c) })
	}
	if asked != "" && asked != "auto" {
		return keep(func(c ldapClient) bool { return c.name == asked })
	}
	if installed := keep(func(c ldapClient) bool { return c.here }); len(installed) > 0 {
		return installed
	}
	return keep(func(c ldapClient) bool { return c.name == "nslcd" })
}

// ldapSettings is all that the files of a client are made from.
type ldapSettings struct {
	Directory
	os     platform
	here   bool // the client is installed, so that its group exists
	header string
	rule   hostRule // nil where access is not restricted
	bind   int      // seconds, at least 1: zero would mean for ever
	limit  int
	tls    bool // a server is spoken to by TLS
	allTLS bool // every server is
	cacert string
}

// planDirectory asks for the files of the directory's clients and for the
// clients to run on them. The files are required; that a client runs, and that
// any server answers it, is not: a dead directory must not fail a boot.
func planDirectory(f facts.Facts, p Profile) (plan.Plan, error) {
	if p.Directory == nil {
		return nil, nil
	}
	if err := checkDirectory(*p.Directory); err != nil {
		return nil, err
	}
	os := platformOf(f.Machine.OS)
	s := newLDAPSettings(os, p)
	missing := ""
	if p.Directory.AccessHosts {
		s.rule, missing = machineRule(f, p)
	}

	var steps plan.Plan
	for i, c := range chooseClients(p.Directory.Client, ldapClients(f.Machine.Has, os)) {
		s.here = c.here
		steps = append(steps, clientSteps(c, i == 0, s, p, missing, f.Machine.Accounts.Names())...)
	}
	if f.Machine.Has.LDAPConf {
		steps = append(steps, plan.Step{
			Resource: openldapFile(s), Concern: "directory", Required: true,
			Why: "OpenLDAP's library and tools are installed; " + p.Why("directory"),
		})
	}
	return steps, nil
}

// clientSteps is one client's files, then the client itself.
func clientSteps(c ldapClient, first bool, s ldapSettings, p Profile, missing string, local []string) plan.Plan {
	why := c.name + " is installed; "
	if !c.here {
		why = c.name + " is not installed (package " + s.os.ClientPackage[c.name] + "), its file waits for it; "
	}
	why += p.Why("directory")

	var steps plan.Plan
	var ids []string
	files := c.files(s)
	for _, file := range files {
		step := plan.Step{Resource: file, Concern: "directory", Required: true, Why: why}
		if missing != "" {
			step.Resource = await(plan.Resource.Check, file.ID(), missing)
		}
		steps, ids = append(steps, step), append(ids, file.ID())
	}
	if c.unit == "" || !c.here || missing != "" {
		return steps
	}
	// sssd's unit is passed over at boot while its file is absent, so the client
	// is started; of several, only the one that the name service will ask.
	if !c.keepsLocal {
		local = nil
	}
	return append(steps, plan.Step{
		Resource: resource.Unit{Name: c.unit, Reads: files, Start: first, Users: local},
		Concern:  "directory", Needs: ids,
		Why: "it reads its files, and the list of local users, when it starts",
	})
}

func newLDAPSettings(os platform, p Profile) ldapSettings {
	plain := func(u string) bool { return !strings.HasPrefix(strings.ToLower(u), "ldaps:") }
	s := ldapSettings{
		Directory: *p.Directory, os: os, header: header("directory", p),
		bind:   limitSeconds(p.Directory.BindTimeLimit),
		limit:  limitSeconds(p.Directory.TimeLimit),
		tls:    slices.ContainsFunc(p.Directory.URIs, func(u string) bool { return !plain(u) }),
		allTLS: !slices.ContainsFunc(p.Directory.URIs, plain),
		cacert: p.Directory.CACertFile,
	}
	if s.cacert == "" {
		s.cacert = os.CABundle
	}
	return s
}

// machineRule is the access rule of this machine, or what must be known before
// there can be one: a rule that lacks a place because a read failed would shut
// people out who were let in an hour ago.
func machineRule(f facts.Facts, p Profile) (hostRule, string) {
	for _, fact := range []struct {
		name string
		facts.Fact[string]
	}{{"zone", f.Instance.Zone}, {"region", f.Instance.Region}} {
		if why, _ := fact.Why(); why != "" {
			return nil, fmt.Sprintf("the instance's %s (%s), which directory.access needs", fact.name, why)
		}
	}
	return newHostRule(machineName(f, p), f.Instance.Zone.Or(""), f.Instance.Region.Or("")), ""
}

// checkDirectory refuses what would break out of the line that it stands in,
// whoever let it come this far.
func checkDirectory(d Directory) error {
	var errs []error
	word := func(key, v string) {
		if strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r == 0x7f || r == ',' }) {
			errs = append(errs, fmt.Errorf("directory.%s: %q may not hold blanks, commas or control characters", key, v))
		}
	}
	line := func(key, v string) {
		if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }) || strings.TrimSpace(v) != v {
			errs = append(errs, fmt.Errorf("directory.%s: %q may not hold control characters, nor blanks at its ends", key, v))
		}
	}
	if len(d.URIs) == 0 {
		errs = append(errs, errors.New("directory.uris: at least one server is needed"))
	}
	for _, u := range d.URIs {
		word("uris", u)
	}
	word("break_glass", d.BreakGlass)
	word("ca_cert_file", d.CACertFile)
	line("base", d.Base)
	line("bind_dn", d.BindDN)
	return errors.Join(errs...)
}

// limitSeconds is a limit in whole seconds, at least one: to most clients zero
// means for ever.
func limitSeconds(d time.Duration) int {
	return max(1, int((d+time.Second-1)/time.Second))
}
