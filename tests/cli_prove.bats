#!/usr/bin/env bats

load cli

# A store of one log, with a version proven in the file proof.
one() {
	"$PAKHUS" init --origin example.org/log >/dev/null
	put a 1 a 2 b 1
	doc a 1 >a.json
	"$PAKHUS" key >log.vkey
	"$PAKHUS" prove a@1 >proof
}

@test "prove prints a proof that verify accepts without the store" {
	one
	head -1 proof >out
	[ "$(cat out)" = c2sp.org/tlog-proof@v1 ]
	mv store away
	pk verify --proof proof --key log.vkey
	mask
	want 0 'publish a@1 HASH position 1 of 4, signed TIME by example.org/log'
	pk verify --proof proof --key log.vkey a.json
	mask
	want 0 "\
publish a@1 HASH position 1 of 4, signed TIME by example.org/log
a.json is the document of this hash"
}

@test "the key may be given itself, and proof or document by stdin" {
	one
	pk verify --proof - --key "$(cat log.vkey)" a.json <proof
	[ "$status" -eq 0 ]
	[ "$(tail -1 out)" = 'a.json is the document of this hash' ]
	pk verify --proof proof --key log.vkey - <a.json
	[ "$status" -eq 0 ]
	[ "$(tail -1 out)" = 'stdin is the document of this hash' ]
	pk verify --proof - --key log.vkey - <a.json
	[ "$status" -eq 2 ]
	printf %s "$(cat log.vkey)" >unended
	pk verify --proof proof --key unended
	[ "$status" -eq 0 ]
}

@test "prove takes what get takes" {
	one
	pk prove a
	[ "$status" -eq 0 ]
	mv out latest
	pk verify --proof latest --key log.vkey
	grep -q '^publish a@2 ' out
	pk prove --id b --version 1
	[ "$status" -eq 0 ]
	pk prove c
	want 3 '' 'pakhus: prove: not found: c'
	pk prove --at 9
	want 3 '' 'pakhus: prove: the log has no entry 9; it holds 4'
	pk prove
	[ "$status" -eq 2 ]
	pk prove --at 1 a
	want 0 "$(cat proof)"
	pk prove --at 1 a@1
	want 0 "$(cat proof)"
	pk prove --at 1 b
	want 3 '' 'pakhus: prove: not found: position 1 holds publish a@1'
	pk prove --at 1 a@2
	want 3 '' 'pakhus: prove: not found: position 1 holds publish a@1'
	pk prove --at 0 a
	want 3 '' 'pakhus: prove: not found: position 0 holds key'
	pk prove --at 9 a
	want 3 '' 'pakhus: prove: the log has no entry 9; it holds 4'
}

@test "every entry is proven by its position" {
	one
	"$PAKHUS" delete a@1 >/dev/null
	for at in 0 1 4; do
		"$PAKHUS" prove --at "$at" >"p$at"
		pk verify --proof "p$at" --key log.vkey
		[ "$status" -eq 0 ]
		sed -E 's/, signed .*//; s/[0-9a-f]{64}/HASH/' out >>all
	done
	diff - all <<-'END'
		key position 0 of 5
		publish a@1 HASH position 1 of 5
		delete a@1 position 4 of 5
	END
}

@test "prove --json and verify --proof --json print an object" {
	one
	pk prove --json a@1
	[ "$(js 'rows.length + rows[0].proof')" = "1$(cat proof)" ]
	pk verify --json --proof proof --key log.vkey a.json
	[ "$(js 'Object.keys(rows[0])')" = \
		op,id,version,hash,seq,time_us,by,origin,entries,signed_us,document ]
	[ "$(js '[rows[0].op, rows[0].id, rows[0].seq, rows[0].entries,
		rows[0].origin, rows[0].document]')" = \
		publish,a,1,4,example.org/log,true ]
	pk verify --json --proof proof --key log.vkey
	[ "$(js 'rows[0].document')" = false ]
}

@test "another log's key is refused, and who signed is said" {
	one
	"$PAKHUS" -C other init --origin example.org/log >/dev/null
	"$PAKHUS" -C other key >other.key
	pk verify --proof proof --key other.key
	sed -Ei 's/\+[0-9a-f]{8}/+ID/g' err
	want 4 '' 'pakhus: verify: proof: F-71 example.org/log+ID signed the checkpoint, not example.org/log+ID: it is another log'\''s, or the log'\''s key was rotated'
}

@test "an altered proof is refused" {
	one
	sed 's/^index 1$/index 2/' proof >p
	pk verify --proof p --key log.vkey
	want 4 '' 'pakhus: verify: p: F-71 the entry is not the log'\''s at position 2: the entry, the position or the hashes were altered'
	sed 's/^4$/5/' proof >p
	pk verify --proof p --key log.vkey
	[ "$status" -eq 4 ]
	grep -q 'the proof was altered$' err
	{
		sed -n 1p proof
		echo "extra $(sed -n 's/^extra //p' proof | base64 -d |
			sed 's/"version":"1"/"version":"9"/' | base64 -w0)"
		sed 1,2d proof
	} >p
	pk verify --proof p --key log.vkey
	[ "$status" -eq 4 ]
	grep -q 'F-71 the entry is not the log' err
	head -c 100 proof >p
	pk verify --proof p --key log.vkey
	[ "$status" -eq 4 ]
	grep -q 'p: not a proof: F-70 ' err
	: >p
	pk verify --proof p --key log.vkey
	[ "$status" -eq 4 ]
}

@test "another document is refused" {
	one
	doc a 1 other >other.json
	pk verify --proof proof --key log.vkey other.json
	sed -Ei 's/[0-9a-f]{64}/HASH/g' err
	want 4 '' 'pakhus: verify: other.json is another document: its hash is HASH, and HASH was published'
	"$PAKHUS" delete a@1 >/dev/null
	"$PAKHUS" prove --at 4 >gone
	pk verify --proof gone --key log.vkey a.json
	want 4 '' 'pakhus: verify: the proof is of a delete, which has no document'
	echo '{}' >none.json
	pk verify --proof proof --key log.vkey none.json
	[ "$status" -eq 1 ]
	grep -q '^pakhus: verify: none.json: ' err
}

@test "what makes no sense is said before anything is read" {
	one
	pk verify --proof proof
	[ "$status" -eq 2 ]
	grep -q 'proof needs --key' err
	pk verify --key log.vkey
	[ "$status" -eq 2 ]
	pk verify a.json
	[ "$status" -eq 2 ]
	pk verify --rebuild --proof proof --key log.vkey
	[ "$status" -eq 2 ]
	pk verify --proof missing --key log.vkey
	want 1 '' 'pakhus: verify: missing: No such file or directory'
	pk verify --proof proof --key missing
	want 1 '' 'pakhus: verify: missing: No such file or directory'
	pk verify --proof proof --key proof
	want 2 '' 'pakhus: verify: --key: proof is neither a verifier key, NAME+ID+BASE64, nor a file that holds one'
	pk verify --proof proof --key o+00000000+AAAA
	[ "$status" -eq 2 ]
	grep -q 'F-35' err
}
