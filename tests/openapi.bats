#!/usr/bin/env bats
# shellcheck disable=SC2154
# openapi.bats - every operation of openapi.json is called on a server that
# runs, and every reply held against its JSON schema by a validator from npm.

load cli
load server

build=$BATS_TEST_DIRNAME/../build/openapi

# Once, into build/; what is there already is what the lock file says.
setup_file() {
	local lock=$BATS_TEST_DIRNAME/openapi/package-lock.json

	command -v npm >/dev/null || {
		export NO_NPM='npm is not installed'
		return
	}
	mkdir -p "$build"
	! cmp -s "$lock" "$build/done" || return 0
	cp "$BATS_TEST_DIRNAME"/openapi/package*.json "$build"
	if (cd "$build" && timeout 300 npm ci --ignore-scripts --no-audit \
		--no-fund) >"$build/npm.log" 2>&1 3>&-; then
		cp "$lock" "$build/done"
	else # only who cannot reach npm is let off
		grep -Eq 'E(CONN|NOTFOUND|AI_AGAIN|TIMEDOUT|NETUNREACH|50[0-9])|network' \
			"$build/npm.log"
		NO_NPM="npm cannot be reached: $(grep -m 1 'npm error' \
			"$build/npm.log")"
		export NO_NPM
	fi
}

teardown() {
	stop
}

@test "every reply is as openapi.json says" {
	[ -z "${NO_NPM-}" ] || skip "$NO_NPM"
	pk token create --tokens tokens root --scope admin
	[ "$status" -eq 0 ]
	serve --tokens tokens --anonymous all
	cp "$BATS_TEST_DIRNAME/openapi/check.mjs" "$build"
	node "$build/check.mjs" "$url" "$(cat out)"
}
