#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154
# clients.bats - ObjectStack's own programs, as npm has them, publish to
# `pakhus serve`, and runtimes browse and install what they published.

load cli
load client
load server

setup_file() {
	client_install curl
}

teardown() {
	host_stop
	stop
}

# A server with a token that publishes com.acme.*; cloud is its address.
start() {
	[ -z "${NO_CLIENT-}" ] || skip "$NO_CLIENT"
	token=$("$PAKHUS" token create --tokens tokens --scope \
		'publish:com.acme.*' acme)
	serve --tokens tokens
	cloud=$url
}

# Runs ObjectStack's program; output goes to out, the status to status.
os() {
	status=0
	HOME=$PWD OS_CLOUD_URL=$cloud OS_CLOUD_API_KEY=$token \
		OS_RUNTIME_EMAIL=operator@example.org \
		OS_RUNTIME_PASSWORD=secret NODE_NO_WARNINGS=1 NO_COLOR=1 \
		timeout 120 "$(good_node)" \
		"$client/node_modules/@objectstack/cli/bin/run.js" "$@" \
		>out 2>&1 3>&- || status=$?
}

# A build artifact where the program looks for it: artifact ID VERSION
artifact() {
	mkdir -p dist
	echo '{"manifest":{"id":"'"$1"'","name":"Acme CRM","version":"'"$2"'",
		"type":"app","namespace":"crm"},"objects":[{"name":
		"crm_account","fields":{"name":{"type":"text"}}}]}' \
		>dist/objectstack.json
}

# told TEXT: the program said so.
told() {
	grep -qF -- "$1" out || {
		cat out
		return 1
	}
}

@test "os package publish publishes, os package install installs it" {
	start
	artifact com.acme.crm 1.0.0
	printf '<svg xmlns="http://www.w3.org/2000/svg"/>' >icon.svg
	os package publish --visibility marketplace --submit --note 'the first' \
		--description D --category crm --license MIT --readme '# Read' \
		--icon-file icon.svg
	[ "$status" -eq 0 ] || told nothing
	told 'Created sys_package com.acme.crm (com.acme.crm)'
	told 'Icon URL: /icons/com.acme.crm.svg'
	told 'Version is live in the public marketplace catalog.'
	lacks out 'The listing has no'
	told "Checksum: $("$PAKHUS" list --json |
		grep -o '"hash":"[0-9a-f]*' | cut -c9-24)"
	# as pakhus publish would have stored it
	hash=$("$PAKHUS" -C other publish --json dist/objectstack.json |
		grep -o '"hash":"[^"]*"')
	"$PAKHUS" list --json | grep -qF "$hash"
	"$PAKHUS" history com.acme.crm | cut -f1,7 | sort -u >out
	printf 'attrs\ttoken:acme\npublish\ttoken:acme\n' | diff - out

	os package publish
	[ "$status" -eq 1 ]
	told "Publish version failed (409): Version '1.0.0' already exists for package 'com.acme.crm'. Bump the version and retry."
	# which says org, as it was asked to say nothing else
	"$PAKHUS" attrs com.acme.crm | grep -qF '"visibility":"org"'
	os package publish --version 1.1.0-rc.1 --visibility marketplace
	[ "$status" -eq 0 ]
	told "The artifact's manifest says version 1.0.0; published as 1.1.0-rc.1."

	host_start '' "$cloud"
	os package install com.acme.crm --version 1.0.0 --runtime "$runtime"
	[ "$status" -eq 0 ] || told nothing
	told 'Version: 1.0.0'
	registered
	[ "$(js 'rows[0].find(m => m.id === "com.acme.crm").objects[0].name')" = \
		crm_account ]
	os package install com.acme.nope --runtime "$runtime"
	[ "$status" -eq 1 ]
}

@test "os package publish is refused in words that it shows" {
	start
	artifact com.other.crm 1.0.0
	os package publish
	[ "$status" -eq 1 ]
	told 'Register package failed (403): The token acme does not have the scope publish for com.other.crm.'
	os package publish --manifest-id com.acme.crm
	[ "$status" -eq 1 ]
	told 'Publish version failed (422): This is no version that can be published'
	told "• manifest.id: the artifact is 'com.other.crm', the package 'com.acme.crm'."
	token=pakhus_wrong
	os package publish
	[ "$status" -eq 1 ]
	told 'Register package failed (401): That is not the secret of a token'
	lacks <("$PAKHUS" history) publish
}

@test "os plugin publish publishes the bytes that were signed" {
	start
	mkdir -p plugin/dist
	echo 'export default {};' >plugin/dist/index.js
	echo '{"id":"com.acme.plug","name":"Plug","version":"1.0.0",
		"runtime":"node"}' >plugin/objectstack.plugin.json
	tar --format=ustar -czf plug.osplugin -C plugin \
		objectstack.plugin.json dist/index.js
	printf 'ed25519:key:QUJD' >plug.osplugin.sig
	os plugin publish plug.osplugin --note first
	[ "$status" -eq 0 ] || told nothing
	told 'Plugin version published'
	"$PAKHUS" get com.acme.plug --metadata >metadata
	node -e '
		const it = JSON.parse(require("fs").readFileSync("metadata"));
		process.stdout.write(Buffer.from(it.osplugin, "base64"));
	' | cmp - plug.osplugin
	told "Artifact sha256: $(sha256sum <plug.osplugin | cut -d' ' -f1)"
	grep -qF '"signature":"ed25519:key:QUJD"' metadata
	"$PAKHUS" attrs com.acme.plug@1.0.0 | grep -qF \
		'{"release_notes":"first","artifact_kind":"plugin","signed":true,"runtime":"node"}'
}

# said JSON: by the API, as the program does, with a token for everything
said() {
	curl -sSf --noproxy '*' -o out -H "Authorization: Bearer $token" \
		-H 'Content-Type: application/json' -d "$1" \
		"$cloud/api/v1/cloud/packages"
}

@test "a runtime browses and installs, and sees what it may" {
	start
	put_lending
	put com.acme.hr 1.0.0
	host_start '' "$cloud"
	said '{"manifest_id":"com.acme.hr","display_name":"People",
		"visibility":"private","category":"hr"}'
	ask packages
	[ "$code" -eq 200 ]
	[ "$(js 'rows[0].data.items.map(i => i.id)')" = org.example.lending ]
	ask packages/com.acme.hr
	[ "$code" -eq 404 ]
	install com.acme.hr
	[ "$code" -eq 404 ]
	said '{"manifest_id":"com.acme.hr","visibility":"marketplace"}'
	ask 'packages?q=peo&category=hr&limit=10&offset=0'
	[ "$(js 'rows[0].data.items.map(i => i.id)')" = com.acme.hr ]
	[ "$(js 'rows[0].data.total')" = 1 ]
	ask packages/org.example.lending
	[ "$(js 'rows[0].data.versions.map(v => v.version)')" = \
		1.2.1,2.1.0,2.0.0,1.2.0,1.1.0,1.0.0 ]
	install org.example.lending
	[ "$code" -eq 200 ]
	[ "$(js 'rows[0].data.version')" = 1.2.1 ]
	registered
	"$PAKHUS" get org.example.lending --document >document
	[ "$(js '
		const { manifest, metadata } = JSON.parse(
			require("fs").readFileSync("document", "utf8"));
		const got = rows[0].find((m) => m.id === manifest.id);
		JSON.stringify(Object.entries(got).sort()) === JSON.stringify(
			Object.entries({ ...manifest, ...metadata }).sort());
	')" = true ]
	# what is published while it runs is there at once, by any process
	put org.example.lending 3.0.0
	install org.example.lending
	[ "$(js 'rows[0].data.version')" = 3.0.0 ]
	"$PAKHUS" delete org.example.lending >/dev/null
	install org.example.lending
	[ "$code" -eq 404 ]
}

@test "a runtime that has a token installs what is private" {
	start
	put com.acme.hr 1.0.0
	said '{"manifest_id":"com.acme.hr","visibility":"private"}'
	OS_CLOUD_API_KEY=$token host_start '' "$cloud"
	install com.acme.hr
	[ "$code" -eq 200 ]
}

@test "a runtime reads the server as it reads a site's files" {
	start
	put_lending
	host_start "$cloud" http://127.0.0.1:1
	ask 'packages?q=tool&limit=10&offset=0'
	[ "$(js 'rows[0].data.total')" = 1 ]
	install org.example.lending 2.0.0
	[ "$code" -eq 200 ]
	[ "$(js 'rows[0].data.version')" = 2.0.0 ]
}
