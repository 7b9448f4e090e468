#!/usr/bin/env bats

load cli

@test "key prints the verifier key" {
	"$PAKHUS" init --origin packages.example.org >/dev/null
	pk key
	[ "$status" -eq 0 ]
	[ ! -s err ]
	grep -Eqx 'packages\.example\.org\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*' out
	key=$(cat out)
	pk key --json
	[ "$(js 'rows[0].origin + " " + rows[0].key')" = \
		"packages.example.org $key" ]
	pk stat --json
	[ "$(js 'rows[0].key')" = "$key" ]
}
