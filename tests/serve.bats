#!/usr/bin/env bats
# shellcheck disable=SC2154
# The life of a server: signals, certificates, what it says at its start, and
# that what it acknowledged is there, however it ended.

load cli
load server
load web

setup_file() {
	export AIDS=${AIDS:-$BATS_TEST_DIRNAME/../build/cc/tests}
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
		-keyout "$BATS_FILE_TMPDIR/key" -out "$BATS_FILE_TMPDIR/cert" \
		2>/dev/null
}

teardown() {
	[ -z "${server-}" ] || kill -9 "$server" 2>/dev/null || :
	web_stop
}

fails() {
	if "$@"; then
		return 1
	fi
}

get() { # PATH [CURL ARGS...]
	curl -sS --max-time 30 "${@:2}" "$url$1"
}

# Makes the tokens file, with a token that may do anything in $secret.
token() {
	secret=$("$PAKHUS" token create --tokens tokens --scope admin \
		"${1-me}" 2>/dev/null | tail -n 1)
}

publish() { # FILE [CURL ARGS...]
	curl -sS --max-time 30 -o reply -w '%{http_code}' \
		-H "Authorization: Bearer $secret" \
		-H 'Content-Type: application/json' \
		--data-binary "@$1" "${@:2}" "$url/api/v1/registry/packages"
}

# document ID VERSION
document() {
	printf '{"manifest":{"id":"%s","version":"%s","name":"x","type":"app"},' \
		"$1" "$2"
	printf '"metadata":{"objects":[]}}'
}

@test "a store is made, answers, and is in order after a signal" {
	serve
	[ "$(get /livez)" = '{"status":"alive"}' ]
	stop
	[ ! -s said ]
	pk verify
	[ "$status" -eq 0 ]
	serve
	stop INT
}

@test "what is missing or makes no sense is said at the start" {
	pk serve --read-only --listen 127.0.0.1:0
	[ "$status" -eq 3 ]
	[ ! -e store ]
	pk serve --listen here
	[ "$status" -eq 2 ]
	grep -q -- '--listen: not HOST:PORT' err
	pk serve --tls-cert cert
	[ "$status" -eq 2 ]
	pk serve --listen 127.0.0.1:0 --tls-cert none --tls-key none
	[ "$status" -eq 1 ]
	grep -q 'read none for TLS: No such file or directory$' err
	pk serve --listen 127.0.0.1:0 --trust-proxy everybody
	[ "$status" -eq 2 ]
	grep -q -- '--trust-proxy: not addresses or networks' err
	pk serve --anonymous some
	[ "$status" -eq 2 ]
	pk serve --listen 127.0.0.1:0 --access-log none/there
	[ "$status" -ne 0 ]
	serve
	pk serve --listen "${url#http://}"
	[ "$status" -ne 0 ]
	grep -q 'Address already in use' err
}

@test "a certificate without its own key is told at the start" {
	local cert=$BATS_FILE_TMPDIR/cert key=$BATS_FILE_TMPDIR/key type

	pk serve --listen 127.0.0.1:0 --tls-cert "$key" --tls-key "$key"
	[ "$status" -eq 1 ]
	grep -q 'key for TLS: no certificate in PEM is in it$' err
	pk serve --listen 127.0.0.1:0 --tls-cert "$cert" --tls-key "$cert"
	[ "$status" -eq 1 ]
	grep -q 'cert for TLS: no private key in PEM is in it$' err
	for type in RSA ED25519; do
		openssl genpkey -quiet -algorithm $type -out other 2>/dev/null ||
			openssl genpkey -algorithm $type -out other 2>/dev/null
		pk serve --listen 127.0.0.1:0 --tls-cert "$cert" --tls-key other
		[ "$status" -eq 1 ]
		grep -q 'read other for TLS: not the key of the cert' err
	done
}

@test "where tokens are and nothing can be published, the start tells" {
	put a 1
	pk mirror --key "$("$PAKHUS" key)" store m
	token
	serve -C m --tokens tokens
	stop
	grep -q 'nothing can be published here: ' said
	serve -C m --tokens tokens --read-only
	stop
	lacks said published
}

@test "a mirror is served, to be read" {
	"$PAKHUS" publish "$PACKAGES"/lending-1.0.0.json >/dev/null
	"$PAKHUS" mirror store mirror 2>/dev/null >/dev/null
	PAKHUS_STORE=mirror token
	PAKHUS_STORE=mirror serve --tokens tokens
	get /api/v1/registry/packages \
		-H "Authorization: Bearer $secret" | grep -q lending
	[ "$(publish "$PACKAGES"/lending-1.1.0.json)" = 403 ]
	stop
}

@test "what is published is in the tree a moment later" {
	token
	serve --tokens tokens
	[ "$(publish "$PACKAGES"/lending-1.0.0.json)" = 201 ]
	for _ in {1..200}; do
		[ -z "$(find store/objects -type f)" ] || break
		sleep 0.05
	done
	[ -n "$(find store/objects -type f)" ]
	stop
}

@test "more clients than files may be open, and it goes on" {
	ulimit -n 48
	serve --connections 500
	grep -q 'connections at most' said
	for _ in {1..60}; do
		# shellcheck disable=SC2034
		exec {fd}<>"/dev/tcp/127.0.0.1/${url##*:}" || break
	done
	[ "$(get /livez)" = '{"status":"alive"}' ]
	stop
}

@test "HTTPS, and another certificate after SIGHUP" {
	cp "$BATS_FILE_TMPDIR"/{cert,key} .
	serve --tls-cert cert --tls-key key
	[[ $url == https://* ]]
	[ "$(get /livez --cacert cert)" = '{"status":"alive"}' ]
	[ "$(get /livez --cacert cert --tls-max 1.2)" = '{"status":"alive"}' ]
	fails get /livez -k --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0
	# one connection, two requests, and a reply larger than a buffer
	curl -sS --cacert cert -o /dev/null "$url/livez" \
		--next -sS --cacert cert -w '%{num_connects}' -o openapi \
		"$url/api/v1/openapi.json" >connects
	[ "$(wc -c <openapi)" -gt 20000 ]
	[ "$(cat connects)" = 0 ]
	# who speaks no TLS hears nothing
	fails curl -sS --max-time 10 "http://${url#https://}/livez"
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other \
		-addext subjectAltName=IP:127.0.0.1 \
		-keyout key -out cert 2>/dev/null
	kill -HUP "$server"
	for _ in {1..200}; do
		get /livez --cacert cert >alive 2>/dev/null && break
		sleep 0.05
	done
	[ "$(cat alive)" = '{"status":"alive"}' ]
	# one that is none leaves the one that was
	: >cert
	kill -HUP "$server"
	for _ in {1..200}; do
		[ ! -s said ] || break
		sleep 0.05
	done
	grep -q 'the certificate stays as it was' said
	[ "$(get /livez -k)" = '{"status":"alive"}' ]
	stop
}

@test "SIGHUP opens the access log anew" {
	serve --access-log log
	get /livez >/dev/null
	for _ in {1..100}; do [ -s log ] && break; sleep 0.05; done
	mv log log.1
	kill -HUP "$server"
	for _ in {1..100}; do [ -e log ] && break; sleep 0.05; done
	get /livez >/dev/null
	stop
	[ "$(wc -l <log.1)" -eq 1 ]
	[ "$(wc -l <log)" -eq 1 ]
}

# storm COUNT SIGNAL: clients publish all they can; the signal comes when COUNT
# versions were acknowledged. All that were are in the log.
storm() {
	token "storm$1$2"
	serve --tokens tokens
	: >acknowledged
	node "$BATS_TEST_DIRNAME/serve_storm.mjs" "$url" "$secret" 8 \
		>acknowledged &
	local node=$!
	for _ in {1..400}; do
		[ "$(wc -l <acknowledged)" -lt "$1" ] || break
		sleep 0.05
	done
	kill -"$2" "$server"
	wait "$server" || :
	server=
	wait "$node"
	[ "$(wc -l <acknowledged)" -ge "$1" ]
	check_acknowledged
}

check_acknowledged() {
	"$PAKHUS" history --json | grep -o '"version":"[^"]*"' |
		cut -d'"' -f4 | sort >there
	sort acknowledged | comm -23 - there >lost
	[ ! -s lost ]
	"$PAKHUS" verify
}

@test "SIGTERM in a storm of publishes loses nothing that was acknowledged" {
	storm 100 TERM
}

@test "kill -9 in a storm of publishes loses nothing that was acknowledged" {
	storm 100 KILL
	rm acknowledged
	storm 300 KILL
}

@test "thousands of clients, hundreds that say half of a request, and a storm" {
	"$PAKHUS" publish "$PACKAGES"/lending-1.0.0.json >/dev/null
	token
	serve --tokens tokens --anonymous all \
		--rates 99999999,99999999,99999999
	node "$BATS_TEST_DIRNAME/serve_storm.mjs" "$url" "$secret" 4 \
		>acknowledged &
	local node=$! path=/api/v1/registry/packages/org.example.lending
	"$AIDS/aid_load" "${url##*:}" "$path/versions/1.0.0" 2000 20000 400 \
		>answered
	[[ $(cat answered) == 20000\ * ]]
	# the silent hold places and nothing else
	get /livez >/dev/null
	stop
	wait "$node"
	[ -s acknowledged ]
	check_acknowledged
}

@test "the unit for systemd is one" {
	command -v systemd-analyze >/dev/null || skip 'no systemd-analyze'
	sed "s|/usr/local/bin/pakhus|$PAKHUS|; /^Documentation/d" \
		"$BATS_TEST_DIRNAME/../tools/server/pakhus.service" \
		>pakhus.service
	run systemd-analyze verify ./pakhus.service
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "the example for nginx serves, and passes on for whom it asks" {
	"$PAKHUS" publish "$PACKAGES"/lending-1.0.0.json >/dev/null
	serve --trust-proxy 127.0.0.1 --access-log log
	port=$(free_port)
	mkdir nginx
	{
		[ "$(id -u)" -ne 0 ] || echo 'user root;'
		printf 'pid %s;\nerror_log %s;\nevents { }\nhttp {\n' \
			"$PWD/nginx/nginx.pid" "$PWD/nginx/error.log"
		for path in client_body proxy fastcgi uwsgi scgi; do
			echo "${path}_temp_path $PWD/nginx/$path;"
		done
		echo "access_log off;"
		sed -e "s|/var/lib/pakhus/store|$PWD/store|" \
			-e "s|127.0.0.1:4600|${url#http://}|" \
			-e "s|listen 443 ssl|listen 127.0.0.1:$port ssl|" \
			-e "s|/etc/ssl/registry.pem|$BATS_FILE_TMPDIR/cert|" \
			-e "s|/etc/ssl/registry.key|$BATS_FILE_TMPDIR/key|" \
			"$BATS_TEST_DIRNAME/../tools/server/nginx.conf"
		echo '}'
	} >nginx.conf
	export PATH=$PATH:/usr/sbin
	nginx -t -p nginx -c "$PWD/nginx.conf" 2>t || { cat t; false; }
	nginx -p nginx -c "$PWD/nginx.conf" 2>/dev/null 3>&-
	# shellcheck disable=SC2034
	web_prefix=$PWD/nginx
	for _ in {1..100}; do [ -s nginx/nginx.pid ] && break; sleep 0.05; done
	through=https://127.0.0.1:$port
	[ "$(curl -sSk "$through/livez")" = '{"status":"alive"}' ]
	curl -sSk "$through/api/v1/registry/packages" | grep -q lending
	object=$(cd store && find objects -type f | head -n 1)
	curl -sSk "$through/$object" | cmp - "store/$object"
	[ "$(curl -sSk -o /dev/null -w '%{http_code}' \
		"$through/local/journal")" = 404 ]
	curl -sSk -H 'X-Forwarded-For: 192.0.2.1' "$through/livez"
	stop
	fails grep -q 192.0.2.1 log
}

@test "the server says byte for byte what pakhus site writes" {
	"$PAKHUS" publish "$PACKAGES"/lending-*.json >/dev/null
	document @acme/ui 1.0.0-rc.1 | "$PAKHUS" publish - >/dev/null
	document hidden 1.0.0 | "$PAKHUS" publish - >/dev/null
	echo '{"visibility":"org"}' | "$PAKHUS" attrs hidden --set - >/dev/null
	echo '{"display_name":"Said","tags":["a"],"readme":"# R","description":"d",
		"visibility":"marketplace","category":"c","icon_url":"/i"}' |
		"$PAKHUS" attrs org.example.lending --set - >/dev/null
	echo '{"release_notes":"n","is_pre_release":true,"signed":false,
		"artifact_kind":"app","runtime":"node"}' |
		"$PAKHUS" attrs org.example.lending@1.2.1 --set - >/dev/null
	"$PAKHUS" site www >/dev/null
	[ "$(find www -name '*.json' | wc -l)" -eq 12 ]
	token
	serve --tokens tokens
	find www -name '*.json' -printf '%P\n' | while read -r name; do
		get "/${name//%/%25}" -f --path-as-is -o got || exit
		cmp got "www/$name" || exit
	done
}
