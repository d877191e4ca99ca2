package resource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
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
	nice          = "/usr/bin/nice"
	pamRemembered = "/var/lib/pam/"
	pamFolder     = "/etc/pam.d/"
)

// pamPhases are the common files in which a local user must pass the client's
// module by, with their phase. In the account phase it asks the directory for
// him; in those of a session it asks the client alone, and waits all the same
// where others who hang keep all of nslcd's threads, or sssd is stuck.
var pamPhases = map[string]string{
	pamFolder + "common-account":                "account",
	pamFolder + "common-session":                "session",
	pamFolder + "common-session-noninteractive": "session",
}

var pamTypes = []string{"auth", "account", "password", "session", "session-noninteractive"}

// PAMProfile has PAM leave a client of the directory out for local users, by a
// profile of ours in place of the package's and by the distribution's own
// program. Its ID is "pam:" and the profile's name; it is live.
//
// What counts is the outcome: where no local user is kept waiting, however that
// was brought about, nothing is done.
type PAMProfile struct {
	Profile File   // ours: OurPAMProfile(Instead)
	Instead string // the name of the package's, which comes back with a restore; its module's name without pam_
}

// OurPAMProfile is where a profile of ours lies that stands for a package's.
func OurPAMProfile(instead string) string { return ourPAMProfiles + instead }

const ourPAMProfiles = PAMProfiles + "reveille-"

// pamModule is the module of a package's profile.
func pamModule(profile string) string { return "pam_" + profile + ".so" }

// ID is "pam:" and the profile's name.
func (p PAMProfile) ID() string { return "pam:" + path.Base(p.Profile.Path) }

// Live is true: the program works on the running machine alone.
func (PAMProfile) Live() bool { return true }

// Describe says what is wanted, for golden plans.
func (p PAMProfile) Describe() string {
	return "local users pass pam_" + p.Instead + " by, to be let in and in their sessions\nby " + p.Profile.Path + ", in place of " + PAMProfiles + p.Instead + "\n"
}

// Check reads the file that the program makes.
func (p PAMProfile) Check(_ context.Context, h *host.Host) ([]plan.Change, error) {
	if !h.Live() {
		return nil, fmt.Errorf("%s: %w", p.ID(), host.ErrOffline)
	}
	open, err := p.openTo(h)
	if err != nil || len(open) == 0 {
		return nil, err
	}
	say := "keep the directory out of local users' way through PAM (pam-auth-update --enable " + path.Base(p.Profile.Path) + ")"
	return []plan.Change{{Say: say, Risk: plan.Disrupts, Do: func(ctx context.Context) error { return p.do(ctx, h) }}}, nil
}

// openTo are the common files by which a local user may have to wait.
func (p PAMProfile) openTo(h *host.Host) ([]string, error) {
	var open []string
	for _, file := range slices.Sorted(maps.Keys(pamPhases)) {
		text, err := h.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("whom PAM asks the directory for: %w", err)
		}
		if len(unguarded(string(text), pamPhases[file], pamModule(p.Instead))) > 0 {
			open = append(open, file)
		}
	}
	return open, nil
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
	open, err := p.openTo(h)
	if err != nil || len(open) == 0 {
		return err
	}
	var lines []string
	for _, file := range open {
		lines = append(lines, fmt.Sprintf("in %s: %s", file, guardLine(pamPhases[file])))
	}
	return fmt.Errorf("pam-auth-update has left PAM as it was, as it does where one of the common files was changed by hand; put a line before each %s, %s", pamModule(p.Instead), strings.Join(lines, "; "))
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
	// It is a quarter of a second of a processor, while a boot has none to spare.
	_, err := h.Run(ctx, nice, append([]string{"-n", "10", pamUpdate}, args...)...)
	var exit *host.ExitError
	if errors.As(err, &exit) && strings.Contains(string(exit.Stderr), "locked by another process") {
		return &plan.NotYet{For: "the package manager, which holds debconf's lock"}
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, t := range pamTypes {
		for _, file := range []string{pamFolder + "common-" + t, pamRemembered + t} {
			errs = append(errs, h.SyncFile(file))
		}
	}
	return errors.Join(append(errs, h.Sync(path.Clean(pamFolder)), h.Sync(path.Clean(pamRemembered)))...)
}

// AfterPAM lays the profile over PAM's files, as far as a login's time turns on
// it.
func (p PAMProfile) AfterPAM(files map[string]string) {
	for file, phase := range pamPhases {
		text, there := files[file]
		if !there {
			continue
		}
		lines := strings.SplitAfter(text, "\n")
		for _, i := range slices.Backward(unguarded(text, phase, pamModule(p.Instead))) {
			lines = slices.Insert(lines, i, guardLine(phase)+"\n")
		}
		files[file] = strings.Join(lines, "")
	}
}

// BeforePAM takes the profile of ours at a path out of them, if one is meant.
func BeforePAM(files map[string]string, path string) (is bool) {
	instead, is := strings.CutPrefix(path, ourPAMProfiles)
	if !is {
		return false
	}
	for file, phase := range pamPhases {
		if text, there := files[file]; there {
			files[file] = withoutGuards(text, phase, pamModule(instead))
		}
	}
	return true
}
