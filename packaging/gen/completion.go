package main

import (
	"fmt"
	"strings"
)

// completion is a script for bash: the words of a command, then its flags; and
// files, which is what most arguments are.
func completion(c cli) string {
	var b strings.Builder
	b.WriteString(`# bash completion for reveille(1)
_reveille() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} i word= flags words=
  case $prev in
    --log-level) COMPREPLY=($(compgen -W "debug info warn error" -- "$cur")); return ;;
`)
	fmt.Fprintf(&b, "    %s) return ;;\n  esac\n", strings.Join(withValue(c), "|"))
	// A flag's value is no part of the command's name.
	b.WriteString("  for ((i = 1; i < COMP_CWORD; i++)); do\n    case ${COMP_WORDS[i]} in\n")
	fmt.Fprintf(&b, "      %s|--log-level) ((++i)) ;;\n", strings.Join(withValue(c), "|"))
	b.WriteString("      -*) ;;\n      *) word=\"${word:+$word }${COMP_WORDS[i]}\" ;;\n    esac\n  done\n")
	fmt.Fprintf(&b, "  flags=%q\n  case $word in\n", names(c.flags))
	first, groups, order := tree(c)
	fmt.Fprintf(&b, "    '') words=%q ;;\n", strings.Join(append(first, "help"), " "))
	for _, g := range order {
		fmt.Fprintf(&b, "    %s) words=%q ;;\n", g, strings.Join(groups[g], " "))
	}
	for _, cmd := range c.commands {
		if len(cmd.flags) > 0 {
			fmt.Fprintf(&b, "    \"%s\"*) flags+=%q ;;\n", cmd.name, " "+names(cmd.flags))
		}
	}
	b.WriteString(`  esac
  [[ $cur != -* ]] || words=$flags
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _reveille reveille
`)
	return b.String()
}

// tree is the commands' first words, and the second ones of each that has any.
func tree(c cli) (first []string, groups map[string][]string, order []string) {
	groups = map[string][]string{}
	for _, cmd := range c.commands {
		group, sub, two := strings.Cut(cmd.name, " ")
		if two {
			if groups[group] == nil {
				order = append(order, group)
			}
			groups[group] = append(groups[group], sub)
		}
		if !two || len(groups[group]) == 1 {
			first = append(first, group)
		}
	}
	return first, groups, order
}

// withValue is every flag that takes a value, but for --log-level, whose
// values are known.
func withValue(c cli) []string {
	seen := map[string]bool{"log-level": true}
	var all []string
	add := func(options []option) {
		for _, o := range options {
			if o.arg != "" && !seen[o.name] {
				seen[o.name] = true
				all = append(all, "--"+o.name)
			}
		}
	}
	add(c.flags)
	for _, cmd := range c.commands {
		add(cmd.flags)
	}
	return all
}

func names(options []option) string {
	var all []string
	for _, o := range options {
		all = append(all, "--"+o.name)
	}
	return strings.Join(all, " ")
}
