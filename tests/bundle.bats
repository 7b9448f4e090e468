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

# ---- apply ----

# The tar of a tree, by another program, with the names in their order.
pack() { # TREE FILE
	(
		cd "$1" || exit
		ls -d BUNDLE FORMAT log/checkpoint 2>/dev/null || true
		find keys log/tile -type f | sort
		find objects -type f | sort
	) >list
	tar --format=ustar --mode=0444 --owner=0 --group=0 --numeric-owner \
		--mtime=@0 -b1 --no-recursion -C "$1" -T list -cf "$2"
}

unpack() { # FILE TREE
	rm -rf "$2"
	mkdir "$2"
	tar xf "$1" -C "$2"
	chmod -R u+w "$2"
}

# The mirror m is what it was, whatever was tried on it.
as_before() {
	[ ! -e "${1-m}" ] || {
		cmp "${1-m}/log/checkpoint" before
		"$PAKHUS" -C "${1-m}" verify >/dev/null
	}
}

# refused STATUS TEXT FILE [MIRROR]
refused() {
	pk -C "${4-m}" bundle apply "$3"
	[ "$status" -eq "$1" ] || {
		echo "status $status, not $1"
		cat err
		return 1
	}
	[ ! -s out ]
	grep -qF -- "$2" err || {
		cat err
		return 1
	}
	as_before "${4-m}"
}

# The mirror has what the store has.
same() { # MIRROR
	"$PAKHUS" list --json >want_out
	"$PAKHUS" -C "$1" list --json >got
	diff want_out got
	"$PAKHUS" history --json >want_out
	"$PAKHUS" -C "$1" history --json >got
	diff want_out got
	"$PAKHUS" -C "$1" verify >/dev/null
}

# A store of five versions, a mirror m of the first two, the bundle of the
# rest, and another of all.
begin() {
	fill 1 2
	"$PAKHUS" bundle create two.tar >/dev/null
	"$PAKHUS" -C m bundle apply two.tar >/dev/null 2>&1
	cp m/log/checkpoint before
	fill 3 5
	"$PAKHUS" bundle create all.tar >/dev/null
	"$PAKHUS" bundle create --since before rest.tar >/dev/null
}

@test "apply makes a mirror where nothing is" {
	fill 1 9
	pk bundle create b.tar
	key=$("$PAKHUS" key)
	pk -C m bundle apply --key "$key" b.tar
	want 0 "m: 10 entries (+10), 9 objects, $(
		find store/objects -type f -printf '%s\n' | paste -sd+ | bc) bytes from b.tar"
	same m
	pk -C m bundle apply b.tar
	want 0 'm: up to date'
	# one that is no bundle leaves nothing
	echo x >x
	pk -C n bundle apply x
	want 4 '' 'pakhus: bundle: x: F-80 ends before its end'
	head -c 5000 /dev/urandom >x
	pk -C n bundle apply x
	want 4 '' "pakhus: bundle: x: member 0, at 0: F-80 the header's checksum is wrong: it is no bundle"
	pk -C n bundle apply no
	want 1 '' 'pakhus: bundle: no: there is no such file'
	pk -C n bundle apply .
	[ "$status" -eq 2 ]
	[ ! -e n ]
}

@test "apply takes no pipe" {
	pk -C m bundle apply -
	[ "$status" -eq 2 ]
	grep -q 'copy it into a file' err
	fill 1 1
	"$PAKHUS" bundle create b.tar >/dev/null
	pk -C m bundle apply <(cat b.tar)
	[ "$status" -eq 2 ]
	grep -q 'not a regular file' err
	[ ! -e m ]
	pk bundle apply --since 1 b.tar
	[ "$status" -eq 2 ]
	grep -q -- '--since goes with create' err
	for option in --key=x --max-age=1d --threads=2; do
		pk bundle create "$option" c.tar
		[ "$status" -eq 2 ]
		grep -q -- "${option%=*} goes with apply" err
	done
}

@test "three bundles are applied in their order, and in no other" {
	fill 1 3
	pk bundle create 1.tar
	cp store/log/checkpoint mark
	fill 4 300
	pk bundle create --since mark 2.tar
	cp store/log/checkpoint mark
	"$PAKHUS" delete p@7 >/dev/null
	fill 301 310
	pk bundle create --since mark 3.tar
	pk -C m bundle apply 2.tar
	want 5 '' 'pakhus: bundle: this bundle goes on from entry 4 and m holds nothing yet: apply one that was made without --since first'
	[ ! -e m ]
	"$PAKHUS" -C m bundle apply 1.tar >/dev/null 2>&1
	cp m/log/checkpoint before
	pk -C m bundle apply 3.tar
	want 5 '' 'pakhus: bundle: this bundle goes on from entry 301 and m holds 4: apply the one made with --since 4 (or of an earlier one that reaches 301) first'
	as_before
	pk -C m bundle apply 2.tar
	[ "$status" -eq 0 ]
	grep -q '^m: 301 entries (+297), 297 objects' out
	pk -C m bundle apply --json 3.tar
	[ "$(js 'rows.map(r => [r.mirror, r.source, r.new, r.changed, r.before,
		r.entries, r.objects])')" = m,3.tar,false,true,301,312,10 ]
	same m
	# what is there already
	for b in 1 2; do
		pk -C m bundle apply $b.tar
		want 0 'm: up to date' "pakhus: note: m holds 312 entries already, and the bundle ends at $(
			[ $b = 1 ] && echo 4 || echo 301): nothing to do"
	done
	pk -C m bundle apply 3.tar
	want 0 'm: up to date'
	# one that begins before what is held, and goes further
	fill 311 312
	pk bundle create --since 4 4.tar
	pk -C m bundle apply 4.tar
	[ "$status" -eq 0 ]
	grep -q '^m: 314 entries (+2), 2 objects' out
	same m
	# and from a mirror
	pk -C m bundle create 5.tar
	pk bundle create 6.tar
	cmp 5.tar 6.tar
}

@test "a tar made by another program is the same, or refused" {
	begin
	unpack rest.tar x
	pack x again.tar
	cmp rest.tar again.tar
	# as it makes one when it is not told how
	tar cf own.tar -C x BUNDLE FORMAT log keys objects
	refused 4 'F-80' own.tar
	tar --format=ustar -cf own.tar -C x .
	refused 4 'F-80' own.tar
	tar --format=ustar -b39 --mode=0444 --owner=0 --group=0 \
		--numeric-owner --mtime=@0 --no-recursion -C x -T list \
		-cf own.tar
	refused 4 'F-80 there is something behind its end' own.tar
	tac list >backwards
	tar --format=ustar --mode=0444 --owner=0 --group=0 --numeric-owner \
		--mtime=@0 -b1 --no-recursion -C x -T backwards -cf own.tar
	refused 4 'F-81 stands twice, or out of order' own.tar
	gzip -k rest.tar
	refused 4 'it is no bundle' rest.tar.gz
}

@test "a bundle of another store, or of another history" {
	begin
	pk -C other init --origin other.example
	"$PAKHUS" -C other bundle create other.tar >/dev/null
	refused 5 'other.tar is of the store other.example, and m holds another' other.tar
	# the same store, put back and gone on with differently: a fork
	cp -a store fork
	"$PAKHUS" -C fork adopt --here >/dev/null
	doc a 1 | "$PAKHUS" -C fork publish - >/dev/null
	doc b 1 | "$PAKHUS" publish - >/dev/null
	"$PAKHUS" bundle create all.tar >/dev/null
	"$PAKHUS" -C f bundle apply all.tar >/dev/null 2>&1
	cp f/log/checkpoint before
	"$PAKHUS" -C fork bundle create fork.tar >/dev/null
	refused 4 'is of another history' fork.tar f
	doc a 2 | "$PAKHUS" -C fork publish - >/dev/null
	"$PAKHUS" -C fork bundle create fork.tar >/dev/null
	refused 4 '' fork.tar f
	"$PAKHUS" -C fork bundle create --since 7 fork.tar >/dev/null
	refused 4 'is of another history: the first 7 entries that f holds' fork.tar f
	# behind it, and yet another
	doc b 2 | "$PAKHUS" publish - >/dev/null
	doc b 3 | "$PAKHUS" publish - >/dev/null
	"$PAKHUS" bundle create all.tar >/dev/null
	"$PAKHUS" -C f bundle apply all.tar >/dev/null
	cp f/log/checkpoint before
	"$PAKHUS" -C fork bundle create fork.tar >/dev/null
	refused 4 'is of another history: the first 8 entries that f holds' fork.tar f
	# where a store is written
	refused 5 'where a store is written' all.tar fork || [ "$status" -eq 4 ]
}

# alter COMMAND...: in a fresh tree x of rest.tar, and packed to bad.tar
alter() {
	unpack rest.tar x
	(cd x && "$@")
	pack x bad.tar
}

flip() { # FILE [OFFSET]: one bit
	node -e '
		const fs = require("fs"), [, file, at] = process.argv;
		const bytes = fs.readFileSync(file);
		bytes[+at < 0 ? bytes.length + +at : +at] ^= 1;
		fs.writeFileSync(file, bytes);
	' "$1" "${2-0}"
}

flip_each() { # DIRECTORY OFFSET: of each file below
	local f
	find "$1" -type f >each
	while read -r f; do flip "$f" "$2"; done <each
	rm each
}

@test "altered members are refused, of every kind" {
	begin
	alter sed -i 's/^from 3/from 2/' BUNDLE
	refused 4 'F-8' bad.tar
	alter sed -i '3s/ [^ ]*$/ AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=/' BUNDLE
	refused 4 'BUNDLE: F-82 what it ends with does not begin with what it goes on from' bad.tar
	alter sed -i '$d' BUNDLE
	refused 4 'F-82' bad.tar
	alter sed -i 's/^to 6/to 7/' BUNDLE
	refused 4 'F-8' bad.tar
	alter sed -i 's/bundle 1/bundle 2/' BUNDLE
	refused 1 'a later pakhus is needed' bad.tar
	alter sed -i 's/^identity ./identity x/' BUNDLE
	refused 4 'F-82 the identity' bad.tar
	for member in BUNDLE FORMAT log/checkpoint; do
		alter rm $member
		refused 4 "has no member $member" bad.tar
	done
	pk -C other init
	alter cp ../other/FORMAT FORMAT
	refused 4 "FORMAT: F-82 is not the store's that BUNDLE names" bad.tar
	alter sed -i 's/^immutable no/immutable yes/' FORMAT
	refused 4 'FORMAT: F-84 is not the one that the mirror has' bad.tar
	unpack all.tar x
	sed -i 's/^immutable no/immutable yes/' x/FORMAT
	pack x bad.tar
	pk -C n bundle apply bad.tar
	[ "$status" -eq 4 ]
	grep -q F-23 err
	[ ! -e n/FORMAT ]
	alter cp ../other/log/checkpoint log/checkpoint
	refused 4 'log/checkpoint: F-82' bad.tar
	alter flip log/checkpoint -5
	refused 4 '' bad.tar
	alter flip log/tile/entries/000.p/6 -9
	refused 4 '' bad.tar
	alter rm -r log/tile
	mkdir -p x/log/tile
	pack x bad.tar
	refused 4 'F-81 entries are missing' bad.tar
	alter mv log/tile/entries/000.p/6 log/tile/entries/000.p/7
	refused 4 'F-81 its entries are not those that BUNDLE says' bad.tar
	alter cp log/tile/entries/000.p/6 log/tile/entries/001
	refused 4 'F-81 its entries are not those that BUNDLE says' bad.tar
	for at in 0 20 -1 -40; do
		alter flip_each objects $at
		refused 4 'objects/' bad.tar
	done
	alter find objects -type f -delete
	refused 4 'is missing' bad.tar
	alter touch keys/xx
	refused 4 'keys/xx: F-81 no bundle has a member of this name' bad.tar
	alter cp FORMAT objects/x
	refused 4 'objects/x: F-81 no bundle has' bad.tar
	alter cp log/checkpoint log/tile/000
	refused 4 'log/tile/000: F-81 no bundle has' bad.tar
	# after all that the right one
	pk -C m bundle apply rest.tar
	[ "$status" -eq 0 ]
	same m
}

# header FILE BLOCK OFFSET TEXT: sets a field, and the checksum right
header() {
	node -e '
		const fs = require("fs"), [, file, block, at, text] = process.argv;
		const bytes = fs.readFileSync(file);
		const b = bytes.subarray(512 * block, 512 * block + 512);
		Buffer.from(text, "latin1").copy(b, +at);
		b.fill(" ", 148, 156);
		const sum = b.reduce((a, c) => a + c, 0);
		b.write(sum.toString(8).padStart(6, "0") + "\0 ", 148, "latin1");
		fs.writeFileSync(file, bytes);
	' "$1" "$2" "$3" "$(printf '%b' "$4")"
}

@test "names that lead elsewhere, links and huge sizes" {
	begin
	try() { # OFFSET TEXT WHY
		cp rest.tar bad.tar
		header bad.tar 2 "$1" "$2"
		refused 4 "$3" bad.tar
	}
	try 0 ../x '../xAT: F-81' || try 0 ../xx/ 'the name does not lead to a place below'
	try 0 /etc/x 'the name does not lead to a place below'
	try 0 a/../x 'the name does not lead to a place below'
	try 0 local/ 'the name does not lead to a place below'
	try 0 BUNDLE 'BUNDLE: F-81 stands twice, or out of order'
	for type in 1 2 3 4 5 6 7 L K x g S; do
		try 156 $type 'a link, a directory or an extension'
	done
	try 157 /etc/passwd 'is not as in every bundle'
	try 345 /etc 'is not as in every bundle'
	try 100 0004755 'is not as in every bundle'
	try 124 77777777777 'F-81 is longer than such a file can be'
	try 124 00000000600 'F-8'
	try 124 '\0200\0377\0377\0377' 'the size is not eleven octal digits'
	# one object: as long as one can be, and the file is shorter
	size=$(stat -c %s rest.tar)
	last=$((size / 512 - 4))
	cp rest.tar bad.tar
	header bad.tar $last 124 00400000000
	refused 4 'F-80 the file ends before it does' bad.tar
	cp rest.tar bad.tar
	header bad.tar $last 124 01000000000
	refused 4 'F-81 is longer than such a file can be' bad.tar
	[ ! -e x ]
}

@test "a bundle that is cut, or goes on" {
	begin
	size=$(stat -c %s rest.tar)
	for cut in 0 1 511 512 513 1024 3000 $((size / 2)) $((size - 1537)) \
		$((size - 1024)) $((size - 1023)) $((size - 512)) $((size - 1)); do
		head -c "$cut" rest.tar >bad.tar
		refused 4 'F-80' bad.tar
	done
	{ cat rest.tar; printf x; } >bad.tar
	refused 4 'F-80 there is something behind its end' bad.tar
	cat rest.tar rest.tar >bad.tar
	refused 4 'F-80 there is something behind its end' bad.tar
	cp rest.tar bad.tar
	flip bad.tar 1023 # fills BUNDLE up
	refused 4 'F-80 there is something between two members' bad.tar
}

@test "a key that is not the log's, and a checkpoint that is too old" {
	begin
	pk -C other init
	pk -C n bundle apply --key "$("$PAKHUS" -C other key)" all.tar
	[ "$status" -eq 4 ]
	[ ! -e n ]
	pk -C m bundle apply --max-age 1000d rest.tar
	[ "$status" -eq 0 ]
	same m
}

@test "who is killed while writing a bundle leaves no half of one" {
	command -v strace >/dev/null || skip 'strace is not installed'
	fill 1 30
	pk bundle create b.tar
	cp b.tar kept.tar
	for call in pwrite64 fsync renameat; do
		for there in yes no; do
			[ $there = yes ] || rm -f b.tar
			ASAN_OPTIONS=detect_leaks=0 strace -qq -f -o trace \
				-P "$PWD/b.tar.part" -P b.tar.part \
				-e "inject=$call:signal=KILL:when=1" \
				"$PAKHUS" bundle create b.tar >out 2>err &&
				skip 'strace may not trace here'
			[ ! -e b.tar ] || cmp b.tar kept.tar
			[ $call = renameat ] || [ -e b.tar.part ]
			pk bundle create b.tar
			[ "$status" -eq 0 ]
			cmp b.tar kept.tar
			[ ! -e b.tar.part ]
		done
	done
}

@test "who is killed while applying goes on the next time" {
	command -v strace >/dev/null || skip 'strace is not installed'
	begin
	fill 6 40
	"$PAKHUS" bundle create all.tar >/dev/null
	"$PAKHUS" bundle create --since 3 rest.tar >/dev/null
	killed=0
	for call in openat pwrite64 renameat fsync; do
		for n in 2 20 100; do
			for to in m n; do
				rm -rf t
				[ $to = n ] || cp -a m t
				b=$([ $to = m ] && echo rest.tar || echo all.tar)
				ASAN_OPTIONS=detect_leaks=0 strace -qq -f \
					-o trace -e "trace=$call" \
					-e "inject=$call:signal=KILL:when=$n" \
					"$PAKHUS" -C t bundle apply "$b" \
					>out 2>err || killed=$((killed + 1))
				"$PAKHUS" -C t bundle apply "$b" >out 2>err
				same t
			done
		done
	done
	[ "$killed" -gt 0 ] || skip 'strace may not trace here'
	[ "$killed" -gt 9 ]
}

@test "a checkpoint that was signed anew comes in a bundle of nothing else" {
	begin
	"$PAKHUS" -C m bundle apply rest.tar >/dev/null
	"$PAKHUS" checkpoint --renew >/dev/null
	cmp store/log/checkpoint m/log/checkpoint && false
	pk bundle create --since m/log/checkpoint new.tar
	want 0 "new.tar: entries from 6 to 6, 0 objects, $(stat -c %s new.tar) bytes"
	pk -C m bundle apply new.tar
	[ "$status" -eq 0 ]
	cmp store/log/checkpoint m/log/checkpoint
	# the one before does not take that back
	pk -C m bundle apply rest.tar
	[ "$status" -eq 0 ]
	cmp store/log/checkpoint m/log/checkpoint
	same m
}

@test "a mirror follows the keys of the log through bundles" {
	begin
	"$PAKHUS" key --rotate >/dev/null
	fill 6 7
	"$PAKHUS" bundle create --since before keys.tar >/dev/null
	# the old key, the note of the rotation, the new one
	[ "$(names keys.tar | grep -c '^keys$')" -eq 3 ]
	unpack keys.tar x
	rm x/keys/*.next
	pack x bad.tar
	refused 4 '' bad.tar
	unpack keys.tar x
	flip "$(find x/keys -name '*.next')" 200
	pack x bad.tar
	refused 4 '' bad.tar
	pk -C m bundle apply keys.tar
	[ "$status" -eq 0 ]
	same m
	[ "$("$PAKHUS" -C m key)" = "$("$PAKHUS" key)" ]
	# from nothing, by whoever trusts the first key
	old=$("$PAKHUS" key --all | head -n 1 | cut -f3)
	"$PAKHUS" bundle create all.tar >/dev/null
	pk -C n bundle apply --key "$old" all.tar
	[ "$status" -eq 0 ]
	same n
}

@test "what was purged goes from a mirror by a bundle, and is in none" {
	begin
	"$PAKHUS" -C m bundle apply rest.tar >/dev/null
	hash=$("$PAKHUS" history p --json | js1 'r.version == "1" && r.hash')
	object=objects/${hash:0:2}/${hash:2}
	[ -e "m/$object" ]
	"$PAKHUS" purge p@1 --reason leaked >/dev/null
	"$PAKHUS" bundle create --since 6 new.tar >/dev/null
	"$PAKHUS" bundle create all.tar >/dev/null
	lacks <(tar tf new.tar) objects
	lacks <(tar tf all.tar) "$object"
	for to in m n; do
		pk -C $to bundle apply "$([ $to = m ] && echo new || echo all).tar"
		[ "$status" -eq 0 ]
		[ ! -e "$to/$object" ]
		same $to
	done
}

@test "what was collected is in no bundle, and no mirror misses it" {
	begin
	"$PAKHUS" -C m bundle apply rest.tar >/dev/null
	"$PAKHUS" delete p@5 >/dev/null
	"$PAKHUS" delete p@4 >/dev/null
	"$PAKHUS" gc --grace 0s >/dev/null
	"$PAKHUS" gc --grace 0s >/dev/null
	[ "$(find store/objects -type f | wc -l)" -eq 3 ]
	fill 6 7
	for since in 0 6; do
		pk bundle create --since $since new.tar
		[ "$status" -eq 0 ]
		pk -C "$([ $since = 6 ] && echo m || echo n)" bundle apply new.tar
		[ "$status" -eq 0 ]
	done
	same m
	same n
}

@test "a mirror that collected what a bundle goes on from hears which one has it" {
	fill 1 2
	doc q 1 "$(seq -s, 1 200)" | "$PAKHUS" publish - >/dev/null
	"$PAKHUS" bundle create all.tar >/dev/null
	"$PAKHUS" -C m bundle apply all.tar >/dev/null 2>&1
	"$PAKHUS" delete q >/dev/null
	"$PAKHUS" bundle create --since 4 new.tar >/dev/null
	"$PAKHUS" -C m bundle apply new.tar >/dev/null
	"$PAKHUS" -C m gc --grace 0s >/dev/null
	"$PAKHUS" -C m gc --grace 0s >/dev/null
	[ "$(find m/objects -type f | wc -l)" -eq 2 ]
	cp m/log/checkpoint before
	doc q 2 "$(seq -s, 1 200)" | "$PAKHUS" publish - >/dev/null
	"$PAKHUS" bundle create --since 4 new.tar >/dev/null
	refused 4 'the mirror may have collected it, and a bundle made with --since 5 has it' new.tar
	pk bundle create --since 5 new.tar
	grep -q ' 2 objects' out
	pk -C m bundle apply new.tar
	[ "$status" -eq 0 ]
	same m
}

@test "a bundle is synced before it has its name, and its directory after" {
	command -v strace >/dev/null || skip 'strace is not installed'
	fill 1 2
	mkdir stick
	ASAN_OPTIONS=detect_leaks=0 strace -qq -y -f -o trace \
		-e trace=fsync,rename,renameat,renameat2 \
		"$PAKHUS" bundle create stick/b.tar >out 2>err ||
		skip 'strace may not trace here'
	cat trace
	[ "$(wc -l <trace)" -eq 3 ]
	sed -n 1p trace | grep -q 'fsync(.*/stick/b.tar.part>) = 0'
	sed -n 2p trace | grep -q 'rename.*stick/b.tar.part", .*stick/b.tar"'
	sed -n 3p trace | grep -q 'fsync(.*/stick>) = 0'
}
