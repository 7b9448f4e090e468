#!/usr/bin/env bats
# shellcheck disable=SC2154
# openapi.bats - every operation of openapi.json is called on a server that
# runs, and every reply held against its JSON schema by a validator from npm.

load cli
load npm
load server

build=$BATS_TEST_DIRNAME/../build/openapi

setup_file() {
	npm_ci "$BATS_TEST_DIRNAME/openapi" "$build"
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
