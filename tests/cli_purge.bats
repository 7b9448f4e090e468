#!/usr/bin/env bats

load cli

usage='usage: pakhus purge [--json] [--by LABEL] [--id ID] [--version V] [--at SEQ]
                    --reason TEXT [ID@VERSION]'

secret() { # ID VERSION SECRET: published, in manifest and metadata
	printf '{"manifest":{"id":"%s","version":"%s","note":"%s"},
		"metadata":{"password":"%s"}}\n' "$1" "$2" "$3" "$3" |
		"$PAKHUS" publish - >/dev/null
}

# That no file of the store has a text, as it is or compressed.
gone() {
	local file dir

	if grep -rlaF "$1" store; then
		return 1
	fi
	for file in store/objects/*/*; do
		dir=${file%/*}
		"$PAKHUS" cat "${dir##*/}${file##*/}" >text
		lacks text "$1"
	done
}

@test "purge removes all that a version ever was" {
	secret a 1 sesame-one
	secret a 1 sesame-two
	secret a 2 harmless
	grep -rqaF sesame store
	pk purge a@1 --reason 'a password' --by anna
	want 0 'purged 2 texts, stored 1 other anew'
	gone sesame
	pk get a@1
	want 3 '' 'pakhus: get: a@1 was purged at entry 4: a password'
	pk get --at 1
	want 3 '' 'pakhus: get: log entry 1: a@1 was purged at entry 5: a password'
	pk diff a@1 a@2
	want 3 '' 'pakhus: diff: a@1 was purged at entry 4: a password'
	pk list
	[ "$(cut -f1,2 out)" = $'a\t2' ]
	pk get a@2 --metadata
	want 0 '{"password":"harmless"}'
	pk verify
	[ "$status" -eq 0 ]
	pk verify --rebuild
	[ "$status" -eq 0 ]
	gone sesame
}

@test "purge --at removes one text" {
	secret a 1 sesame
	secret a 1 harmless
	pk purge --json a@1 --at 1 --reason x
	want 0 '{"purged":1,"seq":3,"encoded":1}'
	gone sesame
	pk get a@1 --metadata
	want 0 '{"password":"harmless"}'
	pk purge a@1 --at 2 --reason y
	want 0 'purged 1 text, stored 0 others anew'
	pk purge a@1 --at 3 --reason y
	want 3 '' 'pakhus: purge: log entry 3 is no publish of a@1'
}

@test "the history has the reason and who" {
	put a 1
	hash=$("$PAKHUS" versions a | cut -f4)
	pk purge a@1 --reason 'of the law' --by anna
	pk history a
	[ "$(head -1 out | cut -f1,2,4-)" = \
		"$(printf 'purge\t2\ta\t1\t%s\tanna\tof the law' "$hash")" ]
	pk history --json
	[ "$(js 'rows[0].reason + rows[0].by + rows[0].op')" = \
		'of the lawannapurge' ]
	[ "$(js 'rows[1].reason')" = undefined ]
	pk_terminal history
	grep -qE 'purge .* anna: of the law$' out
	pk cat "$hash"
	want 3 '' "pakhus: cat: $hash was purged at entry 2: of the law"
	pk dump store/log/tile/entries/000.p/3
	grep -qF '"reason":"of the law"' out
}

@test "what was purged cannot be published again" {
	put a 1 a 2
	doc a 1 >a.json
	pk purge a@1 --reason x
	pk publish a.json
	want 5 '' 'pakhus: publish: a.json: a@1: this text was purged at entry 3: x'
	pk import a.json
	[ "$status" -eq 5 ]
	grep -qF 'a@1: this text was purged at entry 3: x' err
	doc a 1 other | "$PAKHUS" publish - >/dev/null
	pk list
	[ "$(cut -f1,2 out)" = $'a\t1' ]
	pk verify
	[ "$status" -eq 0 ]
}

@test "what is not there cannot be purged" {
	put a 1
	pk purge a@2 --reason x
	want 3 '' 'pakhus: purge: a@2 was never published'
	pk purge a@1 --reason x
	pk purge a@1 --reason y
	want 3 '' 'pakhus: purge: a@1 was purged at entry 2: x'
	pk stat --json
	[ "$(js 'rows[0].entries')" -eq 3 ]
}

@test "purge wants a version and a reason" {
	put a 1
	pk purge a@1
	want 2 '' "pakhus: purge: --reason is missing: say why, as the log keeps it for ever
$usage"
	pk purge a --reason x
	want 2 '' "pakhus: purge: purge needs a version: ID@VERSION
$usage"
	pk purge --reason x
	want 2 '' "pakhus: purge: an argument is missing
$usage"
	pk purge a@1 --reason x --at one
	[ "$status" -eq 2 ]
	pk purge a@1 --reason ''
	want 2 '' "pakhus: purge: --reason is missing: say why, as the log keeps it for ever
$usage"
	pk purge a@1 --reason $'two\nlines'
	want 2 '' "pakhus: purge: the reason must have 1 to 1024 bytes, without control characters"
	pk get a@1 --metadata
	want 0 '{}'
}

@test "an id with an @ in it is named by --id and --version" {
	put @a/b@c 1
	pk purge --id @a/b@c --version 1 --reason x
	want 0 'purged 1 text, stored 0 others anew'
}

@test "a copy that cannot be written is not purged" {
	put a 1
	cp -a store copy
	pk -C copy purge a@1 --reason x
	[ "$status" -eq 7 ]
	pk -C copy get a@1 --metadata
	want 0 '{}'
}

@test "a mirror that is copied with cp reads on" {
	secret a 1 sesame
	secret a 2 harmless
	"$PAKHUS" purge a@1 --reason x >/dev/null
	cp -a store mirror
	rm -r mirror/local
	pk -C mirror get a@2 --metadata
	[ "$(cat out)" = '{"password":"harmless"}' ]
	pk -C mirror get a@1
	want 3 '' 'pakhus: get: a@1 was purged at entry 3: x'
	pk -C mirror verify
	[ "$status" -eq 0 ]
}

@test "help warns of what stays" {
	pk help purge
	[ "$status" -eq 0 ]
	grep -qF 'do not' out
	grep -qF 'Mirrors' out
}
