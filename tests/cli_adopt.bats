#!/usr/bin/env bats

load cli

@test "adopt says what --here means before it does anything" {
	put a 1
	pk adopt
	want 2 '' "\
pakhus: adopt: --here is missing; it says that of all copies of this store store is the only one that will be written
usage: pakhus adopt [--json] --here"
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
