#!/usr/bin/env bats
# mounts.bats - a store seen through other mounts, by other users, from other
# PID namespaces, and copies of it.
# shellcheck disable=SC2030,SC2031,SC2034,SC2086,SC2154

bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	cp "${PAKHUS:-$BATS_TEST_DIRNAME/../build/cc/pakhus}" pakhus
	cp "${AIDS:-$BATS_TEST_DIRNAME/../build/cc/tests}/aid_worker" worker
	unset PAKHUS_STORE
	put 1
	put 2
}
teardown() {
	[ -z "${child-}" ] || kill "$child" 2>/dev/null || true
}

# put VERSION [STORE]: publishes a small document; its hash is in hash_VERSION
put() {
	local doc
	doc="{\"manifest\":{\"id\":\"a\",\"version\":\"$1\"},\"metadata\":{}}"
	hash=$(printf %s "$doc" | sha256sum)
	printf -v "hash_$1" %s "${hash%% *}"
	./pakhus -C "${2:-store}" publish - <<<"$doc" >/dev/null
}

namespaces() { # OPTION...
	for ns in "unshare -Ur $*" "unshare $*"; do
		$ns true 2>/dev/null && return
	done
	skip "unshare $* is not permitted here"
}

# Starts a process that answers what `ask` asks it.
answering() {
	mkfifo questions
	"$@" <questions >answers 2>&1 3>&- &
	child=$!
	exec 4>questions
	asked=0
}

# ask VERSION: whether the process reads the right text of it
ask() {
	local hash=hash_$1
	echo "a $1 ${!hash}" >&4
	asked=$((asked + 1))
	until [ "$(grep -c . answers)" -ge "$asked" ]; do sleep .01; done
	[ "$(tail -n 1 answers)" = = ] || {
		cat answers
		return 1
	}
}

# Every file below local/ that a process has open or mapped.
touched() { # PID
	local n=0
	[ -r "/proc/$1/maps" ]
	{
		cat "/proc/$1/maps"
		readlink "/proc/$1/fd"/*
	} | grep -E '/local/|\.mdb' || n=$?
	[ "$n" -eq 1 ]
}

refused() { # TEXT ARG...: exit 7, and one line that holds TEXT
	run --separate-stderr ./pakhus "${@:2}" \
		<<<'{"manifest":{"id":"b","version":"1"}}'
	# shellcheck disable=SC2154
	echo "$status $output $stderr"
	[ "$status" -eq 7 ]
	[ -z "$output" ]
	[ "$(grep -cv -e '^pakhus: note: ' -e ': to adopt it: ' <<<"$stderr")" -eq 1 ]
	[[ $stderr == *"$1"* ]]
}

# The rebuilt index of a copy may be told, and nothing else.
reads() { # STORE VERSION...
	local store=$1 version want
	shift
	for version; do
		want=hash_$version
		run --separate-stderr ./pakhus -C "$store" get --document \
			"a@$version"
		echo "$status $stderr"
		[ "$status" -eq 0 ]
		[ "${!want}  -" = "$(printf %s "$output" | sha256sum)" ]
		[[ -z $stderr || $stderr == 'pakhus: note: the index was '* ]]
	done
}

@test "a read-only mount is read, follows the checkpoint, and opens no LMDB" {
	namespaces -m
	mkdir there
	# shellcheck disable=SC2016
	answering $ns sh -ec 'mount --bind store there
		mount -o remount,ro,bind there
		exec ./worker check there'
	ask 1
	touched "$child"
	put 3
	ask 3
	./pakhus -C store delete a@3 >/dev/null
	hash_3=-
	ask 3
	for i in $(seq 4 300); do
		printf '{"manifest":{"id":"a","version":"%s"},"metadata":{}}\n' \
			"$i"
	done | ./pakhus -C store import - >/dev/null
	put 301
	ask 301
	ask 1
	touched "$child"
	exec 4>&-
	wait "$child"
}

@test "a read-only mount is not published to, and nothing in it changes" {
	namespaces -m
	mkdir there
	find store -type f -exec sha256sum {} + | sort >before
	# shellcheck disable=SC2016
	run --separate-stderr $ns sh -ec 'mount --bind store there
		mount -o remount,ro,bind there
		./pakhus -C there get --manifest a
		./pakhus -C there list
		./pakhus -C there history a
		./pakhus -C there verify
		./pakhus -C there stat
		echo "{\"manifest\":{\"id\":\"b\",\"version\":\"1\"}}" >doc
		for verb in "publish doc" "import doc" "delete a"; do
			rc=0
			./pakhus -C there $verb || rc=$?
			[ $rc -eq 7 ]
		done'
	echo "$output" "$stderr"
	[ "$status" -eq 0 ]
	[ "$(grep -c 'read only here\|Read-only file system' <<<"$stderr")" -eq 3 ]
	find store -type f -exec sha256sum {} + | sort | diff before -
}

@test "readers on a read-only mount while others publish without end" {
	namespaces -m
	mkdir there
	./worker publish store b 1 >acks 3>&- &
	child=$!
	# shellcheck disable=SC2016
	run $ns sh -c 'mount --bind store there
		mount -o remount,ro,bind there
		./worker read there 1 & one=$!
		./worker read there 2 & two=$!
		sleep 3
		kill $one $two
		wait $one || exit
		wait $two'
	[ "$status" -eq 0 ] || grep -v '^\.$' <<<"$output"
	[ "$status" -eq 0 ]
	[[ $output == *.* ]]
	[[ $output != *'!'* ]]
	kill "$child"
	wait "$child"
}

@test "another user reads and does not write" {
	[ "$(id -u)" -eq 0 ] || skip 'only root can be somebody else'
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/*/ . pakhus worker
	local other='setpriv --reuid=65534 --regid=65534 --clear-groups'
	# shellcheck disable=SC2086
	answering $other ./worker check store
	ask 1
	touched "$child"
	put 3
	ask 3
	exec 4>&-
	wait "$child"
	mv pakhus program
	printf '#!/bin/sh\nexec %s ./program "$@"\n' "$other" >pakhus
	chmod +x pakhus
	reads store 1 2 3
	refused 'Permission denied' -C store publish -
	refused 'Permission denied' -C store delete a
	refused 'Permission denied' -C store import -
	./pakhus -C store verify
}

@test "a copy is read, and written only when it was adopted" {
	cp -a store copy
	reads copy 1 2
	refused 'pakhus -C copy adopt --here' -C copy publish -
	refused 'pakhus -C copy adopt --here' -C copy delete a
	./pakhus -C copy adopt --here
	put 3 copy
	reads copy 1 2 3
	./pakhus -C copy verify
	put 4
	reads store 1 2 4
}

@test "a copy without local/ is read, and cannot be adopted" {
	command -v rsync >/dev/null || skip 'rsync is not installed'
	rsync -a --exclude=/local/ store/ copy/
	reads copy 1 2
	refused 'this copy of the store has no private key' -C copy publish -
	refused 'no private key' -C copy adopt --here
	# and with nothing that could be written
	[ "$(id -u)" -eq 0 ] || return 0
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/*/ . pakhus
	rm -rf copy/local
	run setpriv --reuid=65534 --regid=65534 --clear-groups ./pakhus \
		-C copy versions a
	[ "$status" -eq 0 ]
	[ "$(wc -l <<<"$output")" -eq 2 ]
	[ ! -e copy/local ]
}

reads_or_says() { # STORE VERSION
	local want=hash_$2

	run --separate-stderr ./pakhus -C "$1" get --document "a@$2"
	echo "$status $stderr"
	if [ "$status" -eq 4 ]; then
		[[ $stderr == *' F-57 '* ]]
		return
	fi
	[ "$status" -eq 0 ]
	[ "${!want}  -" = "$(printf %s "$output" | sha256sum)" ]
}

# Its journal may have been read in pieces that do not fit: a later record is
# there, and one before it is not.
@test "a copy that was made while the store was written is read, or says why not" {
	./worker publish store b 1 >acks 3>&- &
	child=$!
	sleep .3
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		cp -a store "copy$i"
	done
	kill "$child"
	wait "$child"
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		reads_or_says "copy$i" 1
		reads_or_says "copy$i" 2
	done
}

@test "what a copied journal holds is read, and integrated when adopted" {
	./worker publish store b 1 >acks 3>&- &
	child=$!
	until [ -s acks ]; do sleep .01; done
	sleep .3
	kill -KILL "$child"
	wait "$child" || true
	cp -a store copy
	n=$(./pakhus -C copy stat --json |
		sed 's/.*"entries":\([0-9]*\),"checkpoint":\([0-9]*\).*/\1 \2/')
	[ "${n% *}" -gt "${n#* }" ]
	./pakhus -C copy adopt --here
	./pakhus -C copy versions a >/dev/null
	n=$(./pakhus -C copy stat --json |
		sed 's/.*"entries":\([0-9]*\),"checkpoint":\([0-9]*\).*/\1 \2/')
	[ "${n% *}" -eq "${n#* }" ]
	./pakhus -C copy verify
}

@test "a store that is renamed while it is open stays the same store" {
	answering ./worker check store
	ask 1
	./worker publish store b 1 >acks 3>&- &
	local other=$!
	until [ -s acks ]; do sleep .01; done
	mv store elsewhere
	: >acks
	until [ "$(wc -l <acks)" -gt 50 ]; do sleep .01; done
	ask 2
	put 3 elsewhere
	ask 3
	kill "$other"
	wait "$other"
	exec 4>&-
	wait "$child"
	child=
	[ ! -e store ]
	./pakhus -C elsewhere verify
	[[ $(./pakhus -C elsewhere stat --json) == *'"journal_bytes":0'* ]]
}

@test "a store in use from another PID namespace is busy" {
	namespaces -p -f --mount-proc
	# the store is at rest, and was opened from here last
	mkfifo questions
	$ns ./worker check store <questions >answers 2>&1 3>&- &
	child=$!
	exec 4>questions
	echo "a 1 $hash_1" >&4
	until [ -s answers ]; do sleep .01; done
	for verb in list 'get a' 'publish -' 'delete a'; do
		# shellcheck disable=SC2086
		run --separate-stderr ./pakhus -C store $verb \
			<<<'{"manifest":{"id":"b","version":"1"}}'
		echo "$output $stderr"
		[ "$status" -eq 6 ]
		[ -z "$output" ]
		[[ $stderr == *'in use from another PID namespace'* ]]
	done
	# a third one has no better right than we have
	$ns ./pakhus -C store list 2>&1 | grep -q 'another PID namespace'
	exec 4>&-
	wait "$child"
	./pakhus -C store list
}

@test "who is in the PID namespace that has a store at rest is not busy" {
	namespaces -p -f --mount-proc
	mkfifo questions
	# shellcheck disable=SC2016
	run $ns sh -c '
		./worker check store <questions & sleep .1
		exec 4>questions
		echo "a 1 $1" >&4
		sleep .3
		./pakhus -C store list; echo $?' sh "$hash_1"
	echo "$output"
	[ "$(tail -n 1 <<<"$output")" = 0 ]
}
