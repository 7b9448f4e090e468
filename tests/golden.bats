#!/usr/bin/env bats
# golden.bats - a store that release 1 wrote stays readable for ever.
#
# golden/v1 is never made again: it has deltas up to depth 8, a version that
# was replaced, deletes, a package that came back, and no local/. golden/v1.txt
# is its history as it was written.

bats_require_minimum_version 1.5.0

setup() {
	PAKHUS=$(realpath "${PAKHUS:-$BATS_TEST_DIRNAME/../build/cc/pakhus}")
	GOLDEN=$BATS_TEST_DIRNAME/golden
	cd "$BATS_TEST_TMPDIR" || return 1
	cp -r "$GOLDEN/v1" store
	export PAKHUS_STORE=store
}

@test "every text that a publish stored is there, by position and by hash" {
	local n=0
	while IFS=$'\t' read -r op seq _ _ _ hash _; do
		[ "$op" = publish ] || continue
		echo "$seq $hash"
		"$PAKHUS" get --document --at "$seq" >text 2>err
		[ "$(head -c -1 text | sha256sum)" = "$hash  -" ]
		"$PAKHUS" cat "$hash" | sha256sum >sum
		[ "$(cat sum)" = "$hash  -" ]
		n=$((n + 1))
	done <"$GOLDEN/v1.txt"
	[ "$n" -eq 32 ]
}

@test "what is live is what the history leaves" {
	# a version keeps the line of its last publish until it is deleted
	awk -F'\t' '$1 == "publish" { live[$4 "\t" $5] = $6 }
		$1 == "delete" { delete live[$4 "\t" $5] }
		END { for (v in live) print v "\t" live[v] }' \
		"$GOLDEN/v1.txt" | sort >want
	for id in @acme/crm org.example.gone org.example.lending \
		org.example.line; do
		"$PAKHUS" versions "$id" 2>err
	done | cut -f1,2,4 | sort >have
	diff want have
	[ "$(wc -l <have)" -eq 28 ]
}

@test "list shows the latest of each, newest first" {
	run --separate-stderr "$PAKHUS" list
	diff - <(cut -f1,2 <<<"$output") <<-'END'
		org.example.line	0.21.0
		org.example.gone	3
		@acme/crm	1.0.0
		org.example.lending	1.2.1
	END
}

@test "its history is the one that was written" {
	"$PAKHUS" history 2>err | tac | diff "$GOLDEN/v1.txt" -
}

@test "it verifies, and says its key" {
	run --separate-stderr "$PAKHUS" verify
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$output" = 'checked 36 entries, 32 objects, 56225 bytes: no damage' ]
	[ "$("$PAKHUS" key)" = "$(cat "$GOLDEN"/v1/keys/*)" ]
}

@test "reading changes none of its files" {
	"$PAKHUS" list >out 2>err
	"$PAKHUS" verify >out 2>err
	rm -rf store/local
	diff -r "$GOLDEN/v1" store
}
