#!/usr/bin/env bats

load cli

@test "history has every publish and delete, newest first" {
	"$PAKHUS" init --by anna >/dev/null
	put a 1 b 1
	doc a 1 changed | PAKHUS_BY=bo "$PAKHUS" publish - >/dev/null
	"$PAKHUS" delete a >/dev/null
	pk history
	mask
	want 0 "\
delete	4	TIME	a	1		
publish	3	TIME	a	1	HASH	bo
publish	2	TIME	b	1	HASH	
publish	1	TIME	a	1	HASH	
key	0	TIME				anna"
	pk history a
	[ "$(cut -f2 out | tr '\n' ,)" = 4,3,1, ]
	[ "$status" -eq 0 ]
}

@test "history --json leaves out what an entry has not" {
	put a 1
	"$PAKHUS" delete --by anna a >/dev/null
	pk history --json a
	[ "$(js 'Object.keys(rows[0])')" = op,seq,time,time_us,id,version,by ]
	[ "$(js 'Object.keys(rows[1])')" = op,seq,time,time_us,id,version,hash ]
}

@test "history goes on where --limit stopped" {
	put a 1 b 1 a 2 a 3
	pk history --limit 2 a
	[ "$(cut -f2 out | tr '\n' ,)" = 4,3, ]
	cp out kept
	want 0 "$(cat kept)" 'pakhus: history: there is more: --before 3'
	pk history --before 3 a
	[ "$(cut -f2 out)" = 1 ]
	pk history --before 2
	[ "$(cut -f1 out | tr '\n' ,)" = publish,key, ]
}

@test "the history of what never was is not found" {
	put a 1
	pk history b
	want 3 '' 'pakhus: history: not found: b'
	pk history ''
	want 2 '' "\
pakhus: history: the package id is empty
usage: pakhus history [--json] [--limit N] [--before SEQ] [ID]"
}

@test "on a terminal history is a table" {
	put a 1
	TERM=dumb pk_terminal history a
	mask
	sed -Ei 's/[0-9a-f]{12}/HASH/' out
	want 0 "\
SEQ  TIME                 OP       ID  VERSION  HASH          BY
1    TIME  publish  a   1        HASH"
}

@test "history of a version says that it takes none" {
	put a 1
	pk history a@1
	want 3 '' 'pakhus: history: not found: a@1 (history takes an id without a version)'
}
