package main

// The longer texts of --help. A test holds docs/commands.md to them.
const (
	aboutHelp = `reveille wakes an EC2 instance into its role and never locks its operators out.

It reads user-data, instance tags and role files, and sets the host name,
resolv.conf, the name service, the directory clients and Ganglia; then it says
how that went. Nothing is changed by any command but boot, run, pause,
resume, restore and clean.`

	exitHelp = `Exit codes: 0 ready or degraded; 1 failed, still booting, or a finding;
2 bad usage or configuration, and nothing was changed; 3 wait timed out.
The metadata service's address is AWS_EC2_METADATA_SERVICE_ENDPOINT where set.`

	bootHelp = `Makes one pass: reads the facts, chooses the role, plans, changes what is not
so, and writes the report to /run/reveille/report.json. A second pass changes
nothing. A bad profile or a metadata service that cannot be read refuses the
whole pass, and the files stay as they are. Coordinators are told, never
waited for (2 s at most).

As long as an instance's storage has never yet been complete, a pass creates
what the profile says (create: if-blank) on volumes that are proven blank.
Afterwards, or without that consent, --allow-create names the volumes on which
it may, for this once; the proof is asked for all the same.`

	runHelp = `Started by systemd (reveille.service). After the boot pass it looks again about
every ten minutes, when an address of the instance changes, when a disk of
its role comes or goes, when a tag or the life-cycle state does, and at once on SIGHUP (systemctl reload reveille); each
look is a whole pass. Looks that nobody asked for put back only what an earlier
pass has brought.`

	waitHelp = `Ends with the state of this boot's first finished pass: as boot, or 3 when it
has not ended in time. The report of an earlier boot does not count.`

	planHelp = `With --facts and no --root it prints every step and its bytes without looking
at this machine: a replay of another instance.`

	loginHelp = `Works it out from the files that a login passes through, whoever wrote them,
and from what runs; with a profile, also from what a pass would write. Nothing
is tried. Each user's login (the break-glass account's, the local user's who has
it worst, a directory user's) is worked out for each state of the DNS,
directory and file servers: up, one_down, all_down (drop what they are sent),
hung (take connections and never answer), slow. The waits printed are those of
each user's worst case, or of the states named as SERVERS.

Until authentication a local user's login may take the profile's login_budget,
by default half of sshd's LoginGraceTime, 30 s at most; from there to a shell,
that default; a directory user's, with every server dead, LoginGraceTime. Exit
code 1: something takes longer, now or after a pass. A pass does not write
name-service files that would bring logins over these limits and make them
longer than they are; debug plan says which.

With --facts and no --root it works out another machine's logins, where its
facts were made with debug facts --login --json. With --json it prints
break_glass, undecided, and now and after (null where what a pass would do is
not known): grace_s, limit_s, after_limit_s, over, notes, and cases with user,
name, servers, before_s, after_s, total_s, password_s, refused and terms (when,
of, what, takes_s, limit, file, line, remedy). Times are in seconds; null is no
bound.`

	storageHelp = `Looks at what is there, whoever made it; debug plan says what a pass would do
about it. Devices are read by programs of their own for at most half a minute:
one that hangs has an error in its line. With --json it prints for each device
kernel, what, name, attach, size (bytes), state, type, uuid, label, mounted,
error and upon, those that lie directly upon it.`

	doctorHelp = `Each finding has a code, a severity, a title and a remedy; the exit code is 1
where one is an error or a warning. Those that begin with break-glass- say what
keeps the account that must always get in from doing so with every server dead;
each pass's report has them too. With --bake it says what an image made of this
machine would carry into its instances; clean takes away what is the agent's.`

	validateHelp = `A folder's *.yaml files are checked as one fleet: two files of one role, or one
Ganglia port for two clusters, are errors. So are limits of a directory that
would hold up logins on a Debian with the role's own files, PAM as the agent
has it, sshd's LoginGraceTime of 120 s and UseDNS no. Each is printed as
file:line:column: message.`

	buildHelp = `Parts are told by their first line, as cloud-init does: #cloud-config, #!,
#include, #cloud-boothook, ## template: jinja, #reveille; key=value lines are
ours. The bytes go to standard output and the size, against EC2's limit of
16,384, to standard error. The same parts make the same bytes.`

	collectorHelp = `Prints one gmond configuration for each role's port and the data sources of
gmetad, from all role files. With --out DIR they are written below DIR.`

	pauseHelp = `Until resume (or for the time given) no pass changes anything, across reboots.
The reason stands in status and report.`

	restoreHelp = `Puts back the image's own files: whole files from the kept originals, edited
files by undoing the edit on what is there now.`

	cleanHelp = `Restores, and then removes everything under /var/lib/reveille and /run/reveille,
so that an image made of this machine carries nothing of this instance.`
)
