package logins

import (
	"strings"
	"testing"
)

func TestServersIn(t *testing.T) {
	tests := map[string]struct{ path, text, want string }{
		"resolv.conf":        {resolvPath, "# nameserver 9.9.9.9\nsearch a\nnameserver 10.0.0.2\nnameserver fd00::2\nnameserver 10.0.0.2\n", "10.0.0.2 fd00::2"},
		"empty resolv.conf":  {resolvPath, "search a\n", ""},
		"nslcd":              {nslcdPath, "uri ldap://A.acme.private/ ldaps://10.0.0.9:1636\nURI ldap://a.acme.private:389\n", "ldap://a.acme.private:389 ldaps://10.0.0.9:1636"},
		"nslcd's own":        {nslcdPath, "base dc=a\n", ""},
		"nslcd by DNS":       {nslcdPath, "uri DNS\nuri ldapi:///\n", ""},
		"sssd":               {sssdPath, "[sssd]\ndomains = d\n[domain/d]\nid_provider = ldap\nldap_uri = _srv_, ldaps://b\nldap_backup_uri = ldap://c\n", "ldaps://b:636 ldap://c:389"},
		"PADL":               {"/etc/ldap.conf", "host a b\n", "ldap://a:389 ldap://b:389"},
		"PADL's own":         {"/etc/pam_ldap.conf", "base dc=a\n", ""},
		"no password":        {nslcdPath, "uri ldap://cn=a:hunter2@10.0.0.4/\n", "ldap://10.0.0.4:389"},
		"homes":              {HomesPath, "# * -fstype=nfs old:/srv/&\n* -fstype=nfs,vers=4.2,soft NAS.acme.private:/export/home/&\n", "nas.acme.private:2049"},
		"homes at a port":    {HomesPath, "joe -fstype=nfs \\\n -port=20049 [fd00::9]:/&\nann 10.0.0.9:/srv/ann\n", "[fd00::9]:20049 10.0.0.9:2049"},
		"homes by UDP":       {HomesPath, "* -proto=udp,vers=3 a:/&\njoe -udp a:/&\nann -rdma a:/&\ndora -proto=tcp b:/&\n", "b:2049"},
		"homes on no server": {HomesPath, "* -fstype=bind :/srv/&\nbroken\n", ""},
		"six":                {nslcdPath, "uri ldap://[fd00::4]/\n", "ldap://[fd00::4]:389"},
	}
	for name, tt := range tests {
		got, known := ServersIn(tt.path, tt.text)
		if !known || strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %q %v, want %q", name, got, known, tt.want)
		}
	}
	if got, known := ServersIn(nsswitchPath, "hosts: files"); known || got != nil {
		t.Errorf("nsswitch.conf names %q", got)
	}
}
