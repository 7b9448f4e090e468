#!/usr/bin/env bats

load cli

# What depends on how small zstd makes it, and on when it was.
mask_gc() {
	sed -Ei 's/[0-9]+ bytes/N bytes/g; s/[0-9a-f]{64}\t[0-9]+/HASH\tN/
		s/(bytes|since_us)":[0-9]+/\1":0/g
		s/[0-9a-f]{64}/HASH/g' out
}

object_bytes() {
	find store/objects -type f -printf '%s\n' | awk '{ n += $1 }
		END { print n + 0 }'
}

@test "what was deleted goes after two runs, and is removed by a third" {
	put a 1 a 2 b 1
	"$PAKHUS" delete a@2 >/dev/null
	"$PAKHUS" delete b >/dev/null
	pk gc --grace 0
	mask_gc
	want 0 "\
freed 0 objects, N bytes
2 objects, N bytes wait"
	before=$(object_bytes)
	pk gc --grace 0
	freed=$(sed -n 's/freed 2 objects, \([0-9]*\) bytes.*/\1/p' out)
	[ "$freed" -eq $((before - $(object_bytes))) ]
	mask_gc
	want 0 'freed 2 objects, N bytes, which the next gc removes'
	[ "$(find store/local/trash -type f | wc -l)" -eq 2 ]
	pk gc --grace 0
	mask_gc
	want 0 "\
freed 0 objects, N bytes
removed 2 objects, N bytes that an earlier gc freed"
	[ "$(find store/local/trash -type f | wc -l)" -eq 0 ]
	pk get a
	[ "$status" -eq 0 ]
	pk verify
	[ "$status" -eq 0 ]
}

@test "fourteen days unless told otherwise" {
	put a 1
	"$PAKHUS" delete a >/dev/null
	"$PAKHUS" gc >/dev/null
	for grace in '' --grace=14d --grace=60s --grace=15m --grace=12h \
		--grace=36500d; do
		pk gc $grace
		mask_gc
		want 0 "\
freed 0 objects, N bytes
1 object, N bytes waits"
	done
	pk gc --grace 0s
	mask_gc
	want 0 'freed 1 object, N bytes, which the next gc removes'
}

@test "a grace period that is none" {
	put a 1
	for grace in '' 1 -1 1w d 1.5h 1hh ' 1h' +1h 00 0w; do
		pk gc --grace "$grace"
		[ "$status" -eq 2 ]
		head -1 err | grep -qF -- "d behind it: \"$grace\""
	done
	for grace in 999999999999999999999s 18446744073709551615d 36501d \
		99999999999999999s; do
		pk gc --grace "$grace"
		[ "$status" -eq 2 ]
		head -1 err | grep -qF -- '--grace: at most 36500d'
	done
}

@test "a dry run prints what would go, and changes nothing" {
	put a 1 a 2 b 1
	"$PAKHUS" delete b >/dev/null
	"$PAKHUS" gc >/dev/null
	"$PAKHUS" delete a@2 >/dev/null
	find store -type f ! -name lock.mdb -exec sha256sum {} + | sort >before
	pk gc --dry-run --grace 0
	mask_gc
	want 0 "\
wait	HASH	N	a@2
free	HASH	N	b@1
would free 1 object, N bytes
1 object, N bytes waits"
	pk gc --dry-run --grace 0 --json
	mask_gc
	want 0 '{"hash":"HASH","bytes":0,"id":"a","version":"2","since_us":0,"freed":false}
{"hash":"HASH","bytes":0,"id":"b","version":"1","since_us":0,"freed":true}
{"dry_run":true,"freed":1,"freed_bytes":0,"waiting":1,"waiting_bytes":0,"emptied":0,"emptied_bytes":0}'
	find store -type f ! -name lock.mdb -exec sha256sum {} + | sort >after
	diff before after
}

@test "gc --json tells of each object, and of all" {
	put a 1 b 1
	hash=$("$PAKHUS" list --json | sed -n 's/.*"hash":"\([^"]*\).*/\1/p' |
		head -1)
	"$PAKHUS" delete b >/dev/null
	"$PAKHUS" gc --grace 0 >/dev/null
	size=$(stat -c %s "store/objects/${hash:0:2}/${hash:2}")
	pk gc --grace 0 --json
	[ "$(js 'rows.length')" = 2 ]
	[ "$(js 'rows[0].hash + rows[0].freed')" = "${hash}true" ]
	[ "$(js 'rows[0].bytes')" = "$size" ]
	[ "$(js '[rows[1].freed, rows[1].freed_bytes, rows[1].dry_run]')" = \
		"1,$size,false" ]
}

@test "what was collected is said so, and its history stays" {
	put a 1 a 2
	hash=$("$PAKHUS" list --json | sed -n 's/.*"hash":"\([^"]*\).*/\1/p')
	"$PAKHUS" delete a@2 >/dev/null
	"$PAKHUS" gc --grace 0 >/dev/null
	"$PAKHUS" gc --grace 0 >/dev/null
	pk get --at 2
	want 3 '' "pakhus: get: a@2: its text $hash was collected"
	pk cat "$hash"
	want 3 '' "pakhus: cat: $hash: no such object, or one that was collected"
	pk history a
	[ "$(wc -l <out)" -eq 3 ]
	# and published again it is all there
	put a 2
	pk get a@2 --document
	want 0 "$(doc a 2)"
	pk get --at 2
	[ "$status" -eq 0 ]
	pk verify
	[ "$status" -eq 0 ]
}

@test "a second reader finds what was collected as it should be (F-85)" {
	put_lending
	"$PAKHUS" delete org.example.lending@1.2.1 >/dev/null
	"$PAKHUS" gc --grace 0 >/dev/null
	"$PAKHUS" gc --grace 0 --json >out
	[ "$(js 'rows.at(-1).freed')" = 1 ]
	pk list --json
	node "$BATS_TEST_DIRNAME/oracle/reader.mjs" --stat --journal store >out
	[ "$(js 'rows.find(r => r.objects !== undefined).objects')" = 5 ]
	# but not that something live is missing
	"$PAKHUS" delete org.example.lending >/dev/null
	put a 1
	hash=$("$PAKHUS" list --json | sed -n 's/.*"hash":"\([^"]*\).*/\1/p')
	rm -f "store/objects/${hash:0:2}/${hash:2}"
	run node "$BATS_TEST_DIRNAME/oracle/reader.mjs" store
	[ "$status" -eq 1 ]
	[[ $output == "F-11 "* ]]
}

@test "a mirror frees what it holds itself" {
	put a 1 a 2
	"$PAKHUS" delete a@2 >/dev/null
	mkdir mirror
	cp -r store/FORMAT store/keys store/log store/objects mirror
	pk -C mirror gc --grace 0
	[ "$status" -eq 0 ]
	pk -C mirror gc --grace 0
	mask_gc
	want 0 'freed 1 object, N bytes, which the next gc removes'
	pk -C mirror verify
	[ "$status" -eq 0 ]
	pk gc --grace 0
	mask_gc
	want 0 "\
freed 0 objects, N bytes
1 object, N bytes waits"
}

@test "what a mirror freed comes back when it is needed" {
	put a 1 a 2
	"$PAKHUS" delete a@2 >/dev/null
	"$PAKHUS" mirror store mirror >/dev/null
	"$PAKHUS" -C mirror gc --grace 0 >/dev/null
	"$PAKHUS" -C mirror gc --grace 0 --json >out
	[ "$(js 'rows.at(-1).freed')" = 1 ]
	# at the source it is there, and the next one is made against it
	put a 3
	pk mirror store mirror
	[ "$status" -eq 0 ]
	pk -C mirror get a --document
	want 0 "$(doc a 3)"
	[ "$(find store/objects -type f | wc -l)" -eq 3 ]
	[ "$(find mirror/objects -type f | wc -l)" -eq 3 ]
	pk -C mirror verify
	[ "$status" -eq 0 ]
	# and when it is published again
	"$PAKHUS" delete a@3 >/dev/null
	pk mirror store mirror
	"$PAKHUS" -C mirror gc --grace 0 >/dev/null
	"$PAKHUS" -C mirror gc --grace 0 >/dev/null
	[ "$(find mirror/objects -type f | wc -l)" -eq 1 ]
	put a 2
	pk mirror store mirror
	[ "$status" -eq 0 ]
	pk -C mirror get a --document
	want 0 "$(doc a 2)"
	pk -C mirror verify
	[ "$status" -eq 0 ]
}

@test "a mirror is made of a store that collects" {
	put a 1 a 2 b 1
	"$PAKHUS" delete a@2 >/dev/null
	"$PAKHUS" delete b >/dev/null
	"$PAKHUS" gc --grace 0 >/dev/null
	"$PAKHUS" gc --grace 0 >/dev/null
	pk mirror store mirror
	[ "$status" -eq 0 ]
	pk -C mirror verify
	[ "$status" -eq 0 ]
	pk -C mirror get a --document
	want 0 "$(doc a 1)"
}

@test "who cannot write the store cannot collect" {
	put a 1
	chmod -R go+rX store
	pk_other gc
	[ "$status" -eq 7 ]
	[ ! -s out ]
	pk -C nowhere gc
	[ "$status" -eq 3 ]
	pk gc more
	[ "$status" -eq 2 ]
}

@test "nothing goes while something live is missing" {
	put a 1 b 1
	hash=$("$PAKHUS" versions a --json | sed -n 's/.*"hash":"\([^"]*\).*/\1/p')
	"$PAKHUS" delete b >/dev/null
	"$PAKHUS" gc >/dev/null
	rm -f "store/objects/${hash:0:2}/${hash:2}"
	pk gc --grace 0
	want 4 '' "pakhus: gc: objects/${hash:0:2}/${hash:2}: F-11 is missing, and something live needs it; nothing is collected before that is mended"
	[ "$(find store/objects -type f | wc -l)" -eq 1 ]
}
