package roles

import (
	"strings"

	"reveille/bootstrap/facts"
)

// TrialNames is what new name servers are asked for before they are written:
// the machine's own domain, and the names by which it can be got at when
// nothing else works, those of the SSM and EC2 endpoints of its region. Where
// neither is known it is the root, which every resolver knows.
func TrialNames(f facts.Facts, p Profile) []string {
	var names []string
	if search := p.SearchList(); len(search) > 0 {
		names = append(names, search[0])
	}
	if region := f.Instance.Region.Or(""); region != "" {
		domain := f.Instance.Domain.Or("")
		if domain == "" {
			domain = "amazonaws.com"
			if strings.HasPrefix(region, "cn-") {
				domain = "amazonaws.com.cn"
			}
		}
		names = append(names, "ssm."+region+"."+domain, "ec2."+region+"."+domain)
	}
	if len(names) == 0 {
		names = append(names, ".")
	}
	return names
}

// SearchList is the domains that short names are tried under: the machine's
// own, then what the profile lists.
func (p Profile) SearchList() []string {
	if p.Resolver == nil {
		p.Resolver = &Resolver{} // the image's own file goes back
	}
	return searchList(p)
}

// CACert is the file by whose certificates the directory's servers are checked.
func (p Profile) CACert(f facts.Facts) string {
	if p.Directory == nil {
		return platformOf(f.Machine.OS).CABundle
	}
	return newLDAPSettings(platformOf(f.Machine.OS), p).cacert
}
