#!/usr/bin/env bats
# shellcheck disable=SC2013

load cli

verbs=(
	init
	publish
	import
	get
	list
	versions
	delete
	attrs
	purge
	history
	diff
	verify
	prove
	gc
	cat
	stat
	site
	dump
	key
	checkpoint
	adopt
	mirror
	bundle
	serve
	token
	help
	completion
)

@test "help lists every command, and no other" {
	pk help
	[ "$status" -eq 0 ]
	[ "$(sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' out |
		tr '\n' ' ')" = "${verbs[*]} " ]
	for verb in "${verbs[@]}"; do
		grep -q "^  $verb " out
	done
}

@test "help explains a command" {
	pk help delete
	want 0 "\
usage: pakhus delete [--json] [--by LABEL] [--id ID] [--version V]
                     [ID[@VERSION]]

Delete one version, or all of a package.

All of them go in one step. Content stays in the history, see get --at, until
gc frees it.

options:
  --json             print JSON, one object a line
  --by LABEL         who does this, for the log (default: \$PAKHUS_BY)
  --id ID            the package, where ID has an @ in it
  --version V        the version; ID is then not split
  -C STORE           the directory of the store
  -h, --help         print this"
}

@test "a command's --help is its page of help" {
	for verb in "${verbs[@]}"; do
		pk help "$verb"
		mv out page
		pk "$verb" --help
		want 0 "$(cat page)"
		pk "$verb" -h
		want 0 "$(cat page)"
	done
}

@test "the lines of all pages fit on 80 columns" {
	for verb in "${verbs[@]}"; do
		pk help "$verb"
		[ "$(wc -L <out)" -le 80 ]
	done
}

@test "usage tells a place from a position, and what has to be given" {
	pk help history
	grep -q -- '\[--before SEQ\]' out
	pk help list
	grep -q -- '\[--before PLACE\]' out
	pk help get
	grep -qF ' [ID[@VERSION]]' out
	pk help adopt
	grep -qF 'adopt [--json] [--threads N] [--here] [SOURCE]' out
	pk help diff
	grep -qF 'exit status does not depend on differences' out
}

@test "the manual says how a store is copied, and which level is the default" {
	man=$BATS_TEST_DIRNAME/../tools/man/pakhus.1
	grep -q 'copied while nothing writes it' "$man"
	lacks "$man" 'copied while it is written'
	grep -q 'the default is 12' "$man"
}

@test "help for what is no command is a usage error" {
	pk help frobnicate
	want 2 '' "\
pakhus: help: no such command: frobnicate
usage: pakhus help [COMMAND]"
}

@test "the manual has every command and option" {
	man=$BATS_TEST_DIRNAME/../tools/man/pakhus.1
	pk help
	for verb in $(sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' out); do
		grep -Eq "^\.(It|It Xo|)\s*.*Cm $verb( |\$)" "$man"
		pk help "$verb"
		for opt in $(sed -n 's/^  --\([a-z]*\) .*/\1/p' out); do
			grep -q -- "Fl -$opt" "$man"
		done
		pk help
	done
}
