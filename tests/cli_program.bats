#!/usr/bin/env bats
# shellcheck disable=SC2094
# The program as such: its own options, its command line, its output.

load cli

@test "without a command it prints the usage and fails" {
	pk
	[ "$status" -eq 2 ]
	[ ! -s out ]
	[ "$(head -1 err)" = 'usage: pakhus [-C STORE] COMMAND [ARG...]' ]
}

@test "--version prints the version" {
	pk --version
	want 0 'pakhus 0.1.0'
}

@test "--help and -h print the commands on stdout" {
	pk --help
	mv out help
	[ "$status" -eq 0 ]
	[ ! -s err ]
	pk -h
	want 0 "$(cat help)"
	pk help
	want 0 "$(cat help)"
}

@test "a command that is none is a usage error" {
	pk frobnicate
	want 2 '' "\
pakhus: no such command: frobnicate
try: pakhus help"
}

@test "an option that is none is a usage error" {
	pk --frobnicate list
	want 2 '' "\
pakhus: no such option: --frobnicate
try: pakhus help"
	pk list --jso
	want 2 '' "\
pakhus: list: no such option: --jso
usage: pakhus list [--json] [--limit N] [--before PLACE]"
	pk list -x
	want 2 '' "\
pakhus: list: no such option: -x
usage: pakhus list [--json] [--limit N] [--before PLACE]"
}

@test "an option without its argument is a usage error" {
	pk -C
	want 2 '' "\
pakhus: -C needs an argument
try: pakhus help"
	pk list --limit
	want 2 '' "\
pakhus: list: --limit needs an argument
usage: pakhus list [--json] [--limit N] [--before PLACE]"
}

@test "a flag with an argument is a usage error" {
	pk list --json=yes
	want 2 '' "\
pakhus: list: an option takes no argument: --json=yes
usage: pakhus list [--json] [--limit N] [--before PLACE]"
}

@test "one argument too many is a usage error" {
	pk list more
	want 2 '' "\
pakhus: list: one argument too many: more
usage: pakhus list [--json] [--limit N] [--before PLACE]"
}

@test "the store is -C, before PAKHUS_STORE, before ./pakhus-store" {
	"$PAKHUS" -C one init >/dev/null
	doc a 1 | "$PAKHUS" -C one publish - >/dev/null
	doc b 1 | "$PAKHUS" -C two publish - >/dev/null
	unset PAKHUS_STORE
	doc c 1 | "$PAKHUS" publish - >/dev/null
	[ -d pakhus-store ]
	pk list
	[ "$(cut -f1 out)" = c ]
	PAKHUS_STORE=two pk list
	[ "$(cut -f1 out)" = b ]
	PAKHUS_STORE=two pk -C one list
	[ "$(cut -f1 out)" = a ]
	PAKHUS_STORE=two pk list -C one
	[ "$(cut -f1 out)" = a ]
	PAKHUS_STORE=two pk -Cone list
	[ "$(cut -f1 out)" = a ]
	PAKHUS_STORE='' pk list
	[ "$(cut -f1 out)" = c ]
}

@test "an empty name of a store is a usage error" {
	pk -C '' list
	want 2 '' "\
pakhus: list: the store's name is empty
usage: pakhus list [--json] [--limit N] [--before PLACE]"
}

@test "where there is no store, each reader says so and exits 3" {
	for verb in list 'versions a' history 'get a' 'delete a' 'diff a@1 a@2' \
		stat key verify "cat $(printf '%064d' 0)"; do
		# shellcheck disable=SC2086
		pk $verb
		want 3 '' "\
pakhus: ${verb%% *}: store: no store there
pakhus: ${verb%% *}: make one with \`pakhus -C store init\`, or publish into it"
	done
	[ ! -e store ]
}

@test "what is no store is told apart from none" {
	mkdir dir
	pk -C dir list
	want 3 '' "\
pakhus: list: dir: not a pakhus store (it has no file FORMAT)
pakhus: list: make one with \`pakhus -C dir init\`, or publish into it"
	touch file
	pk -C file list
	want 3 '' 'pakhus: list: the store file is not a directory'
}

@test "options after -- are operands" {
	pk get -- --json
	want 3 '' "\
pakhus: get: store: no store there
pakhus: get: make one with \`pakhus -C store init\`, or publish into it"
}

@test "no store is promised in a directory that holds something" {
	mkdir dir
	touch dir/other
	pk -C dir list
	want 3 '' 'pakhus: list: dir: not a pakhus store (it has no file FORMAT)'
}

@test "a full disk under stdout is a failure" {
	put a 1
	for verb in list 'get a' stat key 'versions a' history help verify; do
		status=0
		# shellcheck disable=SC2086
		"$PAKHUS" $verb >/dev/full 2>err || status=$?
		[ "$status" -eq 1 ]
		: >out
		want 1 '' \
			"pakhus: ${verb%% *}: write to stdout: No space left on device"
	done
}

@test "a closed pipe and a closed stdout are failures, not signals" {
	put a 1
	mkfifo pipe
	exec 8<>pipe 9>pipe 8>&- # a writer whose reader is gone
	status=0
	"$PAKHUS" list >&9 2>err || status=$?
	: >out
	want 1 '' 'pakhus: list: write to stdout: Broken pipe'
	status=0
	"$PAKHUS" list >&- 2>err || status=$?
	want 1 '' 'pakhus: list: write to stdout: Bad file descriptor'
}

@test "a store is not written through a closed stdout" {
	for fds in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
		doc a 1 >doc.json
		eval '"$PAKHUS" publish doc.json '"$fds" || :
	done
	pk verify
	[ "$status" -eq 0 ]
}

@test "a control character in a name does not reach the terminal" {
	pk publish $'no\033[31mred'
	want 1 '' 'pakhus: publish: no?[31mred: No such file or directory'
}
