#!/usr/bin/env bats
# readme.bats - what README.md shows does what it says.

bats_require_minimum_version 1.5.0

top=$BATS_TEST_DIRNAME/..

@test "the example of README.md compiles without warnings and runs" {
	# shellcheck disable=SC2016
	sed -n '/^```c$/,/^```$/p' "$top/README.md" | sed '1d;$d' \
		>"$BATS_TEST_TMPDIR/example.c"
	cd "$BATS_TEST_TMPDIR"
	cc -Wall -Wextra -Wpedantic -Werror -I"$top/src" -o example example.c \
		"$top/build/cc/libpakhus.a" -llmdb -lzstd -lcrypto -pthread
	run ./example
	[ "$status" -eq 0 ]
	[[ $output == *' {"manifest":{"id":"com.acme.crm","version":"1.0.0"},"metadata":{}}' ]]
}
