package facts

// instance asks for everything that EC2 says of the instance, given the
// answer to the instance id, and does the rest beside it. It returns when all
// questions have ended.
func (c *crawl) instance(id answer, rest func()) Instance {
	var i Instance
	i.ID = use(c, idPath, id, instanceID)
	if !i.ID.IsKnown() {
		c.stopUnnamed(i.ID)
	}
	all := []func(){
		rest,
		func() { i.Interfaces = c.interfaces() },
		func() { i.Tags = c.tags() },
		func() { i.BlockDevices = c.folder("meta-data/block-device-mapping/", name, word) },
		func() { i.SecurityGroups = parsed(c, "meta-data/security-groups", lines(word)) },
		func() { i.TargetLifecycle = c.targetLifecycle() },
		func() { i.SpotAction = c.spotAction() },
		func() { i.Document = parsed(c, documentPath, document) },
	}
	for _, q := range []struct {
		to    *Fact[string]
		path  string
		parse func(string) (string, error)
	}{
		{&i.Region, "placement/region", place},
		{&i.Zone, "placement/availability-zone", place},
		{&i.ZoneID, "placement/availability-zone-id", place},
		{&i.Partition, "services/partition", name},
		{&i.Domain, "services/domain", name},
		{&i.Type, "instance-type", name},
		{&i.AMI, "ami-id", name},
		{&i.Hostname, "hostname", hostName},
		{&i.LocalHostname, "local-hostname", hostName},
		{&i.PublicHostname, "public-hostname", hostName},
		{&i.PrivateIP, "local-ipv4", address},
		{&i.PublicIP, "public-ipv4", address},
		{&i.MAC, "mac", hardware},
		{&i.LifeCycle, "instance-life-cycle", name},
	} {
		all = append(all, func() { *q.to = parsed(c, "meta-data/"+q.path, q.parse) })
	}
	c.run(all...)
	i.Account = c.account(i)
	i.IPv6 = primaryIPv6(i.Interfaces)
	return i
}

// primaryIPv6 is the first address of the primary interface: what
// meta-data/ipv6 says, which older services and mocks lack.
func primaryIPv6(f Fact[[]Interface]) Fact[string] {
	all, ok := f.Get()
	if !ok {
		return as[string](f)
	}
	for _, i := range all {
		if i.Device == 0 && len(i.IPv6) > 0 {
			return Known(i.IPv6[0])
		}
	}
	return Absent[string]()
}

const documentPath = "dynamic/instance-identity/document"

// stopUnnamed ends a crawl that does not know whose facts it would read.
func (c *crawl) stopUnnamed(id Fact[string]) {
	r, detail := id.Why()
	if id.IsAbsent() {
		r, detail = Malformed, "there is no instance id here: this is not IMDS"
		c.problem(idPath, r, detail)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end(idPath, answer{reason: r, detail: detail})
}

// account is the document's, where the document is this instance's. It is
// static and can be replayed, so that meta-data's own id is the one that counts.
func (c *crawl) account(i Instance) Fact[string] {
	d, known := i.Document.Get()
	if !known {
		if i.Document.IsAbsent() {
			return Absent[string]()
		}
		return Unknown[string](i.Document.Why())
	}
	if id, ok := i.ID.Get(); ok && id != d.InstanceID {
		detail := "the identity document is " + d.InstanceID + "'s, the instance is " + id
		c.problem(documentPath, Malformed, detail)
		return Unknown[string](Malformed, detail)
	}
	if d.AccountID == "" {
		return Absent[string]()
	}
	return Known(d.AccountID)
}
