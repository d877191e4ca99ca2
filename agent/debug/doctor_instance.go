package debug

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"reveille/agent"
	"reveille/agent/daemon"
	"reveille/bootstrap/facts"
	"reveille/bootstrap/originals"
	"reveille/bootstrap/resource"
	"reveille/roles"
)

func notDecided(p Patient) []facts.Finding {
	var bad roles.Errors
	switch {
	case p.Err == nil:
		return nil
	case errors.As(p.Err, &bad):
		var all []facts.Finding
		for _, e := range bad {
			all = append(all, found("misconfigured", facts.Error, e.Error(),
				"Correct it; `reveille validate` checks role files before they are shipped. Until then every pass is refused, and the files stay as they are.")...)
		}
		return all
	}
	return found("undecided", facts.Error, "What this machine should be cannot be decided: "+p.Err.Error(),
		"`reveille debug imds` says what is wrong with the metadata service. The next pass tries again.")
}

func idsDiffer(p Patient) []facts.Finding {
	id, ok := p.Wanted.Facts.Instance.ID.Get()
	if !ok || p.Machine.DMI == "" || p.Machine.DMI == id {
		return nil
	}
	return found("ids-differ", facts.Error, fmt.Sprintf("The firmware names %s, the metadata service %s.", p.Machine.DMI, id),
		"The metadata service is believed. Find out who answers at its address: `reveille debug imds`.")
}

func foreignOriginals(p Patient) []facts.Finding {
	id := p.Wanted.Facts.InstanceID()
	if p.Machine.Owner == "" || id == "" || p.Machine.Owner == id {
		return nil
	}
	return found("originals-foreign", facts.Error, fmt.Sprintf("Files here were changed for %s, and this is %s: the image was made of a used machine.", p.Machine.Owner, id),
		"`reveille boot` puts the image's own files back first. Bake images after `reveille clean`.")
}

func damagedOriginals(p Patient) []facts.Finding {
	if _, err := originals.Load(p.Host); err != nil {
		return found("originals-damaged", facts.Error, err.Error(), "Put the file back by hand and remove what is kept of it below "+originals.Dir+".")
	}
	return nil
}

func braked(p Patient) []facts.Finding {
	why := daemon.Braked(p.Host, p.Wanted.Facts.InstanceID(), time.Now())
	if tag := p.Wanted.Facts.Instance.Tags.Or(nil)["reveille:pause"]; why == "" && tag != "" {
		why = "paused: the instance's tag reveille:pause says: " + tag
	}
	if why == "" {
		return nil
	}
	return found("braked", facts.Warning, "No pass changes anything: "+why+".", "Take the brake off once its reason is over.")
}

func cloudInitRewrites(p Patient) []facts.Finding {
	var all []facts.Finding
	for _, setting := range facts.ReadCloudInit(p.Host, p.Wanted.Facts.InstanceID()).Rewrites {
		all = append(all, found("cloud-init-rewrites", facts.Warning, "cloud-init writes a file of ours at every boot: "+setting+".",
			"Take the setting out there: it wins over "+facts.CloudDropIn+".")...)
	}
	return all
}

func trampled(p Patient) []facts.Finding {
	var all []facts.Finding
	for _, t := range daemon.Trampled(p.Host, time.Now()) {
		all = append(all, found("trampled", facts.Warning, fmt.Sprintf("%s is rewritten again and again by %s.", t.Path, t.Who),
			"Keep that program from it; `systemctl reload reveille` begins anew.")...)
	}
	return all
}

func untold(p Patient) []facts.Finding {
	if len(p.Untold) == 0 {
		return nil
	}
	return found("untold", facts.Warning, "Not every coordinator has got the newest report: "+strings.Join(p.Untold, "; "),
		"See that the coordinator runs and can be reached. The machine itself does not wait for it.")
}

func savedVersions(p Patient) []facts.Finding {
	saved, err := p.Host.Glob(resource.SavedDir + "/*")
	if err != nil || len(saved) == 0 {
		return nil
	}
	return found("saved", facts.Info, "What somebody else wrote over files of ours was saved: "+strings.Join(saved, ", ")+".",
		"Take what is wanted from there, into a role file or "+agent.LocalFile+", and remove the rest.")
}
