#!/usr/bin/env bats
# interrupt.bats - what was acknowledged outlives any process, and nobody else
# notices. ROUNDS says how many rounds of killing there are, SEED which; the
# long form is check-kill.

bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	cp "${PAKHUS:-$BATS_TEST_DIRNAME/../build/cc/pakhus}" pakhus
	cp "${AIDS:-$BATS_TEST_DIRNAME/../build/cc/tests}/aid_worker" worker
	cp "$BATS_TEST_DIRNAME/interrupt.mjs" .
	# root may write what is read-only, so all of it is done by nobody
	as=()
	[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid=65534 --regid=65534
		--clear-groups)
	if [ "$(id -u)" -eq 0 ]; then
		chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/*/ .
		chmod a+rx,a+w .
		chmod a+rx pakhus worker interrupt.mjs
	fi
	rounds=${ROUNDS:-${SANITIZED:+2}}
	rounds=${rounds:-5}
	seed=${SEED:-$((RANDOM + 1))}
}
teardown() {
	[ -z "${worker-}" ] || kill "$worker" 2>/dev/null || true
}

# What is left running is ended, so that a test that failed leaves nothing.
start() {
	"${as[@]}" "$@" >started 2>&1 3>&- &
	worker=$!
}

interrupt() { # SEED-MORE [stay [INIT-OPTION...]]
	local n=$((seed + $1)) stay=${2-}
	"${as[@]}" ./pakhus -C store init "${@:3}" >/dev/null
	run "${as[@]}" node interrupt.mjs ./pakhus ./worker store "$rounds" \
		"$n" "$stay"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "nothing acknowledged is lost when anybody is killed" {
	interrupt 0
}

@test "nor while one reader stays, so that nobody ever recovers" {
	interrupt 1 stay
}

@test "nor in an immutable store" {
	interrupt 2 '' --immutable
}

@test "what a killed process staged is staged again, by anybody" {
	doc='{"manifest":{"id":"a","version":"1"},"metadata":{}}'
	"${as[@]}" ./pakhus -C store init >/dev/null
	start ./worker read store 1
	until [ -s started ]; do sleep .01; done
	hash=$(printf %s "$doc" | sha256sum)
	# shellcheck disable=SC2016
	"${as[@]}" sh -c 'echo half >store/local/stage/$1 &&
		chmod 444 store/local/stage/$1' sh "${hash%% *}"
	"${as[@]}" ./pakhus -C store publish - <<<"$doc"
	"${as[@]}" ./pakhus -C store verify
	kill "$worker"
	wait "$worker"
}

@test "two publish other content for one version: one wins, one exits 5" {
	"${as[@]}" ./pakhus -C store init --immutable >/dev/null
	for i in 1 2 3 4 5 6 7 8 9 10; do
		jobs=()
		for name in x y; do
			doc='{"manifest":{"id":"a","version":"%s","name":"%s"}}'
			# shellcheck disable=SC2059
			printf "$doc" $i $name | "${as[@]}" ./pakhus -C store \
				publish - >$name.out 2>$name.err 3>&- &
			jobs+=($!)
		done
		results=
		for job in "${jobs[@]}"; do
			rc=0
			wait "$job" || rc=$?
			results="$results $rc"
		done
		echo "$results"
		cat ./?.err
		[ "$results" = ' 0 5' ] || [ "$results" = ' 5 0' ]
		grep -q "a@$i: this store is immutable" ./?.err
		cat ./?.out >won
		[ "$(wc -l <won)" -eq 1 ]
		[[ $("${as[@]}" ./pakhus -C store versions a) == *"$(
			cut -d' ' -f2 won)"* ]]
	done
	"${as[@]}" ./pakhus -C store verify
}

@test "who waits for a recovery that is killed does it again" {
	command -v strace >/dev/null || skip 'strace is not installed'
	for i in 1 2 3 4 5 6 7 8 9; do
		echo "{\"manifest\":{\"id\":\"a\",\"version\":\"$i\"}}"
	done | "${as[@]}" ./pakhus -C store import -
	# its end comes when the old index is gone and the new one is empty
	# the leak sanitizer does not work while it is traced
	ASAN_OPTIONS=detect_leaks=0 "${as[@]}" strace -f -qq -o trace \
		-e inject=unlinkat:delay_enter=700000:when=2 \
		-e inject=pwrite64:signal=KILL:when=1 \
		./pakhus -C store verify --rebuild >killed 2>&1 3>&- &
	until grep -q unlinkat trace; do sleep .01; done
	for n in 1 2 3; do
		"${as[@]}" ./pakhus -C store versions a >"$n.out" 2>"$n.err" 3>&- &
	done
	wait
	cat killed ./?.err
	grep -q 'killed by SIGKILL' trace || skip 'strace may not trace here'
	for n in 1 2 3; do
		[ "$(wc -l <"$n.out")" -eq 9 ]
	done
	"${as[@]}" ./pakhus -C store verify
}
