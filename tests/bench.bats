#!/usr/bin/env bats
# bench.bats - the bench, with counts so small that no time means anything:
# every work runs, every peer gives back what it was given, and the lines say
# what bench.h promises. Peers that need more than the C libraries are tested
# where they are run.

setup() {
	load cli
	BENCH=$(dirname "${AIDS:-$BATS_TEST_DIRNAME/../build/cc/tests}/x")/bench/bench
	BENCH=$(realpath "$BENCH")
	PAKHUS=$(realpath "${PAKHUS:-$BATS_TEST_DIRNAME/../build/cc/pakhus}")
	cd "$BATS_TEST_TMPDIR" || return
}
