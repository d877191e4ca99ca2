package fakeimds

import (
	"net/http"
	"time"
)

// Slow is how late the answers of the fault "slow" are.
const Slow = 600 * time.Millisecond

// Named are the faults that have a name, in the order in which tables and
// the command's help show them. Those of the network itself (Refused,
// Dropped) are Open's.
func Named() []Fault {
	get, put := http.MethodGet, http.MethodPut
	return []Fault{
		{Name: "none", Say: "healthy"},
		{Name: Refused, Say: "nobody listens: connections are refused"},
		{Name: Dropped, Say: "packets to it are dropped: connections never come about"},
		{Name: "silent", Say: "accepts connections and never answers", Act: Silent()},
		{Name: "hop-limit", Say: "the token never arrives, other answers do (hop limit 1 seen from a container)", Method: put, Act: Silent()},
		{Name: "stall", Say: "answers begin and never go on", Method: get, Act: Stall()},
		{Name: "401-once", Say: "one 401 to a good token", Method: get, Times: 1, Act: Status(http.StatusUnauthorized)},
		{Name: "401-always", Say: "401 to every token", Method: get, Act: Status(http.StatusUnauthorized)},
		{Name: "403", Say: "IMDS is disabled", Act: Status(http.StatusForbidden)},
		{Name: "tags-off", Say: "tags in metadata are off (404)", Path: "meta-data/tags", Act: Status(http.StatusNotFound)},
		{Name: "429", Say: "always throttled", Act: Status(http.StatusTooManyRequests)},
		{Name: "503x4", Say: "four 503s, then healthy", Times: 4, Act: Status(http.StatusServiceUnavailable)},
		{Name: "slow", Say: "every answer takes " + Slow.String(), Act: Delay(Slow)},
		{Name: "half-body", Say: "the connection ends inside the answers", Method: get, Act: Half()},
		{Name: "token-expires", Say: "the token ends in mid-crawl", Method: get, Skip: 6, Times: 1, Act: Expire()},
		{Name: "redirect", Say: "every answer sends the client elsewhere", Method: get, Act: Redirect("http://192.0.2.1/latest/meta-data/")},
		{Name: "huge-body", Say: "every answer has 64 MiB", Method: get, Act: Huge(64 << 20)},
		{Name: "wrong-content", Say: "a web page instead of every answer", Method: get, Act: Page()},
	}
}

// ByName finds a named fault.
func ByName(name string) (Fault, bool) {
	for _, f := range Named() {
		if f.Name == name {
			return f, true
		}
	}
	return Fault{}, false
}
