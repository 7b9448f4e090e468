#!/usr/bin/env bats

load cli

@test "versions are listed by when they were inserted, newest first" {
	put_lending
	pk versions org.example.lending
	[ "$status" -eq 0 ]
	[ ! -s err ]
	[ "$(cut -f2 out | tr '\n' ,)" = 1.2.1,2.1.0,2.0.0,1.2.0,1.1.0,1.0.0, ]
	[ "$(cut -f1 out | uniq)" = org.example.lending ]
	pk versions --json org.example.lending
	[ "$(js 'Object.keys(rows[5])')" = \
		id,version,hash,created_at,updated_at,created_us,updated_us,seq,place ]
	[ "$(js 'rows.map(r => r.place)')" = 6,5,4,3,2,1 ]
}

@test "versions go on where --limit stopped" {
	put a 1 a 2 b 1 a 3
	pk versions --limit 1 a
	[ "$(cut -f2 out)" = 3 ]
	cp out kept
	want 0 "$(cat kept)" 'pakhus: versions: there is more: --before 4'
	pk versions --before 4 a
	[ "$(cut -f2 out | tr '\n' ,)" = 2,1, ]
	pk versions --before 1 a
	want 0
}

@test "versions of a package that is not there, or no more" {
	put a 1
	pk versions b
	want 3 '' 'pakhus: versions: not found: b'
	"$PAKHUS" delete a >/dev/null
	pk versions a
	want 3 '' 'pakhus: versions: not found: a'
}

@test "versions take an id as it is" {
	put a@b 1
	pk versions a@b
	[ "$(cut -f1,2 out)" = $'a@b\t1' ]
	pk versions ''
	want 2 '' "\
pakhus: versions: the package id is empty
usage: pakhus versions [--json] [--limit N] [--before PLACE] ID"
	pk versions
	want 2 '' "\
pakhus: versions: an argument is missing
usage: pakhus versions [--json] [--limit N] [--before PLACE] ID"
}

@test "on a terminal versions are a table" {
	put a 1 a 10.20
	TERM=dumb pk_terminal versions a
	mask
	want 0 "\
VERSION  CREATED              UPDATED              HASH
10.20    TIME  TIME  HASH
1        TIME  TIME  HASH"
}

@test "versions of a version says that it takes none" {
	put a 1
	pk versions a@1
	want 3 '' 'pakhus: versions: not found: a@1 (versions takes an id without a version)'
}
