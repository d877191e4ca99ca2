package main

import "strings"

func agentPage(w what, c cli, files [][]string) string {
	p := newPage(w, "reveille", 1, "wake an EC2 instance into its role")
	p.macro(".SH", "SYNOPSIS")
	p.macro(".B", "reveille COMMAND [FLAGS] [ARGUMENTS]")
	p.macro(".SH", "DESCRIPTION")
	p.say(c.about)
	p.macro(".SH", "COMMANDS")
	for _, cmd := range c.commands {
		p.macro(".SS", cmd.usage)
		p.say(sentence(cmd.short))
		if cmd.long != "" {
			p.say("\n" + cmd.long)
		}
		p.options(cmd.flags)
	}
	p.macro(".SH", "FLAGS OF ALL COMMANDS")
	p.options(c.flags)
	p.macro(".SH", "EXIT STATUS")
	p.say(c.exit)
	p.macro(".SH", "ENVIRONMENT")
	p.item("AWS_EC2_METADATA_SERVICE_ENDPOINT", "where the metadata service answers, if not at its usual address")
	p.item("AWS_ENDPOINT_URL_EC2", "where the EC2 API answers, if not at the region's own address")
	p.say("\nreveille.service reads both from /etc/default/reveille.")
	p.macro(".SH", "FILES")
	for _, row := range files {
		p.item(row[0], row[1])
	}
	p.macro(".SH", "SEE ALSO")
	p.say("reveille-profile(5), reveille-coordinator(1); examples are in /usr/share/doc/reveille/examples.")
	return p.String()
}

func profilePage(w what, keys [][]string) string {
	p := newPage(w, "reveille-profile", 5, "what a role file, user-data or local.yaml may say")
	p.macro(".SH", "DESCRIPTION")
	p.say("Role files (/etc/reveille/roles.d/*.yaml), user-data and /etc/reveille/local.yaml share one schema, " +
		"which \"reveille schema\" prints as JSON Schema. Later layers outrank earlier ones: defaults, role file, tags, " +
		"user-data, local.yaml. \"reveille validate\" finds every mistake at once, and \"reveille debug explain KEY\" " +
		"says which layer set a value.")
	p.macro(".SH", "KEYS")
	for _, row := range keys {
		text := row[2]
		if row[1] != "" {
			text += " Default: " + row[1] + "."
		}
		p.item(row[0], text)
	}
	p.macro(".SH", "SEE ALSO")
	p.say("reveille(1); examples are in /usr/share/doc/reveille/examples.")
	return p.String()
}

func coordinatorPage(w what, help string) string {
	about, rest, _ := strings.Cut(help, "\n\n")
	p := newPage(w, "reveille-coordinator", 1, "collect readiness reports of instances")
	p.macro(".SH", "DESCRIPTION")
	p.say(about + "\n\n" + rest)
	p.macro(".SH", "FILES")
	p.item("/etc/default/reveille-coordinator", "OPTIONS of reveille-coordinator.service")
	p.item("/var/lib/reveille-coordinator", "the store, in a folder for its own user alone")
	p.macro(".SH", "SEE ALSO")
	p.say("reveille(1)")
	return p.String()
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] + "." }
