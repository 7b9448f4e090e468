#!/usr/bin/env bats

load cli

@test "dump prints every kind of file of a store" {
	put_lending
	"$PAKHUS" key --rotate >/dev/null
	for file in store/FORMAT store/log/checkpoint \
		"$(find store/keys -type f ! -name '*.next' | head -1)" \
		"$(find store/keys -name '*.next')" \
		"$(find store/objects -type f | head -1)" \
		"$(find store/log/tile/entries -type f | head -1)" \
		"$(find store/log/tile/0 -type f | head -1)" \
		store/local/slot-0 store/local/last-signed; do
		pk dump "$file"
		[ "$status" -eq 0 ]
		[ -s out ]
		[ ! -s err ]
		pk dump --json "$file"
		[ "$status" -eq 0 ]
		[ "$(js 'rows[0].text.length > 0 && rows[0].file')" = "$file" ]
	done
}

@test "dump of a bundle has its entries" {
	put a 1
	pk dump store/log/tile/entries/000.p/2
	[ "$status" -eq 0 ]
	grep -q '"op":"publish","id":"a","version":"1"' out
}

@test "dump of what is not there, or is no file of a store" {
	pk dump missing
	want 1 '' 'pakhus: dump: missing: No such file or directory'
	mkdir dir
	pk dump dir
	want 1 '' 'pakhus: dump: dir: Is a directory'
	echo hello >file
	pk dump file
	[ "$status" -eq 2 ]
	[ ! -s out ]
	pk dump -
	want 2 '' "\
pakhus: dump: the place of stdin says nothing
usage: pakhus dump [--json] FILE"
	put a 1
	chmod 000 store/FORMAT
	pk_other dump store/FORMAT
	want 7 '' 'pakhus: dump: store/FORMAT: Permission denied'
	pk dump
	want 2 '' "\
pakhus: dump: an argument is missing
usage: pakhus dump [--json] FILE"
}

@test "dump keeps the private key to itself" {
	put a 1
	pk dump store/local/key
	[ "$status" -eq 2 ]
	[ ! -s out ]
	pk dump --json store/local/key
	[ "$status" -eq 2 ]
	[ ! -s out ]
}

@test "dump into a full disk" {
	put a 1
	status=0
	"$PAKHUS" dump store/FORMAT >/dev/full 2>err || status=$?
	: >out
	want 1 '' 'pakhus: dump: write to stdout: No space left on device'
}
