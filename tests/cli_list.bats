#!/usr/bin/env bats

load cli

@test "list of an empty store prints nothing" {
	"$PAKHUS" init >/dev/null
	pk list
	want 0
	pk list --json
	want 0
}

@test "list prints each package's latest, newest first" {
	put a 1 b 1 a 2 c 1
	pk list
	mask
	cut -f1-3 out >short
	[ "$status" -eq 0 ]
	diff - short <<-'E'
		c	1	TIME
		a	2	TIME
		b	1	TIME
	E
	[ "$(cut -f4 out | uniq -c)" = '      3 HASH' ]
}

@test "list --json prints records with manifests and no metadata" {
	doc a 1 'Name' | "$PAKHUS" publish - >/dev/null
	pk list --json
	[ "$status" -eq 0 ]
	[ "$(js 'Object.keys(rows[0])')" = \
		id,version,manifest,hash,created_at,updated_at,created_us,updated_us,seq,place ]
	[ "$(js 'rows[0].manifest.name')" = Name ]
}

@test "list goes on where --limit stopped" {
	put a 1 b 1 c 1 d 1
	pk list --limit 2
	cut -f1 out >ids
	cp ids out
	want 0 "\
d
c" 'pakhus: list: there is more: --before 3'
	pk list --before 3
	cut -f1 out >ids
	cp ids out
	want 0 "\
b
a"
	pk list --before 3 --limit 2
	cut -f1 out >ids
	cp ids out
	want 0 "\
b
a"
	pk list --before 1
	want 0
}

@test "a list longer than a page has every package once" {
	node -e '
		for (let i = 0; i < 2500; i++)
			console.log(JSON.stringify({ manifest: { id: "p" + i,
				version: "1" }, metadata: {} }));
	' | "$PAKHUS" import - >/dev/null
	pk list
	[ "$status" -eq 0 ]
	[ ! -s err ]
	[ "$(wc -l <out)" -eq 2500 ]
	[ "$(cut -f1 out | sort -u | wc -l)" -eq 2500 ]
	pk list --limit 1500
	[ "$(wc -l <out)" -eq 1500 ]
}

@test "numbers that are none" {
	usage='usage: pakhus list [--json] [--limit N] [--before PLACE]'
	"$PAKHUS" init >/dev/null
	pk list --limit 0
	want 2 '' "pakhus: list: --limit: at least 1
$usage"
	pk list --limit x
	want 2 '' "pakhus: list: --limit: not a number: \"x\"
$usage"
	pk list --limit ''
	want 2 '' "pakhus: list: --limit: not a number: \"\"
$usage"
	pk list --before 0
	want 2 '' "pakhus: list: --before: at least 1
$usage"
	pk list --before 99999999999999999999
	want 2 '' "pakhus: list: --before: not a number: \"99999999999999999999\"
$usage"
}

@test "on a terminal list is a table with a head" {
	doc a 1 'Værktøj' | "$PAKHUS" publish - >/dev/null
	doc org.example.long 10.2 'Line\nfeed' | "$PAKHUS" publish - >/dev/null
	TERM=dumb pk_terminal list
	mask
	want 0 "\
ID                VERSION  UPDATED              NAME
org.example.long  10.2     TIME  Line?feed
a                 1        TIME  Værktøj"
	NO_COLOR=1 pk_terminal list
	lacks out $'\033'
	pk_terminal list
	grep -q $'^\033\\[1mID ' out
}

@test "no line of a table ends in blanks, nor in a colour" {
	put a 1
	pk_terminal list
	[ "$(wc -l <out)" -eq 2 ]
	[ "$(grep -c '[[:blank:]]$' out)" -eq 0 ]
	head -1 out | grep -q 'NAME.\[0m$'
}
