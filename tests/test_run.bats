#!/usr/bin/env bats
# test_run.bats - the runner counts what it is told, and doubts the rest.

setup() {
	run_=$BATS_TEST_DIRNAME/run
	dir=$(mktemp -d)
	cd "$dir" || return 1
}
teardown() {
	rm -rf "$dir"
}

# item NAME: stdin becomes the body of an executable script
item() {
	{ echo '#!/bin/sh'; cat; } >"$1"
	chmod +x "$1"
}

# tap NAME LINE...: an item that prints these lines
tap() {
	local name=$1
	shift
	{ echo 'cat <<"END"'; printf '%s\n' "$@" END; } | item "$name"
}

last() {
	echo "${lines[${#lines[@]} - 1]}"
}

# fails WHY: the item `bad` is one failure besides what its lines say
fails() {
	run "$run_" bad
	echo "$output"
	[ "$status" -eq 1 ]
	[[ ${lines[0]} == *" failed  bad: $1" ]]
}

@test "what passes is one line and a total" {
	tap good 1..2 'ok 1 - one' 'ok 2 - two'
	run "$run_" good
	[ "$status" -eq 0 ]
	[ "$output" = '   2 ok  good
2 passed, 0 failed' ]
}

@test "a failed item shows all of its output, stderr too" {
	item bad <<-'END'
		echo 1..2; echo ok 1 - one; echo not ok 2 - two
		echo '# because'; echo 'and that' >&2; exit 1
	END
	run "$run_" bad
	[ "$status" -eq 1 ]
	[[ $output == *'   1 ok, 1 failed  bad'*'| # because'*'| and that'* ]]
	[ "$(last)" = '1 passed, 1 failed' ]
}

@test "a not ok counts although the exit status is 0" {
	tap bad 1..1 'not ok 1 - one'
	run "$run_" bad
	[ "$status" -eq 1 ]
	[ "$(last)" = '0 passed, 1 failed' ]
}

@test "a crash is a failure" {
	item bad <<<'echo 1..1; echo ok 1; kill -SEGV $$'
	fails 'killed by signal 11'
	[ "$(last)" = '1 passed, 1 failed' ]
}

@test "an exit status without a not ok is a failure" {
	item bad <<<'echo 1..1; echo ok 1; exit 23'
	fails 'exit status 23'
}

@test "a missing plan is a failure" {
	tap bad 'ok 1'
	fails 'no plan'
}

@test "no output at all is a failure" {
	item bad <<<:
	fails 'no plan'
}

@test "fewer and more results than planned are a failure" {
	tap bad 1..3 'ok 1' 'ok 2'
	fails 'planned 3 and got 2'
	tap bad 1..1 'ok 1' 'ok 2'
	fails 'planned 1 and got 2'
}

@test "bailing out is a failure" {
	tap bad 1..1 'ok 1' 'Bail out! no disk'
	fails 'bailed out'
}

@test "an item that is not there is a failure" {
	fails 'exit status 127, no plan'
}

@test "the plan may come last, and several plans add up" {
	tap late 'ok 1' 'ok 2' 1..2
	tap groups 1..1 'ok 1' 1..2 'ok 1' 'ok 2'
	run "$run_" late groups
	[ "$status" -eq 0 ]
	[ "$(last)" = '5 passed, 0 failed' ]
}

@test "skips are told with their reasons and do not fail" {
	tap bats 1..2 'ok 1 fast' 'ok 2 slow # skip no time'
	tap cmocka 1..1 'this kernel is old' 'not ok 1 # SKIP a_test'
	tap all '1..0 # SKIP go is not installed'
	tap mute 1..2 'ok 1 - before' 'not ok 2 # SKIP a_mute'
	run "$run_" bats cmocka all mute
	[ "$status" -eq 0 ]
	[[ $output == *'skipped: slow: no time'* ]]
	[[ $output == *'skipped: a_test: this kernel is old'* ]]
	[[ $output == *'skipped: go is not installed'* ]]
	[[ $output == *'skipped: a_mute: no reason given'* ]]
	[ "$(last)" = '2 passed, 0 failed, 4 skipped' ]
}

@test "a name with skip in it is no skip, and an indented line no result" {
	tap good 1..2 'ok 1 - we # skipping' '    not ok 1 - inner' \
		'ok 2 - skip # of no one'
	run "$run_" good
	[ "$(last)" = '2 passed, 0 failed' ]
}

@test "cmocka programs are asked for TAP" {
	# shellcheck disable=SC2016
	item good <<<'echo "1..1"; echo "ok 1 - $CMOCKA_MESSAGE_OUTPUT" |
		grep TAP'
	run "$run_" good
	[ "$(last)" = '1 passed, 0 failed' ]
}

@test "bats files are run by bats" {
	printf '@test "%s" { %s; }\n' yes true no false late 'skip now' \
		>three.bats
	# without what the bats that runs this left in the environment
	run env -i PATH=/usr/local/bin:/usr/bin:/bin "$run_" three.bats
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *'skipped: late: now'* ]]
	[ "$(last)" = '1 passed, 1 failed, 1 skipped' ]
}

@test "a label goes before each item" {
	tap good 1..1 'ok 1'
	run "$run_" -l asan good "$dir/good"
	[ "${lines[0]}" = 'asan    1 ok  good' ]
	[ "${lines[1]}" = 'asan    1 ok  good' ]
}

@test "a path may have spaces" {
	mkdir 'a b'
	tap 'a b/good one' 1..1 'ok 1'
	run "$run_" 'a b/good one'
	[ "${lines[0]}" = '   1 ok  good one' ]
}

@test "several calls add up to one total" {
	tap good 1..2 'ok 1' 'ok 2 # skip no'
	tap bad 1..1 'not ok 1'
	run "$run_" -o sum good
	[ "$status" -eq 0 ]
	[[ $output != *passed* ]]
	run "$run_" -o sum -l asan bad
	[ "$status" -eq 1 ]
	run "$run_" -t sum
	[ "$status" -eq 1 ]
	[ "$output" = '1 passed, 1 failed, 1 skipped' ]
}

@test "a total of nothing is a failure" {
	run "$run_" -t none
	[ "$status" -eq 1 ]
	[ "$(last)" = '0 passed, 1 failed' ]
	: >empty
	run "$run_" -t empty
	[ "$status" -eq 1 ]
}

@test "a wrong call is told how it is called right" {
	run "$run_"
	[ "$status" -eq 2 ]
	[[ $output == usage:* ]]
	run "$run_" -x
	[ "$status" -eq 2 ]
}

@test "with -c the comments of what passed are shown, and of its lines no other" {
	tap good 1..1 '# 12 states' 'ok 1 - a'
	run "$run_" -c good
	[ "$status" -eq 0 ]
	[[ $output == *'12 states'* ]]
	[[ $output != *'ok 1'* ]]
	run "$run_" good
	[[ $output != *'12 states'* ]]
}
