#!/usr/bin/env bats
# shellcheck disable=SC2154
# marketplace.bats - the published client of ObjectStack's marketplace reads
# and installs what `pakhus site` wrote, as nginx serves it.

load cli
load web
load client

setup_file() {
	client_install nginx
}

teardown() {
	host_stop
	web_stop
}

start() {
	[ -z "${NO_CLIENT-}" ] || skip "$NO_CLIENT"
	put_lending
	"$PAKHUS" site www >/dev/null
	web_start "$PWD/www"
	host_start "$web" "${cloud:-$web/cloud}"
}

@test "the client lists what the site has, and looks for words in it" {
	start
	put org.example.other 1.0.0
	"$PAKHUS" site www >/dev/null
	ask packages
	[ "$code" -eq 200 ]
	[ "$(js 'rows[0].success')" = true ]
	[ "$(js 'rows[0].data.items.map(i => i.id)')" = \
		org.example.other,org.example.lending ]
	[ "$(js 'rows[0].data.items[1].latest_version.version')" = 1.2.1 ]
	ask 'packages?q=tool&limit=10&offset=0'
	[ "$(js 'rows[0].data.total')" = 1 ]
	[ "$(js 'rows[0].data.items[0].display_name')" = 'Tool Lending' ]
	ask 'packages?q=nothing'
	[ "$(js 'rows[0].data.items.length')" = 0 ]
}

@test "the client reads a package, and a version's manifest" {
	start
	ask packages/org.example.lending
	[ "$code" -eq 200 ]
	[ "$(js 'rows[0].data.package.manifest_id')" = org.example.lending ]
	[ "$(js 'rows[0].data.versions.map(v => v.version)')" = \
		1.2.1,2.1.0,2.0.0,1.2.0,1.1.0,1.0.0 ]
	ask packages/org.example.lending/versions/2.0.0/manifest
	[ "$code" -eq 200 ]
	[ "$(js 'rows[0].data.manifest.manifest.version')" = 2.0.0 ]
	ask packages/org.example.missing
	[ "$code" -eq 404 ]
}

@test "the client installs the latest version, as a whole" {
	start
	install org.example.lending
	[ "$code" -eq 200 ]
	[ "$(js 'rows[0].data.manifestId')" = org.example.lending ]
	[ "$(js 'rows[0].data.version')" = 1.2.1 ]
	[ "$(js 'rows[0].data.versionId')" = 1.2.1 ]
	[ "$(web_asked /packages/org.example.lending/versions/latest/manifest.json)" -eq 1 ]
	# what is flat in the kernel is manifest and metadata, and all of them
	registered
	"$PAKHUS" get org.example.lending --document >document
	[ "$(js '
		const { manifest, metadata } = JSON.parse(
			require("fs").readFileSync("document", "utf8"));
		const got = rows[0].find((m) => m.id === manifest.id);
		JSON.stringify(Object.entries(got).sort()) === JSON.stringify(
			Object.entries({ ...manifest, ...metadata }).sort());
	')" = true ]
	[ "$(js 'rows[0].find(m => m.id === "org.example.lending").namespace')" = \
		lending ]
	ask install-local -H 'Cookie: session=operator'
	[ "$(js 'rows[0].data.items[0].manifestId')" = org.example.lending ]
}

@test "the client installs a version, upgrades it, and finds it again" {
	start
	install org.example.lending 1.0.0
	[ "$code" -eq 200 ]
	[ "$(js 'rows[0].data.upgradedFrom')" = null ]
	install org.example.lending 2.1.0
	[ "$code" -eq 200 ]
	[ "$(js 'rows[0].data.upgradedFrom')" = previous-marketplace-version ]
	host_stop
	web_stop
	host_start "$web" "$web/cloud" # with nobody to ask
	registered
	[ "$(js 'rows[0].find(m => m.id === "org.example.lending").version')" = \
		2.1.0 ]
}

@test "the client installs what a shared id and odd metadata could keep it from" {
	printf '%s\n' '{"manifest":{"id":"@acme/crm","version":"1.0.0-rc.1",' \
		'"name":"CRM","objects":["*.object.ts"]},' \
		'"metadata":{"id":"evil","name":"evil","manifest":{"id":"evil"},' \
		'"objects":[{"name":"crm_account"}]}}' | tr -d '\n' >crm.json
	"$PAKHUS" publish crm.json >/dev/null
	start
	ask 'packages/%40acme%2Fcrm'
	[ "$(js 'rows[0].data.versions[0].is_prerelease')" = true ]
	install @acme/crm
	[ "$code" -eq 200 ]
	[ "$(js 'rows[0].data.manifestId')" = @acme/crm ]
	registered
	[ "$(js 'rows[0].find(m => m.id === "@acme/crm").objects[0].name')" = \
		crm_account ]
	[ "$(js 'rows[0].some(m => m.id === "evil")')" = false ]
}

@test "the client does not find what was deleted, and is told so" {
	start
	"$PAKHUS" delete org.example.lending@2.1.0 >/dev/null
	"$PAKHUS" site www >/dev/null
	install org.example.lending 2.1.0
	[ "$code" -eq 404 ]
	[ "$(js 'rows[0].error.code')" = CLOUD_FETCH_FAILED ]
	install org.example.lending 2.0.0
	[ "$code" -eq 200 ]
}

@test "the client installs from the site while its cloud is not there" {
	cloud=http://127.0.0.1:1
	start
	install org.example.lending
	[ "$code" -eq 200 ]
}
