#!/usr/bin/env bats
# test_oracle.bats - the tiles oracle accepts a good log and no other. The
# logs are made by tests/oracle/maketree, with nothing of the library.

bats_require_minimum_version 1.5.0

setup_file() {
	for program in tiles maketree; do
		"$BATS_TEST_DIRNAME/oracle/build" "$program" \
			"$BATS_FILE_TMPDIR/$program"
	done
}
setup() {
	bin=$BATS_FILE_TMPDIR
	cd "$BATS_TEST_TMPDIR" || return 1
}

refuses() { # STORE STEP
	run "$bin/tiles" "$1"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"not ok $2 - "* ]]
}

# flip FILE OFFSET: one bit of one byte
flip() {
	local byte
	byte=$(od -An -tu1 -j"$2" -N1 "$1")
	# shellcheck disable=SC2059
	printf "\\$(printf %o $((byte ^ 1)))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

@test "logs of many sizes are good" {
	for size in 1 2 3 255 256 257 512 600 65537; do
		"$bin/maketree" "s$size" "$size"
		run "$bin/tiles" "s$size"
		echo "$output"
		[ "$status" -eq 0 ]
		[ "$(grep -c '^ok' <<<"$output")" -eq 10 ]
		rm -r "s$size"
	done
}

@test "a flipped bit is found in every file, wherever it is" {
	"$bin/maketree" s 600
	find s -type f >files
	[ "$(wc -l <files)" -eq 13 ]
	while read -r file; do
		size=$(stat -c %s "$file")
		for at in 0 1 $((size / 3)) $((size / 2)) $((size - 1)); do
			flip "$file" "$at"
			echo "$file $at"
			run ! "$bin/tiles" s
			flip "$file" "$at"
		done
	done <files
	run "$bin/tiles" s
	[ "$status" -eq 0 ]
}

@test "a file that is missing, cut or longer is found" {
	"$bin/maketree" s 600
	for file in s/FORMAT s/keys/* s/log/checkpoint s/log/tile/0/001 \
		s/log/tile/0/002.p/88 s/log/tile/1/000.p/2 \
		s/log/tile/entries/002.p/88 s/log/tile/entries/000; do
		echo "$file"
		mv "$file" kept
		run ! "$bin/tiles" s
		head -c -1 kept >"$file"
		run ! "$bin/tiles" s
		{ cat kept && echo; } >"$file"
		run ! "$bin/tiles" s
		mv kept "$file"
	done
	run "$bin/tiles" s
	[ "$status" -eq 0 ]
}

@test "a partial file of an older tree may go, and is compared while it is there" {
	"$bin/maketree" s 600
	flip s/log/tile/0/001.p/44 7
	refuses s 7
	rm -r s/log/tile/0/001.p s/log/tile/entries/001.p
	"$bin/tiles" s
}

@test "what lies beyond the checkpoint is passed over" {
	"$bin/maketree" s 600
	cp s/log/tile/0/000 s/log/tile/0/007
	run "$bin/tiles" s
	[ "$status" -eq 0 ]
	[[ $output == *'# log/tile/0/007 is beyond the checkpoint'* ]]
}

@test "a name that is no tile's is refused" {
	"$bin/maketree" s 600
	mkdir -p s/log/tile/0/x000
	cp s/log/tile/0/000 s/log/tile/0/x000/000
	refuses s 7
}

@test "a checkpoint of another log is refused" {
	"$bin/maketree" a 300
	"$bin/maketree" b 300
	cp b/log/checkpoint a/log/checkpoint
	refuses a 2
	cp b/keys/* a/keys/
	refuses a 3
}

@test "a log that begins with another FORMAT is refused" {
	"$bin/maketree" s 10
	sed -i 's/immutable no/immutable yes/' s/FORMAT
	refuses s 5
}
