#!/usr/bin/env bats
# shellcheck disable=SC2154
# readme.bats - what README.md shows does what it says.

bats_require_minimum_version 1.5.0

load web

top=$BATS_TEST_DIRNAME/..

server=
teardown() {
	web_stop
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
}

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

# ---- the air-gapped site ----

# The n-th block of a language in the chapter, its places being directories
# of the test: the publisher's host is this one.
chapter='An air-gapped site'
block() { # LANGUAGE N
	sed -n "/^## $chapter/,/^## /p" "$top/README.md" |
		awk -v begins="\`\`\`$1" -v n="$2" '
			$0 == "```" { on = 0 }
			on
			$0 == begins { on = ++seen == n }' |
		sed "s|registry.example.org:||; s|/srv/|$PWD/srv/|g
			s|/media/stick|$PWD/stick|g"
}

# The same of a server's chapter, with the address of the one that runs.
served_block() { # LANGUAGE N
	block "$@" | sed "s|https://\([a-z]*:[^@]*@\)\?registry.example.org|http://\1${url#http://}|g"
}

# Runs one; what it prints is in the file out.
follow() {
	block sh "$1" >step
	[ -s step ]
	bash -euo pipefail step >out
}

site() {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir -p bin srv stick dist
	ln -s "$(realpath "${PAKHUS:-$top/build/cc/pakhus}")" bin/pakhus
	cp "$top/tests/packages/lending-1.0.0.json" dist/objectstack.json
	PATH=$PWD/bin:$PATH:/usr/sbin
	command -v nginx >/dev/null || skip 'nginx is not installed'
	follow 1
	KEY=$(tail -1 out)
	export KEY
}

# The web server of the chapter serves the package, with what lets a client
# ask whether it changed.
served() {
	local server

	server=$(block nginx 1)
	[[ $server == *'listen 8080;'* ]]
	web_start '' "$(sed '1d;$d' <<<"$server" | sed '/listen/d')"
	curl -sSf -D head "$web/packages/org.example.lending.json" >out
	grep -q '^ETag: ' head
	grep -q '^Content-Type: application/json' head
	grep -q '"version":"1.0.0"' out
	curl -sSf -o out \
		"$web/packages/org.example.lending/versions/latest/manifest.json"
}

@test "the air-gapped site of README.md, by a mirror" {
	site
	follow 2
	served
	sed -i 's/"version": "1.0.0"/"version": "1.0.1"/' dist/objectstack.json
	follow 1
	follow 2
	curl -sSf "$web/packages.json" >out
	grep -q '"version":"1.0.1"' out
}

@test "the air-gapped site of README.md, by a stick" {
	site
	follow 3
	served
}

@test "the environment of README.md is the client's" {
	cd "$BATS_TEST_TMPDIR" || return
	block sh 4 >step
	[ "$(grep -o 'OS_[A-Z_]*=http://[a-z.:0-9]*' step)" = "\
OS_MARKETPLACE_PUBLIC_BASE_URL=http://registry.site:8080
OS_CLOUD_URL=http://registry.site:8080" ]
	# tests/client.bash runs a runtime with these two
	for name in OS_MARKETPLACE_PUBLIC_BASE_URL OS_CLOUD_URL; do
		grep -q "$name=" "$top/tests/client.bash"
	done
}

# ---- the registry server ----

@test "the registry server of README.md, published to from CI" {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir -p bin srv dist
	ln -s "$(realpath "${PAKHUS:-$top/build/cc/pakhus}")" bin/pakhus
	cp "$top/tests/packages/lending-1.0.0.json" dist/objectstack.json
	PATH=$PWD/bin:$PATH

	chapter='A registry server'
	SECRET=$(block sh 1 | sed -n 1p | bash -euo pipefail)
	export SECRET
	[ -n "$SECRET" ]
	block sh 1 | sed -n '2s/$/ --listen 127.0.0.1:0/p' >step
	[[ $(cat step) == *' serve '* ]]
	# shellcheck disable=SC2094
	bash -euo pipefail -c "exec $(cat step)" >url 2>log 3>&- &
	server=$!
	until [ -s url ]; do
		kill -0 "$server"
		sleep .05
	done
	url=$(cat url)

	chapter='Publish from CI'
	served_block sh 2 >step
	bash -euo pipefail step >out
	[[ $(cat out) == *'"unchanged":false'* ]]
	bash -euo pipefail step >out
	[[ $(cat out) == *'"unchanged":true'* ]]
	[[ $(pakhus -C srv/pakhus history) == *$'\ttoken:ci'* ]]
	! sed 's/-sS/-sS -H "If-None-Match: *"/' step | bash -euo pipefail >out ||
		false
	[[ $(cat out) == *'412'* || $(cat out) == *PRECONDITION* ]]

	chapter='A registry server'
	eval "$(block sh 2 | sed -n 1p)"
	# a new token is known, and a publish is in the tree, within a second
	until served_block sh 2 | sed -n 2p | bash -euo pipefail &&
		[ "$(pakhus -C srv/mirror list --json | wc -l)" -eq 1 ]; do
		kill -0 "$server"
		sleep .2
	done

	SHA256=$(pakhus -C srv/pakhus get org.example.lending@1.0.0 --artifact \
		--json | sed 's/.*"sha256":"\([0-9a-f]*\)".*/\1/')
	export SHA256
	served_block sh 4 >step
	# shellcheck disable=SC1091
	. ./step
	curl -sSf "${OS_ARTIFACT_URL%#*}" | sha256sum >out
	[ "$(cut -d' ' -f1 out)" = "${OS_ARTIFACT_URL#*#sha256=}" ]

	kill "$server"
	wait "$server"
	server=
}
