package fakeimds

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Instance is the machine that the metadata describes. An empty field is not
// served (404), as for an instance that has no such thing. Its JSON is what
// the command reads.
type Instance struct {
	ID, Account, Region, Zone, ZoneID string
	Type, AMI                         string
	Hostname, PublicHostname          string
	PrivateIP, PublicIP, IPv6         string
	SecurityGroups                    []string
	Tags                              map[string]string // nil: tags in metadata are off
	Interfaces                        []Interface
	BlockDevices                      map[string]string
	LifeCycle, TargetLifecycle        string
	SpotAction                        string // JSON, as the service gives it
	UserData                          []byte
	PendingTime                       string // the identity document's, RFC 3339; "" where it has none
	DocumentID                        string // the identity document's instance id; "" is ID
	Role                              string // that the instance has
	Credentials                       Credentials
}

// Credentials are what the instance's role asks AWS with.
type Credentials struct{ AccessKeyID, SecretAccessKey, Token string }

// Interface is one network interface, the first being the primary one.
type Interface struct {
	MAC, ID, SubnetID, VPCID string
	Device                   int
	IPv4, IPv6               []string
}

// Example is an instance with something in every place.
func Example() Instance {
	return Instance{
		ID: "i-0123456789abcdef0", Account: "123456789012",
		Region: "us-east-1", Zone: "us-east-1a", ZoneID: "use1-az6",
		Type: "m5.large", AMI: "ami-0123456789abcdef0",
		Hostname: "ip-10-0-0-5.ec2.internal", PublicHostname: "ec2-192-0-2-5.compute-1.amazonaws.com",
		PrivateIP: "10.0.0.5", PublicIP: "192.0.2.5", IPv6: "2001:db8::5",
		SecurityGroups: []string{"mysql", "default"},
		Tags:           map[string]string{"role": "mysql", "hostname": "dev-mysql01", "note": "two\nlines"},
		Interfaces: []Interface{
			{MAC: "02:00:00:00:00:05", ID: "eni-05", SubnetID: "subnet-01", VPCID: "vpc-01",
				IPv4: []string{"10.0.0.5", "10.0.0.55"}, IPv6: []string{"2001:db8::5"}},
			{MAC: "02:00:00:00:00:06", ID: "eni-06", SubnetID: "subnet-02", VPCID: "vpc-01",
				Device: 1, IPv4: []string{"10.0.1.6"}},
		},
		BlockDevices: map[string]string{"ami": "xvda", "root": "/dev/xvda", "ebs1": "sdf"},
		LifeCycle:    "on-demand", TargetLifecycle: "InService",
		PendingTime: "2026-01-01T00:00:00Z",
		UserData:    []byte("hostname=dev-mysql01\nrole=mysql\n"),
		Role:        "storage", Credentials: Credentials{"ASIAEXAMPLE", "fake/secret+key", "fake//token=="},
	}
}

// IPv6Only is the same instance in a subnet without IPv4.
func IPv6Only() Instance {
	i := Example()
	i.PrivateIP, i.PublicIP, i.PublicHostname = "", "", ""
	i.Hostname = "i-0123456789abcdef0.ec2.internal"
	i.Interfaces = []Interface{{MAC: "02:00:00:00:00:05", ID: "eni-05", SubnetID: "subnet-06",
		VPCID: "vpc-01", IPv6: []string{"2001:db8::5"}}}
	return i
}

// leaves are the values by their path below the version, "meta-data/ami-id".
func (i Instance) leaves() tree {
	t := tree{}
	set := func(path, value string) {
		if value != "" {
			t[path] = value
		}
	}
	for path, value := range map[string]string{
		"instance-id": i.ID, "instance-type": i.Type, "ami-id": i.AMI,
		"hostname": i.Hostname, "local-hostname": i.Hostname, "public-hostname": i.PublicHostname,
		"local-ipv4": i.PrivateIP, "public-ipv4": i.PublicIP, "ipv6": i.IPv6,
		"placement/region": i.Region, "placement/availability-zone": i.Zone, "placement/availability-zone-id": i.ZoneID,
		"services/partition": "aws", "services/domain": "amazonaws.com",
		"security-groups":     strings.Join(i.SecurityGroups, "\n"),
		"instance-life-cycle": i.LifeCycle, "autoscaling/target-lifecycle-state": i.TargetLifecycle,
		"spot/instance-action": i.SpotAction,
	} {
		set("meta-data/"+path, value)
	}
	for k, v := range i.Tags {
		t["meta-data/tags/instance/"+k] = v // also empty: a tag may be
	}
	for k, v := range i.BlockDevices {
		set("meta-data/block-device-mapping/"+k, v)
	}
	for n, f := range i.Interfaces {
		if n == 0 {
			set("meta-data/mac", f.MAC)
		}
		f.leaves(set)
	}
	if i.Role != "" {
		t["meta-data/iam/security-credentials/"+i.Role] = i.Credentials.document()
	}
	set("dynamic/instance-identity/document", i.document())
	set("user-data", string(i.UserData))
	return t
}

// document is what the role's credentials are given as.
func (c Credentials) document() string {
	return marshal("credentials", map[string]any{
		"Code": "Success", "LastUpdated": "2026-01-01T00:00:00Z", "Type": "AWS-HMAC", "Expiration": "2036-01-01T00:00:00Z",
		"AccessKeyId": c.AccessKeyID, "SecretAccessKey": c.SecretAccessKey, "Token": c.Token,
	})
}

func (f Interface) leaves(set func(path, value string)) {
	dir := "meta-data/network/interfaces/macs/" + f.MAC + "/"
	set(dir+"mac", f.MAC)
	set(dir+"device-number", strconv.Itoa(f.Device))
	set(dir+"interface-id", f.ID)
	set(dir+"subnet-id", f.SubnetID)
	set(dir+"vpc-id", f.VPCID)
	set(dir+"local-ipv4s", strings.Join(f.IPv4, "\n"))
	set(dir+"ipv6s", strings.Join(f.IPv6, "\n"))
}

// document is the instance identity document.
func (i Instance) document() string {
	id := i.DocumentID
	if id == "" {
		id = i.ID
	}
	values := map[string]any{
		"accountId": i.Account, "architecture": "x86_64", "availabilityZone": i.Zone,
		"imageId": i.AMI, "instanceId": id, "instanceType": i.Type,
		"privateIp": i.PrivateIP, "region": i.Region, "version": "2017-09-30",
	}
	if i.PendingTime != "" {
		values["pendingTime"] = i.PendingTime
	}
	return marshal("identity document", values)
}

func marshal(what string, values map[string]any) string {
	b, err := json.MarshalIndent(values, "", "  ")
	if err != nil { // strings always marshal
		panic(fmt.Sprintf("%s: %v", what, err))
	}
	return string(b)
}
