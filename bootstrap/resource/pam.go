package resource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"reveille/bootstrap/host"
	"reveille/bootstrap/originals"
	"reveille/bootstrap/plan"
)

// What Debian makes PAM's common files from, by which program, and what it
// remembers of the last time.
const (
	PAMProfiles   = "/usr/share/pam-configs/"
	pamUpdate     = "/usr/sbin/pam-auth-update"
	pamRemembered = "/var/lib/pam/"
	// PAMAccount is the file that decides who may enter.
	PAMAccount = "/etc/pam.d/common-account"
)

var pamTypes = []string{"auth", "account", "password", "session", "session-noninteractive"}

// PAMProfile has PAM's account phase leave the directory out for local users,
// by a profile of ours in place of the package's and by the distribution's own
// program. Its ID is "pam:" and the profile's name; it is live.
//
// What counts is the outcome: where no local user is kept waiting, however that
// was brought about, nothing is done.
type PAMProfile struct {
	Profile File   // ours, in PAMProfiles
	Instead string // the name of the package's, which comes back with a restore
}

// ID is "pam:" and the profile's name.
func (p PAMProfile) ID() string { return "pam:" + path.Base(p.Profile.Path) }

// Live is true: the program works on the running machine alone.
func (PAMProfile) Live() bool { return true }

// Describe says what is wanted, for golden plans.
func (p PAMProfile) Describe() string {
	return "local users pass the account phase without pam_ldap\nby " + p.Profile.Path + ", in place of " + PAMProfiles + p.Instead + "\n"
}

// Check reads the file that the program makes.
func (p PAMProfile) Check(_ context.Context, h *host.Host) ([]plan.Change, error) {
	if !h.Live() {
		return nil, fmt.Errorf("%s: %w", p.ID(), host.ErrOffline)
	}
	kept, err := keptOff(h)
	if err != nil || kept {
		return nil, err
	}
	say := "keep the directory out of local users' account phase (pam-auth-update --enable " + path.Base(p.Profile.Path) + ")"
	return []plan.Change{{Say: say, Risk: plan.Disrupts, Do: func(ctx context.Context) error { return p.do(ctx, h) }}}, nil
}

func keptOff(h *host.Host) (bool, error) {
	text, err := h.ReadFile(PAMAccount)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("whom PAM asks the directory for: %w", err)
	}
	return len(unguarded(string(text))) == 0, nil
}

// do notes first what a restore has to bring back: a kill after it costs a
// restore one vain run of the program.
func (p PAMProfile) do(ctx context.Context, h *host.Host) error {
	rec, kept, err := originals.Get(h, p.Profile.Path)
	if err != nil {
		return err
	}
	if !kept {
		return fmt.Errorf("%s is not of our making; move it away, and the next pass writes it", p.Profile.Path)
	}
	if rec.PAM != p.Instead {
		rec.PAM = p.Instead
		if err := originals.Update(h, rec); err != nil {
			return fmt.Errorf("note which profile of PAM goes back: %w", err)
		}
	}
	if err := updatePAM(ctx, h, "--enable", path.Base(p.Profile.Path)); err != nil {
		return err
	}
	ok, err := keptOff(h)
	if err == nil && !ok {
		err = fmt.Errorf("pam-auth-update has left %s as it was, as it does with one that was changed by hand; put this line before each pam_ldap.so there: %s", PAMAccount, guardLine)
	}
	return err
}

// putBackPAM has the package's profile in force again, while the one of ours
// is still there for the program to tell apart what is whose.
func putBackPAM(ctx context.Context, h *host.Host, rec originals.Record) error {
	if rec.PAM == "" || !h.Live() {
		return nil
	}
	i, err := h.Stat(pamUpdate)
	if err != nil || !i.Exists {
		return err // PAM is no longer made this way
	}
	return updatePAM(ctx, h, "--enable", rec.PAM, "--remove", path.Base(rec.Path))
}

// toldPAM says what is left to do where the program could not be run.
func toldPAM(h *host.Host, rec originals.Record) error {
	if rec.PAM == "" || h.Live() {
		return nil
	}
	return fmt.Errorf("%s is put back, and PAM still keeps local users off the directory by it; `pam-auth-update --enable %s` on the machine itself makes PAM the image's own", rec.Path, rec.PAM)
}

// updatePAM runs the program, and has what it wrote on the disk: it renames new
// files over old ones without that, and a power cut could leave an empty one,
// which lets nobody in.
func updatePAM(ctx context.Context, h *host.Host, args ...string) error {
	_, err := h.Run(ctx, pamUpdate, args...)
	var exit *host.ExitError
	if errors.As(err, &exit) && strings.Contains(string(exit.Stderr), "locked by another process") {
		return &plan.NotYet{For: "the package manager, which holds debconf's lock"}
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, t := range pamTypes {
		for _, file := range []string{"/etc/pam.d/common-" + t, pamRemembered + t} {
			errs = append(errs, h.SyncFile(file))
		}
	}
	return errors.Join(append(errs, h.Sync("/etc/pam.d"), h.Sync(path.Clean(pamRemembered)))...)
}

// AfterPAM is the text of PAMAccount once the profile is in force, as far as a
// login's time turns on it.
func (p PAMProfile) AfterPAM(text string) string {
	lines := strings.SplitAfter(text, "\n")
	for _, i := range slices.Backward(unguarded(text)) {
		lines = slices.Insert(lines, i, guardLine+"\n")
	}
	return strings.Join(lines, "")
}

// BeforePAM is the text of PAMAccount without a profile of ours, as far as a
// login's time turns on it.
func BeforePAM(text string) string {
	lines := slices.DeleteFunc(strings.SplitAfter(text, "\n"), func(l string) bool {
		return strings.Join(strings.Fields(l), " ") == strings.Join(strings.Fields(guardLine), " ")
	})
	return strings.Join(lines, "")
}
