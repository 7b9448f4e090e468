#!/usr/bin/env bats
# shellcheck disable=SC2154
# Who may do what with a store that is served, through a socket.

load cli
load server

teardown() {
	stop
}

token() {
	"$PAKHUS" token "$@" --tokens tokens
}

# ask SECRET|- METHOD PATH [FILE]: the reply's body is in body, its status in
# status.
ask() {
	local auth=()

	[ "$1" = - ] || auth=(-H "Authorization: Bearer $1")
	status=$(curl -s --noproxy '*' -o body -w '%{http_code}' -X "$2" \
		"${auth[@]}" ${4:+--data-binary "@$4"} "$url$3")
}

api=/api/v1/registry/packages

@test "a token publishes, and the log says which" {
	ci=$(token create ci --scope 'publish:com.acme.*')
	serve --tokens tokens
	doc com.acme.crm 1.0.0 >one
	doc com.acmeevil.crm 1.0.0 >two
	ask - POST $api one
	[ "$status" = 401 ]
	# a variable of CI that is not set
	ask '' POST $api one
	[ "$status" = 401 ]
	grep -q 'holds no secret: it is sent as Bearer SECRET' body
	ask "$ci" POST $api one
	[ "$status" = 201 ]
	ask "$ci" POST $api two
	[ "$status" = 403 ]
	# the secret as the password of a URL
	curl -fs --noproxy '*' "${url/:\/\//:\/\/x:$ci@}$api/com.acme.crm" \
		>got
	grep -q '"com.acme.crm"' got
	pk history com.acme.crm
	[ "$(cut -f1,7 out)" = "$(printf 'publish\ttoken:ci')" ]
}

@test "a revoked token is none, without a signal" {
	ci=$(token create ci --scope read)
	put a 1
	serve --tokens tokens --anonymous none
	ask "$ci" GET $api/a
	[ "$status" = 200 ]
	ask - GET $api/a
	[ "$status" = 401 ]
	token revoke ci
	for _ in {1..50}; do
		ask "$ci" GET $api/a
		[ "$status" = 200 ] || break
		sleep 0.1
	done
	[ "$status" = 401 ]
	# and a file that makes no sense lets nobody in or out
	ro=$(token create ro --scope read)
	kill -HUP "$server"
	for _ in {1..50}; do
		ask "$ro" GET $api/a
		[ "$status" != 200 ] || break
		sleep 0.1
	done
	[ "$status" = 200 ]
	echo nonsense >>tokens
	kill -HUP "$server"
	for _ in {1..50}; do
		[ ! -s said ] || break
		sleep 0.1
	done
	grep -q 'tokens: line 3: a token has five fields' said
	ask "$ro" GET $api/a
	[ "$status" = 200 ]
}

@test "what is private is not there for who has no token" {
	ro=$(token create ro --scope read:hidden)
	put shown 1 hidden 1
	echo '{"visibility":"private"}' >said
	"$PAKHUS" attrs hidden --set said
	serve --tokens tokens
	ask - GET $api/shown
	[ "$status" = 200 ]
	ask - GET $api/hidden
	[ "$status" = 404 ]
	mv body hidden
	ask - GET $api/missing
	[ "$status" = 404 ]
	cmp body hidden
	ask "$ro" GET $api/hidden
	[ "$status" = 200 ]
	ask - GET $api
	[ "$status" = 200 ]
	lacks body hidden
	grep -q shown body
	ask - GET /log/checkpoint
	[ "$status" = 401 ]
}

@test "too much is 429, and metrics are for the admin" {
	root=$(token create root --scope admin)
	ro=$(token create ro --scope read)
	put a 1
	serve --tokens tokens --rates 3,0,0
	for want in 200 200 200 429; do
		ask - GET $api/a
		[ "$status" = "$want" ]
	done
	ask "$root" GET /metrics
	[ "$status" = 200 ]
	grep -qx 'pakhus_rate_limited_total 1' body
	grep -qx 'pakhus_store_versions 1' body
	ask "$ro" GET /metrics
	[ "$status" = 403 ]
	ask - GET /readyz
	[ "$status" = 200 ]
}

@test "a large body that may not be sent is not waited for" {
	ci=$(token create ci --scope publish)
	serve --tokens tokens
	head -c 8000000 /dev/zero >large
	status=$(curl -s --noproxy '*' -o body -w '%{http_code} %{size_upload}' \
		-H 'Expect: 100-continue' --data-binary @large "$url$api")
	[ "$status" = '401 0' ]
	grep -q 'pakhus token create' body
	ask "$ci" POST $api large
	[ "$status" = 400 ]
}
