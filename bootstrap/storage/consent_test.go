package storage

import (
	"strings"
	"testing"

	"reveille/bootstrap/plan"
)

// A person's word stands in for the profile's consent, for the volumes that it
// names and no others, and never for the proof.
func TestAPersonsWordForVolumes(t *testing.T) {
	never := func(d *disks) FileSystem {
		f := fsOf(onVolume, "xfs")
		f.Create = CreateNever
		return f
	}
	d := withDisks(t)
	if _, err := granted(t, d.Host(), never(d), plan.Destroys, plan.Grant{IfBlank: true, Volumes: []string{"vol-2"}}); !strings.Contains(text(err), "create is never") || len(d.ran) > 0 {
		t.Errorf("named another: %v; ran %q", err, d.ran)
	}
	d.dirty["/dev/nvme1n1"] = true
	if _, err := granted(t, d.Host(), never(d), plan.Destroys, plan.Grant{Volumes: []string{"vol-1"}}); !strings.Contains(text(err), "not blank") || len(d.ran) > 0 {
		t.Errorf("not blank: %v; ran %q", err, d.ran)
	}
	delete(d.dirty, "/dev/nvme1n1")
	if _, err := granted(t, d.Host(), never(d), plan.Destroys, plan.Grant{Volumes: []string{"vol-1"}}); err != nil || len(d.ran) != 1 {
		t.Errorf("named and blank: %v; ran %q", err, d.ran)
	}
}

// Once the storage has been complete, the profile's consent is over.
func TestConsentEndsWithTheFirstWholeStorage(t *testing.T) {
	d := withDisks(t)
	f := fsOf(onVolume, "xfs")
	_, err := granted(t, d.Host(), f, plan.Destroys, plan.Grant{Volumes: []string{"vol-2"}})
	if !strings.Contains(text(err), "only as long as this instance's storage has never been complete: attach the volumes that hold it, or `reveille boot --allow-create vol-1`") || len(d.ran) > 0 {
		t.Errorf("%v; ran %q", err, d.ran)
	}
	// A pass that may create nothing says what one that may would do.
	if did, err := granted(t, d.Host(), f, plan.Disrupts, plan.Grant{}); err != nil || len(did) != 1 || did[0] != "not done: create xfs on volume vol-1 (once proven blank)" {
		t.Errorf("%q, %v", did, err)
	}
}
