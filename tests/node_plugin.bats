#!/usr/bin/env bats
# node_plugin.bats - the package service of the npm package: what a caller of
# the original may count on, asked of both; and kernels that run it.
#
# PAKHUS_NODE is the package as `make node` leaves it. What is compared with,
# and a kernel, come from npm, once, into build/service; without npm ours is
# tried alone.

here=$BATS_TEST_DIRNAME/node

setup_file() {
	local status=0 fetched

	PAKHUS_NODE=$(realpath -m \
		"${PAKHUS_NODE:-$BATS_TEST_DIRNAME/../build/node/package}")
	PAKHUS_TGZ=$(echo "${PAKHUS_NODE%/*}"/pakhus-*.tgz)
	unset SERVICE PAKHUS_STORE PAKHUS_STRICT PAKHUS_IMPORT
	NODE=$(command -v node) || :
	fetched=$("$here/plugin/fetch" 2>"$BATS_FILE_TMPDIR/why" 3>&-) ||
		status=$?
	if [ "$status" -eq 0 ]; then
		SERVICE=${fetched%%$'\n'*}
		NODE=${fetched#*$'\n'}
		export SERVICE
	elif [ "$status" -eq 3 ]; then # only who cannot reach npm is let off
		NO_SERVICE=$(cat "$BATS_FILE_TMPDIR/why")
		export NO_SERVICE
	else
		cat "$BATS_FILE_TMPDIR/why"
		return 1
	fi
	export PAKHUS_NODE PAKHUS_TGZ NODE
}

setup() {
	[ -e "$PAKHUS_NODE/plugin.cjs" ] ||
		skip "there is no $PAKHUS_NODE: make node"
	cd "$BATS_TEST_TMPDIR" || return
	export TMPDIR=$BATS_TEST_TMPDIR
}

needs_service() {
	[ -z "${NO_SERVICE-}" ] || skip "$NO_SERVICE"
}

# Runs a file of tests, some of which have to pass.
tests() {
	"$NODE" --no-warnings "$here/$1.mjs" >out 2>&1 3>&- &&
		grep -Eq '(#|ℹ) pass [1-9]' out && return
	cat out
	return 1
}

@test "the original answers as the suite says" {
	needs_service
	IMPLEMENTATION=original tests plugin_conformance
}

@test "ours answers as the suite says" {
	IMPLEMENTATION=ours tests plugin_conformance
}

@test "ours answers so with strict" {
	IMPLEMENTATION=strict tests plugin_conformance
}

@test "ours answers so in a host without ObjectStack's packages" {
	unset SERVICE
	IMPLEMENTATION=ours tests plugin_conformance
}

@test "ours answers so on the Node that is installed" {
	unset SERVICE
	NODE=$(command -v node)
	IMPLEMENTATION=ours tests plugin_conformance
}

@test "where ours differs from the original" {
	tests plugin_differences
}

@test "the handshake of protocols" {
	tests plugin_protocol
}

@test "packages are imported from the original's table" {
	tests plugin_import
}

@test "a start gets by with less memory than the packages take" {
	tests plugin_boot
}

@test "a kernel of ObjectStack runs it by the original's name" {
	needs_service
	tests plugin_kernel
}

@test "README.md shows what the kernel was given" {
	# shellcheck disable=SC2016
	shown() { sed -n '/^npm pkg set/,/^```$/p' "$1" | sed '/^```$/,$d'; }
	shown "$BATS_TEST_DIRNAME/../README.md" >want
	shown "$PAKHUS_NODE/README.md" >got
	[ "$(wc -l <want)" -eq 2 ]
	diff want got
}
