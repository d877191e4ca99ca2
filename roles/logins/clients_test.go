package logins

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// one is what one request of so many searches takes.
func one(c dirClient, s Servers, searches int) Bound { return c.waits(s, []int{searches})[0] }

func nslcdOf(conf string, more map[string]string) dirClient {
	files := map[string]string{nslcdPath: conf, "/etc/hostname": "db01", resolvPath: "nameserver 10.0.0.2\n"}
	for path, text := range more {
		files[path] = text
	}
	return newLoginMachine(Login{Files: files, Running: Running{Nslcd: true}}).clients["ldap"]
}

// Lookups of the measured table: computed is no less, and no more than twice.
func TestNslcdMeasured(t *testing.T) {
	for _, tt := range []struct {
		what, conf string
		searches   int
		measured   float64
	}{
		{"a directory user is answered", "uri ldap://10.9.9.9/\n", 1, 10},
		{"id of a local user", "uri ldap://10.9.9.9/\n", 2, 20},
		{"id with short limits", "uri ldap://10.9.9.9/\nbind_timelimit 1\ntimelimit 2\nreconnect_sleeptime 1\nreconnect_retrytime 1\n", 2, 2},
	} {
		got := one(nslcdOf(tt.conf, nil), AllDown, tt.searches).Most.Seconds()
		if got < tt.measured || got > 2*tt.measured {
			t.Errorf("%s: %g s, measured %g", tt.what, got, tt.measured)
		}
	}
}

func TestNslcd(t *testing.T) {
	short := "bind_timelimit 2\ntimelimit 5\nreconnect_retrytime 1\n"
	for name, tt := range map[string]struct {
		conf     string
		s        Servers
		searches []int
		want     string
	}{
		"up":                             {"uri ldap://10.0.0.1/\n", AllUp, []int{1, 2}, "0s 0s"},
		"two dead":                       {"uri ldap://10.0.0.1/ ldap://10.0.0.2/\n" + short, AllDown, []int{1}, "4s"},
		"each time anew":                 {"uri ldap://10.0.0.1/ ldap://10.0.0.2/\n" + short, AllDown, []int{2, 1, 2, 1}, "8s 4s 8s 4s"}, // measured
		"found dead, then no more":       {"uri ldap://10.0.0.1/\n" + short, AllDown, []int{2, 1, 2}, "4s 2s 0s"},
		"one of two dead, each thread":   {"uri ldap://10.0.0.1/ ldap://10.0.0.2/\n" + short, OneDown, []int{1, 1, 1, 1, 1, 1}, "2s 2s 2s 2s 2s 0s"},
		"its only one dead":              {"uri ldap://10.0.0.1/\n" + short, OneDown, []int{1}, "2s"},
		"hung, with a connection":        {"uri ldap://10.0.0.1/\n" + short, AllHung, []int{1}, "7s"},
		"hung, and searches without end": {"uri ldap://10.0.0.1/\n", AllHung, []int{1}, "60s"},
		"slow: connection, bind, search": {"uri ldap://10.0.0.1/\n" + short, AllSlow, []int{1, 2}, "9s 18s"},
		"slow, with TLS":                 {"uri ldaps://10.0.0.1/\n" + short, AllSlow, []int{1, 2}, "61s 61s"},
		// TLS that is not answered has no limit, and is not found out: measured.
		"hung, with TLS":         {"uri ldap://10.0.0.1/ ldaps://10.0.0.2/\n" + short, AllHung, []int{1, 1, 1}, "61s 61s 61s"},
		"hung, with startTLS":    {"uri ldap://10.0.0.1/\nssl start_tls\n" + short, AllHung, []int{1}, "61s"},
		"dead, with TLS":         {"uri ldaps://10.0.0.1/\n" + short, AllDown, []int{1, 2}, "2s 4s"},
		"slow and never settled": {"uri ldap://10.0.0.1/\n", AllSlow, []int{1, 1, 1}, "60s 60s 60s"},
		"no limit to connecting": {"uri ldap://10.0.0.1/\nbind_timelimit 0\n", AllDown, []int{1}, "60s"},
		// The name takes 10 s of a dead DNS; found, the connection comes after it.
		"a name": {"uri ldap://ldap.acme.private/\n" + short, AllDown, []int{1}, "10s"},
	} {
		var got []string
		for _, b := range nslcdOf(tt.conf, nil).waits(tt.s, tt.searches) {
			got = append(got, b.String())
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v, want %s", name, got, tt.want)
		}
	}
	inHosts := nslcdOf("uri ldap://ldap.acme.private/\n"+short, map[string]string{"/etc/hosts": "10.0.0.1 ldap.acme.private\n"})
	if got := one(inHosts, AllDown, 1); got != secs(2) {
		t.Errorf("a name of /etc/hosts: %s", got)
	}
}

// nslcd tries a server that fails within its limit again, a second later, for
// ten seconds: eight seconds of connecting can become seventeen.
func TestNslcdTriesAgain(t *testing.T) {
	for attempt, want := range map[int]int{0: 9, 5: 11, 8: 17, 9: 9, 10: 10} {
		if got := nslcdTries([]int{attempt}, 60, 1, 10); got != want {
			t.Errorf("attempts of %d s: %d s, want %d", attempt, got, want)
		}
	}
	// The bound is over all that may fail sooner, so it does not fall where the
	// search itself does, from eight seconds to nine.
	longest := 0
	for attempt := range 30 {
		got := nslcdRetries([]int{attempt}, 1, 10)
		if got < longest || got < nslcdTries([]int{attempt}, 60, 1, 10) {
			t.Errorf("attempts of %d s: a bound of %d s, after %d", attempt, got, longest)
		}
		longest = got
	}
}

func TestPADL(t *testing.T) {
	for name, tt := range map[string]struct {
		conf string
		s    Servers
		want Bound
	}{
		"soft":                   {"uri ldap://10.0.0.1/ ldap://10.0.0.2/\nbind_policy soft\nbind_timelimit 5\n", AllDown, secs(10)},
		"hard":                   {"uri ldap://10.0.0.1/\nbind_timelimit 5\n", AllDown, secs(7*5 + 124)},
		"hard, two":              {"uri ldap://10.0.0.1/ ldap://10.0.0.2/\nbind_timelimit 5\n", AllHung, secs(2*7*5 + 124)},
		"hard, one of two":       {"uri ldap://10.0.0.1/ ldap://10.0.0.2/\nbind_timelimit 5\n", OneDown, secs(5)},
		"hard, its only one":     {"uri ldap://10.0.0.1/\nbind_timelimit 5\n", OneDown, secs(7*5 + 124)},
		"few tries, short sleep": {"uri ldap://10.0.0.1/\nbind_timelimit 5\nnss_reconnect_tries 1\nnss_reconnect_sleeptime 1\nnss_reconnect_maxsleeptime 1\nnss_reconnect_maxconntries 1\n", AllDown, secs(2*5 + 1)},
		"slow":                   {"uri ldaps://10.0.0.1/\nbind_policy soft\nbind_timelimit 5\ntimelimit 15\n", AllSlow, secs(3*5 + 15)},
		"slow and for ever":      {"uri ldap://10.0.0.1/\nbind_policy soft\nbind_timelimit 5\n", AllSlow, Bound{10 * time.Second, true}},
	} {
		m := newLoginMachine(Login{Files: map[string]string{"/etc/ldap.conf": tt.conf}, Running: Running{PADL: true}})
		if got := one(m.clients["ldap"], tt.s, 1); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func TestSSSD(t *testing.T) {
	domain := "[sssd]\ndomains=d\n[domain/d]\nid_provider=ldap\nldap_uri="
	for name, tt := range map[string]struct {
		conf     string
		s        Servers
		searches []int
		want     string
	}{
		"defaults":                 {"ldap://10.0.0.1", AllDown, []int{1, 2, 1}, "6s 0s 0s"},
		"two dead":                 {"ldap://10.0.0.1,ldap://10.0.0.2", AllDown, []int{1}, "12s"},
		"one of two":               {"ldap://10.0.0.1,ldap://10.0.0.2", OneDown, []int{1, 1}, "6s 0s"},
		"its only one":             {"ldap://10.0.0.1", OneDown, []int{1}, "6s"},
		"hung, with a connection":  {"ldap://10.0.0.1", AllHung, []int{1, 1}, "20s 0s"},
		"slow":                     {"ldap://10.0.0.1", AllSlow, []int{2, 1}, "38s 6s"},
		"a name, DNS all but dead": {"ldap://ldap.acme.private", AllDown, []int{1}, "7s"},
		"a name, one DNS dead":     {"ldap://ldap.acme.private", OneDown, []int{1}, "7s"},
		"our own limits":           {"ldaps://10.0.0.1\nldap_network_timeout=2\nldap_search_timeout=5\nldap_opt_timeout=5\n", AllDown, []int{1}, "2s"},
		// A process that is stuck in TLS knows nothing of servers that failed once
		// it was ended and started anew: 32 s each time, and what comes before.
		"hung, with TLS":          {"ldaps://10.0.0.1,ldaps://10.0.0.2", AllHung, []int{1, 1}, "38s 38s"},
		"hung, a second with TLS": {"ldap://10.0.0.1,ldaps://10.0.0.2", AllHung, []int{1, 1}, "52s 52s"},
		"hung, and short beats":   {"ldaps://10.0.0.1\ntimeout=3\n", AllHung, []int{1}, "17s"},
		"hung, and no beat":       {"ldaps://10.0.0.1\ntimeout=0\n", AllHung, []int{1}, "38s"},
		"hung before STARTTLS":    {"ldap://10.0.0.1\nldap_id_use_start_tls=true\n", AllHung, []int{1, 1}, "20s 0s"},
		"slow, with TLS":          {"ldaps://10.0.0.1", AllSlow, []int{2, 1}, "64s 6s"},
		"slow, with STARTTLS":     {"ldap://10.0.0.1\nldap_id_use_start_tls=TRUE\n", AllSlow, []int{1}, "58s"},
		"dead, with TLS":          {"ldaps://10.0.0.1", AllDown, []int{1, 1}, "6s 0s"},
		"nobody waits for ever":   {"ldap://10.0.0.1\nldap_network_timeout=900\n", AllDown, []int{1}, "300s"},
	} {
		m := newLoginMachine(Login{Files: map[string]string{
			sssdPath: domain + tt.conf + "\n", resolvPath: "nameserver 10.0.0.2\nnameserver 10.0.0.3\n",
		}, Running: Running{SSSD: true}})
		var got []string
		for _, b := range m.clients["sss"].waits(tt.s, tt.searches) {
			got = append(got, b.String())
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v, want %s", name, got, tt.want)
		}
	}
}

func TestURIHost(t *testing.T) {
	for uri, want := range map[string]string{
		"ldap://a.b:389/dc=x": "a.b", "ldaps://[fd00::1]:636": "[fd00::1]", "ldapi:///": "", "a.b": "", "LDAP://h": "h",
	} {
		if got := uriHost(uri); got != want {
			t.Errorf("%s: %q, want %q", uri, got, want)
		}
	}
}

// One more server, second or attempt is never the shorter wait, for whichever
// client, when no server answers. (But for nslcd's reconnect_retrytime: as long
// as a dead server is not to be tried again, nslcd gives up at once.)
func TestMoreIsNeverShorter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string, most int) int { return rapid.IntRange(0, most).Draw(t, name) }
		v := []int{1 + draw("nameservers", 2), draw("timeout", 6), draw("attempts", 5), 1 + draw("uris", 3), 1 + draw("bind", 15), 1 + draw("limit", 15), draw("retry", 15)}
		i := draw("which", len(v)-1)
		more := append([]int{}, v...)
		more[i]++
		s := rapid.SampledFrom([]Servers{AllDown, AllHung, AllSlow}).Draw(t, "servers")
		byName := rapid.Bool().Draw(t, "by name")
		searches := rapid.SliceOfN(rapid.IntRange(1, 3), 1, 6).Draw(t, "searches")
		running := rapid.SampledFrom([]Running{{Nslcd: true}, {SSSD: true}, {PADL: true}}).Draw(t, "client")
		if i == 6 && running.Nslcd {
			return
		}

		total := func(v []int) Bound {
			m := newLoginMachine(Login{Files: sizedFiles(v, byName), Running: running})
			var sum Bound
			for _, c := range m.clients {
				for _, b := range c.waits(s, searches) {
					sum = sum.Plus(b)
				}
			}
			return sum
		}
		if before, after := total(v), total(more); after.Less(before) {
			t.Fatalf("%v: %s, with one more of number %d: %s", v, before, i, after)
		}
	})
}

// sizedFiles are the files of every client with so many servers and seconds.
func sizedFiles(v []int, byName bool) map[string]string {
	var servers, uris []string
	for i := range v[0] {
		servers = append(servers, fmt.Sprintf("nameserver 10.0.0.%d\n", i+1))
	}
	for i := range v[3] {
		host := fmt.Sprintf("10.0.1.%d", i+1)
		if byName {
			host = fmt.Sprintf("ldap%d.acme.private", i+1)
		}
		uris = append(uris, "ldap://"+host+"/")
	}
	limits := fmt.Sprintf("bind_timelimit %d\ntimelimit %d\n", v[4], v[5])
	return map[string]string{
		resolvPath:       strings.Join(servers, "") + fmt.Sprintf("options timeout:%d attempts:%d\n", v[1], v[2]),
		nslcdPath:        "uri " + strings.Join(uris, " ") + "\n" + limits + fmt.Sprintf("reconnect_retrytime %d\n", v[6]),
		"/etc/ldap.conf": "uri " + strings.Join(uris, " ") + "\n" + limits + fmt.Sprintf("nss_reconnect_tries %d\n", v[6]),
		sssdPath: "[sssd]\ndomains=d\n[domain/d]\nid_provider=ldap\nldap_uri=" + strings.Join(uris, ",") +
			fmt.Sprintf("\nldap_network_timeout=%d\nldap_search_timeout=%d\nldap_opt_timeout=%d\n", v[4], v[5], v[5]+1),
	}
}
