package facts

import (
	"crypto/tls"
	"time"
)

// ec2Options are how EC2's API is asked, apart from what callers choose.
type ec2Options struct {
	tuning tuning        // of one page
	within time.Duration // of all
	kept   time.Duration // of all, where an earlier answer counts otherwise
	names  names
	tls    *tls.Config // nil: the system's
}

// ec2Defaults: EC2 throttles a whole account at once, so that its machines do
// better with few attempts each. None takes long enough to hold up a boot.
func ec2Defaults() ec2Options {
	return ec2Options{
		tuning: tuning{dial: time.Second, whole: 3 * time.Second, attempts: 4, backoff: 2 * time.Second},
		within: 10 * time.Second,
		kept:   2 * time.Second,
		names:  namesAt(vpcNames, time.Second),
	}
}
