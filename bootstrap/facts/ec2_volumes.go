package facts

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// VolumesPath is where a Problem with EC2's word about the volumes is told: the
// permission that it takes to ask.
const VolumesPath = "ec2:DescribeVolumes"

// The paths of what asking takes.
const (
	regionPath = "meta-data/placement/region"
	domainPath = "meta-data/services/domain"
	rolesPath  = "meta-data/iam/security-credentials/"
)

const envEC2 = "AWS_ENDPOINT_URL_EC2"

// unasked is an error with its reason: why EC2 was not asked, or what it said.
type unasked struct {
	reason Reason
	detail string
}

func (e *unasked) Error() string { return e.detail }

// volumes asks EC2 which volumes are attached to an instance.
func (c *crawl) volumes(i Instance, o Options) Fact[map[string]EBSVolume] {
	all, err := c.askVolumes(i, o)
	if err == nil {
		return Known(all)
	}
	r, detail := ec2Reason(err)
	c.problem(VolumesPath, r, detail)
	return Unknown[map[string]EBSVolume](r, detail)
}

func (c *crawl) askVolumes(i Instance, o Options) (map[string]EBSVolume, error) {
	endpoint, err := ec2Endpoint(i, o)
	if err != nil {
		return nil, err
	}
	region, err := given(i.Region, regionPath)
	if err != nil {
		return nil, err
	}
	if err := c.reached(i, o); err != nil {
		return nil, err
	}
	defer c.client.close()
	who, err := c.role()
	if err != nil {
		return nil, err
	}
	own := !strings.Contains(endpoint, "://")
	if own {
		endpoint = "https://ec2." + region + "." + endpoint
	}
	e := newEC2(endpoint, region, own, who, o)
	defer e.web.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(c.ctx, o.api.within)
	defer cancel()
	all, err := e.describeVolumes(ctx, i.ID.Or(""))
	if err == nil && e.ahead != 0 {
		c.problem(VolumesPath, Unauthorized, "it answered, but only to what was signed by its own time: "+e.clock())
	}
	return all, err
}

// reached gives the crawl a client of the metadata service, which says once more
// whose credentials it is about to give.
func (c *crawl) reached(i Instance, o Options) error {
	urls, _, err := o.endpoints()
	if err != nil {
		return &unasked{NotAsked, "not asked, as " + err.Error()}
	}
	at := reach(c.ctx, urls, o)
	if at.id.reason != "" || at.id.absent || at.id.body != i.ID.Or("") {
		at.client.close()
		return errNobody
	}
	c.client = at.client
	return nil
}

var errNobody = &unasked{NotAsked, "not asked, as nobody says which instance this is"}

// given is what EC2 cannot be asked without. Where it is not there the reason is
// the metadata service's, and told as such: it is none of EC2's.
func given(f Fact[string], path string) (string, error) {
	if v, ok := f.Get(); ok {
		return v, nil
	}
	if f.IsAbsent() {
		return "", &unasked{NotAsked, "not asked, as the metadata service has no " + path}
	}
	r, _ := f.Why()
	return "", &unasked{NotAsked, "not asked, as " + path + " did not answer (" + string(r) + ")"}
}

// ec2Endpoint is the URL that a person set, of whatever scheme, or the domain
// that EC2's own names are below.
func ec2Endpoint(i Instance, o Options) (string, error) {
	at := strings.TrimSuffix(o.Getenv(envEC2), "/")
	if at == "" {
		return given(i.Domain, domainPath)
	}
	if err := checkURL(at, envEC2, "https://ec2.eu-central-1.amazonaws.com"); err != nil {
		return "", &unasked{Malformed, err.Error()}
	}
	return at, nil
}

// clock says how far the machine's clock is from EC2's.
func (e *ec2) clock() string {
	if e.ahead > 0 {
		return fmt.Sprintf("this machine's clock is %s slow", e.ahead.Round(time.Second))
	}
	return fmt.Sprintf("this machine's clock is %s fast", (-e.ahead).Round(time.Second))
}
