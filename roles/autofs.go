package roles

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"strings"
	"time"

	"reveille/bootstrap/facts"
	"reveille/bootstrap/plan"
	"reveille/bootstrap/resource"
	"reveille/roles/logins"
)

// Autofs is homes on an NFS server, mounted when somebody enters one.
type Autofs struct {
	Path      string        // the folder of the homes here
	Server    string        // host name or address
	Export    string        // the folder of the homes there; "/" is its root
	Vers      string        // NFS's version, "4.2"
	Soft      bool          // gives up on a server that is dead; else what uses a mount waits for it
	Timeo     time.Duration // whole seconds, as are the limits below
	Retrans   int
	Options   []string      // more mount options
	Timeout   time.Duration // a mount that nobody has used for so long goes
	MountWait time.Duration // how long mount(8) is waited for
}

const (
	autofsMapPath    = logins.HomesPath
	autofsPath       = "/etc/autofs.conf"
	autofsMasterPath = resource.MasterFolder + "/reveille.autofs"
)

// autofsForgets is how long autofs remembers that a home could not be mounted:
// longer than a login, which looks into it several times, and so waits once.
const autofsForgets = 60

// planAutofs asks for the homes' maps and for autofs to run on them. The files
// are required; that autofs runs is not, nor that the server answers: a dead one
// must not fail a boot. Nothing is written where the folder holds something
// that would be hidden.
func planAutofs(f facts.Facts, p Profile) (plan.Plan, error) {
	if p.Autofs == nil {
		return nil, nil
	}
	if err := checkAutofs(*p.Autofs); err != nil {
		return nil, err
	}
	if over := autofsOver(p.Autofs.Path, p.breakGlass()); over != "" {
		return nil, fmt.Errorf("autofs.path: %s cannot be covered: %s", p.Autofs.Path, over)
	}
	a, os := *p.Autofs, platformOf(f.Machine.OS)
	why := "autofs is installed; "
	if !f.Machine.Has.Autofs {
		why = "autofs is not installed (packages " + os.AutofsPackage + "), its files wait for it; "
	}
	why += p.Why("autofs")
	free := resource.Automount{Path: a.Path, Map: autofsMasterPath}
	conf := resource.File{Path: autofsPath, Concern: "autofs", Edit: resource.Settings{
		Section: "autofs", Values: []resource.Setting{{Key: "mount_wait", Value: fmt.Sprint(limitSeconds(a.MountWait))}},
	}}
	homes := resource.File{Path: autofsMapPath, Mode: 0o644, Concern: "autofs", Content: a.homes(header("autofs", p))}
	master := resource.File{Path: autofsMasterPath, Mode: 0o644, Concern: "autofs", Content: a.master(header("autofs", p))}
	step := func(r plan.Resource, why string, needs ...string) plan.Step {
		return plan.Step{Resource: r, Concern: "autofs", Required: true, Why: why, Needs: needs}
	}
	out := plan.Plan{
		step(free, "autofs hides what lies in its folder, and asks the server for every name there; "+p.Why("autofs.path")),
		step(conf, "it is a setting of all maps: without it autofs waits for a mount as long as mount(8) does; "+p.Why("autofs.mount_wait"), free.ID()),
		step(homes, why, free.ID()),
		step(master, why, free.ID(), conf.ID(), homes.ID()),
	}
	if !f.Machine.Has.Autofs {
		return out, nil
	}
	return append(out, plan.Step{
		Resource: resource.Unit{Name: os.AutofsUnit, Reads: []resource.File{master, homes, conf}, Start: true},
		Concern:  "autofs", Needs: []string{master.ID()},
		Why: "it reads its own settings and the options of a mount point when it starts; homes in use stay mounted meanwhile",
	}), nil
}

// master is our line of the master map. What has no key of its own in it is
// autofs.conf's.
func (a Autofs) master(header string) []byte {
	return []byte(header + "#\n" +
		"# The names of homes are not listed, and one that could not be mounted is not\n" +
		"# tried again for a minute: a login looks into it several times, and waits once.\n" +
		fmt.Sprintf("%s %s --timeout=%d --negative-timeout=%d nobrowse\n", a.Path, autofsMapPath, limitSeconds(a.Timeout), autofsForgets))
}

// homes is the map: any name is a folder of the export. There is one server: of
// several autofs asks each whether it is there, before it mounts, and no
// setting bounds that.
func (a Autofs) homes(header string) []byte {
	options := []string{"fstype=nfs", "vers=" + a.Vers, "hard"}
	if a.Soft {
		options[2] = "soft"
	}
	// timeo is in tenths of a second; retry, in minutes, is mount.nfs's own.
	options = append(options, fmt.Sprint("timeo=", 10*limitSeconds(a.Timeo)), fmt.Sprint("retrans=", a.Retrans), "retry=0")
	options = append(options, a.Options...)
	server := a.Server
	if ip, err := netip.ParseAddr(server); err == nil && ip.Is6() {
		server = "[" + server + "]"
	}
	return []byte(header + "#\n" +
		"# Short limits: timeo in tenths of a second, and no second try.\n" +
		fmt.Sprintf("* -%s %s:%s/&\n", strings.Join(options, ","), server, strings.TrimSuffix(a.Export, "/")))
}

// systemFolders are no place for homes: what a machine needs to come up, or
// what programs make for themselves, lies in them.
var systemFolders = []string{
	"/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/root", "/run", "/sbin", "/sys", "/tmp", "/usr", "/var",
}

// autofsOver says what a mount over this folder would hide, as far as a profile
// alone can tell; "" is nothing. The break-glass account's home is where every
// distribution puts it. Where it really is, and what else is there, is looked
// at on the machine.
func autofsOver(folder, breakGlass string) string {
	for _, s := range systemFolders {
		if below(folder, s) {
			return s + " is the system's own"
		}
	}
	if folder == "/home" {
		return "local accounts have their homes in /home, those that cloud-init has yet to make too"
	}
	if home := "/home/" + breakGlass; breakGlass != "" && below(folder, home) {
		return home + ", the home of the break-glass account " + breakGlass + ", would wait for the file server"
	}
	return ""
}

// breakGlass is the local account that must always get in; "" where none is named.
func (p Profile) breakGlass() string {
	if p.Directory == nil {
		return ""
	}
	return p.Directory.BreakGlass
}

// checkAutofs refuses what would break out of the line that it stands in, or
// mean something to autofs there, whoever let it come this far.
func checkAutofs(a Autofs) error {
	var errs []error
	for _, c := range []struct {
		key, value string
		is         *scalarType
	}{
		{"path", a.Path, plainPath()}, {"server", a.Server, fileServer()}, {"export", a.Export, exportPath()}, {"vers", a.Vers, nfsVersion()},
	} {
		if err := c.is.check(c.value); err != nil {
			errs = append(errs, fmt.Errorf("autofs.%s: %w", c.key, err))
		}
	}
	for _, o := range a.Options {
		if err := nfsOption().check(o); err != nil {
			errs = append(errs, fmt.Errorf("autofs.options: %w", err))
		}
	}
	return errors.Join(errs...)
}

// below says whether a path is another one or lies in it.
func below(file, folder string) bool {
	file, folder = path.Clean("/"+file), path.Clean("/"+folder)
	return file == folder || folder == "/" || strings.HasPrefix(file, folder+"/")
}
