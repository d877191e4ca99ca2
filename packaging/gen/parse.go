package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// cli is what `reveille help` says, taken apart.
type cli struct {
	about, exit string
	flags       []option // of all commands
	commands    []command
}

type command struct {
	name, usage, short, long string
	flags                    []option // its own
}

type option struct{ name, arg, text string }

// parseCommands reads docs/commands.md, which a test holds to what the program
// prints.
func parseCommands(doc string) (cli, error) {
	sections := strings.Split(doc, "\n## ")
	overview := strings.Split(fenced(sections[0]), "\n\n")
	var c cli
	for i, part := range overview {
		switch {
		case strings.HasPrefix(part, "Commands:"):
			c.about = strings.Join(overview[:i], "\n\n")
		case strings.HasPrefix(part, "Flags of all:"):
			c.flags = options(part)
			c.exit = strings.Join(overview[i+1:], "\n\n")
		}
	}
	for _, s := range sections[1:] {
		name, _, _ := strings.Cut(s, "\n")
		one, err := parseCommand(name, fenced(s), c.flags)
		if err != nil {
			return c, err
		}
		c.commands = append(c.commands, one)
	}
	if c.about == "" || len(c.flags) == 0 || len(c.commands) < 10 {
		return c, errors.New("docs/commands.md has no overview, flags or commands; mend the document, or parseCommands")
	}
	return c, nil
}

// parseCommand takes a help text apart: "reveille NAME [flags] ARGS: what it
// does", perhaps some paragraphs, and the flags, its own before those of all.
func parseCommand(name, text string, common []option) (command, error) {
	head, rest, _ := strings.Cut(text, "\n")
	usage, short, ok := strings.Cut(head, ": ")
	long, flags, ok2 := strings.Cut(rest, "Flags:\n")
	if !ok || !ok2 || !strings.HasPrefix(usage, "reveille "+name) {
		return command{}, fmt.Errorf("docs/commands.md: the section %q has no usage line or no flags", name)
	}
	c := command{name: name, usage: usage, short: short, long: strings.TrimSpace(long)}
	for _, o := range options(flags) {
		if !contains(common, o.name) {
			c.flags = append(c.flags, o)
		}
	}
	return c, nil
}

var optionLine = regexp.MustCompile(`(?m)^  --([a-z0-9-]+)(?: ([A-Z][^ ]*))? +(.+)$`)

func options(text string) []option {
	var all []option
	for _, m := range optionLine.FindAllStringSubmatch(text, -1) {
		all = append(all, option{m[1], m[2], m[3]})
	}
	return all
}

func contains(all []option, name string) bool {
	for _, o := range all {
		if o.name == name {
			return true
		}
	}
	return false
}

// fenced is the first block between ``` lines.
func fenced(text string) string {
	_, text, _ = strings.Cut(text, "```\n")
	text, _, _ = strings.Cut(text, "\n```")
	return text
}

// tableUnder is the cells of the first table below a heading, without its head.
func tableUnder(doc, heading string) [][]string {
	i := strings.Index(doc, heading)
	if i < 0 {
		return nil
	}
	var rows [][]string
	for line := range strings.Lines(doc[i:]) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			if len(rows) > 0 {
				break
			}
			continue
		}
		var cells []string
		for _, cell := range strings.Split(strings.ReplaceAll(strings.Trim(line, "|"), `\|`, "\x00"), "|") {
			cells = append(cells, strings.ReplaceAll(strings.TrimSpace(cell), "\x00", "|"))
		}
		rows = append(rows, cells)
	}
	if len(rows) < 2 {
		return nil
	}
	return rows[2:]
}
