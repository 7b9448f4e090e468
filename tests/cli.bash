# shellcheck shell=bash disable=SC2154
# cli.bash - what the tests of the program share.
#
# Each test runs in a directory of its own, with a store of its own that
# PAKHUS_STORE names. `pk` runs the program; `want` compares its status,
# stdout and stderr with what is expected, exactly.

setup() {
	PAKHUS=${PAKHUS:-$BATS_TEST_DIRNAME/../build/cc/pakhus}
	PAKHUS=$(realpath "$PAKHUS")
	PACKAGES=$BATS_TEST_DIRNAME/packages
	cd "$BATS_TEST_TMPDIR" || return
	unset PAKHUS_BY NO_COLOR
	export PAKHUS_STORE=store LC_ALL=C.UTF-8 TERM=xterm
}

# Runs the program; output goes to the files out and err.
pk() {
	status=0
	"$PAKHUS" "$@" >out 2>err || status=$?
}

# want STATUS [STDOUT [STDERR]]: what pk has to have done.
want() {
	local rc=0

	lines "${2-}" >want_out
	lines "${3-}" >want_err
	[ "$status" -eq "$1" ] || {
		echo "status $status, not $1"
		rc=1
	}
	diff -u --label 'stdout expected' --label stdout want_out out || rc=1
	diff -u --label 'stderr expected' --label stderr want_err err || rc=1
	return "$rc"
}

lines() {
	[ -z "$1" ] || printf '%s\n' "$1"
}

# Hides from out what differs from run to run, and hashes.
mask() {
	sed -Ei 's/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}/TIME/g
		s/_us":[0-9]+/_us":0/g
		s/[0-9a-f]{64}/HASH/g' out
}

# lacks FILE TEXT: a plain ! fails no test unless it comes last.
lacks() {
	if grep -qF -- "$2" "$1"; then
		echo "there is $2 in $1"
		return 1
	fi
}

# The value of a JavaScript expression over rows, the JSON lines of out.
js() {
	node -e '
		const text = require("fs").readFileSync("out", "utf8");
		const rows = text.split("\n").filter(Boolean).map(
			line => JSON.parse(line));
		process.stdout.write(String(eval(process.argv[1])) + "\n");
	' "$1"
}

# A small document on one line: doc ID VERSION [NAME]
doc() {
	printf '{"manifest":{"id":"%s","version":"%s"%s},"metadata":{}}\n' \
		"$1" "$2" "${3:+,\"name\":\"$3\"}"
}

# Publishes small documents: put ID VERSION ...
put() {
	while [ $# -gt 0 ]; do
		doc "$1" "$2" | "$PAKHUS" publish - >/dev/null
		shift 2
	done
}

# The six versions of the lending package, the hot fix last.
put_lending() {
	local v

	for v in 1.0.0 1.1.0 1.2.0 2.0.0 2.1.0 1.2.1; do
		"$PAKHUS" publish "$PACKAGES/lending-$v.json" >/dev/null
	done
}

# As pk, but as somebody who is not root and owns nothing here. Root may
# read and write everything, so what is denied can only be seen this way.
pk_other() {
	cp "$PAKHUS" pakhus-other
	chmod 755 pakhus-other
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/*/ "$BATS_TEST_TMPDIR"
	status=0
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups \
			./pakhus-other "$@" >out 2>err || status=$?
	else
		./pakhus-other "$@" >out 2>err || status=$?
	fi
}

# Runs the program with a terminal for stdout and stderr; what appears
# there is in out.
pk_terminal() {
	local word line=

	for word in "$PAKHUS" "$@"; do
		line+=" $(printf '%q' "$word")"
	done
	status=0
	script -qec "$line" /dev/null </dev/null >out || status=$?
	sed -i 's/\r$//' out
	: >err
}
