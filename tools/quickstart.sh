#!/bin/sh
# quickstart.sh - a tour of pakhus in a directory of its own.
#
# usage: tools/quickstart.sh [PROGRAM]
#
# Publishes the versions of a small package and looks at them from all
# sides. Each command is shown before it runs; the first that fails ends
# the tour with its status.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
pakhus=${1:-${PAKHUS:-$here/build/cc/pakhus}}
packages=$here/tests/packages
id=org.example.lending

if [ ! -x "$pakhus" ]; then
	echo "quickstart: no program at $pakhus; run make first" >&2
	exit 1
fi
case $pakhus in
/*) ;;
*) pakhus=$PWD/$pakhus ;;
esac

dir=$(mktemp -d "${TMPDIR:-/tmp}/pakhus-quickstart.XXXXXX")
PAKHUS_STORE=$dir/store
PAKHUS_BY=quickstart
export PAKHUS_STORE PAKHUS_BY
cp "$packages"/lending-*.json "$dir"
cd "$dir"

title() {
	printf '\n# %s\n' "$*"
}

run() {
	printf '$ pakhus'
	printf ' %s' "$@"
	printf '\n'
	"$pakhus" "$@" && return
	status=$?
	echo "quickstart: failed with status $status: pakhus $*" >&2
	echo "quickstart: the store is left in $PAKHUS_STORE" >&2
	exit "$status"
}

title 'Publish five versions; the first makes the store.'
run publish lending-1.0.0.json lending-1.1.0.json lending-1.2.0.json \
	lending-2.0.0.json lending-2.1.0.json

title 'A hot fix for the older line, published last.'
run publish lending-1.2.1.json

title 'The latest is the one that was inserted last, and 2.1.0 is still there.'
run get --manifest "$id"
run get --manifest "$id@2.1.0"

title 'Packages, and the versions of one.'
run list
run versions "$id"

title 'What the hot fix changed, and what 2.0.0 did.'
run diff "$id@1.2.0" "$id@1.2.1"
run diff "$id" 1.2.0 2.0.0

title 'A version is deleted; the history keeps it.'
run delete "$id@1.0.0"
run history "$id"
run get --at 1 --manifest

title 'Every byte is checked against the signed log.'
run verify
run stat

printf '\nThe store is %s\n' "$PAKHUS_STORE"
printf 'To remove it: rm -r %s\n' "$dir"
