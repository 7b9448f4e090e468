#!/usr/bin/env bats
# oracle_proofs.bats - Go's checksum database makes the same proofs as pakhus
# out of its tiles, and is convinced by them.

bats_require_minimum_version 1.5.0

setup_file() {
	"$BATS_TEST_DIRNAME/oracle/build" proofs "$BATS_FILE_TMPDIR/proofs"
}
setup() {
	pakhus=${PAKHUS:-$BATS_TEST_DIRNAME/../build/cc/pakhus}
	aid=$(realpath "${AIDS:-$BATS_TEST_DIRNAME/../build/cc/tests}")/aid_proofs
	proofs=$BATS_FILE_TMPDIR/proofs
	cd "$BATS_TEST_TMPDIR" || return 1
}

# SIZES EXPECTED: pipes proofs of them to Go
agree() {
	# shellcheck disable=SC2016
	run -0 bash -c 'set -o pipefail; "$0" store $2 | "$1"' "$aid" "$proofs" "$1"
	echo "$output"
	[ "$output" = "$2" ]
}

@test "proofs of each entry and each size of all logs up to 600" {
	# with a sanitizer, of fewer
	n=${SANITIZED:+150}
	n=${n:-600}
	all=$((n * (n + 1) / 2))
	agree "1 $(seq -s ' ' 1 "$n")" "$n entries, $all records, $all trees"
}

@test "proofs in logs of three levels of tiles" {
	agree "1999 65535 65536 65537 65791 65792 65793 66047 66048 70000" \
		'70000 entries, 329 records, 329 trees'
}

@test "Go is told when a proof is another" {
	"$aid" store 1 1 2 3 4 5 >stream
	run -0 "$proofs" <stream
	size=$(wc -c <stream)
	for at in $((size - 1)) $((size - 40)) $((size / 2)) 100; do
		cp stream changed
		byte=$(od -An -tu1 -j"$at" -N1 stream)
		# shellcheck disable=SC2059
		printf "\\$(printf %o $((byte ^ 1)))" |
			dd of=changed bs=1 seek="$at" conv=notrunc status=none
		run ! "$proofs" <changed
	done
}

@test "Go reads the text of a proof as C2SP says" {
	for i in $(seq 1 300); do
		echo "{\"manifest\":{\"id\":\"a\",\"version\":\"1.$i\"},\"metadata\":{}}"
	done | "$pakhus" -C s import - >/dev/null
	key=$("$pakhus" -C s key)
	for at in 0 1 128 255 256 299 300; do
		"$pakhus" -C s prove --at "$at" >proof
		run -0 "$proofs" "$key" <proof
		[[ $output == '{"op":"'* ]]
		[ "$at" -eq 0 ] || [[ $output == *"\"version\":\"1.$at\""* ]]
	done
	sed 's/^index 300$/index 299/' proof >changed
	run ! "$proofs" "$key" <changed
}
