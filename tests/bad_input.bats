#!/usr/bin/env bats
# bad_input.bats - stores and paths that are not what they should be: one
# sentence that names what and where, the exit status, and nothing changed.

bats_require_minimum_version 1.5.0

setup() {
	PAKHUS=$(realpath "${PAKHUS:-$BATS_TEST_DIRNAME/../build/cc/pakhus}")
	ENTRY=$(realpath "${AIDS:-$BATS_TEST_DIRNAME/../build/cc/tests}")/aid_entry
	cd "$BATS_TEST_TMPDIR" || return 1
	export PAKHUS_STORE=store
	echo '{"manifest":{"id":"a","version":"1"}}' >doc
	"$PAKHUS" publish doc >out
	object=$(find store/objects -type f)
	object=${object#store/}
}

tree() { # but for what belongs to the process that looks
	find "$1" -printf '%p %y %m %s\n' | sort
	find "$1" -type f ! -path '*/local/*' -exec sha256sum {} + | sort
}

# says STATUS TEXT ARG...: the exit status, and one line that holds TEXT
says() {
	local wanted=$1 text=$2
	shift 2
	run --separate-stderr "$PAKHUS" "$@"
	# shellcheck disable=SC2154
	echo "$* exits $status: $output $stderr"
	[ "$status" -eq "$wanted" ]
	if [ "$1" = verify ] && [ "$wanted" -eq 4 ]; then
		# told as damage is: path, rule and sentence on stdout
		[[ ${output//: F-/ F-} == *"${text//: F-/ F-}"* ]] ||
			[[ $(sed 's/: \(F-[0-9]*\): /: \1 /' <<<"$output") == *"$text"* ]]
		return
	fi
	[ "$(grep -cv '^pakhus: note: ' <<<"$stderr")" -eq 1 ]
	[[ $stderr == *"pakhus: $1: "*"$text"* ]]
}

every_verb_says() { # STATUS TEXT
	tree store >before
	for verb in list 'get a' 'versions a' history stat verify key \
		'publish doc' 'import doc' 'delete a' 'get --at 1'; do
		# shellcheck disable=SC2086
		says "$1" "$2" $verb
	done
	tree store | diff before -
}

@test "F-42: a store of a later format" {
	sed -i '1s/pakhus 1/pakhus 2/' store/FORMAT
	every_verb_says 1 'store/FORMAT: F-42 a later pakhus is needed: it begins with "pakhus 2"'
	says 5 'there is a store already' init
}

@test "F-24: a log with an op of a later release" {
	"$ENTRY" store '{"op":"levitate","id":"a","version":"1","time":1,"by":""}'
	"$PAKHUS" list >out 2>err || [ $? -eq 1 ]
	tree store >before
	for verb in list 'get a' 'versions a' history stat verify \
		'publish doc' 'import doc' 'delete a' 'get --at 1'; do
		# shellcheck disable=SC2086
		says 1 'log entry 2: F-24 ' $verb
	done
	tree store | diff before -
}

@test "a path that is a file, or leads through one" {
	for verb in list 'get a' verify 'publish doc' 'import doc' init; do
		# shellcheck disable=SC2086
		says 3 'the store doc is not a directory' $verb -C doc
		# shellcheck disable=SC2086
		says 3 'the store doc/store: Not a directory' $verb -C doc/store
	done
}

@test "a document that is a directory, and one that is not there" {
	tree store >before
	says 1 '.: Is a directory' publish .
	says 1 'nowhere: No such file or directory' publish nowhere
	says 1 'nowhere: No such file or directory' import nowhere
	tree store | diff before -
}

# damage FILE: makes it unreadable in one way after the other
damaged() { # FILE TEXT STATUS VERB...
	local file=$1 text=$2 wanted=$3 verb
	shift 3
	for how in missing empty directory; do
		rm -rf damaged
		cp -a store damaged
		rm damaged/"$file"
		[ $how != empty ] || : >damaged/"$file"
		[ $how != directory ] || mkdir damaged/"$file"
		find damaged ! -path '*/local/*' -exec sha256sum {} + \
			>before 2>/dev/null || true
		for verb; do
			# shellcheck disable=SC2086
			says "$wanted" "$text" $verb -C damaged
		done
		find damaged ! -path '*/local/*' -exec sha256sum {} + \
			2>/dev/null | diff before -
	done
}

@test "a checkpoint that is missing, empty or a directory" {
	damaged log/checkpoint 'log/checkpoint: ' 4 list 'get a' verify \
		'publish doc'
}

@test "a key that is missing, empty or a directory" {
	local key
	key=$(basename store/keys/*)
	damaged "keys/$key" 'key' 4 list 'get a' verify 'publish doc'
}

@test "a bundle that is missing, empty or a directory" {
	damaged log/tile/entries/000.p/2 'log/tile/entries/000.p/2: ' 4 list \
		'get a' verify
}

@test "an object that is missing, empty or a directory" {
	damaged "$object" "${object#objects/??/}" 4 'get a'
}

@test "a private key that is empty or a directory" {
	for how in empty directory; do
		cp -a store damaged
		rm damaged/local/key
		if [ $how = empty ]; then
			: >damaged/local/key
		else
			mkdir damaged/local/key
		fi
		says 4 'not a ' list -C damaged
		says 4 'not a ' publish doc -C damaged
		rm -r damaged
	done
}

@test "F-36: a private key that is another one is not written with" {
	key=$(cat store/local/key)
	other=x
	[ "${key: -6:1}" != x ] || other=y
	printf '%s%s%s\n' "${key:0:-6}" $other "${key: -5}" >store/local/key
	"$PAKHUS" get a
	for verb in 'publish doc' 'delete a' verify; do
		# shellcheck disable=SC2086
		says 4 "local/key: F-36 the id is another key's" $verb
	done
	"$PAKHUS" get a
}

@test "a store that lost FORMAT is not begun again over what it holds" {
	rm store/FORMAT
	tree store >before
	for verb in init 'publish doc' 'import doc'; do
		# shellcheck disable=SC2086
		says 4 'store/FORMAT: F-40 is missing' $verb
		tree store | diff before -
	done
	# nor where it came without local/
	rm -r store/local
	says 4 'store/FORMAT: F-40 is missing' publish doc
	[ ! -e store/local ]
}

@test "a store that lost last-signed is damaged, not absent" {
	rm store/local/last-signed
	run --separate-stderr "$PAKHUS" publish doc
	[ "$status" -ne 0 ]
	[ "$status" -ne 3 ]
	[[ $stderr == *'durable, not yet in the mirrored tree: local/last-signed: is missing' ]]
	says 4 'local/last-signed: is missing' verify
}

@test "a store that may not be read" {
	[ "$(id -u)" -eq 0 ] || skip 'only root can be somebody else'
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/*/ .
	cp "$PAKHUS" program
	printf '#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 %s\n' \
		'--clear-groups ./program "$@"' >other
	chmod a+rx other program
	PAKHUS=./other
	chmod 700 store
	for verb in list 'get a' verify 'publish doc' 'delete a'; do
		# shellcheck disable=SC2086
		says 7 'store' $verb
	done
	chmod 755 store
	chmod 000 store/log/checkpoint
	says 7 'log/checkpoint: Permission denied' list
	chmod 644 store/log/checkpoint
	chmod 000 "store/$object"
	says 7 'Permission denied' get a
}
