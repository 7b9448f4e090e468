#!/usr/bin/env bats
# fulldisk.bats - a full disk is an error with a sentence, loses nothing that
# was acknowledged, and is over when there is room again.
#
# The disk is a tmpfs in a mount namespace of its own, and goes with it.
# What runs in there are functions of this file, in a shell that ends with
# the first command that fails.

bats_require_minimum_version 1.5.0

setup() {
	PAKHUS=$(realpath "${PAKHUS:-$BATS_TEST_DIRNAME/../build/cc/pakhus}")
	WORKER=$(realpath "${AIDS:-$BATS_TEST_DIRNAME/../build/cc/tests}")
	WORKER=$WORKER/aid_worker
	export PAKHUS WORKER PAKHUS_STORE=store
	cd "$BATS_TEST_TMPDIR" || return 1
	levels='0 4 8 12 16 20 24 28 32 40 48 64 80 112 160 192 256 512'
	[ -z "${SANITIZED-}" ] || levels='0 8 20 32 48 128 256'
	export levels
	mkdir disk
	for ns in 'unshare -Urm' 'unshare -m'; do
		$ns mount -t tmpfs none disk 2>/dev/null && return
	done
	skip 'mounting is not permitted here'
}

# on_disk SIZE FUNCTION: runs it in the disk
on_disk() {
	$ns bash -euc "$(declare -f)
		mount -t tmpfs -o size=$1 none disk
		cd disk
		$2"
}

# ---- in there ----

# leave KB: fills the disk but for so much
leave() {
	local size
	dd if=/dev/zero of=filler bs=4k 2>/dev/null || true
	size=$(stat -c %s filler)
	truncate -s $((size > $1 * 1024 ? size - $1 * 1024 : 0)) filler
}

# doc ID VERSION SIZE: a document that does not compress
doc() {
	printf '{"manifest":{"id":"%s","version":"%s"},"metadata":{"x":"%s"}}\n' \
		"$1" "$2" "$(head -c $(($3 * 3 / 4)) /dev/urandom | base64 -w0)"
}

# pk LINES ARG...: the program; 0, or 1 and up to LINES lines of why. Where
# it is killed or says something else, that ends the test.
pk() {
	local lines=$1
	shift
	status=0
	"$PAKHUS" "$@" >"$TMP/out" 2>"$TMP/err" || status=$?
	cat "$TMP/out" >>"$TMP/said"
	grep -v -e '^pakhus: note: not in the mirrored tree yet: ' \
		-e '^pakhus: note: .* from the log: there was none$' \
		"$TMP/err" >"$TMP/why" || true
	[ "$status" -eq 0 ] && [ ! -s "$TMP/why" ] && return
	[ "$status" -eq 1 ] &&
		[ "$(wc -l <"$TMP/why")" -le "$lines" ] &&
		grep -q "^pakhus: $1: .*: No space left on device$" \
			"$TMP/why" && return
	echo "$* exits $status and says"
	cat "$TMP/err"
	exit 1
}

# Every line ID@VERSION HASH of said is what is read.
readable() {
	local name hash rest
	while read -r name hash rest; do
		[ "$hash  -" = "$("$PAKHUS" get --document "$name" \
			2>>"$TMP/notes" | head -c -1 | sha256sum)" ] || {
			echo "$name is not $hash $rest"
			exit 1
		}
	done < <(grep @ "$TMP/said" | tail -n "${1:-+1}")
	! grep -v '^pakhus: note: not in the mirrored tree yet: ' "$TMP/notes"
}

sound() {
	[ "$("$PAKHUS" stat --json | sed 's/.*"journal_bytes":\([0-9]*\).*/\1/')" = 0 ]
	"$PAKHUS" verify >"$TMP/out"
}

prepare() {
	TMP=$(mktemp -d "$BATS_TEST_TMPDIR/tmp.XXXXXX")
	: >"$TMP/notes"
	failed=0
	for v in 1 2 3; do
		doc old $v 40000 | "$PAKHUS" publish - >>"$TMP/said"
	done
}

publish_when_full() {
	prepare
	for left in $levels; do
		doc new "$left" 30000 >"$TMP/doc"
		leave "$left"
		pk 1 publish "$TMP/doc"
		failed=$((failed + status))
		readable -4
		"$PAKHUS" list >"$TMP/out" 2>>"$TMP/notes"
		"$PAKHUS" verify >"$TMP/out" 2>>"$TMP/notes"
		rm filler
		sound
		"$PAKHUS" publish "$TMP/doc" >>"$TMP/said"
		sound
	done
	readable
	[ "$failed" -gt 0 ]
}

delete_when_full() {
	prepare
	for left in $levels; do
		doc new "$left" 30000 | "$PAKHUS" publish - >"$TMP/out"
		leave "$left"
		pk 1 delete "new@$left"
		failed=$((failed + status))
		readable
		rm filler
		[ "$status" -eq 1 ] ||
			"$PAKHUS" get "new@$left" 2>"$TMP/err" >"$TMP/out" ||
			[ $? -eq 3 ]
		"$PAKHUS" delete "new@$left" >"$TMP/out" 2>"$TMP/err" ||
			[ $? -eq 3 ]
		sound
	done
	[ "$failed" -gt 0 ]
}

import_when_full() {
	local id there
	prepare
	for left in $levels 2048 4096; do
		id=import$left
		for v in $(seq 40); do doc "$id" "$v" 20000; done >"$TMP/lines"
		leave "$left"
		pk 2 import "$TMP/lines"
		failed=$((failed + status))
		readable
		rm filler
		sound
		"$PAKHUS" versions "$id" >"$TMP/out" 2>"$TMP/err" || [ $? -eq 3 ]
		there=$(wc -l <"$TMP/out")
		if [ "$status" -eq 0 ]; then
			[ "$there" -eq 40 ]
		else
			grep -Eq "stopped; $there versions? (is|are) durable" \
				"$TMP/why" ||
				grep -q 'durable, not yet in the mirrored' \
					"$TMP/why"
		fi
		"$PAKHUS" delete "$id" >"$TMP/out" 2>"$TMP/err" || [ $? -eq 3 ]
		"$PAKHUS" import "$TMP/lines" >"$TMP/out"
		[ "$("$PAKHUS" versions "$id" | wc -l)" -eq 40 ]
		"$PAKHUS" delete "$id" >"$TMP/out"
		sound
	done
	[ "$failed" -gt 0 ]
}

init_when_full() {
	TMP=$BATS_TEST_TMPDIR
	failed=0
	for left in $levels 1500 2048 2060 2080 2100 2120 2140 2160 2180 2200 \
		2220 2240 2300 2400 2500 3000; do
		leave "$left"
		pk 1 init
		failed=$((failed + status))
		doc a 1 100 >"$TMP/doc"
		"$PAKHUS" publish "$TMP/doc" >"$TMP/out" 2>"$TMP/err" ||
			[ $? -eq 1 ]
		rm filler
		"$PAKHUS" publish "$TMP/doc" >"$TMP/out"
		sound
		rm -r store
	done
	[ "$status" -eq 0 ]
	[ "$failed" -gt 0 ]
}

fill_by_publishing() {
	TMP=$BATS_TEST_TMPDIR
	"$PAKHUS" init >"$TMP/out"
	"$WORKER" publish store a 1 >"$TMP/acks" && exit 1
	tail -n 1 "$TMP/acks"
	tail -n 1 "$TMP/acks" | grep -q '^! publish .*: No space left on device$'
	# shellcheck disable=SC2016
	node -e '
		const known = new Map();
		for (const line of require("fs").readFileSync(0, "utf8").split("\n")) {
			const [what, id, version, hash] = line.split(" ");
			const name = `${id} ${version}`;
			if (what === "+")
				known.set(name, [hash]);
			else if (what === "?")
				known.set(name, [...known.get(name) ?? ["-"], hash]);
		}
		for (const [name, hashes] of known)
			console.log(`${name} ${hashes}`);
		' <"$TMP/acks" >"$TMP/known"
	[ "$(wc -l <"$TMP/known")" -gt 20 ]
	"$WORKER" check store <"$TMP/known" >"$TMP/out"
	mount -o remount,size=64m .
	"$WORKER" check store <"$TMP/known" >"$TMP/out"
	doc b 1 100000 | "$PAKHUS" publish - >"$TMP/out"
	sound
}

# A bundle is whole or not there, and what is in the way of the next is gone.
bundle_when_full() {
	prepare
	for v in $(seq 20); do doc b "$v" 20000; done | "$PAKHUS" import - >"$TMP/out"
	"$PAKHUS" bundle create "$TMP/whole.tar" >"$TMP/out"
	key=$("$PAKHUS" key)
	for left in $levels; do
		rm -rf b.tar b.tar.part mirror
		leave "$left"
		pk 1 bundle create b.tar
		failed=$((failed + status))
		if [ "$status" -eq 0 ]; then
			cmp b.tar "$TMP/whole.tar"
		else
			[ ! -e b.tar ]
			[ ! -e b.tar.part ]
			rm filler
			"$PAKHUS" bundle create b.tar >"$TMP/out"
			cmp b.tar "$TMP/whole.tar"
		fi
		sound
		# and where it is applied
		leave "$left"
		PAKHUS_STORE=mirror pk 1 bundle apply --key "$key" "$TMP/whole.tar"
		failed=$((failed + status))
		rm filler
		PAKHUS_STORE=mirror "$PAKHUS" bundle apply "$TMP/whole.tar" \
			>"$TMP/out" 2>"$TMP/notes"
		PAKHUS_STORE=mirror "$PAKHUS" verify >"$TMP/out"
	done
	[ "$failed" -gt 10 ]
}

# Many entries and few texts: behind its log the index takes the most. What
# the mirror held can be read by whoever comes anew.
mirror_when_full() {
	local there
	TMP=$(mktemp -d "$BATS_TEST_TMPDIR/tmp.XXXXXX")
	failed=0
	doc old 1 100 | "$PAKHUS" -C "$TMP/new" publish - >"$TMP/said"
	cp -a "$TMP/new" "$TMP/old"
	for v in $(seq 20); do
		doc "$(printf '%0200d' "$v")" 1 9
	done >"$TMP/lines"
	for v in $(seq 150); do cat "$TMP/lines"; done |
		"$PAKHUS" -C "$TMP/new" import - >"$TMP/out"
	for left in 500 1500 2500 3000 3500 4000 4500 5000 5500 6000 7000 9000; do
		"$PAKHUS" mirror "$TMP/old" mirror >"$TMP/out" 2>"$TMP/notes"
		leave "$left"
		pk 1 mirror "$TMP/new" mirror
		failed=$((failed + status))
		there=$("$PAKHUS" -C mirror list | wc -l)
		[ "$there" -eq $((status ? 1 : 21)) ]
		"$PAKHUS" -C mirror get old >"$TMP/out"
		rm filler
		"$PAKHUS" mirror "$TMP/new" mirror >"$TMP/out"
		[ "$("$PAKHUS" -C mirror list | wc -l)" -eq 21 ]
		"$PAKHUS" -C mirror verify >"$TMP/out"
		rm -r mirror
	done
	[ "$status" -eq 0 ]
	[ "$failed" -gt 4 ]
}

# The disk is full when there is no index yet.
make_index_when_full() {
	prepare
	for left in 0 4 8 12 16 20 24 32 48 64 80 96 112 128 256; do
		rm -r store/local/index-*
		leave "$left"
		pk 1 list
		failed=$((failed + status))
		rm filler
		"$PAKHUS" list >"$TMP/out" 2>"$TMP/err"
		[ "$(wc -l <"$TMP/out")" -eq 1 ]
		readable
		sound
	done
	[ "$failed" -gt 0 ]
}

# ----

@test "publish on a full disk, and reading meanwhile" {
	on_disk 16m publish_when_full
}

@test "delete on a full disk" {
	on_disk 16m delete_when_full
}

@test "import on a full disk keeps a prefix and says how long it is" {
	on_disk 32m import_when_full
}

@test "init on a full disk" {
	on_disk 16m init_when_full
}

@test "a process that publishes until the disk is full" {
	on_disk 16m fill_by_publishing
}

@test "a bundle on a full disk, and a mirror that it is applied to" {
	on_disk 32m bundle_when_full
}

@test "a mirror on a full disk is what it was" {
	on_disk 16m mirror_when_full
}

# As a quota that only the index meets: its calls fail, no others.
index_fails() { # INJECT ARG...
	local index
	index=$(echo "$PWD"/store/local/index-*/data.mdb)
	# the leak sanitizer does not work while it is traced
	ASAN_OPTIONS=detect_leaks=0 strace -qq -f -o trace -P "$index" \
		-e "inject=$1:error=ENOSPC" "$PAKHUS" "${@:2}" \
		>out 2>err || status=$?
	cat out err
	grep -q INJECTED trace || skip 'strace may not trace here'
}

@test "no room for the index is found before anything is durable" {
	command -v strace >/dev/null || skip 'strace is not installed'
	doc a 1 100 | "$PAKHUS" publish - >out
	for v in $(seq 2 600); do doc a "$v" 9; done >lines
	status=0
	index_fails fallocate import lines
	[ "$status" -eq 1 ]
	[ "$(cat err)" = 'pakhus: import: index: make room: No space left on device
pakhus: import: stopped; 0 versions are durable' ]
	[ "$("$PAKHUS" versions a | wc -l)" -eq 1 ]
	"$PAKHUS" import lines
	[ "$("$PAKHUS" versions a | wc -l)" -eq 600 ]
}

@test "what is durable and not in the index is said, and is there later" {
	command -v strace >/dev/null || skip 'strace is not installed'
	doc a 1 100 | "$PAKHUS" publish - >out
	doc a 2 100 >text
	status=0
	index_fails pwrite64,pwritev,writev publish text
	[ "$status" -eq 1 ]
	[ "$(wc -l <err)" -eq 1 ]
	[[ $(cat err) == *'durable, but not in the index yet: '*': No space left on device' ]]
	"$PAKHUS" get a@2 >out
	"$PAKHUS" verify
}

@test "an index that is made on a full disk is an error and no signal" {
	on_disk 16m make_index_when_full
}
