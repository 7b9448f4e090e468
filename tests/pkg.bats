#!/usr/bin/env bats
# shellcheck disable=SC2154
# pkg.bats - pkg/: what F-95 and F-96 say, and that a store which is served as
# files can be read by who has HTTP, SHA-256 and zstd.

bats_require_minimum_version 1.5.0

load cli
load web

teardown() {
	web_stop
}

refresh() {
	"$PAKHUS" site www >/dev/null
}

# The file of a package (F-95).
file_of() {
	local hash

	hash=$(printf %s "$1" | sha256sum)
	hash=${hash%% *}
	echo "store/pkg/${hash:0:2}/${hash:2}.jsonl"
}

# What pkg/ says of a package is what the program says.
same() {
	pk versions --json "$1"
	[ "$(js 'JSON.stringify(rows.map(({ id, version, hash, created_at,
		updated_at, created_us, updated_us, seq, place }) => [id,
		version, hash, created_at, updated_at, created_us, updated_us,
		seq, place]))')" = "$(cp "$(file_of "$1")" out && js '
		JSON.stringify(rows.map(({ manifest_size, metadata_size,
			...rest }) => Object.values(rest)))')" ]
}

@test "F-95: a file for each package, a line for each live version" {
	put_lending
	put 'a \"quoted\\ id' '1 \"' a 1 a 2 b 1 ü 1
	"$PAKHUS" delete a@1 >/dev/null
	"$PAKHUS" delete b >/dev/null
	put b 2 b 1 a 2
	refresh
	for id in org.example.lending 'a "quoted\ id' a b ü; do
		same "$id"
	done
	[ "$(find store/pkg -type f | wc -l)" -eq 5 ]
	cp "$(file_of org.example.lending)" out
	[ "$(js 'Object.keys(rows[0])')" = id,version,hash,manifest_size,metadata_size,created_at,updated_at,created_us,updated_us,seq,place ]
	[ "$(js 'rows.map(r => r.version)')" = \
		1.2.1,2.1.0,2.0.0,1.2.0,1.1.0,1.0.0 ]
	# canonical: as JSON.stringify writes it
	[ "$(js 'rows.map(r => JSON.stringify(r)).join("\n")')" = "$(cat out)" ]
	"$PAKHUS" get org.example.lending --document | head -c -1 >document
	[ "$(js 'rows[0].manifest_size + rows[0].metadata_size + 25')" -eq \
		"$(stat -c %s document)" ]
	"$PAKHUS" verify >/dev/null
}

@test "F-95: more versions than a page of the library" {
	seq 2500 | while read -r i; do doc many "$i"; done >lines
	"$PAKHUS" import lines >/dev/null
	refresh
	same many
	[ "$(wc -l <"$(file_of many)")" -eq 2500 ]
}

@test "F-95: what changed is written, and what is gone is removed" {
	put a 1 b 1 c 1
	refresh
	find store/pkg -type f -printf '%i %T@ %p\n' | sort >before
	put b 2
	"$PAKHUS" delete c >/dev/null
	refresh
	find store/pkg -type f -printf '%i %T@ %p\n' | sort >after
	grep -qxF "$(grep "$(file_of a)" before)" after
	! grep -qxF "$(grep "$(file_of b)" before)" after || return 1
	same b
	[ ! -e "$(file_of c)" ]
}

@test "F-96: pkg/ can be thrown away, and strays in it go" {
	put a 1 b 1
	refresh
	cp -r store/pkg kept
	rm -r store/pkg
	refresh
	diff -r kept store/pkg
	# without the note all is looked at, and what is no package's goes
	cp "$(file_of a)" "$(dirname "$(file_of a)")/${EPOCHSECONDS:0:1}$(printf '%061d' 0).jsonl"
	: >store/pkg/note
	rm store/local/pkg
	put c 1
	refresh
	[ -e "$(file_of c)" ]
	rm "$(file_of c)" store/pkg/note
	diff -r kept store/pkg -x "$(basename "$(dirname "$(file_of c)")")"
}

@test "F-96: a note of another log is none" {
	put a 1
	refresh
	sed -i 's/ .*/ 0000000000000000000000000000000000000000000000000000000000000000/' store/local/pkg
	rm "$(file_of a)"
	refresh
	same a
	echo '99 0000000000000000000000000000000000000000000000000000000000000000' >store/local/pkg
	rm "$(file_of a)"
	refresh
	same a
	for damage in '' x '1' '18446744073709551615 ff' '0 0'; do
		printf '%s\n' "$damage" >store/local/pkg
		rm "$(file_of a)"
		refresh
		same a
	done
}

@test "pkg/ is not touched where the store is only read" {
	put a 1
	cp -r store copy
	rm -r copy/local
	chmod -R a-w copy
	PAKHUS_STORE=copy pk_other site www
	[ "$status" -ne 4 ]
	[ ! -e copy/pkg ]
	chmod -R u+w copy
}

@test "a reader with HTTP, SHA-256 and zstd gets the latest, delta or whole" {
	command -v node >/dev/null || skip 'node is not installed'
	PATH=$PATH:/usr/sbin command -v nginx >/dev/null ||
		skip 'nginx is not installed'
	put_lending
	put @acme/crm 1.0.0
	refresh
	rsync -a --exclude=/local store/ served/
	web_start "$PWD/served"
	for id in org.example.lending @acme/crm; do
		node "$BATS_TEST_DIRNAME/oracle/pkg.mjs" "$web" "$id" >text
		"$PAKHUS" get "$id" --document | head -c -1 >document
		cmp text document
	done
	node "$BATS_TEST_DIRNAME/oracle/pkg.mjs" -l "$web" org.example.lending |
		cmp - "$(file_of org.example.lending)"
	run -3 node "$BATS_TEST_DIRNAME/oracle/pkg.mjs" "$web" org.example
	# it was a delta that was read
	"$PAKHUS" versions --json org.example.lending >out
	hash=$(js 'rows[0].hash')
	"$PAKHUS" dump "store/objects/${hash:0:2}/${hash:2}" >out
	grep -qi delta out
	# and another object under its name is refused
	other=$("$PAKHUS" get @acme/crm --json >out && js 'rows[0].hash')
	chmod -R u+w served
	cp "served/objects/${other:0:2}/${other:2}" \
		"served/objects/${hash:0:2}/${hash:2}"
	run -1 node "$BATS_TEST_DIRNAME/oracle/pkg.mjs" "$web" org.example.lending
	[[ $output == *"F-16 $hash"* ]]
}

@test "F-96: who is killed while pkg/ is made has it done by the next" {
	strace -o /dev/null true 2>/dev/null || skip 'strace is not permitted'
	put a 1 b 1 c 1
	refresh
	put a 2 d 1
	"$PAKHUS" delete b >/dev/null
	cp -a store before
	cp -a www www.before
	refresh
	cp -a store/pkg wanted
	for call in renameat unlinkat fsync; do
		for ((n = 1, killed = 0; n < 200; n += ${SANITIZED:+3}+1)); do
			rm -rf store www
			cp -a before store
			cp -a www.before www
			"$PAKHUS" adopt --here >/dev/null
			status=0
			# LeakSanitizer does not work while it is traced
			ASAN_OPTIONS=detect_leaks=0 strace -f -o trace \
				-e trace=$call -P "$PWD/store" \
				-e inject=$call:signal=KILL:when=$n+ \
				"$PAKHUS" site www >/dev/null 2>&1 || status=$?
			[ "$status" -ne 0 ] || break
			[ "$status" -eq 137 ]
			killed=$((killed + 1))
			refresh
			diff -r wanted store/pkg
		done
		[ "$killed" -ge 1 ]
	done
}

@test "pkg/ of a mirror is made by it, and is no part of what it copies" {
	put_lending
	refresh
	echo rubbish >"$(find store/pkg -name '*.jsonl')"
	"$PAKHUS" mirror store copy >/dev/null 2>&1
	if diff -r store/pkg copy/pkg >/dev/null; then false; fi
	rm -r store/pkg store/local/pkg
	refresh
	diff -r store/pkg copy/pkg
	"$PAKHUS" -C copy site copied >/dev/null
	diff -r www copied -x .pakhus-site
	"$PAKHUS" delete org.example.lending@1.2.1 >/dev/null
	put a 1
	refresh
	"$PAKHUS" mirror store copy >/dev/null 2>&1
	diff -r store/pkg copy/pkg
	"$PAKHUS" -C copy site copied >/dev/null
	diff -r www copied -x .pakhus-site
	"$PAKHUS" -C copy verify >/dev/null
}
