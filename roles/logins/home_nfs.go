package logins

import "fmt"

// What a soft mount of NFS 4 waits for beside its own settings once its server
// is gone. The client sends nothing twice on a connection that stands (RFC 7530,
// 3.1.1), and the first request waits until TCP calls it broken: for the server's
// lease, whatever timeo says, and then to the end of a request's time. Measured on
// Linux 6.1: 92 s with timeo=10,retrans=0, 92 to 96 s with timeo=20,retrans=1,
// 120 s with timeo=200,retrans=1, and with the server's lease set to 30 s and 10 s,
// 32 s and 20 s; of versions 4.0 to 4.2 alike. No file that is read has the lease;
// 90 s is that of Linux's own server.
const (
	nfsLease = 90
	// nfsBroken is until TCP has noticed: measured 2 s, with the shortest lease 10 s.
	// Not measured is a kernel that notices only when it sends again (before 4.19),
	// the tenth time after 102 s.
	nfsBroken = 15
)

// nfs4Requests is how many requests a look at one file makes at most, each of
// which is waited for: measured with timeo=20,retrans=1, 4 s where the client had
// kept nothing of the file, and 8 s where it had.
const nfs4Requests = 2

// major is a soft mount's time for one request: its retransmissions, each given
// timeo longer than the one before (nfs(5)). Linux 6.1 gives up sooner, after
// timeo for each: measured 4.1 s with timeo=20,retrans=1, 8.1 s with retrans=3.
func (o nfsOptions) major() Bound {
	n := o.retrans + 1
	return Bound{Most: secs(o.timeo).Most / 10}.Times(n * (n + 1) / 2)
}

// mounted is the wait for files of a soft mount whose server goes, one after
// the other, and what it is made of.
func (o nfsOptions) mounted(files int) (Bound, string) {
	set := fmt.Sprintf("soft, timeo=%d, retrans=%d", o.timeo, o.retrans)
	if o.older {
		return o.major().Times(files), fmt.Sprintf("NFS 3, %s: %s for each of %d files", set, o.major(), files)
	}
	each, once := o.major().Times(nfs4Requests), secs(nfsLease+nfsBroken)
	return once.Plus(each.Times(files)), fmt.Sprintf("NFS 4, %s: %s once, whatever these say (the server's lease, %d s by default), and %s for each of %d files",
		set, once, nfsLease, each, files)
}

// sooner is the remedy of a mount that is there: an older version has no lease.
func (o nfsOptions) sooner() string {
	if o.older {
		return ""
	}
	return "; or vers=3, which waits for no lease, where the file server speaks both"
}
