// Package facts is what is true of this instance now, in one plain struct that
// saves and loads as JSON: what IMDS says, what EC2 says of the volumes where a
// role has disks, what user-data holds, and what the machine's own files tell. Reading is all that it does: it must not know what
// a role is, nor write to the machine (the cache of the last good crawl is
// kept by its caller's leave, under the instance's own folder).
//
// Every answer is known, absent, or unknown with a reason. Unknown is never
// read as absent: nothing may be rewritten because a read failed.
package facts

import (
	"time"

	"reveille/bootstrap/block"
	"reveille/bootstrap/userdata"
)

// Version of the saved form.
const Version = 1

// Source says where the IMDS part of the facts comes from.
type Source string

// The sources.
const (
	FromNone  Source = "none"  // IMDS could not be read and nothing was kept
	FromIMDS  Source = "imds"  // read now
	FromCache Source = "cache" // the last good crawl of this same instance id
)

// Facts is all that a plan is made from.
type Facts struct {
	Version  int       `json:"version"`
	Source   Source    `json:"source"`
	Read     time.Time `json:"read"` // when the IMDS part was read
	Now      time.Time `json:"now"`  // when these facts were gathered; Now-Read is the age
	Instance Instance  `json:"instance"`
	UserData UserData  `json:"user_data"`
	Machine  Machine   `json:"machine"`

	Disks       []block.Disk               `json:"disks"`
	Volumes     Fact[map[string]EBSVolume] `json:"volumes"`               // by volume id; what EC2 says of those attached here
	VolumesRead time.Time                  `json:"volumes_read,omitzero"` // when EC2 said so: Now, or before where its kept answer counts

	Problems []Problem `json:"problems"`        // what went wrong while reading, also where a kept crawl stood in
	Login    *Login    `json:"login,omitempty"` // on request alone
}

// Problem is a read that did not answer.
type Problem struct {
	Path   string `json:"path"` // "meta-data/tags/instance"
	Reason Reason `json:"reason"`
	Detail string `json:"detail"`
}

// Instance is what IMDS says.
type Instance struct {
	ID              Fact[string]            `json:"id"`
	Account         Fact[string]            `json:"account"`
	Region          Fact[string]            `json:"region"`
	Zone            Fact[string]            `json:"zone"`    // us-east-1a
	ZoneID          Fact[string]            `json:"zone_id"` // use1-az6
	Partition       Fact[string]            `json:"partition"`
	Domain          Fact[string]            `json:"domain"` // amazonaws.com
	Type            Fact[string]            `json:"type"`
	AMI             Fact[string]            `json:"ami"`
	Hostname        Fact[string]            `json:"hostname"` // meta-data/hostname
	LocalHostname   Fact[string]            `json:"local_hostname"`
	PublicHostname  Fact[string]            `json:"public_hostname"`
	PrivateIP       Fact[string]            `json:"private_ip"` // local-ipv4; absent on IPv6-only
	PublicIP        Fact[string]            `json:"public_ip"`
	IPv6            Fact[string]            `json:"ipv6"`
	MAC             Fact[string]            `json:"mac"`
	SecurityGroups  Fact[[]string]          `json:"security_groups"`
	Interfaces      Fact[[]Interface]       `json:"interfaces"` // by device number
	Tags            Fact[map[string]string] `json:"tags"`       // absent: tags in metadata are off
	BlockDevices    Fact[map[string]string] `json:"block_devices"`
	LifeCycle       Fact[string]            `json:"life_cycle"` // on-demand, spot
	TargetLifecycle Fact[string]            `json:"target_lifecycle_state"`
	SpotAction      Fact[string]            `json:"spot_action"`
	Document        Fact[Document]          `json:"identity_document"`
}

// Interface is one network interface of the instance.
type Interface struct {
	MAC      string   `json:"mac"`
	ID       string   `json:"id"` // eni-…
	Device   int      `json:"device"`
	IPv4     []string `json:"ipv4"`
	IPv6     []string `json:"ipv6"`
	SubnetID string   `json:"subnet_id"`
	VPCID    string   `json:"vpc_id"`
}

// Document is the part of the identity document that is used.
type Document struct {
	InstanceID string `json:"instanceId"`
	AccountID  string `json:"accountId"`
	Region     string `json:"region"`
	Zone       string `json:"availabilityZone"`
	Type       string `json:"instanceType"`
	ImageID    string `json:"imageId"`
	Arch       string `json:"architecture"` // x86_64, arm64

	PendingTime time.Time `json:"pendingTime,omitzero"` // when the instance was launched, or started last; zero: not said
}

// UserData is what user-data holds, taken apart. Only what is ours is kept:
// the rest is cloud-init's and may hold what nobody should copy.
type UserData struct {
	State  Fact[Digest]    `json:"raw"`    // absent: the instance has none
	Parts  []userdata.Part `json:"parts"`  // all parts; Text only in those that are ours
	Broken string          `json:"broken"` // why it could not be taken apart; "" when it could
}

// Digest names bytes that are not kept.
type Digest struct {
	Size   int    `json:"size"`
	SHA256 string `json:"sha256"`
}

// Machine is what the files below the root tell.
type Machine struct {
	OS         OS       `json:"os"`
	DMI        string   `json:"dmi_instance_id"` // i-… from DMI; "" where DMI names none
	EC2        bool     `json:"ec2"`             // DMI or Xen says that this is EC2
	BootID     string   `json:"boot_id"`
	Hostname   string   `json:"hostname"`   // live, or /etc/hostname under another root
	CloudInit  bool     `json:"cloud_init"` // installed
	SELinux    bool     `json:"selinux"`    // enabled
	Authselect bool     `json:"authselect"` // manages nsswitch.conf and PAM
	Resolv     Resolv   `json:"resolv_conf"`
	Has        Has      `json:"has"`
	Brake      Brake    `json:"brake"`
	Owned      []Owned  `json:"owned"` // files that the agent has changed, from the kept originals
	Owner      string   `json:"owner"` // instance id that those belong to; "" where none is kept
	Accounts   Accounts `json:"accounts,omitzero"`
}

// OS is from /etc/os-release.
type OS struct {
	ID      string   `json:"id"`      // debian, ubuntu, amzn, rhel…
	Like    []string `json:"id_like"` // most like first
	Version string   `json:"version_id"`
}

// Resolv is the struct of answers from which the owner of resolv.conf is decided.
type Resolv struct {
	Exists         bool   `json:"exists"`
	Link           string `json:"link"`            // target when it is a symbolic link
	Comment        string `json:"comment"`         // its leading comment lines, which name their writer
	Resolved       bool   `json:"resolved"`        // systemd-resolved runs (/run/systemd/resolve/resolv.conf)
	NetworkManager bool   `json:"network_manager"` // runs (/run/NetworkManager)
	NMDNS          string `json:"nm_dns"`          // its main.dns setting, "" default
	Networkd       bool   `json:"networkd"`        // runs (/run/systemd/netif)
	Netplan        bool   `json:"netplan"`         // /etc/netplan holds YAML
	Dhclient       bool   `json:"dhclient"`        // installed (/sbin/dhclient)
	Dhcpcd         bool   `json:"dhcpcd"`
	Resolvconf     bool   `json:"resolvconf"` // Debian's resolvconf or openresolv is installed
}

// Has says which programs are installed, by the files that they bring.
type Has struct {
	Nslcd    bool `json:"nslcd"`
	SSSD     bool `json:"sssd"`
	NSSLDAP  bool `json:"nss_ldap"` // PADL's libnss_ldap, not nslcd's
	PAMLDAP  bool `json:"pam_ldap"` // PADL's or nslcd's pam_ldap.so
	PAMSSS   bool `json:"pam_sss"`  // sssd's pam_sss.so
	LDAPConf bool `json:"openldap"` // OpenLDAP's library or tools
	Gmond    bool `json:"gmond"`
	Nscd     bool `json:"nscd"`
	Autofs   bool `json:"autofs"`
}

// Brake says why nothing may be changed. The zero value is "go on".
type Brake struct {
	Disabled bool      `json:"disabled"`  // /etc/reveille/disabled
	Kernel   bool      `json:"kernel"`    // reveille=off on the kernel's command line
	Paused   string    `json:"paused"`    // the reason given to `reveille pause`
	Until    time.Time `json:"until"`     // zero: until resume
	PausedOn string    `json:"paused_on"` // id of the instance that was paused; "" where it was not known
}

// Owned is a file that the agent has changed.
type Owned struct {
	Path    string `json:"path"`
	Concern string `json:"concern"` // which room asked for it
}
