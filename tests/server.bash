# shellcheck shell=bash disable=SC2034
# server.bash - `pakhus serve` on a loopback port, for one test.

# serve ARGS...: waits until it says its address, which is then in url. What it
# says besides is in the file said.
serve() {
	local i

	: >address
	"$PAKHUS" serve --listen 127.0.0.1:0 --access-log off "$@" \
		>address 2>said 3>&- &
	server=$!
	for i in {1..400}; do
		url=$(head -n 1 address)
		[ -z "$url" ] || return 0
		kill -0 "$server" 2>/dev/null || break
		sleep 0.05
	done
	cat said
	return "$i"
}

# stop [SIGNAL]: ends it, where it runs, and fails as it does.
stop() {
	local status=0

	[ -n "${server-}" ] || return 0
	kill -"${1-TERM}" "$server"
	wait "$server" || status=$?
	server=
	return "$status"
}
