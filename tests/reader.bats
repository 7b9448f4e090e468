#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2016
# reader.bats - a reader that was written from FORMAT.md alone says of a store
# what the program says, and refuses what is damaged or forged.

bats_require_minimum_version 1.5.0

setup_file() {
	command -v node >/dev/null || skip 'node is not installed'
}

load cli

reads() { # ARG...: the reader, its lines in out
	status=0
	node "$BATS_TEST_DIRNAME/oracle/reader.mjs" "$@" >out 2>err || status=$?
	[ "$status" -eq 0 ] || cat err
	return "$status"
}

refuses() { # RULE STORE [ARG...]
	local rule=$1
	shift
	! reads "$@" || return
	[ "$status" -eq 1 ]
	[[ $(cat err) == "$rule "* ]]
}

# What reader and program say of the store, in members that both have.
same() {
	reads --history --stat "$PAKHUS_STORE"
	node -e '
		const { execFileSync } = require("child_process");
		const { readFileSync, writeFileSync } = require("fs");
		const rows = (text) => text.split("\n").filter(Boolean)
			.map((line) => JSON.parse(line));
		const pk = (...args) => rows(execFileSync(process.argv[1],
			[...args, "--json"], { encoding: "utf8", maxBuffer: 1e9 }));
		const said = rows(readFileSync("out", "utf8"));
		const stat = said.pop();
		const live = said.filter((row) => !row.op);
		// a list says of the latest all that versions says
		const versions = pk("list").flatMap((row) =>
			live.filter(({ id }) => id === row.id).length === 1
				? [row] : pk("versions", row.id));
		versions.sort((a, b) => b.place - a.place);
		const write = (name, rows, members) => writeFileSync(name, rows
			.map((row) => JSON.stringify(row, members) + "\n").join(""));
		const both = (file, ours, theirs, members) => {
			write(`${file}.reader`, ours, members);
			write(`${file}.program`, theirs, members);
		};
		both("versions", live, versions, ["id", "version", "hash",
			"created_us", "updated_us", "seq", "place"]);
		both("history", said.filter((row) => row.op), pk("history"),
			["op", "seq", "time_us", "id", "version", "hash", "reason",
			"by"]);
		both("stat", [stat], pk("stat"), Object.keys(stat));
	' "$PAKHUS"
	for file in versions history stat; do
		diff "$file.program" "$file.reader" | head -20
		cmp "$file.program" "$file.reader"
	done
}

lending() {
	"$PAKHUS" publish --by Ærlig "$PACKAGES"/lending-*.json >/dev/null
}

# flip FILE OFFSET: one bit of one byte, from the end where OFFSET is negative
flip() {
	local at=$2 byte
	[ "$at" -ge 0 ] || at=$(($(stat -c %s "$1") + at))
	byte=$(od -An -tu1 -j"$at" -N1 "$1")
	chmod u+w "$1"
	# shellcheck disable=SC2059
	printf "\\$(printf %o $((byte ^ 1)))" |
		dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}

# A fresh copy of the store, without what is one host's.
copy() {
	rm -rf copy
	cp -a store copy
	rm -rf copy/local
}

@test "a store with nothing in it" {
	"$PAKHUS" init --by me >/dev/null
	same
	[ "$(js 'rows.length')" -eq 2 ]
}

@test "versions, published again, deleted, and put back" {
	lending
	"$PAKHUS" delete --by me org.example.lending@1.1.0 >/dev/null
	"$PAKHUS" publish "$PACKAGES/lending-1.0.0.json" >/dev/null
	"$PAKHUS" publish "$PACKAGES/lending-1.1.0.json" >/dev/null
	put org.example.a 1.0.0 org.example.a 1.1.0 'é \" \\ \/' 1
	doc org.example.a 1.0.0 other | "$PAKHUS" publish - >/dev/null
	"$PAKHUS" delete org.example.a >/dev/null
	put org.example.a 1.1.0
	same
	[ "$(js 'rows.at(-1).entries')" -gt "$(js 'rows.at(-1).versions')" ]
}

@test "texts that are purged" {
	lending
	put org.example.a 1.0.0
	doc org.example.a 1.0.0 other | "$PAKHUS" publish - >/dev/null
	"$PAKHUS" delete org.example.a >/dev/null
	"$PAKHUS" purge --by me --reason 'a "key"' \
		org.example.lending@1.0.0 >/dev/null
	same
	"$PAKHUS" purge --reason '' org.example.lending@1.1.0 || true
	"$PAKHUS" purge --reason law org.example.a@1.0.0 >/dev/null
	"$PAKHUS" purge --reason law --at 3 org.example.lending@1.2.0 \
		>/dev/null
	same
	[ "$(js 'rows.at(-1).objects')" -eq "$(js 'rows.at(-1).versions')" ]
	"$PAKHUS" publish "$PACKAGES/lending-1.1.0.json" >/dev/null
	same
	[ "$(js 'rows.filter((row) => row.op === "purge").length')" -eq 4 ]
}

# forged LINE...: appended and signed as the store would
forged() {
	"${AIDS:-$BATS_TEST_DIRNAME/../build/cc/tests}/aid_entry" store "$@"
}

@test "purges of what is not there, and publishes of what is gone" {
	local line hash

	doc a 1 | "$PAKHUS" publish - >/dev/null
	hash=$("$PAKHUS" versions a | cut -f4)
	line='{"op":"purge","id":"a","version":"1","hash":"'$hash'",'
	line+='"reason":"","time":1,"by":""}'
	forged "${line/'"1"'/'"2"'}"
	refuses F-90 store
	pk verify --rebuild
	[ "$status" -eq 4 ]
	grep -q F-90 err out
	rm -rf store
	doc a 1 | "$PAKHUS" publish - >/dev/null
	forged "$line"
	reads store
	forged "$line"
	refuses F-90 store
	rm -rf store
	doc a 1 | "$PAKHUS" publish - >/dev/null
	forged "$line" '{"op":"publish","id":"a","version":"1","hash":"'"$hash"'","manifest_size":26,"metadata_size":2,"time":1,"by":""}'
	refuses F-91 store
	pk verify --rebuild
	[ "$status" -eq 4 ]
	grep -q F-91 err out
}

@test "what is said of packages and versions" {
	put a 1 a 2 b 1
	n=0
	for spec in a a@1 a@2 a b a@1 c; do
		n=$((n + 1))
		echo "{\"n\":$n,\"readme\":\"ÆØÅ $n, and more that is alike\"}" |
			"$PAKHUS" attrs "$spec" --set - --by "$spec"
		[ "$n" != 4 ] || same
	done
	"$PAKHUS" attrs b --unset
	"$PAKHUS" delete a@2
	"$PAKHUS" purge a@1 --at 9 --reason why
	same
	reads --attrs "$PAKHUS_STORE"
	grep '"attrs"' out >said
	[ "$(wc -l <said)" -eq 2 ]
	for spec in a c; do
		"$PAKHUS" attrs "$spec" --json
	done | node -e '
		const { readFileSync } = require("fs");
		const rows = (file) => readFileSync(file, "utf8").split("\n")
			.filter(Boolean).map((line) => JSON.parse(line))
			.map(({ id, hash, seq, time_us, by, attrs }) =>
				JSON.stringify({ id, hash, seq, time_us, by, attrs }));
		require("assert").deepEqual(rows("said"), rows(0));
	'
	# a version that is not live, and a text that was purged
	"$PAKHUS" history --json a@1 >/dev/null || :
	"$PAKHUS" verify
	"$PAKHUS" mirror "$PAKHUS_STORE" copy
	PAKHUS_STORE=copy same
}

@test "an immutable store with a name of its own" {
	"$PAKHUS" init --immutable --origin example.org/log >/dev/null
	lending
	same
	[ "$(js 'rows.at(-1).immutable')" = true ]
	[ "$(js 'rows.at(-1).origin')" = example.org/log ]
}

@test "a text that was collected and is published again" {
	local doc i
	doc() {
		printf '{"manifest":{"id":"a","version":"%s"},"metadata":{"x":[%s]}}' \
			"$1" "$(seq -s, 300)"
	}
	for i in 1 2 3; do
		doc $i | "$PAKHUS" publish - >/dev/null
		"$PAKHUS" attrs a --set - <<<"{\"readme\":\"$i$i$i$i\"}" >/dev/null
	done
	"$PAKHUS" attrs a --set - <<<'{"readme":"1111"}' >/dev/null
	"$PAKHUS" delete a@3 >/dev/null
	for i in 1 2 3; do
		"$PAKHUS" gc --grace 0 >/dev/null
	done
	doc 4 | "$PAKHUS" publish - >/dev/null
	doc 3 | "$PAKHUS" publish - >/dev/null
	"$PAKHUS" attrs a --set - <<<'{"readme":"3333"}' >/dev/null
	"$PAKHUS" verify
	same
}

# many FROM TO: lines of small packages, a few of them with many versions
many() {
	awk -v from="$1" -v to="$2" 'BEGIN {
		for (i = from; i < to; i++)
			printf "{\"manifest\":{\"id\":\"p%d\",\"version\":" \
				"\"1.0.%d\"},\"metadata\":{\"n\":%d}}\n",
				i < 560 ? i : i % 7, i, i * i
	}'
}

@test "bundles and tiles that are full, and a second level" {
	many 0 100 | "$PAKHUS" import - >/dev/null
	cp store/log/checkpoint before
	many 100 600 | "$PAKHUS" import - >/dev/null
	"$PAKHUS" delete p3 >/dev/null
	same
	[ -e store/log/tile/1/000.p/2 ]
	[ "$(js 'rows.at(-1).entries')" -gt 601 ]
	# who lacks partial ones takes the full ones and cuts them; what goes
	# beyond the checkpoint says nothing
	copy
	cp before copy/log/checkpoint
	rm -r copy/log/tile/0/000.p copy/log/tile/entries/000.p
	reads --stat copy
	[ "$(js 'rows.at(-1).entries')" -eq 101 ]
	pk -C copy stat --json
	[ "$(js 'rows.at(-1).entries')" -eq 101 ]
}

@test "a text of more than 4 MiB is whole" {
	awk 'BEGIN {
		for (v = 0; v < 2; v++) {
			printf "{\"manifest\":{\"id\":\"big\",\"version\":" \
				"\"1.%d.0\"},\"metadata\":{\"a\":[%d", v, v
			for (i = 0; i < 210000; i++)
				printf ",\"item number %d\"", i
			print "]}}"
		}
	}' | "$PAKHUS" import - >/dev/null
	same
	[ "$(js 'rows.at(-1).max_depth')" -eq 0 ]
}

@test "a real history" {
	local file=${CORPUS-}/hotcrm-crm.jsonl.zst
	[ -e "$file" ] || skip 'CORPUS names no directory of histories'
	zstd -dcq "$file" | "$PAKHUS" import - >/dev/null
	same
	[ "$(js 'rows.at(-1).max_depth')" -gt 1 ]
}

@test "damaged files are refused, and the rule is said" {
	local object key
	lending
	object=$(find store/objects -type f -size +1 | sort | head -1)
	object=${object#store/}
	key=$(basename store/keys/*)
	copy
	reads copy
	damaged() { # RULE COMMAND...: in a copy
		copy
		(cd copy && "${@:2}")
		refuses "$1" copy
	}
	damaged F-15 flip "$object" 20
	damaged F-12 flip "$object" 0
	damaged F-13 flip "$object" -56
	damaged F-14 flip "$object" -30
	damaged F-14 cp "$object" "objects/00/${object:11:60}00"
	damaged F-12 sh -c "chmod u+w $object && printf x >>$object"
	damaged F-11 rm "$object"
	damaged F-39 flip log/tile/entries/000.p/7 100
	damaged F-30 flip log/tile/entries/000.p/7 0
	damaged F-33 flip log/tile/0/000.p/7 100
	damaged F-33 rm log/tile/0/000.p/7
	damaged F-38 flip log/checkpoint 0
	damaged F-38 flip log/checkpoint -20
	damaged F-34 truncate -s -1 log/checkpoint
	damaged F-36 flip "keys/$key" 0
	damaged F-36 mv "keys/$key" keys/00000000
	damaged F-38 rm "keys/$key"
	damaged F-41 flip FORMAT 10
	damaged F-42 sed -i 's/^pakhus 1/pakhus 2/' FORMAT
	damaged F-23 sed -i 's/^immutable no/immutable yes/' FORMAT
	damaged F-43 touch objects/ab/hello
	damaged F-43 ln -s FORMAT log/tile/0/001
	damaged F-43 mkdir log/tile/8
	copy
	touch copy/.hidden copy/objects/00/.hidden
	mkdir copy/lost+found
	mkdir -p copy/log/tile/0/009.p
	echo of the next checkpoint >copy/log/tile/0/009.p/9
	reads copy
}

@test "keys that followed each other" {
	local first
	lending
	first=$("$PAKHUS" key)
	"$PAKHUS" key --rotate
	put a 1 a 2
	"$PAKHUS" key --rotate --by me
	same
	put a 3
	same
	[ "$(js 'rows.at(-1).key')" = "$("$PAKHUS" key)" ]
	[ "$("$PAKHUS" key)" != "$first" ]
	first=$(cut -d+ -f2 <<<"$first")
	damaged() { # RULE COMMAND...: in a copy
		copy
		(cd copy && "${@:2}")
		refuses "$1" copy
	}
	damaged F-69 rm "keys/$first.next"
	damaged F-69 rm "keys/$first"
	damaged F-68 flip "keys/$first.next" -10
	damaged F-68 flip "keys/$first.next" 0
	damaged F-69 cp "keys/$first.next" keys/01234567.next
	damaged F-43 cp "keys/$first.next" "keys/$first.other"
	copy
	second=$(basename "$(find copy/keys -name '*.next' ! -name "$first*")")
	damaged F-68 cp -f "keys/$first.next" "keys/$second"
}

# A mirror is a store: what the source says of itself the reader says of it.
@test "a mirror of a store that was published to, rotated, purged and collected" {
	lending
	put a 1 a 2
	"$PAKHUS" mirror "$PWD/store" "$PWD/mirror" >/dev/null
	"$PAKHUS" delete --by me a@1 >/dev/null
	"$PAKHUS" key --rotate
	"$PAKHUS" purge --reason 'a password' a@2 >/dev/null
	put b 1 b 2
	"$PAKHUS" gc --grace 0 >/dev/null
	"$PAKHUS" gc --grace 0 >/dev/null
	"$PAKHUS" mirror "$PWD/store" "$PWD/mirror" >/dev/null
	same
	mkdir source
	mv versions.* history.* source
	PAKHUS_STORE=$PWD/mirror
	same
	for file in source/*.reader; do
		cmp "$file" "${file#source/}"
	done
	"$PAKHUS" verify >/dev/null
}

# A log that the store's own key signed, and whose last entry is no good.
@test "forged entries are refused by reader and program" {
	local hash tail='"time":1,"by":""}'
	hash=$(printf '%064d' 1)
	lending
	forged() { # RULE LINE [PROGRAM]
		rm -rf copy
		cp -a store copy
		node "$BATS_TEST_DIRNAME/oracle/forge.mjs" copy "$2"
		rm -rf copy/local
		refuses "$1" copy
		[ "${3-}" = only ] || {
			pk -C copy verify
			cat out err
			[ "$status" -ne 0 ]
			grep -qF "${3:-$1}" out err
		}
	}
	version='"id":"org.example.lending","version":"1.0.0",'
	forged F-20 "{\"op\":\"delete\",$version$tail "
	forged F-20 "{\"op\":\"delete\", $version$tail"
	forged F-20 "{\"op\":\"delete\",$version\"by\":\"\",\"time\":1}"
	forged F-20 "{$version\"op\":\"delete\",$tail"
	forged F-20 "{\"op\":\"delete\",$version\"time\":1,\"by\":\"\\u0041\"}" F-21
	forged F-21 "{\"op\":\"delete\",$version\"time\":1,\"by\":\"$(
		printf '\302\205')\"}"
	forged F-22 "{\"op\":\"delete\",$version\"time\":9007199254740992,\"by\":\"\"}"
	forged F-22 "{\"op\":\"delete\",$version\"time\":\"1\",\"by\":\"\"}"
	forged F-9 '{"op":"delete","id":"a","version":"latest",'"$tail"
	forged F-24 "{\"op\":\"frobnicate\",$tail"
	forged F-24 "{\"op\":\"unyank\",$version$tail"
	forged F-27 "{\"op\":\"require\",\"features\":1,$tail" F-24
	forged F-35 "{\"op\":\"key\",\"key\":\"k\",\"format\":\"$hash\",$tail"
	origin=$("$PAKHUS" key | cut -d+ -f1)
	format=$(sha256sum <store/FORMAT | cut -c1-64)
	key() { # ORIGIN: the key of another store of it
		"$PAKHUS" -C "k$RANDOM" init --json --origin "$1" |
			grep -o '"key":"[^"]*"'
	}
	forged F-67 "{\"op\":\"key\",$(key example.org/x),\"format\":\"$format\",$tail"
	forged F-67 "{\"op\":\"key\",\"key\":\"$("$PAKHUS" key)\",\"format\":\"$format\",$tail"
	forged F-23 "{\"op\":\"key\",$(key "$origin"),\"format\":\"$hash\",$tail"
	# a rotation that the new key did not sign
	forged F-38 "{\"op\":\"key\",$(key "$origin"),\"format\":\"$format\",$tail"
	forged F-26 '{"op":"delete","id":"a","version":"1",'"$tail"
	publish="{\"op\":\"publish\",$version\"hash\""
	sizes='"manifest_size":1,"metadata_size":1,'
	forged F-11 "$publish:\"$hash\",$sizes$tail"
	hash=$("$PAKHUS" versions --json org.example.lending | tail -1 |
		grep -o '"hash":"[0-9a-f]*"' | cut -d'"' -f4)
	forged F-22 "$publish:\"${hash^^}\",$sizes$tail"
	# the program says so when such a version is read
	forged F-25 "$publish:\"$hash\",$sizes$tail" only
	version='"id":"a","version":"1",'
	forged F-25 "{\"op\":\"publish\",$version\"hash\":\"$hash\",$sizes$tail" \
		only
}

# A program that is killed with records in both slots of its journal.
@test "what a killed program left in the journal" {
	local pid one two
	mkfifo pipe
	"$PAKHUS" import pipe &
	pid=$!
	exec 4>pipe
	# five batches of 8 MiB and something: four fill a slot. When all is
	# written all five are durable
	awk 'BEGIN {
		for (v = 0; v < 150; v++) {
			printf "{\"manifest\":{\"id\":\"big\",\"version\":" \
				"\"1.%d.0\"},\"metadata\":{\"a\":[%d", v, v
			for (i = 0; i < 9000; i++)
				printf ",\"%s %d\"", "some item of the list " \
					"number", i
			print "]}}"
		}
	}' >&4
	kill -9 "$pid"
	exec 4>&-
	wait "$pid" || true
	reads --journal store
	cp -a store copy
	cp out pending
	[ "$(js 'rows.filter((row) => row.pending).length')" -ge 2 ]
	[ "$(js 'rows.filter((row) => row.free === false).length')" -eq 2 ]
	[ "$(js 'rows.at(-1).checkpoint')" -eq 1 ]
	[ "$(js 'rows.at(-1).torn')" = false ]
	grep pending pending | sed 's/"pending":true,//' | tac >want
	"$PAKHUS" history --json | sed -E '$d; s/"time":"[^"]*",//' >got
	diff want got
	same

	# the last record, which nothing says was durable, and then the first
	cp pending out
	one=$(js 'rows.find((row) => row.first > 1).slot')
	two=$((1 - one))
	flip "copy/local/slot-$one" 5000
	reads --journal copy
	[ "$(js 'rows.at(-1).torn')" = true ]
	[ "$(js 'rows.at(-1).journal')" -eq \
		"$(js "rows.find((row) => row.slot === $two).end")" ]
	flip "copy/local/slot-$two" 5000
	refuses F-57 copy --journal
}
