#!/usr/bin/env bats

load cli

@test "verify of a sound store" {
	put_lending
	pk verify
	sed -Ei 's/[0-9]+ bytes/N bytes/' out
	want 0 'checked 7 entries, 6 objects, N bytes: no damage'
	pk verify --json
	[ "$(js 'rows.length + ":" + Object.keys(rows[0])')" = \
		1:entries,objects,bytes,damages ]
	[ "$(js 'rows[0].damages')" = 0 ]
}

@test "verify counts one as one" {
	"$PAKHUS" init >/dev/null
	pk verify
	want 0 'checked 1 entry, 0 objects, 0 bytes: no damage'
}

@test "verify changes nothing" {
	put_lending
	# but LMDB's table of readers
	find store -type f ! -name lock.mdb -exec sha256sum {} + | sort >before
	pk verify
	[ "$status" -eq 0 ]
	find store -type f ! -name lock.mdb -exec sha256sum {} + | sort >after
	diff before after
}

@test "a changed object is damage" {
	put_lending
	object=$(find store/objects -type f | sort | head -1)
	chmod u+w "$object"
	printf 'X' | dd of="$object" bs=1 seek=20 conv=notrunc status=none
	pk verify
	[ "$status" -eq 4 ]
	grep -q "^${object#store/}: F-[0-9]*: " out
	grep -q ' damaged$' out
	pk verify --json
	[ "$status" -eq 4 ]
	[ "$(js 'rows.some(r => r.path === "'"${object#store/}"'" &&
		/^F-[0-9]+$/.test(r.rule) && r.text)')" != false ]
	[ "$(js 'rows.at(-1).damages > 0')" = true ]
}

@test "a missing object is damage" {
	put_lending
	object=$(find store/objects -type f | sort | head -1)
	rm "$object"
	pk verify
	[ "$status" -eq 4 ]
	grep -q "${object#store/}" out
}

@test "damage that keeps the store from opening is damage like other" {
	put a 1
	echo rubbish >store/log/checkpoint
	pk verify
	[ "$status" -eq 4 ]
	[ ! -s err ]
	grep -Eq '^log/checkpoint: F-[0-9]+: ' out
	[ "$(tail -1 out)" = \
		'checked 0 entries, 0 objects, 0 bytes: 1 damaged' ]
	pk verify --json
	[ "$status" -eq 4 ]
	[ "$(js 'rows.length + rows[0].path')" = 2log/checkpoint ]
	[ "$(js '/^F-[0-9]+$/.test(rows[0].rule) && rows[1].damages')" = 1 ]
}

@test "a damaged FORMAT is named as other files are" {
	put a 1
	chmod u+w store/FORMAT
	echo rubbish >store/FORMAT
	pk verify
	[ "$status" -eq 4 ]
	grep -Eq '^FORMAT: F-40: ' out
}

@test "a changed log is damage" {
	put_lending
	bundle=$(find store/log/tile/entries -type f | sort | tail -1)
	chmod u+w "$bundle"
	printf 'X' | dd of="$bundle" bs=1 seek=20 conv=notrunc status=none
	pk verify
	[ "$status" -eq 4 ]
}

@test "an index of rubbish ends no program" {
	put_lending
	data=$(find store/local -name data.mdb)
	size=$(stat -c %s "$data")
	# behind the two meta pages all is noise
	head -c $((size - 8192)) /dev/urandom |
		dd of="$data" bs=4096 seek=2 conv=notrunc status=none
	pk verify
	[ "$status" -eq 4 ] || [ "$status" -eq 0 ] # 0: it was made anew
	pk verify --rebuild
	[ "$status" -eq 0 ]
	pk list
	[ "$(cut -f1 out)" = org.example.lending ]
}

@test "verify --rebuild makes the index anew" {
	put_lending
	pk verify --rebuild
	[ "$status" -eq 0 ]
	pk versions org.example.lending
	[ "$(wc -l <out)" -eq 6 ]
}

@test "the index is not made anew under somebody else" {
	put a 1
	mkfifo pipe
	"$PAKHUS" import pipe >/dev/null &
	pid=$!
	exec 9>pipe
	doc b 1 >&9
	for _ in {1..100}; do # until it has the store open
		pk verify --rebuild
		[ "$status" -eq 0 ] || break
		sleep 0.05
	done
	[ "$status" -eq 6 ]
	[ ! -s out ]
	pk verify
	[ "$status" -eq 0 ]
	exec 9>&-
	wait "$pid"
	pk list
	[ "$(cut -f1 out | tr '\n' ,)" = b,a, ]
}
