#!/usr/bin/env bats
# cli_repair.bats - verify --repair and --quick, and what else they say.

load cli

# hurt FILE...: a byte in the middle of the compressed text
hurt() {
	local file

	for file in "$@"; do
		chmod u+w "$file"
		printf 'X' | dd of="$file" bs=1 seek=20 conv=notrunc status=none
	done
}

# The n-th object of DIR.
object() { # DIR N
	find "$1/objects" -type f | sort | sed -n "$2p"
}

with_mirror() {
	put_lending
	"$PAKHUS" mirror store m >/dev/null 2>&1
}

@test "objects are restored from a path" {
	with_mirror
	first=$(object store 1)
	hurt "$first"
	rm "$(object store 3)"
	pk verify
	[ "$status" -eq 4 ]
	pk verify --repair --from m --threads 2
	[ "$status" -eq 0 ]
	grep -qx "${first#store/}: restored" out
	tail -n 1 out | grep -Eq '^checked 7 entries, 6 objects, [0-9]+ bytes: [0-9]+ restored, no damage$'
	pk verify
	[ "$status" -eq 0 ]
	pk verify --repair --from m
	[ "$status" -eq 0 ]
	lacks out restored
	diff -r store/objects m/objects
}

@test "a mirror is repaired, and tells it as JSON" {
	with_mirror
	hurt m/objects/*/*
	pk -C m verify --repair --from store --json
	[ "$status" -eq 0 ]
	[ "$(js 'rows.filter(r => r.mended === "restored").length')" = 6 ]
	[ "$(js 'rows.at(-1).restored + ":" + rows.at(-1).set_aside + ":" +
		rows.at(-1).damages')" = 6:0:0 ]
	diff -r store/objects m/objects
}

@test "what the source has no better stays damage" {
	with_mirror
	first=$(object store 1)
	hurt store/objects/*/* m/objects/*/*
	sha256sum "$first" >before
	pk verify --repair --from m
	[ "$status" -eq 4 ]
	grep -q "^${first#store/}: F-" out
	grep -q ' damaged$' out
	sha256sum --quiet -c before
	# nor does another store have it
	PAKHUS_STORE=other put a 1
	pk verify --repair --from other
	[ "$status" -eq 4 ]
}

@test "a damaged text that nothing needs is set aside" {
	put a 1 b 1
	"$PAKHUS" delete a@1 >/dev/null
	dead=$("$PAKHUS" history a --json | node -e '
		require("readline").createInterface(process.stdin).on("line",
			l => { const h = JSON.parse(l).hash; if (h)
				console.log(h) })')
	hurt "store/objects/${dead:0:2}/${dead:2}"
	PAKHUS_STORE=other put c 1
	pk verify --repair --from other
	[ "$status" -eq 0 ]
	grep -q ': nothing needs it; set aside in local/trash$' out
	grep -q ': 1 set aside, no damage$' out
	[ -e "store/local/trash/$dead" ]
	pk verify
	[ "$status" -eq 0 ]
}

@test "a source that cannot be reached is the network's" {
	with_mirror
	hurt "$(object store 1)"
	pk verify --repair --from rsync://127.0.0.1:1/x
	[ "$status" -eq 8 ]
	pk verify --repair --from http://127.0.0.1:1/
	[ "$status" -eq 8 ]
	pk verify
	[ "$status" -eq 4 ]
}

@test "what may not be written is not repaired" {
	with_mirror
	hurt "$(object store 1)"
	chmod -R a+rX store m
	pk_other verify --repair --from m
	[ "$status" -eq 7 ]
}

@test "a quick check decodes nothing" {
	with_mirror
	pk verify --quick
	want 0 'checked 7 entries, 6 objects, 0 bytes: no damage'
	hurt "$(object store 1)"
	pk verify --quick
	[ "$status" -eq 0 ]
	truncate -s -1 "$(object store 1)"
	pk verify --quick
	[ "$status" -eq 4 ]
	rm "$(object store 1)"
	pk verify --quick --json
	[ "$status" -eq 4 ]
	grep -qE 'F-1[17]' out
}

@test "a quick check finds every change to the log" {
	put_lending
	hurt store/log/tile/entries/000.p/7
	pk verify --quick
	[ "$status" -eq 4 ]
}

@test "options that do not go together" {
	put a 1
	pk verify --repair
	[ "$status" -eq 2 ]
	pk verify --from m
	[ "$status" -eq 2 ]
	pk verify --quick --rebuild
	[ "$status" -eq 2 ]
	pk verify --quick --repair --from m
	[ "$status" -eq 2 ]
	pk verify --threads 0
	[ "$status" -eq 2 ]
	pk verify --proof x --key y --quick
	[ "$status" -eq 2 ]
}

@test "however many threads look, the same is told" {
	put_lending
	pk verify --threads 1
	mv out one
	pk verify --threads 4
	diff one out
	hurt store/objects/*/*
	pk verify --threads 1
	mv out one
	pk verify --threads 4
	diff one out
}
