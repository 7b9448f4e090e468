#!/usr/bin/env bats
# node_plugin.bats - the package service of the npm package: what a caller of
# the original may count on, asked of both; and kernels that run it.
#
# PAKHUS_NODE is the package as `make node` leaves it. What is compared with,
# and a kernel, come from npm, once, into build/service; without npm ours is
# tried alone.

top=$BATS_TEST_DIRNAME/..
service=$top/build/service
here=$BATS_TEST_DIRNAME/node

# The original wants a Node of 22 or newer, and these tests one with SQLite.
good_node() {
	local candidate

	for candidate in "$(command -v node)" \
		"$service"/node_modules/node-linux-*/bin/node; do
		"$candidate" -e 'require("node:sqlite")' >/dev/null 2>&1 ||
			continue
		echo "$candidate"
		return
	done
}

setup_file() {
	local lock=$here/plugin/package-lock.json node

	PAKHUS_NODE=$(realpath "${PAKHUS_NODE:-$top/build/node/package}")
	PAKHUS_TGZ=$(echo "${PAKHUS_NODE%/*}"/pakhus-*.tgz)
	unset SERVICE PAKHUS_STORE PAKHUS_STRICT PAKHUS_IMPORT
	export PAKHUS_NODE PAKHUS_TGZ
	command -v npm >/dev/null || {
		export NO_SERVICE='npm is not installed'
		return
	}
	mkdir -p "$service"
	cp "$here/plugin/load.mjs" "$service"
	node=$(good_node)
	if [ -z "$node" ] || ! cmp -s "$lock" "$service/done"; then
		cp "$here"/plugin/package*.json "$service"
		if (cd "$service" && timeout 600 npm ci --ignore-scripts \
			--no-audit --no-fund --legacy-peer-deps \
			${node:+--omit=optional}) \
			>"$service/npm.log" 2>&1 3>&-; then
			# better-sqlite3 is optional to npm, and not to us
			[ -e "$service/node_modules/better-sqlite3" ] || return
			cp "$lock" "$service/done"
		else # only who cannot reach npm is let off
			rm -f "$service/done"
			grep -Eq 'E(CONN|NOTFOUND|AI_AGAIN|TIMEDOUT|NETUNREACH|50[0-9])|network' \
				"$service/npm.log"
			NO_SERVICE="npm cannot be reached: $(grep -m 1 \
				'npm error' "$service/npm.log")"
			export NO_SERVICE
			return
		fi
	fi
	SERVICE=$(realpath "$service")
	export SERVICE
}

setup() {
	[ -e "$PAKHUS_NODE/plugin.cjs" ] ||
		skip "there is no $PAKHUS_NODE: make node"
	cd "$BATS_TEST_TMPDIR" || return
	export TMPDIR=$BATS_TEST_TMPDIR
	node=$(good_node)
	node=${node:-$(command -v node)}
}

needs_service() {
	[ -z "${NO_SERVICE-}" ] || skip "$NO_SERVICE"
}

# Runs a file of tests, some of which have to pass.
tests() {
	"$node" --no-warnings "$here/$1.mjs" >out 2>&1 3>&- &&
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
	node=$(command -v node)
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
