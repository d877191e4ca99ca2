package logins

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"reveille/bootstrap/facts"
)

// bound is options of a key that keep it from being a way in: another program
// in the shell's place, or a certificate's authority.
var boundKey = []string{"command", "cert-authority"}

// unsureKey is options whose value decides, which is not read.
var unsureKey = []string{"from", "expiry-time", "tunnel", "principals"}

// keys looks for one plain key in a file that sshd would read.
func (p *prover) keys() {
	if !p.a.Looked {
		return
	}
	best, counted, unread := no, 0, ""
	odd := ""
	for _, f := range p.a.Keys {
		if f.Unread+f.Remote != "" {
			unread = fmt.Sprintf("%s: %s%s", f.Said, f.Unread, f.Remote)
			continue
		}
		if !f.End().Exists {
			continue
		}
		if !p.readable(f) {
			unread = f.Path + " is there and not read"
			continue
		}
		if f.Odd > 0 {
			odd = fmt.Sprintf("; %s has %d lines in which none could be read", f.Path, f.Odd)
		}
		for _, k := range f.Keys {
			counted++
			has := func(options []string) bool {
				return slices.ContainsFunc(k.Options, func(o string) bool { return slices.Contains(options, o) })
			}
			switch {
			case has(boundKey):
			case has(unsureKey):
				best = max(best, answer(unsure))
			default:
				best = yes
			}
			if best == yes {
				return
			}
		}
	}
	remedy := "Put a public key into " + p.keysPlace() + ", owned by " + p.a.Name + ", mode 0600."
	switch {
	case best == unsure:
		p.find("key", facts.Warning, "has no key but such as are bound to addresses, or to a time, which was not looked at.", remedy)
	case counted > 0:
		p.find("key", facts.Error, "has no key that gives a shell: each runs a command of its own, or is a certificate's authority.", remedy)
	case unread != "":
		p.find("key", facts.Error, "has no authorized key that sshd is sure to read: "+unread+".", remedy)
	default:
		p.find("key", facts.Error, "has no authorized key in the files that sshd reads"+odd+".", remedy)
	}
}

// keysPlace is the first of the files that sshd reads.
func (p *prover) keysPlace() string {
	if len(p.a.Keys) == 0 {
		return "a file, and name that by AuthorizedKeysFile in " + sshdPath
	}
	return p.a.Keys[0].Path
}

// readable says whether sshd reads a file of keys, with a finding where it does
// not. It opens it as the user; with StrictModes it asks further that the file,
// and each folder up to the home (to the root where it lies elsewhere), be the
// user's or root's and that nobody else may write it (safe_path in misc.c).
func (p *prover) readable(f facts.KeyFile) bool {
	end := f.End()
	if !end.Mode.IsRegular() {
		p.find("modes", facts.Error, fmt.Sprintf("has %s, which is no regular file (%v): sshd does not read it.", f.Path, end.Mode), "Put a file in its place.")
		return false
	}
	good := true
	for i, s := range f.Steps {
		need := fs.FileMode(0o1) // to pass through
		if i == len(f.Steps)-1 {
			need = 0o4
		}
		if !p.allowed(s, need) {
			p.find("modes", facts.Error, fmt.Sprintf("may not read %s: %s is %s, and sshd reads it as the user.", f.Path, s.Path, ownerOf(s)), p.chmod(s))
			good = false
			break
		}
	}
	if v := p.sshdValues("strictmodes"); len(v) > 0 && v[0] == "no" {
		return good
	}
	home := p.a.Home.End().Path
	for _, s := range slices.Backward(f.Steps) {
		switch bad := p.strict(s); bad {
		case yes:
			p.find("modes", facts.Error, fmt.Sprintf("has keys that sshd does not take: %s is %s, and StrictModes asks that it be the user's or root's, and that nobody else may write it.", s.Path, ownerOf(s)), p.chmod(s))
			good = false
		case unsure:
			p.find("modes", facts.Warning, fmt.Sprintf("has %s, which its own group may write (%s): Debian's sshd passes over that, others do not.", s.Path, ownerOf(s)), p.chmod(s))
		}
		if s.Path == home {
			break
		}
	}
	return good
}

// strict is whether StrictModes stumbles over a step. Debian's sshd lets a group
// write that has the user's name and him alone in it.
func (p *prover) strict(s facts.WayStep) answer {
	perm := s.Mode.Perm()
	if s.UID != 0 && s.UID != p.person.uid || perm&0o002 != 0 {
		return yes
	}
	if perm&0o020 == 0 {
		return no
	}
	for _, l := range textLines(groupPath, p.a.Login.Files[groupPath], "#") {
		g := strings.Split(l.text, ":")
		if len(g) == 4 && decimal(g[2]) == s.GID && s.GID == p.person.gid && g[0] == p.a.Name && strings.Trim(strings.ReplaceAll(g[3], p.a.Name, ""), ", ") == "" {
			return unsure
		}
	}
	return yes
}

// allowed is whether the user himself may: by the bits for him, for one of his
// groups, or for all, whichever is the first that is his.
func (p *prover) allowed(s facts.WayStep, need fs.FileMode) bool {
	inGroup := s.GID == p.person.gid || slices.ContainsFunc(p.groups, func(g localGroup) bool { return g.gid == s.GID })
	switch perm := s.Mode.Perm(); {
	case p.person.uid == 0:
		return true
	case s.UID == p.person.uid:
		return perm&(need<<6) != 0
	case inGroup:
		return perm&(need<<3) != 0
	default:
		return perm&need != 0
	}
}

func ownerOf(s facts.WayStep) string {
	return fmt.Sprintf("of owner %d, group %d, mode %04o", s.UID, s.GID, s.Mode.Perm())
}

// chmod is what mends a step; a folder of the system's is root's.
func (p *prover) chmod(s facts.WayStep) string {
	home := p.a.Home.End().Path
	mode, owner := "0755", "root"
	if home != "" && below(s.Path, home) && home != "/" {
		mode, owner = "0700", p.a.Name
	}
	if s.Mode.IsRegular() {
		mode = "0600"
		if owner == "root" {
			mode = "0644"
		}
	}
	return fmt.Sprintf("`chown %s %s`, `chmod %s %s`.", owner, s.Path, mode, s.Path)
}

// home is not to lie on another machine's files, nor where one would have to be
// asked for it; sshd and the shell go on without one that is not there, but not
// without the keys in it.
func (p *prover) home() {
	if own := p.m.home(p.person, "sshd and the shell look into", 1); len(own) > 0 {
		r := own[0]
		p.find("home", facts.Error, fmt.Sprintf("waits for a file server: %s, by %s.", r.what, r.at), upper(r.remedy)+".")
		return
	}
	if on := p.homeToCome(); on.network() {
		p.find("home", facts.Error, fmt.Sprintf("will wait for a file server: %s is to be mounted on %s, by %s.", on.kind, on.path, on.at), upper(moveHome(p.person.home))+".")
		return
	}
	switch w := p.a.Home; {
	case !p.a.Looked:
	case w.Remote != "":
		p.find("home", facts.Warning, fmt.Sprintf("has the home %s on %s: whether another machine answers for that is not known, so it was not looked at.", w.Path, w.Remote),
			"Have "+w.Path+" on a local disk.")
	case w.Unread != "":
		p.find("home", facts.Warning, fmt.Sprintf("has the home %s, which could not be looked at: %s.", w.Path, w.Unread), "Have it on a local disk.")
	case w.Missing != "":
		p.find("home", facts.Warning, fmt.Sprintf("has the home %s, which is not there.", w.Path), fmt.Sprintf("`install -d -o %s -m 0700 %s`.", p.a.Name, w.Path))
	case !w.End().Mode.IsDir():
		p.find("home", facts.Error, fmt.Sprintf("has the home %s, which is no folder.", w.Path), "Have a folder in its place.")
	}
}

// homeToCome is the mount that /etc/fstab has for the home, and its line. What
// nobody mounts by himself is left out, and what is mounted has been looked at.
func (p *prover) homeToCome() (on mount) {
	for _, l := range textLines("/etc/fstab", p.a.Fstab, "#") {
		f := append(strings.Fields(l.text), "", "", "", "")
		m := mount{unescapeMount(f[0]), unescapeMount(f[1]), f[2], strings.Split(f[3], ","), l.at}
		asked := slices.Contains(m.options, "noauto") && !slices.Contains(m.options, "x-systemd.automount")
		if strings.HasPrefix(m.path, "/") && !asked && (below(p.person.home, m.path) || below(p.a.Home.End().Path, m.path)) && len(m.path) >= len(on.path) {
			on = m
		}
	}
	return on
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
