#!/usr/bin/env bats
# shellcheck disable=SC2154
# marketplace.bats - the published client of ObjectStack's marketplace reads
# and installs what `pakhus site` wrote, as nginx serves it.

load cli
load web

client=$BATS_TEST_DIRNAME/../build/marketplace

# The client's plugins need a Node of 20 or newer.
good_node() {
	local candidate

	for candidate in "$(command -v node)" \
		"$client"/node_modules/node-linux-*/bin/node; do
		"$candidate" -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' \
			2>/dev/null || continue
		echo "$candidate"
		return
	done
}

# Once, into build/; what is there already is what the lock file says.
setup_file() {
	local lock=$BATS_TEST_DIRNAME/marketplace/package-lock.json program node

	for program in node npm nginx; do
		PATH=$PATH:/usr/sbin command -v "$program" >/dev/null && continue
		export NO_CLIENT="$program is not installed"
		return
	done
	mkdir -p "$client"
	cp "$BATS_TEST_DIRNAME/marketplace/host.mjs" "$client"
	node=$(good_node)
	[ -n "$node" ] && cmp -s "$lock" "$client/done" && return
	cp "$BATS_TEST_DIRNAME"/marketplace/package*.json "$client"
	if (cd "$client" && timeout 600 npm ci --ignore-scripts --no-audit \
		--no-fund --legacy-peer-deps ${node:+--omit=optional}) \
		>"$client/npm.log" 2>&1 3>&-; then
		cp "$lock" "$client/done"
	else # only who cannot reach npm is let off
		rm -f "$client/done"
		grep -Eq 'E(CONN|NOTFOUND|AI_AGAIN|TIMEDOUT|NETUNREACH|50[0-9])|network' \
			"$client/npm.log"
		NO_CLIENT="npm cannot be reached: $(grep -m 1 'npm error' \
			"$client/npm.log")"
		export NO_CLIENT
	fi
}

teardown() {
	[ -z "${host_pid-}" ] || kill "$host_pid"
	web_stop
}

# A runtime that reads from the site; everything but the site is off limits.
host_start() {
	local i

	rm -f host.out
	NODE_NO_WARNINGS=1 OS_MARKETPLACE_PUBLIC_BASE_URL=$web \
		OS_CLOUD_URL=${cloud:-$web/cloud} OS_MARKETPLACE_CACHE=off \
		"$(good_node)" "$client/host.mjs" "$PWD/installed" \
		>host.out 2>host.err 3>&- &
	host_pid=$!
	for i in {1..200}; do
		[ ! -s host.out ] || break
		sleep 0.1
	done
	host=http://127.0.0.1:$(cat host.out)/api/v1/marketplace
	[ -s host.out ] || {
		cat host.err
		return "$i"
	}
}

host_stop() {
	kill "$host_pid"
	wait "$host_pid" || :
	host_pid=
}

# ask PATH [CURL OPTION...]: the answer is in out, the status in code
ask() {
	code=$(curl -sS -o out -w '%{http_code}' "$host/${1#/}" "${@:2}")
}

install() { # ID [VERSION]
	ask install-local -X POST -H 'Cookie: session=operator' \
		-H 'Content-Type: application/json' \
		-d "{\"packageId\":\"$1\",\"versionId\":\"${2-latest}\"}"
}

registered() {
	curl -sS -o out "${host%/api/*}/registered"
}

start() {
	[ -z "${NO_CLIENT-}" ] || skip "$NO_CLIENT"
	put_lending
	"$PAKHUS" site www >/dev/null
	web_start "$PWD/www"
	host_start
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
	host_start # with nobody to ask
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
