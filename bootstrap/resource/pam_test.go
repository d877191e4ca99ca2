package resource

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/host"
	"reveille/bootstrap/host/hosttest"
	"reveille/bootstrap/originals"
	"reveille/bootstrap/plan"
)

const (
	debianAccount = "account\t[success=1 new_authtok_reqd=done default=ignore]\tpam_unix.so \naccount\trequisite\t\t\tpam_deny.so\naccount\trequired\t\t\tpam_permit.so\n"
	asksLDAP      = "account\t[success=ok user_unknown=ignore authinfo_unavail=ignore default=bad]\tpam_ldap.so minimum_uid=1000\n"
)

const accountFile, guard = "/etc/pam.d/common-account", "account\t[success=1 default=ignore]\tpam_localuser.so"

// after is a stack once our profile is in force, and before as it was.
func after(text string) string {
	files := map[string]string{accountFile: text}
	ourProfile().AfterPAM(files)
	return files[accountFile]
}

func before(text string) string {
	files := map[string]string{accountFile: text}
	BeforePAM(files, OurPAMProfile("ldap"))
	return files[accountFile]
}

var enable, disable = []string{nice, "-n", "10", pamUpdate, "--enable", "reveille-ldap"}, []string{nice, "-n", "10", pamUpdate, "--enable", "ldap", "--remove", "reveille-ldap"}

func ourProfile() PAMProfile {
	return PAMProfile{File{Path: OurPAMProfile("ldap"), Content: []byte("Name: x\n"), Concern: "pam"}, "ldap"}
}

// debian is a machine with the package's profile in force. Its program is as
// good as the real one, which a booted machine's case holds.
func debian(t *testing.T) *hosttest.Machine {
	m := hosttest.New(t, map[string]string{
		accountFile: debianAccount + asksLDAP, "/etc/pam.d/common-auth": "", PAMProfiles + "ldap": "", pamUpdate: "", "/var/lib/pam/account": "",
	})
	m.Put("/run/", "", 0)
	for _, argv := range [][]string{enable, disable} {
		m.Command(argv, host.Output{}, nil)
	}
	m.OnRun(func(argv []string) { // in the middle of Run: the machine's own methods would wait for it
		text := debianAccount + asksLDAP
		if slices.Equal(argv, enable) {
			text = debianAccount + guard + "\n" + asksLDAP
		}
		if err := os.WriteFile(filepath.Join(m.Root, accountFile), []byte(text), 0o644); err != nil {
			t.Error(err)
		}
	})
	return m
}

func TestPAMLeavesLocalUsersAlone(t *testing.T) {
	m, p := debian(t), ourProfile()
	image := m.Tree(state, runState)
	h := m.Host()
	run(t, check(t, h, p.Profile))
	changes := check(t, h, p)
	if len(changes) != 1 || changes[0].Risk != plan.Disrupts {
		t.Fatalf("changes: %+v", changes)
	}
	m.Forget()
	run(t, changes)
	isSo(t, h, p)
	if text := m.Read(accountFile); text != after(debianAccount+asksLDAP) {
		t.Errorf("other than was foretold:\n%s", text)
	}
	// What is kept of the image's says what comes back before the program runs,
	// and what that wrote is on the disk after it.
	points := strings.Join(m.Points(), "\n")
	noted, ran, synced := strings.Index(points, "write:/var/lib/reveille/originals"), strings.Index(points, "run:"), strings.LastIndex(points, "sync:"+accountFile+" done")
	if noted < 0 || noted > ran || synced < ran {
		t.Errorf("noted at %d, ran at %d, on the disk at %d:\n%s", noted, ran, synced, points)
	}
	restoreAll(t, m)
	if d := cmp.Diff(image, m.Tree(state, runState)); d != "" {
		t.Error("not as it was after the restore:\n" + d)
	}
}

func TestPAMThatCannotBeChanged(t *testing.T) {
	locked := host.Output{Code: 1, Stderr: []byte("debconf: DbDriver \"config\": /var/cache/debconf/config.dat is locked by another process: Resource temporarily unavailable\n")}
	t.Run("by hand", func(t *testing.T) {
		m, p := debian(t), ourProfile()
		run(t, check(t, m.Host(), p.Profile))
		m.OnRun(nil)
		err := check(t, m.Host(), p)[0].Do(t.Context())
		if err == nil || !strings.Contains(err.Error(), "changed by hand") || !strings.Contains(err.Error(), guard) {
			t.Errorf("%v", err)
		}
	})
	t.Run("while packages are installed", func(t *testing.T) {
		m, p := debian(t), ourProfile()
		run(t, check(t, m.Host(), p.Profile))
		m.OnRun(nil)
		m.Command(enable, locked, nil)
		m.Command(disable, locked, nil)
		do := check(t, m.Host(), p)[0].Do
		_ = do(t.Context()) // the first answer of the script is the good one
		var later *plan.NotYet
		if err := do(t.Context()); !errors.As(err, &later) {
			t.Errorf("%v", err)
		}
	})
	t.Run("and not put back either", func(t *testing.T) {
		m, p := debian(t), ourProfile()
		h := m.Host()
		run(t, check(t, h, p.Profile))
		run(t, check(t, h, p))
		m.OnRun(nil)
		m.Command(disable, locked, nil)
		rec := func() originals.Record {
			rec, kept, err := originals.Get(h, p.Profile.Path)
			if err != nil || !kept {
				t.Fatalf("kept %v: %v", kept, err)
			}
			return rec
		}
		_ = putBackPAM(t.Context(), h, rec()) // the good answer
		if err := restore(t.Context(), h, rec()); err == nil {
			t.Error("restored")
		}
		if m.Read(p.Profile.Path) == "" || rec().PAM != "ldap" {
			t.Error("the profile has gone, with what it stood for still in force")
		}
	})
	t.Run("a profile of that name that is somebody else's", func(t *testing.T) {
		m, p := debian(t), ourProfile()
		m.Put(p.Profile.Path, string(p.Profile.Content), 0o644)
		if err := check(t, m.Host(), p)[0].Do(t.Context()); err == nil || !strings.Contains(err.Error(), "not of our making") {
			t.Errorf("%v", err)
		}
		if strings.Contains(m.Read(accountFile), "localuser") {
			t.Error("the program was run")
		}
	})
	t.Run("in a folder", func(t *testing.T) {
		m, p := debian(t), ourProfile()
		if _, err := p.Check(t.Context(), m.Offline()); !errors.Is(err, host.ErrOffline) {
			t.Errorf("%v", err)
		}
		run(t, check(t, m.Host(), p.Profile))
		run(t, check(t, m.Host(), p))
		rec, _, err := originals.Get(m.Host(), p.Profile.Path)
		if err != nil {
			t.Fatal(err)
		}
		err = restore(context.Background(), m.Offline(), rec)
		if err == nil || !strings.Contains(err.Error(), "pam-auth-update --enable ldap") {
			t.Errorf("nobody is told what is left to do: %v", err)
		}
	})
}

func TestWhomPAMAsksTheDirectoryFor(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []int
	}{
		{"the package's", debianAccount + asksLDAP, []int{3}},
		{"ours", debianAccount + guard + "\n" + asksLDAP, nil},
		{"ours, and others after it", debianAccount + guard + "\n" + asksLDAP + "account required pam_access.so\n", nil},
		{"a jump over something else", guard + "\naccount required pam_access.so\n" + asksLDAP, []int{2}},
		{"comments and other phases between", guard + "\n# x\n\nauth required pam_ldap.so\n" + asksLDAP, nil},
		{"behind a comment sign", "#" + guard + "\n" + asksLDAP, []int{1}},
		{"sufficient", "account sufficient pam_localuser.so\naccount required pam_permit.so\n" + asksLDAP, nil},
		{"required", "account required pam_localuser.so\n" + asksLDAP, []int{1}},
		{"a jump of two", "account [success=2 default=ignore] pam_localuser.so\naccount required pam_permit.so\n" + asksLDAP, nil},
		{"in another order", "account [default=ignore success=1] pam_localuser.so\n" + asksLDAP, nil},
		{"a guard that is jumped over", guard + "\n" + guard + "\n" + asksLDAP, []int{2}},
		{"a guard that others jump over", "account [success=1 default=ignore] pam_unix.so\naccount sufficient pam_localuser.so\n" + asksLDAP, []int{2}},
		{"twice", asksLDAP + asksLDAP, []int{0, 1}},
		{"with a folder", "-account required /lib/security/pam_ldap.so\n", []int{0}},
		{"sssd's", "account sufficient pam_localuser.so\naccount [default=bad] pam_sss.so\n", nil},
		{"nothing", "", nil},
		{"half a line", "account [success=1", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := unguarded(c.text, "account", "pam_ldap.so"); !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
			then := after(c.text)
			if left := unguarded(then, "account", "pam_ldap.so"); len(left) > 0 {
				t.Errorf("unguarded after it: %v\n%s", left, then)
			}
			if len(c.want) > 0 && !strings.Contains(c.text, guard) && before(then) != c.text {
				t.Errorf("not as it was:\n%s", before(then))
			}
			if len(c.want) == 0 && then != c.text {
				t.Errorf("changed:\n%s", then)
			}
		})
	}
}

func FuzzPAMAccount(f *testing.F) {
	for _, s := range []string{debianAccount + asksLDAP, guard, "account [a", "-account  [ success=1 ]x pam_ldap.so", "account required pam_ldap.so#"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		then := after(text)
		for line := range strings.Lines(text) {
			if !strings.Contains(then, line) {
				t.Errorf("lost %q", line)
			}
		}
	})
}
