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

// volumes asks EC2 which volumes are attached to the instance. It waits for no
// other answer of the crawl, and nothing of the crawl waits for it.
func (c *crawl) volumes(id answer, o Options) Fact[map[string]EBSVolume] {
	all, err := c.askVolumes(id, o)
	if err == nil {
		return Known(all)
	}
	r, detail := ec2Reason(err)
	c.problem(VolumesPath, r, detail)
	return Unknown[map[string]EBSVolume](r, detail)
}

func (c *crawl) askVolumes(id answer, o Options) (map[string]EBSVolume, error) {
	instance, err := instanceID(id.body)
	if id.absent || id.reason != "" || err != nil {
		return nil, &unasked{NotAsked, "not asked, as nobody says which instance this is"}
	}
	var endpoint, region string
	var who role
	var errs [3]error
	c.run(
		func() { endpoint, errs[0] = c.ec2Endpoint(o) },
		func() { region, errs[1] = given(parsed(c, regionPath, place), regionPath) },
		func() { who, errs[2] = c.role() },
	)
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	own := !strings.Contains(endpoint, "://")
	if own {
		endpoint = "https://ec2." + region + "." + endpoint
	}
	e := newEC2(endpoint, region, own, who, o)
	defer e.web.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(c.ctx, o.api.within)
	defer cancel()
	all, err := e.describeVolumes(ctx, instance)
	if err == nil && e.ahead != 0 {
		c.problem(VolumesPath, Unauthorized, "it answered, but only to what was signed by its own time: "+e.clock())
	}
	return all, err
}

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
func (c *crawl) ec2Endpoint(o Options) (string, error) {
	at := strings.TrimSuffix(o.Getenv(envEC2), "/")
	if at == "" {
		return given(parsed(c, domainPath, name), domainPath)
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
