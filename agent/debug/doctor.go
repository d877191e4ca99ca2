package debug

import (
	"slices"
	"sort"

	"reveille/agent"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/host"
)

// Patient is what the doctor looks at. Its questions read and change nothing.
type Patient struct {
	Host    *host.Host
	Machine facts.Machine // what the machine's own files tell

	// Of an instance, not of an image that is to be baked:
	Wanted agent.Wanted
	Err    error        // why nothing could be decided; nil where it was
	Untold []string     // coordinators that have not got the newest report, and why
	Login  *facts.Login // what a login passes through; nil: nothing was read of it
	Logins *LoginReport // how long it takes; nil as well then

	Account *facts.Account // the break-glass one, looked at; nil: what Login tells of it has to do
}

// question finds one thing that is wrong, once or for each place where it is.
type question func(Patient) []facts.Finding

// instanceQuestions is what can be wrong with an instance. A new finding is
// one function and one line here.
func instanceQuestions() []question {
	return []question{
		notDecided,
		loginOverBudget,
		breakGlassAccount,
		directoryLoop,
		idsDiffer,
		volumesUntold,
		foreignOriginals,
		damagedOriginals,
		braked,
		unitNotEnabled,
		servicesEnabled,
		lvmWaits,
		cloudInitRewrites,
		trampled,
		untold,
		savedVersions,
		fstabVolumes,
		fstabTraps,
	}
}

// imageQuestions is what an image must not carry into its instances.
func imageQuestions() []question {
	return []question{
		stateLeft,
		oursLeft,
		disabledLeft,
		damagedOriginals,
		unitNotEnabled,
		fstabTraps,
		localFileLeft,
		cloudInitLeft,
		machineIDLeft,
		hostKeysLeft,
		nameLeft,
	}
}

// Doctor says what is wrong with an instance, or with what should become an
// image (bake), the gravest first.
func Doctor(p Patient, bake bool) []facts.Finding {
	questions := instanceQuestions()
	if bake {
		questions = imageQuestions()
	}
	all := []facts.Finding{}
	for _, ask := range questions {
		all = append(all, ask(p)...)
	}
	rank := func(s facts.Severity) int {
		return slices.Index([]facts.Severity{facts.Error, facts.Warning, facts.Info}, s)
	}
	sort.SliceStable(all, func(i, j int) bool { return rank(all[i].Severity) < rank(all[j].Severity) })
	return all
}

// found is one finding, as a question returns it.
func found(code string, s facts.Severity, title, remedy string) []facts.Finding {
	return []facts.Finding{{Code: code, Severity: s, Title: title, Remedy: remedy}}
}
