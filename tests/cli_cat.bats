#!/usr/bin/env bats
# shellcheck disable=SC2013

load cli

@test "cat prints the text whose hash was given, and nothing more" {
	put_lending
	pk versions org.example.lending
	for hash in $(cut -f4 out); do
		pk cat "$hash"
		[ "$status" -eq 0 ]
		[ "$(sha256sum <out)" = "$hash  -" ]
	done
}

@test "cat --json has the text as it is" {
	hash=$(doc a 1 | "$PAKHUS" publish - | cut -d' ' -f2)
	pk cat --json "$hash"
	want 0 "{\"hash\":\"$hash\",\"size\":51,\"text\":{\"manifest\":{\"id\":\"a\",\"version\":\"1\"},\"metadata\":{}}}"
}

@test "a hash that is not there, or is none" {
	put a 1
	none=$(printf '%064d' 0)
	pk cat "$none"
	want 3 '' "pakhus: cat: $none: no such object, or one that was collected"
	for hash in '' x ../../local/key "$(printf '%063d' 0)" \
		"$(printf 'G%.0s' {1..64})"; do
		pk cat "$hash"
		[ "$status" -eq 2 ]
		[ ! -s out ]
	done
	pk cat
	want 2 '' "\
pakhus: cat: an argument is missing
usage: pakhus cat [--json] HASH"
}
