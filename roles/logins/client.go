package logins

import (
	"strings"
	"time"
)

// A dirClient is a program that asks the directory for others.
type dirClient interface {
	// waits bounds the requests of one stretch of a login, given the LDAP
	// searches of each, in their order: a client may remember that its servers
	// are dead.
	waits(s Servers, searches []int) []Bound
	// groupsIgnored says whether it is told to look up no groups of this user.
	groupsIgnored(p person) bool
	// unknown says whether it is told never to ask for this user at all.
	unknown(p person) bool
	// dead says whether no server at all answers it.
	dead(s Servers) bool
	// limit names the settings that bound it.
	limit() string
	// remedy says which of them to change.
	remedy() string
}

// uriHost is the host of ldaps://host:636/base.
func uriHost(uri string) string {
	_, rest, ok := strings.Cut(uri, "://")
	if !ok || strings.HasPrefix(strings.ToLower(uri), "ldapi") {
		return ""
	}
	host, _, _ := strings.Cut(rest, "/")
	if strings.HasPrefix(host, "[") {
		return strings.TrimSuffix(strings.SplitAfter(host, "]")[0], ":")
	}
	host, _, _ = strings.Cut(host, ":")
	return host
}

// wholeSecs rounds up to what the clients count in; no bound is a long time.
func wholeSecs(b Bound) int {
	if b.Unbounded {
		return maxSetting
	}
	return int((b.Most + time.Second - 1) / time.Second)
}

// uriTLS says whether a server is spoken to by TLS from the first byte.
func uriTLS(uri string) bool { return strings.HasPrefix(strings.ToLower(uri), "ldaps:") }

// noneAnswers is whether a list of so many servers is all dead in a state.
func noneAnswers(servers int, s Servers) bool {
	return s == AllDown || s == AllHung || s == OneDown && servers < 2
}
