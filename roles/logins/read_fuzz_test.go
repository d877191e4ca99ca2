package logins

import "testing"

// noted checks that every remark names a place.
func noted(t *testing.T, notes remarks) {
	t.Helper()
	for _, n := range notes {
		if n == "" || n[0] == ':' {
			t.Errorf("a note without a place: %q", n)
		}
	}
}

func FuzzLoginResolv(f *testing.F) {
	f.Add("nameserver 10.0.0.2\noptions timeout:1 attempts:1 rotate\nsearch a b\n", "db01.acme.private")
	f.Add("options timeout:-1 attempts:99999999999999999999 ndots:", "")
	f.Fuzz(func(t *testing.T, text, hostname string) {
		c, notes := parseResolv(text, hostname)
		noted(t, notes)
		parseHosts(text)
		if n := len(c.servers); n < 1 || n > 3 || c.timeout.n > 30 || c.attempts.n > 5 || c.ndots.n > 15 {
			t.Errorf("%+v", c)
		}
	})
}

func FuzzLoginNSSwitch(f *testing.F) {
	f.Add("passwd: files [!UNAVAIL = return] ldap\ngroup:files[SUCCESS=merge]sss\n")
	f.Add("x: [ [= [a=]b]\n:\n")
	f.Fuzz(func(t *testing.T, text string) {
		n, notes := parseNSSwitch(text)
		noted(t, notes)
		for db := range n {
			for _, s := range n.line(db).sources {
				if s.name == "" {
					t.Errorf("a source without a name in %q", n.line(db).text)
				}
			}
		}
	})
}

func FuzzLoginNslcd(f *testing.F) {
	f.Add("uri ldap://a/\nbind_timelimit 2\nnss_initgroups_ignoreusers ALLLOCAL,x\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, notes := parseNslcd(text)
		noted(t, notes)
		if len(c.uris) == 0 || c.bind.n < 0 || c.limit.n < 0 {
			t.Errorf("%+v", c)
		}
	})
}

func FuzzLoginPADL(f *testing.F) {
	f.Add("uri ldap://a/\nbind_policy soft\nnss_reconnect_tries 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, notes := parsePADL("/etc/ldap.conf", text)
		noted(t, notes)
		if len(c.uris) == 0 {
			t.Errorf("%+v", c)
		}
	})
}

func FuzzLoginSSSD(f *testing.F) {
	f.Add("[sssd]\ndomains = a\n[domain/a]\nid_provider = ldap\nldap_uri = ldap://x,\n  ldap://y\n")
	f.Add("[\n = \n\t x\n[]\na")
	f.Fuzz(func(t *testing.T, text string) {
		c, notes := parseSSSD(map[string]string{sssdPath: text})
		noted(t, notes)
		for _, d := range c.domains {
			if len(d.uris) == 0 {
				t.Errorf("%+v", d)
			}
		}
	})
}

func FuzzLoginNscd(f *testing.F) {
	f.Add("enable-cache passwd yes\n")
	f.Fuzz(func(t *testing.T, text string) { parseNscd(text) })
}

func FuzzLoginPAM(f *testing.F) {
	f.Add("auth [success=1 default=ignore] pam_unix.so\n@include sshd\naccount substack sshd\n-session optional pam_x.so a \\\n b\n")
	f.Fuzz(func(t *testing.T, text string) {
		files := map[string]string{pamFolder + "sshd": text}
		for _, phase := range []string{"auth", "account", "session"} {
			_, notes := parsePAM(files, "sshd", phase)
			noted(t, notes)
		}
	})
}

func FuzzLoginSshd(f *testing.F) {
	f.Add("logingracetime 120\nusedns yes\nauthorizedkeyscommand /x\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, notes := parseSshd(text)
		noted(t, notes)
		if c.graceSeconds() < 1 {
			t.Errorf("%+v", c)
		}
		matchesGroup(sshdLines(map[string]string{sshdPath: text}))
	})
}

func FuzzLoginAutofs(f *testing.F) {
	f.Add("/home /etc/auto.master -soft\n/- auto.master\n* nas:/&\n", "/home/a")
	f.Fuzz(func(t *testing.T, text, file string) {
		files := map[string]string{autoMasterPath: text, autofsPath: text, "/etc/default/autofs": text}
		a := parseAutofs(files)
		noted(t, a.notes)
		if p, ok := a.point(file, files); ok {
			e, _ := p.entry(file, files)
			parseNFSOptions(e.options)
		}
	})
}

func FuzzLoginMounts(f *testing.F) {
	f.Add("nas:/home /ho\\040me nfs4 rw,soft 0 0\n", "/home/a")
	f.Fuzz(func(t *testing.T, text, file string) {
		mounts, notes := parseMounts(text)
		noted(t, notes)
		mountOf(mounts, file)
	})
}

func FuzzLoginAccounts(f *testing.F) {
	f.Add("admin:x:1000:1000::/home/admin:/bin/sh\n", "sudo:x:27:admin\n")
	f.Fuzz(func(t *testing.T, passwd, group string) {
		users, notes := parsePasswd(passwd)
		noted(t, notes)
		for _, u := range users {
			if u.name == "" || u.uid < 0 || u.at.Line == 0 {
				t.Errorf("%+v", u)
			}
		}
		parseGroup(group)
	})
}
