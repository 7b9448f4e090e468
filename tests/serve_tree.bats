#!/usr/bin/env bats
# shellcheck disable=SC2154
# serve_tree.bats - pakhus serve to those who copy the store, and to runtimes
# that boot from an artifact.

bats_require_minimum_version 1.5.0

load cli
load server

teardown() {
	stop
}

# field NAME: of the headers that curl -D fields wrote
field() {
	tr -d '\r' <fields | sed -n "s/^$1: //Ip"
}

@test "a store is mirrored from its server, and a second time nothing comes" {
	put_lending
	serve --access-log access
	"$PAKHUS" mirror "$url" copy >/dev/null 2>&1
	"$PAKHUS" -C copy verify >/dev/null
	for v in 1.0.0 2.1.0; do
		"$PAKHUS" get --document "org.example.lending@$v" >want_out
		"$PAKHUS" -C copy get --document "org.example.lending@$v" |
			cmp - want_out
	done
	diff -r store/pkg copy/pkg
	stop
	serve --access-log access
	"$PAKHUS" mirror --json "$url" copy >out 2>/dev/null
	[ "$(js 'rows[0].objects')" -eq 0 ]
	[ "$(js 'rows[0].entries')" -eq 7 ]
	stop
	# the second time it asked for the checkpoint and for nothing else
	[ "$(grep -c /objects/ access)" -eq 6 ]
	[ "$(grep -c /FORMAT access)" -eq 1 ]
	[ "$(grep -c /log/checkpoint access)" -eq 2 ]
}

@test "a mirror is served, and mirrored from there" {
	put_lending
	"$PAKHUS" mirror store first >/dev/null 2>&1
	serve --access-log access -C first
	"$PAKHUS" mirror "$url" second >/dev/null 2>&1
	"$PAKHUS" -C second verify >/dev/null
	diff -r first/objects second/objects
	curl -fs "$url/FORMAT" | cmp - store/FORMAT
	stop
}

@test "files by curl: tags, ranges, and what is private is not there" {
	put_lending
	serve --access-log access
	hash=$("$PAKHUS" get org.example.lending@1.0.0 --json >out && js 'rows[0].hash')
	object=objects/${hash:0:2}/${hash:2}
	curl -fs -D fields -o got "$url/$object"
	cmp got "store/$object"
	[[ $(field cache-control) == *immutable* ]]
	tag=$(field etag)
	date=$(field last-modified)
	[ "$(curl -s -o none -w '%{http_code} %{size_download}' \
		-H "If-None-Match: $tag" "$url/$object")" = '304 0' ]
	[ "$(curl -s -o none -w '%{http_code}' \
		-H "If-Modified-Since: $date" "$url/$object")" = 304 ]
	head -c 100 "store/$object" >part
	curl -fs -C - -o part "$url/$object"
	cmp part "store/$object"
	[ "$(curl -s -r 3-5 -o part -w '%{http_code}' "$url/$object")" = 206 ]
	cmp part <(tail -c +4 "store/$object" | head -c 3)
	[ "$(curl -s -r 9999999- -o none -w '%{http_code}' "$url/$object")" = 416 ]
	[ "$(curl -sI -o none -w '%{http_code}' "$url/$object")" = 200 ]
	for name in local/key keys/../local/key keys/%2e%2e/local/key; do
		[ "$(curl -s --path-as-is -o none -w '%{http_code}' \
			"$url/$name")" = 404 ]
	done
	stop
}

@test "an artifact by version and by hash, coded and as it is" {
	put_lending
	serve --access-log access
	"$PAKHUS" get --artifact org.example.lending >want_out
	sha256=$(sha256sum <want_out)
	sha256=${sha256%% *}
	by=$url/api/v1/registry/packages/org.example.lending/versions/latest/artifact
	curl -fs -D fields -o got "$by"
	cmp got want_out
	[ "$(field etag)" = "\"$sha256\"" ]
	[ "$(field repr-digest)" = \
		"sha-256=:$(echo "$sha256" | xxd -r -p | base64 -w 0):" ]
	there=$url$(field content-location)
	[[ $there == */$sha256.json ]]
	for coding in gzip zstd; do
		curl -fs -D fields -o coded -H "Accept-Encoding: $coding" "$there"
		[ "$(field content-encoding)" = "$coding" ]
		[ "$(field etag)" = "\"$sha256-$coding\"" ]
		[ "$(field content-length)" -eq "$(stat -c %s coded)" ]
		"$coding" -dc <coded | cmp - want_out
		[ "$(curl -s -o none -w '%{http_code}' -H "Accept-Encoding: $coding" \
			-H "If-None-Match: \"$sha256-$coding\"" "$there")" = 304 ]
	done
	command -v node >/dev/null || skip 'node is not installed'
	node -e '
		fetch(process.argv[1]).then(r => r.arrayBuffer()).then(b =>
			process.stdout.write(Buffer.from(b)))' "$there" |
		cmp - want_out
	stop
}

@test "a mirror that has a token, which nobody prints" {
	put_lending
	secret=$("$PAKHUS" token create --tokens tokens --scope read mirror)
	serve --access-log access --tokens tokens --anonymous none
	pk mirror "$url" copy
	[ "$status" -ne 0 ]
	[ ! -e copy/FORMAT ]
	pk mirror "http://x:$secret@${url#http://}" copy
	[ "$status" -eq 0 ]
	cat out err >told
	pk mirror "http://x:${secret}x@${url#http://}" copy
	[ "$status" -ne 0 ]
	cat out err copy/local/mirror-of >>told
	pk mirror "http://x:$secret@[" other
	[ "$status" -eq 2 ]
	cat out err >>told
	lacks told "$secret"
	lacks access "$secret"
	"$PAKHUS" -C copy verify >/dev/null
	stop
}

# of TARGET [SECRET]: the status
of() {
	curl -s -o none -w '%{http_code}' ${2:+-u "x:$2"} "$url$1"
}

# where ID: the address of the artifact of its latest
where() {
	"$PAKHUS" get --artifact --json "$1" >out
	echo "/api/v1/registry/artifacts/$(js 'rows[0].hash')/$(js 'rows[0].sha256')"
}

@test "an artifact's address shows no more than its package does" {
	put a 1 b 1
	all=$("$PAKHUS" token create --tokens tokens --scope read all)
	one=$("$PAKHUS" token create --tokens tokens --scope read:a one)
	a=$(where a)
	b=$(where b)
	serve --access-log access --tokens tokens --anonymous none
	[ "$(of "$a")" = 404 ]
	[ "$(of "$a" "$one")" = 200 ]
	[ "$(of "$b" "$one")" = 404 ]
	[ "$(of "$b" "$all")" = 200 ]
	# what was replaced or deleted is history
	doc a 1 other | "$PAKHUS" publish - >/dev/null
	[ "$(of "$a" "$one")" = 404 ]
	[ "$(of "$a" "$all")" = 200 ]
	"$PAKHUS" delete b >/dev/null
	[ "$(of "$b" "$all")" = 200 ]
	# and what came by a token is kept by nobody else
	curl -s -D fields -o none -u "x:$all" "$url$b"
	[[ $(field cache-control) == private,* ]]
	stop
}

@test "bodies may be coded, and are bounded as they come out" {
	secret=$("$PAKHUS" token create --tokens tokens --scope publish ci)
	serve --access-log access --tokens tokens --max-document 10000
	post() { # CODING FILE
		curl -s -o reply -w '%{http_code}' -u "x:$secret" \
			-H 'Content-Type: application/json' \
			-H "Content-Encoding: $1" --data-binary "@$2" \
			"$url/api/v1/registry/packages"
	}
	doc a 1 >small
	doc b 1 "$(printf 'x%.0s' {1..20000})" >large
	gzip -k small large
	zstd -q small large
	[ "$(post gzip small.gz)" = 201 ]
	[ "$(post zstd small.zst)" = 200 ]
	for file in large.gz large.zst; do
		[ "$(stat -c %s "$file")" -lt 1000 ]
	done
	[ "$(post gzip large.gz)" = 413 ]
	[ "$(post zstd large.zst)" = 413 ]
	[ "$(post gzip small)" = 400 ]
	[ "$(post br small)" = 415 ]
	[ "$("$PAKHUS" list | wc -l)" -eq 1 ]
	stop
}
