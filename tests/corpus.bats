#!/usr/bin/env bats
# corpus.bats - real package histories: what comes out, and the room it takes.
#
# $CORPUS holds one file of JSON Lines a history. TORTURE=1 measures git again
# instead of believing what was measured.

bats_require_minimum_version 1.5.0

has_corpus() {
	[ -n "$(ls "${CORPUS:-/nonexistent}"/*.jsonl.zst 2>/dev/null)" ]
}
setup_file() { # bats 1.8 cannot skip from here
	has_corpus || return 0
	PAKHUS=$(realpath "${PAKHUS:-$BATS_TEST_DIRNAME/../build/cc/pakhus}")
	STORE=$BATS_FILE_TMPDIR/store
	SCRATCH=$BATS_FILE_TMPDIR/scratch
	HERE=$BATS_TEST_DIRNAME/oracle
	export PAKHUS STORE SCRATCH HERE
	local file
	for file in "$CORPUS"/*.jsonl.zst; do
		zstd -dcq "$file" | "$PAKHUS" -C "$STORE" import - || return 1
	done
}
setup() {
	has_corpus || skip 'CORPUS names no directory of histories'
	mkdir -p "$SCRATCH"
}
teardown() {
	rm -rf "${SCRATCH:-/nonexistent}"
}

# One value of stat --json.
stat_of() {
	"$PAKHUS" -C "$STORE" stat --json | node -e '
		const text = require("fs").readFileSync(0, "utf8");
		console.log(JSON.parse(text)[process.argv[1]]);' "$1"
}

@test "every version of every history comes back as Node writes it" {
	run node "$HERE/corpus.mjs" read "$PAKHUS" "$STORE" \
		"$CORPUS"/*.jsonl.zst
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$output" = "$(zstd -dcq "$CORPUS"/*.jsonl.zst | wc -l) versions" ]
	[ "$output" = "$(stat_of versions) versions" ]
}

@test "every version's artifact is Node's, and publishes the same document" {
	node "$HERE/corpus.mjs" artifacts "$PAKHUS" "$STORE" \
		"$CORPUS"/*.jsonl.zst >"$SCRATCH/artifacts"
	"$PAKHUS" -C "$SCRATCH/again" import "$SCRATCH/artifacts"
	"$PAKHUS" -C "$STORE" history --json |
		sed -n 's/.*"hash":"\([^"]*\)".*/\1/p' >"$SCRATCH/hashes"
	[ "$(wc -l <"$SCRATCH/hashes")" -eq "$(stat_of versions)" ]
	"$PAKHUS" -C "$SCRATCH/again" history --json |
		sed -n 's/.*"hash":"\([^"]*\)".*/\1/p' | diff "$SCRATCH/hashes" -
}

@test "what was imported verifies, is in the tree, and is listed" {
	run "$PAKHUS" -C "$STORE" verify
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(stat_of journal_bytes)" -eq 0 ]
	[ "$(stat_of entries)" -eq "$(stat_of checkpoint)" ]
	"$PAKHUS" -C "$STORE" list --json >"$SCRATCH/list"
	[ "$(wc -l <"$SCRATCH/list")" -eq "$(stat_of packages)" ]
	[ "$("$PAKHUS" -C "$STORE" history --json | wc -l)" -eq \
		"$(stat_of entries)" ]
}

@test "no object is deeper than 16" {
	[ "$(stat_of max_depth)" -le 16 ]
}

@test "zstd's own program makes every object's text" {
	run node "$HERE/corpus.mjs" decode "$PAKHUS" "$STORE" "$SCRATCH"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "${output%%,*}" = "$(stat_of objects) objects" ]
}

@test "and so does a newer zstd, the one inside Node 24" {
	local newer=$BATS_TEST_DIRNAME/../build/newer
	[ -x "$newer/node_modules/node/bin/node" ] ||
		timeout 120 npm install --silent --prefix "$newer" \
			node@24.21.0 >/dev/null 2>&1 ||
		skip 'npm, which has a newer zstd, is out of reach'
	run "$newer/node_modules/node/bin/node" "$HERE/newer.mjs" "$STORE"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "${output%% by zstd*}" = "$(stat_of objects) objects" ]
}

# A file a document and a commit a version, packed as tightly as git can.
git_bytes() {
	local repo=$SCRATCH/git
	git init -q --bare "$repo"
	for file in "$CORPUS"/*.jsonl.zst; do
		zstd -dcq "$file" | node "$HERE/corpus.mjs" fast-import
	done | git -C "$repo" fast-import --quiet --force
	git -C "$repo" gc --quiet --aggressive --prune=now
	cat "$repo"/objects/pack/*.pack "$repo"/objects/pack/*.idx | wc -c
}

@test "objects take at most 1.2 times what git takes" {
	# 1,367 KB by git 2.39 over the seventeen histories, 960 versions
	local git=1399808 ours
	if [ -n "${TORTURE-}" ]; then
		git=$(git_bytes)
	elif [ "$(stat_of versions)" -ne 960 ]; then
		skip 'git was measured over another corpus; TORTURE=1 measures'
	fi
	ours=$(find "$STORE/objects" -type f -printf '%s\n' |
		awk '{ n += $1 } END { print n }')
	[ "$ours" -eq "$(stat_of object_bytes)" ]
	echo "ours $ours, git $git"
	[ $((ours * 10)) -le $((git * 12)) ]
}

# Every other version, and of the newest most: a delta may be made against
# one that is deleted, which stays then.
@test "what is deleted of real histories goes, and the rest is there" {
	local store=$SCRATCH/half id version hash n=0
	cp -r "$STORE" "$store"
	"$PAKHUS" -C "$store" adopt --here
	"$PAKHUS" -C "$store" list --json |
		sed -n 's/^{"id":"\([^"]*\)".*/\1/p' >"$SCRATCH/ids"
	while read -r id; do
		"$PAKHUS" -C "$store" versions "$id" --json | sed -n \
			's/.*"version":"\([^"]*\)","hash":"\([^"]*\)".*/\1 \2/p' \
			>"$SCRATCH/versions"
		awk 'NR % 2 || NR < 9' "$SCRATCH/versions" |
			while read -r version hash; do
				"$PAKHUS" -C "$store" delete --id "$id" \
					--version "$version"
			done >>"$SCRATCH/deleted"
		awk '!(NR % 2 || NR < 9)' "$SCRATCH/versions" |
			sed "s|^|$id |" >>"$SCRATCH/kept"
	done <"$SCRATCH/ids"
	[ "$(wc -l <"$SCRATCH/deleted")" -gt 400 ]
	"$PAKHUS" -C "$store" gc --grace 0
	STORE=$store stat_of object_bytes >"$SCRATCH/before"
	"$PAKHUS" -C "$store" gc --grace 0 --json | tail -1 >"$SCRATCH/gc"
	cat "$SCRATCH/gc"
	grep -q "\"freed_bytes\":$(($(cat "$SCRATCH/before") - \
		$(STORE=$store stat_of object_bytes)))," "$SCRATCH/gc"
	grep -q '"freed":[1-9]' "$SCRATCH/gc"
	"$PAKHUS" -C "$store" verify
	while read -r id version hash; do
		[ $((++n % 20)) -eq 0 ] || continue
		"$PAKHUS" -C "$store" get --id "$id" --version "$version" \
			--document | head -c -1 | sha256sum >"$SCRATCH/sum"
		[ "$(cat "$SCRATCH/sum")" = "$hash  -" ]
	done <"$SCRATCH/kept"
}
