#!/usr/bin/env bats

load cli

@test "adopt says what --here means before it does anything" {
	put a 1
	pk adopt
	want 2 '' "\
pakhus: adopt: a source that has all of the log is missing, or --here; that says that of all copies of this store store is the only one that will be written
usage: pakhus adopt [--json] [--threads N] [--here] [SOURCE]"
	pk adopt --here store
	[ "$status" -eq 2 ]
}

@test "a backup takes what came after it from a mirror, and is written" {
	put_lending
	cp -a store backup
	put a 1 a 2
	"$PAKHUS" mirror store m >/dev/null 2>&1
	rm -r store
	mv backup store
	pk adopt m
	[ "$status" -eq 0 ]
	[ "$(cat out)" = 'adopted store, with 2 entries from m' ]
	pk versions a
	[ "$(wc -l <out)" -eq 2 ]
	put a 3
	pk mirror store m
	[ "$status" -eq 0 ]
	grep -q '^m: 10 entries (+1)' out
	"$PAKHUS" verify
	cp -a store backup
	pk -C backup adopt --json m
	[ "$status" -eq 0 ]
	[ "$(js '[rows[0].adopted, rows[0].source, rows[0].before,
		rows[0].entries, rows[0].objects]')" = backup,m,10,10,0 ]
}

@test "a backup takes nothing from another store's mirror" {
	put a 1
	cp -a store backup
	pk -C other init
	"$PAKHUS" mirror other m >/dev/null 2>&1
	pk -C backup adopt m
	[ "$status" -eq 5 ] || [ "$status" -eq 4 ]
	doc b 1 >b.json
	pk -C backup publish b.json
	[ "$status" -eq 7 ]
	pk -C backup adopt nothing
	[ "$status" -eq 3 ]
	pk -C nothing adopt m
	[ "$status" -eq 3 ]
}

@test "a copy is read, not written, until it is adopted" {
	put a 1
	cp -a store copy
	pk -C copy get --manifest a
	[ "$status" -eq 0 ]
	doc b 1 >b.json
	pk -C copy publish b.json
	[ "$status" -eq 7 ]
	[ ! -s out ]
	# with the store's name, for there it is not the default
	grep -qx 'pakhus: publish: to adopt it: pakhus -C copy adopt --here' err
	pk -C copy adopt --here
	want 0 'adopted copy'
	pk -C copy publish b.json
	[ "$status" -eq 0 ]
	pk -C copy adopt --here --json
	want 0 '{"adopted":"copy"}'
}

@test "adopt where there is no store" {
	pk adopt --here
	want 3 '' 'pakhus: adopt: store: no store there'
	touch file
	pk -C file adopt --here
	[ "$status" -eq 3 ]
	grep -qx 'pakhus: adopt: the store file is not a directory' err
}
