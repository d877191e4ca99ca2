package roles

import (
	"slices"
	"strings"

	"reveille/bootstrap/facts"
)

// platform is where one family of distributions keeps things. Paths are
// absolute, units have their suffix.
type platform struct {
	Family        string            // "debian" or "rhel"
	Known         bool              // os-release, or its ID_LIKE, names a row of the table
	Note          string            // for a person, where the row is not the machine's own; else ""
	OpenLDAPConf  string            // OpenLDAP's library and tools
	NSSLDAPConf   []string          // PADL's nss_ldap first, then its pam_ldap
	NslcdGroup    string            // the group that nslcd runs as, which may read its file
	ClientPackage map[string]string // directory client -> what to install, as the package manager takes it
	NslcdUnit     string
	SSSDUnit      string
	NscdUnit      string
	AutofsUnit    string
	AutofsPackage string // what mounts homes, mount.nfs included, as the package manager takes it
	GmondConf     string
	GmondModules  string // the folder of gmond's modules
	GmondUnit     string
	GmetadConf    string
	PAMProfiles   bool   // pam-auth-update makes PAM's common files from profiles
	CABundle      string // the system's own certificate authorities
	DhclientHook  string // a file that dhclient-script sources after defining its functions
	HookIsShared  bool   // DhclientHook is one file for everybody: it is edited, not owned
	FullHostname  bool   // /etc/hostname holds the full name
}

// os-release's ids, and the row of the table that each takes.
var platforms = map[string]platform{
	"debian": debian,
	"ubuntu": ubuntu,
	"rhel":   rhel,
	"centos": rhel,
	"fedora": rhel,
	"rocky":  rhel,
	"alma":   rhel,
	"amzn":   rhel,
	// AlmaLinux calls itself so; the row above is for those who shorten it.
	"almalinux": rhel,
}

var debian = platform{
	Family:       "debian",
	Known:        true,
	OpenLDAPConf: "/etc/ldap/ldap.conf",
	NSSLDAPConf:  []string{"/etc/libnss-ldap.conf", "/etc/pam_ldap.conf"},
	NslcdGroup:   "nslcd",
	ClientPackage: map[string]string{
		"nslcd":    "nslcd libnss-ldapd libpam-ldapd",
		"sssd":     "sssd-ldap libnss-sss libpam-sss",
		"nss_ldap": "libnss-ldap libpam-ldap",
	},
	NslcdUnit:     "nslcd.service",
	SSSDUnit:      "sssd.service",
	NscdUnit:      "nscd.service",
	AutofsUnit:    "autofs.service",
	AutofsPackage: "autofs nfs-common",
	GmondConf:     "/etc/ganglia/gmond.conf",
	GmondModules:  "/usr/lib/x86_64-linux-gnu/ganglia",
	GmondUnit:     "ganglia-monitor.service",
	GmetadConf:    "/etc/ganglia/gmetad.conf",
	PAMProfiles:   true,
	CABundle:      "/etc/ssl/certs/ca-certificates.crt",
	// run-parts passes over names with a dot, and the last hook to define
	// make_resolv_conf wins: resolvconf and resolved bring hooks of their own.
	DhclientHook: "/etc/dhcp/dhclient-enter-hooks.d/zz-reveille",
}

// Ubuntu's PADL packages share one file, where Debian's have one each.
var ubuntu = func() platform {
	p := debian
	p.NSSLDAPConf = []string{"/etc/ldap.conf"}
	return p
}()

// Amazon Linux 2 and 2023 are rows of the same family: where they differ from
// RHEL (dhclient or networkd, authselect or not), a fact says so.
var rhel = platform{
	Family:       "rhel",
	Known:        true,
	OpenLDAPConf: "/etc/openldap/ldap.conf",
	NSSLDAPConf:  []string{"/etc/ldap.conf"},
	NslcdGroup:   "ldap",
	ClientPackage: map[string]string{
		"nslcd":    "nss-pam-ldapd",
		"sssd":     "sssd-ldap sssd-client",
		"nss_ldap": "nss_ldap",
	},
	NslcdUnit:     "nslcd.service",
	SSSDUnit:      "sssd.service",
	NscdUnit:      "nscd.service",
	AutofsUnit:    "autofs.service",
	AutofsPackage: "autofs nfs-utils",
	GmondConf:     "/etc/ganglia/gmond.conf",
	GmondModules:  "/usr/lib64/ganglia",
	GmondUnit:     "gmond.service",
	GmetadConf:    "/etc/ganglia/gmetad.conf",
	CABundle:      "/etc/pki/tls/certs/ca-bundle.crt",
	DhclientHook:  "/etc/dhcp/dhclient-enter-hooks",
	HookIsShared:  true,
	// What cloud-init and the vendor's own manuals put there.
	FullHostname: true,
}

// platformOf finds the row for a machine: its own, else the nearest that
// ID_LIKE names, else Debian's, with a note.
func platformOf(os facts.OS) platform {
	for i, id := range slices.Concat([]string{os.ID}, os.Like) {
		p, ok := platforms[strings.ToLower(id)]
		if !ok {
			continue
		}
		if i > 0 {
			p.Note = "os-release says " + quoteOS(os.ID) + ": treated as " + id + ", which it is like"
		}
		return p
	}
	p := debian
	p.Known = false
	p.Note = "os-release says " + quoteOS(os.ID) + ", which is unknown here: treated as Debian"
	return p
}

func quoteOS(id string) string {
	if id == "" {
		return "nothing"
	}
	return `"` + id + `"`
}
