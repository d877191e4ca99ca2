package logins

import (
	"net"
	"net/url"
	"slices"
	"strings"
)

// ServersIn is the servers that a file of the name service names, as its own
// reader takes them: of resolv.conf addresses, of a directory client's file
// scheme, host and port, of the map of homes host and port. known says that the
// path is such a file. What a program takes where its file names none is left
// out, and so are servers that DNS would have to name first.
func ServersIn(path, text string) (servers []string, known bool) {
	var all []wordAt
	switch path {
	case resolvPath:
		c, _ := parseResolv(text, "")
		for _, s := range c.servers {
			if s.at.Line != 0 && !slices.Contains(servers, s.s) {
				servers = append(servers, s.s)
			}
		}
		return servers, true
	case HomesPath:
		return fileServersIn(path, text), true
	case nslcdPath:
		c, _ := parseNslcd(text)
		all = c.uris
	case sssdPath:
		c, _ := parseSSSD(map[string]string{path: text})
		for _, d := range c.domains {
			all = append(all, d.uris...)
		}
	case "/etc/libnss-ldap.conf", "/etc/pam_ldap.conf", "/etc/ldap.conf":
		c, _ := parsePADL(path, text)
		all = c.uris
	default:
		return nil, false
	}
	for _, u := range all {
		s := plainURI(u.s)
		if u.at.Line != 0 && s != "" && !slices.Contains(servers, s) {
			servers = append(servers, s)
		}
	}
	return servers, true
}

// HomesPath is the map of autofs that we write.
const HomesPath = "/etc/auto.reveille-home"

// fileServersIn is the servers of a map, each with the port that NFS is mounted
// from. Those that are not spoken to by TCP are left out.
func fileServersIn(path, text string) (servers []string) {
	for _, l := range joinedLines(path, text) {
		f := strings.Fields(l.text)
		if len(f) < 2 {
			continue
		}
		host, _, ok := strings.Cut(f[len(f)-1], ":/")
		port := "2049"
		for _, o := range mapOptions(f[1:]) {
			key, value, _ := strings.Cut(o, "=")
			switch {
			case key == "port":
				port = value
			case key == "proto" && value != "tcp" && value != "tcp6", key == "udp", key == "rdma":
				ok = false
			}
		}
		server := net.JoinHostPort(strings.Trim(strings.ToLower(host), "[]"), port)
		if ok && host != "" && !slices.Contains(servers, server) {
			servers = append(servers, server)
		}
	}
	return servers
}

// plainURI is scheme, host and port in one form, so that two ways to write one
// server are one, and no user or password of an URI is ever shown. "" is what
// no network leads to.
func plainURI(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Hostname() == "" || strings.HasPrefix(u.Hostname(), "_") {
		return ""
	}
	ports := map[string]string{"ldap": "389", "ldaps": "636"}
	port, ok := ports[strings.ToLower(u.Scheme)]
	if !ok {
		return ""
	}
	if u.Port() != "" {
		port = u.Port()
	}
	return strings.ToLower(u.Scheme) + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
