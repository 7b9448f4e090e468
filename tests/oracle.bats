#!/usr/bin/env bats
# oracle.bats - Go's checksum database reads the logs that pakhus writes:
# signed note, checkpoint, tiles, bundles, tree hash and proofs.

bats_require_minimum_version 1.5.0

setup() {
	pakhus=${PAKHUS:-$BATS_TEST_DIRNAME/../build/cc/pakhus}
	"$BATS_TEST_DIRNAME/oracle/build" tiles "$BATS_TEST_TMPDIR/tiles"
	cd "$BATS_TEST_TMPDIR" || return 1
}

# FROM TO: documents of one package, a line each
documents() {
	for i in $(seq "$1" "$2"); do
		echo "{\"manifest\":{\"id\":\"a\",\"version\":\"1.$i\"},\"metadata\":{}}"
	done
}

@test "Go accepts a new log, and one of 700 entries grown in steps" {
	"$pakhus" -C s init --origin example.org/log
	./tiles s
	documents 1 1 | "$pakhus" -C s publish -
	./tiles s
	documents 2 254 | "$pakhus" -C s import -
	./tiles s
	documents 255 255 | "$pakhus" -C s publish - # entry 255 fills a tile
	./tiles s
	"$pakhus" -C s delete a@1.7
	./tiles s
	documents 256 700 | "$pakhus" -C s import -
	./tiles s
}

@test "Go follows a log from key to key" {
	"$pakhus" -C s init --origin example.org/log
	documents 1 3 | "$pakhus" -C s import -
	"$pakhus" -C s key --rotate
	./tiles s
	documents 4 300 | "$pakhus" -C s import -
	"$pakhus" -C s key --rotate
	"$pakhus" -C s checkpoint --renew
	./tiles s
	documents 301 310 | "$pakhus" -C s import -
	run ./tiles s
	[ "$status" -eq 0 ]
	[[ $output == *'ok 10 - each key signs its own part'* ]]
	first=$(basename "$(ls s/keys/*.next | head -1)")
	sed -i '2s/.*/4/' "s/keys/$first"
	run ./tiles s
	[ "$status" -eq 1 ]
	[[ $output == *'not ok 10'* ]]
}

@test "Go refuses a log with one bit flipped" {
	documents 1 300 | "$pakhus" -C s import -
	./tiles s
	chmod u+w s/log/tile/entries/000
	printf '\001' | dd of=s/log/tile/entries/000 bs=1 seek=100 \
		conv=notrunc status=none
	run ./tiles s
	[ "$status" -eq 1 ]
}
