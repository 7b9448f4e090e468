#!/usr/bin/env bats

load cli

@test "get prints the record with its members in order" {
	echo '{"manifest":{"id":"a","version":"1","n":1.0},"metadata":{"o":[{"é":"\u0041\/"}]}}' |
		"$PAKHUS" publish - >/dev/null
	pk get a
	mask
	want 0 '{"id":"a","version":"1","manifest":{"id":"a","version":"1","n":1},"metadata":{"o":[{"é":"A/"}]},"hash":"HASH","created_at":"TIME","updated_at":"TIME","created_us":0,"updated_us":0,"seq":1,"place":1}'
	cp out first
	pk get --json a
	mask
	want 0 "$(cat first)"
}

@test "get without a version is what was inserted last" {
	put_lending
	pk get --manifest org.example.lending
	[ "$(js 'rows[0].version')" = 1.2.1 ]
	pk get --manifest org.example.lending@latest
	[ "$(js 'rows[0].version')" = 1.2.1 ]
	pk get --manifest org.example.lending@2.0.0
	[ "$(js 'rows[0].version')" = 2.0.0 ]
	"$PAKHUS" publish "$PACKAGES/lending-1.1.0.json" >/dev/null
	pk get --manifest org.example.lending
	[ "$(js 'rows[0].version')" = 1.2.1 ]
}

@test "the texts alone are those that were hashed" {
	put_lending
	pk get org.example.lending@2.0.0
	hash=$(js 'rows[0].hash')
	pk get --document org.example.lending@2.0.0
	[ "$(head -c -1 out | sha256sum)" = "$hash  -" ]
	document=$(cat out)
	pk get --manifest org.example.lending@2.0.0
	manifest=$(cat out)
	pk get --metadata org.example.lending@2.0.0
	[ "{\"manifest\":$manifest,\"metadata\":$(cat out)}" = "$document" ]
	[ "$document" = "$(node -e '
		console.log(JSON.stringify(JSON.parse(
			require("fs").readFileSync(process.argv[1]))))
	' "$PACKAGES/lending-2.0.0.json")" ]
}

@test "every version that was published comes back as it was" {
	put_lending
	for v in 1.0.0 1.1.0 1.2.0 2.0.0 2.1.0 1.2.1; do
		pk get --document "org.example.lending@$v"
		node -e '
			const d = JSON.parse(require("fs").readFileSync(
				process.argv[1]));
			const { manifest, ...rest } = d;
			console.log(JSON.stringify({ manifest,
				metadata: d.metadata ?? rest }));
		' "$PACKAGES/lending-$v.json" >want_out
		diff want_out out
	done
}

@test "an artifact is what Node makes of it, and publishes back" {
	put_lending
	echo '{"manifest":{"id":"k","version":"1"},"metadata":{"z":1,"10":[1.50],"__proto__":{},"2":"é","id":null}}' |
		"$PAKHUS" publish - >/dev/null
	for v in org.example.lending@1.0.0 org.example.lending@2.0.0 k@1; do
		pk get --document "$v"
		node -e '
			const { manifest, metadata } = JSON.parse(
				require("fs").readFileSync("out"));
			process.stdout.write(JSON.stringify({ manifest,
				...metadata }));
		' >want_out
		hash=$(head -c -1 out | sha256sum)
		pk get --artifact "$v"
		cmp want_out out
		cp out artifact.json
		pk get --artifact --json "$v"
		[ "$(js 'rows[0].sha256')" = "$(sha256sum <artifact.json | cut -d' ' -f1)" ]
		[ "$(js 'rows[0].size')" -eq "$(stat -c %s artifact.json)" ]
		[ "$(js 'rows[0].hash')  -" = "$hash" ]
		[ "$(js 'Object.keys(rows[0])')" = id,version,hash,sha256,size,artifact ]
		"$PAKHUS" -C other publish artifact.json >/dev/null
		pk_other="$("$PAKHUS" -C other get --document "$v" | head -c -1 | sha256sum)"
		[ "$pk_other" = "$hash" ]
	done
}

@test "what no artifact can hold is said" {
	echo '{"manifest":{"id":"a","version":"1"},"metadata":{"manifest":1}}' |
		"$PAKHUS" publish - >/dev/null
	pk get --artifact a
	want 1 '' 'pakhus: get: a@1: its metadata has a key "manifest", which no build artifact can hold'
	pk get --artifact --document a
	want 2 '' "pakhus: get: one of --manifest, --metadata, --document and --artifact
$usage"
}

@test "an id is split at its last @, and never at its first byte" {
	put @scope/tool 1 @solo 2 a@b 3
	pk get --manifest @scope/tool@1
	want 0 '{"id":"@scope/tool","version":"1"}'
	pk get --manifest @solo
	want 0 '{"id":"@solo","version":"2"}'
	pk get --manifest a@b@3
	want 0 '{"id":"a@b","version":"3"}'
	pk get a@b
	want 3 '' 'pakhus: get: not found: a@b'
	pk get --manifest --id a@b
	want 0 '{"id":"a@b","version":"3"}'
	pk get --manifest --id a@b --version 3
	want 0 '{"id":"a@b","version":"3"}'
	pk get --manifest a@b --version=3
	want 0 '{"id":"a@b","version":"3"}'
}

@test "what is not there is not found" {
	put a 1
	pk get b
	want 3 '' 'pakhus: get: not found: b'
	pk get a@2
	want 3 '' 'pakhus: get: not found: a@2'
	long=$(printf 'x%.0s' {1..300})
	pk get "$long"
	want 3 '' "pakhus: get: not found: $long"
	pk get $'a\n'
	want 3 '' 'pakhus: get: not found: a?'
}

usage='usage: pakhus get [--json] [--id ID] [--version V] [--at SEQ] [--manifest]
                  [--metadata] [--document] [--artifact] [ID[@VERSION]]'

@test "get with arguments that make no sense" {
	pk get
	want 2 '' "pakhus: get: an argument is missing
$usage"
	pk get ''
	want 2 '' "pakhus: get: the package id is empty
$usage"
	pk get a@
	want 2 '' "pakhus: get: the version is empty: a@
$usage"
	pk get a --version ''
	want 2 '' "pakhus: get: the version is empty: a
$usage"
	pk get a --id b
	want 2 '' "pakhus: get: the package is named twice: b and a
$usage"
	pk get --version 1
	want 2 '' "pakhus: get: a version of which package?
$usage"
	pk get a b
	want 2 '' "pakhus: get: one argument too many: b
$usage"
	pk get --manifest --metadata a
	want 2 '' "pakhus: get: one of --manifest, --metadata, --document and --artifact
$usage"
	pk get --manifest --json a
	want 2 '' "pakhus: get: --json prints the whole record; leave one of the two
$usage"
	pk get --at x
	want 2 '' "pakhus: get: --at: not a number: \"x\"
$usage"
	pk get --at -1
	want 2 '' "pakhus: get: --at: not a number: \"-1\"
$usage"
}

@test "--at reads what was replaced or deleted since" {
	doc a 1 old | "$PAKHUS" publish - >/dev/null
	doc a 1 new | "$PAKHUS" publish - >/dev/null
	put b 1
	"$PAKHUS" delete a >/dev/null
	pk get --manifest --at 1
	want 0 '{"id":"a","version":"1","name":"old"}'
	pk get --manifest --at 2 a
	want 0 '{"id":"a","version":"1","name":"new"}'
	pk get --manifest --at=2 a@1
	want 0 '{"id":"a","version":"1","name":"new"}'
	pk get --at 2
	[ "$(js 'rows[0].seq + rows[0].place')" = 4 ]
}

@test "--at where the position holds something else is not found" {
	put a 1
	"$PAKHUS" delete a >/dev/null
	pk get --at 1 b
	want 3 '' 'pakhus: get: not found: position 1 holds a@1'
	pk get --at 1 a@2
	want 3 '' 'pakhus: get: not found: position 1 holds a@1'
	pk get --at 0
	want 3 '' 'pakhus: get: log entry 0 is no publish but a key'
	pk get --at 2
	want 3 '' 'pakhus: get: log entry 2 is no publish but a delete'
	pk get --at 1000000
	want 3 '' 'pakhus: get: the log has no entry 1000000; it holds 3'
}
