# shellcheck shell=bash disable=SC2034,SC2154
# client.bash - programs of ObjectStack as npm has them, installed once into
# build/, and a runtime of theirs that they install packages into.
#
# Who loads it calls client_install in its setup_file().

load npm

client=$BATS_TEST_DIRNAME/../build/clients

# They need a Node of 20 or newer.
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

# client_install PROGRAM...: what the lock file says, if it is not there already
# and the programs are. Where it cannot be had NO_CLIENT says why.
client_install() {
	local from=$BATS_TEST_DIRNAME/clients program node

	for program in node npm "$@"; do
		PATH=$PATH:/usr/sbin command -v "$program" >/dev/null && continue
		export NO_CLIENT="$program is not installed"
		return
	done
	node=$(good_node)
	[ -n "$node" ] || rm -f "$client/done"
	npm_ci "$from" "$client" --legacy-peer-deps ${node:+--omit=optional}
	cp "$from/host.mjs" "$client"
	[ -z "${NO_NPM-}" ] || export NO_CLIENT=$NO_NPM
}

# host_start BASE CLOUD: a runtime that reads the marketplace of both, and
# installs into ./installed. Everything else is off limits. An empty BASE is
# none.
host_start() {
	local i

	rm -f host.out
	NODE_NO_WARNINGS=1 OS_MARKETPLACE_PUBLIC_BASE_URL=$1 \
		OS_CLOUD_URL=$2 OS_MARKETPLACE_CACHE=off \
		"$(good_node)" "$client/host.mjs" "$PWD/installed" \
		>host.out 2>host.err 3>&- &
	host_pid=$!
	for i in {1..200}; do
		[ ! -s host.out ] || break
		sleep 0.1
	done
	runtime=http://127.0.0.1:$(cat host.out)
	host=$runtime/api/v1/marketplace
	[ -s host.out ] || {
		cat host.err
		return "$i"
	}
}

host_stop() {
	[ -n "${host_pid-}" ] || return 0
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
	curl -sS -o out "$runtime/registered"
}
