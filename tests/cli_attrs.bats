#!/usr/bin/env bats

load cli

usage='usage: pakhus attrs [--json] [--by LABEL] [--id ID] [--version V] [--set FILE|-]
                    [--unset] [ID[@VERSION]]'

@test "attrs prints what was set last, of a package and of a version" {
	put a 1 a 2
	echo '{ "visibility" : "private" }' >file
	pk attrs a --set file
	want 0 'set at position 3'
	echo '{"release_notes":"none"}' | "$PAKHUS" attrs a@1 --set - --by anna
	pk attrs a
	want 0 '{"visibility":"private"}'
	pk attrs a@1
	want 0 '{"release_notes":"none"}'
	pk attrs --id a --version 1 --json
	[ "$status" -eq 0 ]
	[ "$(js 'Object.keys(rows[0]).join()')" = \
		id,version,attrs,hash,seq,time,time_us,by ]
	[ "$(js 'rows[0].attrs.release_notes')" = none ]
	[ "$(js 'rows[0].seq')" = 4 ]
	[ "$(js 'rows[0].by')" = anna ]
	pk attrs --json a
	[ "$(js 'Object.keys(rows[0]).join()')" = \
		id,attrs,hash,seq,time,time_us ]
	pk verify
	[ "$status" -eq 0 ]
}

@test "attrs --unset says nothing any more" {
	put a 1
	echo '{"x":1}' | "$PAKHUS" attrs a --set -
	pk attrs --unset --json a
	want 0 '{"seq":3}'
	pk attrs a
	want 3 '' 'pakhus: attrs: nothing is said of a'
	pk history --json a
	[ "$(js 'rows.map(r => r.op + r.size).join()')" = \
		attrs0,attrs7,publishundefined ]
}

@test "what is said of a version goes with it, and of a package stays" {
	put a 1
	echo '{"x":1}' | "$PAKHUS" attrs a@1 --set -
	echo '{"x":2}' | "$PAKHUS" attrs a --set -
	pk delete a
	pk attrs a@1
	want 3 '' 'pakhus: attrs: not found: a@1'
	pk attrs a
	want 0 '{"x":2}'
}

@test "attrs refuses what it cannot take, and changes nothing" {
	put a 1
	pk attrs
	want 2 '' "pakhus: attrs: an argument is missing
$usage"
	pk attrs a --set file --unset
	want 2 '' "pakhus: attrs: one of --set and --unset
$usage"
	pk attrs a --set nothing
	want 1 '' 'pakhus: attrs: nothing: No such file or directory'
	printf '{"x":\n[1}' >file
	pk attrs a --set file
	want 1 '' "pakhus: attrs: file: line 2, column 3: expected ',' or ']'"
	echo '"x"' >file
	pk attrs a --set file
	want 1 '' 'pakhus: attrs: file: line 1, column 1: what is said of a package is an object'
	{ printf '{"x":"'; head -c 1048576 /dev/zero | tr '\0' x; echo '"}'; } >file
	pk attrs a --set file
	want 1 '' 'pakhus: attrs: file: the canonical text is too large'
	echo '{}' >file
	pk attrs a@2 --set file
	want 3 '' 'pakhus: attrs: not found: a@2'
	pk attrs a@latest
	[ "$status" -eq 2 ]
	pk stat --json
	[ "$(js 'rows[0].entries')" = 2 ]
}

@test "purge takes what was said as well" {
	put a 1
	echo '{"release_notes":"xyzzysecret"}' | "$PAKHUS" attrs a@1 --set -
	echo '{"readme":"xyzzysecret"}' | "$PAKHUS" attrs a --set -
	pk purge a --at 3 --reason 'a secret'
	want 0 'purged 1 text, stored 0 others anew'
	pk attrs a
	want 3 '' 'pakhus: attrs: nothing is said of a'
	echo '{"readme":"xyzzysecret"}' >file
	pk attrs a --set file
	want 5 '' 'pakhus: attrs: a: this text was purged at entry 4: a secret'
	pk purge a@1 --reason 'a secret'
	want 0 'purged 2 texts, stored 0 others anew'
	rm file
	[ -z "$(grep -rl xyzzysecret pakhus-store)" ]
	[ -z "$(find pakhus-store/objects -type f)" ]
	pk verify
	[ "$status" -eq 0 ]
}
