#!/usr/bin/env bats
# shellcheck disable=SC2209

load cli

crm='{"manifest":{"id":"com.acme.crm","name":"CRM","version":"1.0.0","type":"app"},"metadata":{"objects":[]}}'
crm_hash=fa8f399fd6b41ef330d7ff4e4c5422a350cd4566f44eadd7f065b4f5c0b6276a

@test "publish makes the store and prints id, version and hash" {
	echo "$crm" >crm.json
	pk publish crm.json
	want 0 "com.acme.crm@1.0.0 $crm_hash"
	[ -d store ]
}

@test "publish reads stdin" {
	pk publish - <<<"$crm"
	want 0 "com.acme.crm@1.0.0 $crm_hash"
}

@test "white space and the spelling of numbers do not change the hash" {
	pk publish - <<-'E'
		{ "manifest": { "id": "com.acme.crm", "name": "C\u0052M",
		  "version": "1.0.0", "type": "app" },
		  "metadata": { "objects": [ ] } }
	E
	want 0 "com.acme.crm@1.0.0 $crm_hash"
}

@test "a build artifact is its document" {
	pk publish - <<-'E'
		{"manifest":{"id":"com.acme.crm","name":"CRM","version":"1.0.0",
		"type":"app"},"objects":[]}
	E
	want 0 "com.acme.crm@1.0.0 $crm_hash"
}

@test "publish --json prints the record" {
	pk publish --json - <<<"$crm"
	[ "$(js 'rows[0].hash')" = "$crm_hash" ]
	mask
	want 0 "{\"id\":\"com.acme.crm\",\"version\":\"1.0.0\",\"hash\":\"HASH\",\"created_at\":\"TIME\",\"updated_at\":\"TIME\",\"created_us\":0,\"updated_us\":0,\"seq\":1,\"place\":1}"
}

@test "the same content again moves updated only" {
	pk publish --json - <<<"$crm"
	first=$(js 'rows[0].updated_us')
	pk publish --json - <<<"$crm"
	[ "$(js "rows[0].created_us === $first && rows[0].updated_us > $first &&
		rows[0].place === 1")" = true ]
}

@test "many files are published in their order" {
	for v in 1.0.0 1.1.0 1.2.0 2.0.0 2.1.0 1.2.1; do
		set -- "$@" "$PACKAGES/lending-$v.json"
	done
	pk publish "$@"
	cut -d' ' -f1 out >ids
	[ "$status" -eq 0 ]
	[ "$(tr '\n' ' ' <ids)" = "org.example.lending@1.0.0 \
org.example.lending@1.1.0 org.example.lending@1.2.0 org.example.lending@2.0.0 \
org.example.lending@2.1.0 org.example.lending@1.2.1 " ]
	pk stat --json
	[ "$(js 'rows[0].entries === rows[0].checkpoint')" = true ]
	[ "$(js 'rows[0].journal_bytes')" = 0 ]
}

@test "the label is --by, else PAKHUS_BY, else none" {
	doc a 1 >a.json
	PAKHUS_BY=env pk publish --by anna a.json
	PAKHUS_BY=env pk publish a.json
	pk publish a.json
	PAKHUS_BY='' pk publish a.json
	pk history a
	[ "$(cut -f7 out | tr '\n' ,)" = ,,env,anna, ]
}

@test "a refused file does not keep the others from being published" {
	doc a 1 >a.json
	doc b 1 >b.json
	echo '{"manifest":' >bad.json
	pk publish a.json bad.json missing.json b.json
	sed -i 's/ .*//' out
	want 1 "\
a@1
b@1" "\
pakhus: publish: bad.json: line 2, column 1: unexpected end of the text
pakhus: publish: missing.json: No such file or directory"
	pk list
	[ "$(cut -f1 out | tr '\n' ,)" = b,a, ]
}

@test "the exit status is that of the first failure" {
	"$PAKHUS" init --immutable >/dev/null
	put a 1
	doc a 1 changed >conflict.json
	echo nothing >bad.json
	pk publish conflict.json bad.json
	[ "$status" -eq 5 ]
	pk publish bad.json conflict.json
	[ "$status" -eq 1 ]
}

@test "a mistyped file name makes no store" {
	pk publish missing.json
	want 1 '' 'pakhus: publish: missing.json: No such file or directory'
	[ ! -e store ]
}

@test "a directory, no permission, and stdin that is a directory" {
	mkdir dir
	pk publish dir
	want 1 '' 'pakhus: publish: dir: Is a directory'
	pk publish - <dir
	want 1 '' 'pakhus: publish: stdin: Is a directory'
	doc a 1 >locked.json
	chmod 000 locked.json
	pk_other publish locked.json
	want 7 '' 'pakhus: publish: locked.json: Permission denied'
	[ ! -e store ]
}

@test "a file beyond 64 MiB" {
	truncate -s 67108865 large.json
	pk publish large.json
	want 1 '' 'pakhus: publish: large.json: larger than 64 MiB'
	pk publish - </dev/zero
	want 1 '' 'pakhus: publish: stdin: larger than 64 MiB'
}

@test "publish without a file, and with stdin twice" {
	pk publish
	want 2 '' "\
pakhus: publish: an argument is missing
usage: pakhus publish [--json] [--by LABEL] [--level N] FILE...|-"
	pk publish - -
	want 2 '' "\
pakhus: publish: stdin can be read once only
usage: pakhus publish [--json] [--by LABEL] [--level N] FILE...|-"
}

@test "a level that is none" {
	for level in 0 20 -1 x 1x ' 1' 99999999999999999999; do
		pk publish --level "$level" - <<<"$crm"
		[ "$status" -eq 2 ]
		[ ! -s out ]
	done
	[ ! -e store ]
	pk publish --level 19 - <<<"$crm"
	want 0 "com.acme.crm@1.0.0 $crm_hash"
}

# refused TEXT: publishes stdin, expects TEXT and exit status 1
refused() {
	pk publish -
	want 1 '' "pakhus: publish: stdin: $1"
}

@test "what is not JSON is refused with line and column" {
	refused 'is empty' </dev/null
	refused 'line 1, column 1: expected a value' <<<nothing
	refused 'line 2, column 14: expected a key in quotes' \
		<<<$'{"manifest":{},\n "metadata":{,}}'
	refused 'line 1, column 18: number too large for a double' \
		<<<'{"manifest":{"a":1e400},"metadata":{}}'
	refused 'line 1, column 19: a lone surrogate cannot be represented' \
		<<<'{"manifest":{"a":"\ud800"},"metadata":{}}'
	refused 'line 1, column 19: invalid UTF-8' \
		<<<$'{"manifest":{"a":"\xff"},"metadata":{}}'
	refused 'line 1, column 1: a byte order mark' \
		<<<$'\xef\xbb\xbf{"manifest":{},"metadata":{}}'
	refused 'line 1, column 52: unexpected text after the value' \
		<<<'{"manifest":{"id":"a","version":"1"},"metadata":{}}x'
	refused 'line 1, column 19: a control character in a string must be escaped' \
		<<<$'{"manifest":{"a":"\t"},"metadata":{}}'
	[ ! -e store ] # nothing that could be published, so no store
}

@test "what has another shape is refused" {
	refused 'line 1, column 1: a package is an object with a manifest' \
		<<<'[]'
	refused 'the manifest is missing' <<<'{}'
	refused 'the manifest is missing' <<<'{"metadata":{}}'
	refused 'line 1, column 13: the manifest must be an object' \
		<<<'{"manifest":[],"metadata":{}}'
	refused 'line 1, column 49: the metadata must be an object' \
		<<<'{"manifest":{"id":"a","version":"1"},"metadata":[]}'
	refused 'line 1, column 52: unexpected key beside manifest and metadata' \
		<<<'{"manifest":{"id":"a","version":"1"},"metadata":{},"views":[]}'
	refused 'line 1, column 13: manifest.id is missing' \
		<<<'{"manifest":{"version":"1"},"metadata":{}}'
	refused 'line 1, column 13: manifest.version is missing' \
		<<<'{"manifest":{"id":"a"},"metadata":{}}'
	refused 'line 1, column 19: manifest.id must be a string' \
		<<<'{"manifest":{"id":1,"version":"1"},"metadata":{}}'
	refused 'line 1, column 33: manifest.version must be a string' \
		<<<'{"manifest":{"id":"a","version":1},"metadata":{}}'
}

@test "ids and versions beyond their limits are refused" {
	refused 'line 1, column 19: manifest.id is empty' <<<"$(doc '' 1)"
	refused 'line 1, column 33: manifest.version is empty' \
		<<<"$(doc a '')"
	refused 'line 1, column 33: no version may be called latest' \
		<<<"$(doc a latest)"
	refused 'line 1, column 19: manifest.id is longer than 214 bytes' \
		<<<"$(doc "$(printf 'x%.0s' {1..215})" 1)"
	refused 'line 1, column 33: manifest.version is longer than 128 bytes' \
		<<<"$(doc a "$(printf 'x%.0s' {1..129})")"
	refused 'line 1, column 19: manifest.id has a control character' \
		<<<"$(doc 'a\u0001' 1)"
	refused 'line 1, column 33: manifest.version has a control character' \
		<<<"$(doc a '1\u007f')"
	doc "$(printf 'x%.0s' {1..214})" "$(printf 'y%.0s' {1..128})" >long.json
	pk publish long.json
	[ "$status" -eq 0 ]
}

@test "nesting beyond 512 is refused" {
	deep=$(printf '[%.0s' {1..512})$(printf ']%.0s' {1..512})
	refused 'line 1, column 552: nested deeper than 512 levels' \
		<<<"{\"manifest\":{\"id\":\"a\",\"version\":\"1\",\"d\":$deep},\"metadata\":{}}"
}

@test "other content for a version of an immutable store is a conflict" {
	"$PAKHUS" init --immutable >/dev/null
	put a 1
	doc a 1 changed >changed.json
	pk publish changed.json
	[ "$status" -eq 5 ]
	[ ! -s out ]
	"$PAKHUS" delete a@1 >/dev/null
	pk publish changed.json
	[ "$status" -eq 5 ]
	put a 1
}

@test "a store of somebody else is read and not written" {
	put a 1
	chmod -R go+rX store
	chmod go-rwx store/local/key 2>/dev/null || :
	doc b 1 >b.json
	pk_other publish b.json
	[ "$status" -eq 7 ]
	[ ! -s out ]
	pk_other get --manifest a
	want 0 '{"id":"a","version":"1"}'
}

@test "an empty file and an empty name are called so" {
	: >empty.json
	pk publish empty.json
	want 1 '' 'pakhus: publish: empty.json: is empty'
	pk publish ''
	[ "$status" -eq 2 ]
	grep -qx 'pakhus: publish: the name of a file is empty' err
	[ ! -e store ]
}

@test "a full disk under stdout does not undo what was published" {
	doc a 1 >a.json
	status=0
	"$PAKHUS" publish a.json >/dev/full 2>err || status=$?
	: >out
	want 1 '' "\
pakhus: publish: a@1 is durable, but this could not be printed
pakhus: publish: write to stdout: No space left on device"
	pk get --manifest a
	want 0 '{"id":"a","version":"1"}'
}

@test "what cannot be moved into the tree is durable all the same" {
	put a 1
	chmod -R a+rwX store
	chmod 644 store/local/key 2>/dev/null || :
	chmod 555 store/objects/*/ store/objects store/log
	doc b 1 >b.json
	pk_other publish b.json
	sed -Ei 's/^(pakhus: publish: durable, not yet in the mirrored tree: ).*/\1…/' err
	sed -i 's/ .*//' out
	want 1 b@1 'pakhus: publish: durable, not yet in the mirrored tree: …'
	chmod 755 store/objects/*/ store/objects store/log
	pk get --manifest b
	want 0 '{"id":"b","version":"1"}'
}
