package roles

import (
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"reveille/roles/cite"
)

// Small vocabularies of the schema.
var (
	roleName  = word("a role's name such as mysql", "[A-Za-z0-9]", "[A-Za-z0-9._-]", 63)
	varName   = word("a name of small letters, digits and _, such as product", "[a-z]", "[a-z0-9_]", 63)
	tagName   = pattern("the name of an instance tag", `^[0-9A-Za-z_+=,.@:-]{1,128}$`)
	placeName = pattern("a region, a zone or the word default", `^(default|[a-z]{2,5}(-[a-z0-9]+)+-[0-9]+[a-z]?)$`)
	account   = word("a local account's name such as ubuntu", "[a-z_]", "[a-z0-9_.-]", 32)
	cluster   = pattern("a cluster's name: letters, digits, spaces, . _ and -", `^[A-Za-z0-9]([A-Za-z0-9 ._-]{0,62}[A-Za-z0-9._-])?$`)
	keyName   = &scalarType{want: "a key such as resolver.nameservers", shape: isText, isKey: true}
)

// distinguishedName is the place of an entry in the directory.
func distinguishedName() *scalarType {
	return &scalarType{want: "a DN such as dc=acme,dc=private", shape: isText,
		schema: map[string]any{"type": "string", "maxLength": 1024, "pattern": "^[^=," + controls + "]+=[^" + controls + "]*$"},
		check: func(s string) error {
			if len(s) > 1024 {
				return fmt.Errorf("%s is too long for a DN: 1024 characters at most", cite.Quote(s))
			}
			dn, err := ldap.ParseDN(s)
			if err != nil || len(dn.RDNs) == 0 {
				return fmt.Errorf("%s is no DN: one such as dc=acme,dc=private is wanted", cite.Quote(s))
			}
			for _, rdn := range dn.RDNs {
				for _, a := range rdn.Attributes {
					if strings.TrimSpace(a.Type) == "" || strings.TrimSpace(a.Value) == "" {
						return fmt.Errorf("%s is no DN: a name or a value beside = is missing", cite.Quote(s))
					}
				}
			}
			return oneLine(s)
		}}
}

const secret = "a secret is never a value, since any local process may read it: put it into a file and name that in directory.password_file"

// buildSchema is the profile, key by key.
func buildSchema() *schemaKey {
	return &schemaKey{doc: "What one role wants of its machines. Role files, user-data and the local file share it.", keys: []*schemaKey{
		{name: "role", doc: "The role's name. In a role file: which role this is. Elsewhere: which role this machine takes.", is: roleName, fixed: true},
		{name: "hostname", doc: "Short for identity.hostname.", is: ownNameType(), short: "identity.hostname"},
		matchSchema(),
		{name: "vars", doc: "Names for ${…}, beside region, zone, hostname, instance_id and private_ip.", names: varName,
			any: &schemaKey{doc: "What ${…} of that name stands for.", is: freeText(1024)}},
		{name: "identity", doc: "What the machine is called.", keys: []*schemaKey{
			{name: "hostname", doc: "The host's name, short or full.", is: ownNameType()},
			{name: "domain", doc: "The domain that follows a short name.", is: hostNameType("domain")},
			{name: "hostname_tag", doc: "The instance tag that may name the host where the tag hostname does not.", is: tagName, fixed: true,
				only: []Layer{RoleFile, UserData, Local}},
		}},
		resolverSchema(),
		directorySchema(),
		{name: "login_budget", doc: "How long a local user's login may take until sshd lets him in, every server dead; files that would exceed it are not written. Without it half of sshd's LoginGraceTime, 30s at most; never more than that.",
			is: loginBudget(), only: []Layer{RoleFile, UserData, Local}},
		nscdSchema(),
		autofsSchema(),
		updatedbSchema(),
		{name: "ganglia", doc: "The role's Ganglia cluster.", keys: []*schemaKey{
			{name: "cluster", doc: "The cluster's name.", is: cluster, need: true},
			{name: "port", doc: "The cluster's own port on each collector.", is: wholeNumber(1, 65535, ""), need: true},
			{name: "collectors", doc: "Addresses of the collectors; each gets everything.", is: ipAddress(), list: true, least: 1, need: true},
		}},
		{name: "coordinator", doc: "Who is told how this machine does.", keys: []*schemaKey{
			{name: "urls", doc: "Each coordinator's URL; https, or http on loopback.", is: webURL(), list: true, least: 1, need: true},
		}},
		{name: "tags_may_set", doc: "Keys and sections that tags reveille:KEY.PATH may set.", is: keyName, list: true, fixed: true, only: []Layer{Local}},
		{name: "role_required", doc: "Refuse to go on where no layer names a role and no role file matches.", is: yesNo(), def: "false", fixed: true, only: []Layer{Local}},
		storageSchema(),
		scriptsSchema(),
		servicesSchema(),
		readySchema(),
	}}
}

func matchSchema() *schemaKey {
	return &schemaKey{name: "match", only: []Layer{RoleFile}, least: 1,
		doc: "Which machines take this role where no layer names one. All given keys must match; more keys win.", keys: []*schemaKey{
			{name: "security_groups", doc: "Names or patterns; one that matches is enough.", is: glob(), list: true, least: 1, fixed: true},
			{name: "tags", doc: "Instance tags and patterns for their values; all must match.", names: tagName, least: 1,
				any: &schemaKey{doc: "Patterns; one that matches is enough.", is: glob(), list: true, one: true, least: 1, fixed: true}},
			{name: "hostnames", doc: "Patterns for the name that user-data, tags or IMDS say; one that matches is enough.", is: glob(), list: true, least: 1, fixed: true},
		}}
}

func resolverSchema() *schemaKey {
	return &schemaKey{name: "resolver", doc: "What resolv.conf says.", keys: []*schemaKey{
		{name: "nameservers", doc: "Addresses, nearest first; or lists by region and zone, of which the nearest three are kept, not all of one zone.", is: ipAddress(), list: true, least: 1, most: 3, place: true, need: true,
			over: "glibc asks the first three alone"},
		{name: "search", doc: "Domains that short names are tried under.", is: hostNameType("domain"), list: true, most: 6,
			over: "glibc before 2.26 tries the first six alone"},
		{name: "timeout", doc: "How long one server is waited for.", is: wholeSeconds(30, ": glibc would take 30s for it without a word"), def: "1s"},
		{name: "attempts", doc: "How often the servers are asked.", is: wholeNumber(1, 5, ": glibc would take 5 for it without a word"), def: "1"},
		{name: "rotate", doc: "Ask the servers in turn.", is: yesNo(), def: "false"},
	}}
}

func directorySchema() *schemaKey {
	keys := []*schemaKey{
		{name: "client", doc: "The LDAP client; auto is what is installed, nslcd where none is.", is: oneOf("auto", "nslcd", "sssd", "nss_ldap"), def: "auto"},
		{name: "uris", doc: "The servers, nearest first; or lists by region and zone, of which the nearest come first.", is: ldapURI(), list: true, least: 1, place: true, need: true},
		{name: "base", doc: "Where the directory's tree begins.", is: distinguishedName(), need: true},
		{name: "bind_dn", doc: "Who the client says it is; without it the client is anonymous.", is: distinguishedName()},
		{name: "password_file", doc: "File on the machine whose first line is bind_dn's password.", is: filePath()},
		{name: "ca_cert_file", doc: "File with the certificates that the servers' are checked by; without it the system's own.", is: filePath()},
		{name: "bind_timelimit", doc: "How long a connection is waited for.", is: wholeSeconds(60, ""), def: "2s"},
		{name: "timelimit", doc: "How long an answer is waited for.", is: wholeSeconds(60, ""), def: "5s"},
		{name: "access", doc: "Who may log in.", keys: []*schemaKey{
			{name: "hosts", doc: "Only people whose attribute host holds this host, its family, zone, region or a star.", is: yesNo(), def: "false"},
		}},
		{name: "break_glass", doc: "The local account that must always get in.", is: account, need: true},
	}
	for _, name := range []string{"bindpw", "bind_password", "password", "bind_pw", "rootbindpw", "secret"} {
		keys = append(keys, &schemaKey{name: name, never: secret})
	}
	return &schemaKey{name: "directory", doc: "How users are looked up in LDAP.", keys: keys}
}
