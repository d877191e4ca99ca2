package roles

// byHand are the layers that may say what runs as root: those that belong to
// who makes or launches the machine. Who may tag it is not among them.
var byHand = []Layer{RoleFile, UserData, Local}

func scriptsSchema() *schemaKey {
	return &schemaKey{name: "scripts", only: byHand, doc: "Programs that prepare the machine, and that take leave of it.", keys: []*schemaKey{
		{name: "startup", doc: "Paths of programs that are run in this order, once on an instance, before its services start.", is: filePath(), list: true},
		{name: "startup_timeout", doc: "How long each of them may run, whatever becomes meanwhile of the agent or of the pass that began it.", is: someTime(), def: "2m"},
		{name: "shutdown", doc: "Paths of programs that the daemon runs in this order when the machine goes down.", is: filePath(), list: true},
		{name: "shutdown_timeout", doc: "How long all of them together may run.", is: wholeSeconds(60, ": the machine is going down"), def: "20s"},
	}}
}

func servicesSchema() *schemaKey {
	return &schemaKey{name: "services", only: byHand, list: true, is: unitName("service", "socket", "timer"),
		doc: "The role's own units, installed disabled, which are started once a boot."}
}

func readySchema() *schemaKey {
	return &schemaKey{name: "ready", only: byHand, list: true, doc: "Checks that must all be passed before the machine counts as ready.", entry: []*schemaKey{
		{name: "tcp", doc: "An address and port that takes connections.", is: hostPort(), pick: true},
		{name: "http", doc: "A URL that answers 2xx; redirects are not followed.", is: healthURL(), pick: true},
		{name: "unit", doc: "A unit that is active.", is: unitName("service", "socket", "timer", "mount", "target", "path"), pick: true},
		{name: "file", doc: "A path that is there.", is: filePath(), pick: true},
		{name: "command", doc: "A program and its words, no shell, that ends with exit code 0 within ten seconds; it must only look.",
			is: freeText(1024), first: filePath(), list: true, least: 1, again: true, pick: true},
		{name: "timeout", doc: "How long it may take to become so.", is: someTime(), def: "2m"},
	}}
}
