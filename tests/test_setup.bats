#!/usr/bin/env bats
# test_setup.bats - tools/setup.sh asks for what is missing and nothing else.
# All programs that it could change a system with are stand-ins that write
# down what they are asked.
# shellcheck disable=SC2016

setup() {
	setup_=$BATS_TEST_DIRNAME/../tools/setup.sh
	dir=$(mktemp -d)
	bin=$dir/bin
	mkdir "$bin"
	local tool
	for tool in sh sed cut cat env mktemp rm; do
		ln -s "$(command -v "$tool")" "$bin/$tool"
	done
	stand_in dpkg-query 'exit 1'
	stand_in id 'echo 0'
	stand_in apt-get 'echo "apt-get $*" >>"$LOG"'
	stand_in sudo 'echo "sudo" >>"$LOG"; exec "$@"'
	export LOG=$dir/log
}
teardown() {
	rm -rf "$dir"
}

stand_in() {
	printf '#!/bin/sh\n%s\n' "$2" >"$bin/$1"
	chmod +x "$bin/$1"
}

# dpkg knows every package that it is asked for but these
all_but() {
	stand_in dpkg-query 'shift 3; for p; do case " '"$*"' " in *" $p "*) ;;
		*) echo "$p installed" ;; esac; done'
}

try() {
	run env PATH="$bin" "$setup_" "$@"
	echo "$output"
}

@test "nothing missing is silent and touches nothing" {
	all_but
	rm "$bin/sudo"
	stand_in id 'echo 1000'
	try test
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ ! -e "$LOG" ]
}

@test "what is missing is said in one line and installed" {
	all_but liblmdb-dev zstd
	try build
	[ "$status" -eq 0 ]
	[ "$output" = 'setup: installing liblmdb-dev zstd' ]
	[ "$(cat "$LOG")" = 'apt-get -qq update
apt-get -qq install -y --no-install-recommends liblmdb-dev zstd' ]
}

@test "who is not root uses sudo" {
	all_but make
	stand_in id 'echo 1000'
	try build
	[ "$status" -eq 0 ]
	grep -q sudo "$LOG"
	rm "$bin/sudo"
	try build
	[ "$status" -eq 1 ]
	[[ $output == *'run as root'*make ]]
}

@test "test wants what build wants and more" {
	all_but libssl-dev bats
	try build
	[ "$output" = 'setup: installing libssl-dev' ]
	try test
	[ "$output" = 'setup: installing libssl-dev bats' ]
}

@test "bench wants what build wants and more, and no tools of tests" {
	all_but libssl-dev bats libsqlite3-dev
	try bench
	[ "$output" = 'setup: installing libssl-dev libsqlite3-dev' ]
}

@test "a program on the path is enough, and so is node 18" {
	all_but make nodejs
	stand_in make :
	stand_in node 'exit 0'
	try test
	[ -z "$output" ]
	stand_in node 'exit 1'
	try test
	[ "$output" = 'setup: installing nodejs' ]
}

@test "a package that was removed is missing" {
	stand_in dpkg-query 'shift 3; for p; do echo "$p config-files"; done'
	try build
	[[ $output == *' liblmdb-dev '* ]]
}

@test "what apt-get says is shown when it fails" {
	all_but zstd
	stand_in apt-get 'echo no network; exit 100'
	try build
	[ "$status" -ne 0 ]
	[[ $output == *'no network'*'setup: apt-get update failed' ]]
}

@test "without apt-get the missing packages are named" {
	rm "$bin/apt-get" "$bin/dpkg-query"
	try build
	[ "$status" -eq 1 ]
	[[ $output == *'by the names of Debian'*' liblmdb-dev '* ]]
	local tool
	for tool in cc make pkg-config zstd; do
		stand_in "$tool" :
	done
	try build
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "a wrong call is told how it is called right" {
	try everything
	[ "$status" -eq 2 ]
	[[ $output == usage:* ]]
}
