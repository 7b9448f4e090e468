#!/usr/bin/env bats

load cli

@test "checkpoint prints the signed note, and --renew another over the same tree" {
	"$PAKHUS" init --origin example.org/a >/dev/null
	put a 1
	pk checkpoint
	[ "$status" -eq 0 ]
	[ ! -s err ]
	cmp out store/log/checkpoint
	[ "$(sed -n 1,2p out | tr '\n' ' ')" = 'example.org/a 2 ' ]
	cp out before
	pk checkpoint --renew
	[ "$status" -eq 0 ]
	cmp out store/log/checkpoint
	cmp out store/local/last-signed
	diff <(head -3 before) <(head -3 out)
	[ "$(sed -n 4p out)" != "$(sed -n 4p before)" ]
	cp out now
	pk checkpoint --json
	[ "$(js 'rows[0].checkpoint')" = "$(cat now; echo)" ]
	pk verify
	[ "$status" -eq 0 ]
}

@test "checkpoint of no store, and of one that another key signed" {
	pk checkpoint
	[ "$status" -eq 3 ]
	"$PAKHUS" init --origin example.org/a >/dev/null
	"$PAKHUS" -C other init --origin example.org/a >/dev/null
	cp other/log/checkpoint store/log/checkpoint
	cp other/keys/* store/keys/
	pk checkpoint
	[ "$status" -eq 4 ]
	grep -q F-39 err
}
