#!/usr/bin/env bats
# bundle.bats - bundles for sticks (F-80 to F-84): what create writes, and
# what apply makes of it, of anything else, and when it is killed.

load cli

# fill FROM TO: versions of one package that are like each other
fill() {
	local v

	for v in $(seq "$1" "$2"); do
		printf '{"manifest":{"id":"p","version":"%s"},"metadata":%s}\n' \
			"$v" "{\"x\":[$(seq -s, 1 200)],\"v\":$v}"
	done | "$PAKHUS" import - >/dev/null
}

names() {
	tar tf "$1" | sed 's|/[0-9a-f]\{62\}$||; s|^keys/.*|keys|'
}

@test "bundle says what it can do" {
	pk bundle
	want 2 '' "\
pakhus: bundle: an argument is missing
$(usage)"
	pk bundle create
	want 2 '' "\
pakhus: bundle: an argument is missing
$(usage)"
	pk bundle make x
	[ "$status" -eq 2 ]
	grep -q 'pakhus: bundle: .*not make$' err
	pk bundle create ''
	want 2 '' "\
pakhus: bundle: the name of a file is empty
$(usage)"
	[ ! -e store ]
}

usage() {
	"$PAKHUS" help bundle | sed -n '/^usage/,/^$/p' | sed '/^$/d'
}

@test "create writes a tar that everybody can list and extract" {
	fill 1 5
	pk bundle create b.tar
	[ "$status" -eq 0 ]
	grep -Eqx 'b.tar: entries from 0 to 6, 5 objects, [0-9]+ bytes' out
	[ ! -s err ]
	[ ! -e b.tar.part ]
	[ "$(names b.tar)" = 'BUNDLE
FORMAT
log/checkpoint
keys
log/tile/entries/000.p/6
objects/'"$(find store/objects -type f | cut -d/ -f3 | sort |
		paste -sd' ' | sed 's| |\nobjects/|g')" ]
	tar tvf b.tar | grep -v '^-r--r--r-- 0/0 .* 1970-01-01 ' && false
	mkdir x
	tar xf b.tar -C x 2>err
	[ ! -s err ]
	diff -r store x | grep -v '^Only in store' >said || true
	[ "$(cat said)" = 'Only in x: BUNDLE' ]
	[ "$(head -n 1 x/BUNDLE)" = 'pakhus bundle 1' ]
}

@test "the same store gives the same bundle, to a file and to a pipe" {
	fill 1 20
	pk bundle create a.tar
	[ "$status" -eq 0 ]
	"$PAKHUS" bundle create - >b.tar
	"$PAKHUS" bundle create - | cat >c.tar
	cmp a.tar b.tar
	cmp a.tar c.tar
	# replaced as a whole
	fill 21 21
	ln a.tar old.tar
	pk bundle create a.tar
	[ "$status" -eq 0 ]
	cmp old.tar b.tar
	cmp a.tar b.tar && false
	cp -r store mirror
	rm -r mirror/local
	pk -C mirror bundle create m.tar
	[ "$status" -eq 0 ]
	cmp a.tar m.tar
}

@test "create --since leaves out what a mirror holds" {
	fill 1 9
	cp store/log/checkpoint mark
	fill 10 11
	pk bundle create --since 10 --json n.tar
	[ "$(js 'rows.map(r => [r.file, r.from, r.to, r.objects])')" = n.tar,10,12,2 ]
	[ "$(js 'rows[0].bytes')" = "$(stat -c %s n.tar)" ]
	pk bundle create --since mark c.tar
	want 0 "c.tar: entries from 10 to 12, 2 objects, $(stat -c %s c.tar) bytes"
	cmp n.tar c.tar
	[ "$(tar xOf n.tar BUNDLE | sed -n 3p | cut -d' ' -f3)" = "$(sed -n 3p mark)" ]
	[ "$(tar xOf n.tar BUNDLE | sed -n 4p | cut -d' ' -f3)" = \
		"$(sed -n 3p store/log/checkpoint)" ]
	# nothing but the checkpoint, which may be a newer one
	pk bundle create --since 12 e.tar
	[ "$status" -eq 0 ]
	grep -q 'entries from 12 to 12, 0 objects' out
}

@test "create takes along what is not live any more and needed" {
	fill 1 8
	# F-83: the base of what follows was live at 5; what came between is not
	"$PAKHUS" delete p@7 >/dev/null
	"$PAKHUS" delete p@8 >/dev/null
	pk bundle create --since 5 b.tar
	[ "$status" -eq 0 ]
	grep -q 'entries from 5 to 11, 4 objects' out
	# a text that is published again is there already
	printf '{"manifest":{"id":"p","version":"%s"},"metadata":%s}\n' \
		1 "{\"x\":[$(seq -s, 1 200)],\"v\":1}" | "$PAKHUS" publish - >/dev/null
	pk bundle create --since 11 b.tar
	grep -q 'entries from 11 to 12, 0 objects' out
}

@test "an object that is gone is left out, unless a live version needs it" {
	fill 1 3
	"$PAKHUS" delete p@3 >/dev/null
	hash=$("$PAKHUS" history p --json | js1 'r.version == "3" && r.hash')
	rm "store/objects/${hash:0:2}/${hash:2}"
	pk bundle create b.tar
	[ "$status" -eq 0 ]
	grep -q ' 2 objects' out
	hash=$("$PAKHUS" history p --json | js1 'r.version == "2" && r.hash')
	mv "store/objects/${hash:0:2}/${hash:2}" kept
	rm b.tar
	pk bundle create b.tar
	want 4 '' "pakhus: bundle: objects/${hash:0:2}/${hash:2}: F-11 is missing, and a live version needs it"
	[ ! -e b.tar ]
	[ ! -e b.tar.part ]
	head -c -1 kept >"store/objects/${hash:0:2}/${hash:2}"
	pk bundle create b.tar
	[ "$status" -eq 4 ]
	grep -q "objects/${hash:0:2}/${hash:2}: F-1" err
	[ ! -e b.tar.part ]
}

js1() {
	cp /dev/stdin out
	js "rows.map(r => $1).filter(Boolean)[0]"
}

@test "create refuses what is not this log's" {
	fill 1 3
	pk bundle create --since 5 b.tar
	want 3 '' 'pakhus: bundle: the log here holds 4 entries, not 5'
	pk bundle create --since 99999999999999999999 b.tar
	[ "$status" -eq 2 ]
	pk bundle create --since '' b.tar
	[ "$status" -eq 2 ]
	pk bundle create --since nothing b.tar
	want 1 '' 'pakhus: bundle: nothing: No such file or directory'
	pk bundle create --since store/FORMAT b.tar
	[ "$status" -eq 4 ]
	grep -q 'the checkpoint to go on from: F-34' err
	pk -C other init
	pk bundle create --since other/log/checkpoint b.tar
	[ "$status" -eq 5 ]
	grep -q 'the checkpoint to go on from is that of pakhus.invalid/' err
	sed '3s/./_/; 3s/_\(.\)/\1A/' store/log/checkpoint >forged
	pk bundle create --since forged b.tar
	[ "$status" -eq 4 ]
	grep -q 'another root over 4 entries than this log: another history' err
	[ ! -e b.tar ]
}

@test "create writes no half of a file, and nothing over what is no file" {
	fill 1 3
	pk bundle create /dev/null
	want 2 '' 'pakhus: bundle: /dev/null: is there, and not a regular file'
	[ -c /dev/null ]
	mkdir dir
	pk bundle create dir
	[ "$status" -eq 2 ]
	pk bundle create no/b.tar
	want 1 '' 'pakhus: bundle: make no/b.tar.part: there is no such directory'
	pk bundle create --json -
	[ "$status" -eq 2 ]
	[ ! -s out ]
	pk_terminal bundle create -
	[ "$status" -eq 2 ]
	grep -q 'a bundle is nothing for a terminal' out
	status=0
	"$PAKHUS" bundle create - >/dev/full 2>err || status=$?
	[ "$status" -eq 1 ]
	grep -q 'pakhus: bundle: write to stdout' err
	# what somebody who was killed left is taken over
	head -c 100000 /dev/zero >b.tar.part
	pk bundle create b.tar
	[ "$status" -eq 0 ]
	tar tf b.tar >/dev/null
	# and one who still writes is left alone
	pk bundle create c.tar
	touch b.tar.part
	flock b.tar.part "$PAKHUS" bundle create b.tar 2>err || status=$?
	[ "$status" -eq 6 ]
	grep -q 'b.tar: somebody else is writing it' err
	[ -e b.tar.part ]
	cmp b.tar c.tar
}
