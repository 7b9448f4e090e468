#!/bin/sh
# setup.sh - installs what building, testing or measuring needs and is not
# there.
#
# usage: tools/setup.sh build|test|bench
#
# For Debian 12, with apt-get, and with sudo where it is not run as root.
# Nothing missing: no output, no network, no root. Elsewhere it only says what
# is missing, by Debian's names, and exits 1.
set -eu

# Debian's package, and what tells that it is there though dpkg does not know
# it: a program, a header, a file, or a function of this script.
build='gcc cc
libc6-dev stdlib.h
make make
pkg-config pkg-config
liblmdb-dev lmdb.h
libzstd-dev zstd.h
libssl-dev openssl/evp.h
libjansson-dev jansson.h
libcurl4-openssl-dev curl/curl.h
libevent-dev event2/bufferevent_ssl.h
zlib1g-dev zlib.h
zstd zstd'
test='libcmocka-dev cmocka.h
libsqlite3-dev sqlite3.h
bats bats
clang clang
libclang-rt-14-dev has_fuzzer
clang-tidy clang-tidy
cppcheck cppcheck
mandoc mandoc
nodejs has_node
libnode-dev has_node_api
golang-go go
golang-golang-x-mod-dev /usr/share/gocode/src/golang.org/x/mod/sumdb
shellcheck shellcheck
git git
strace strace
rsync rsync
curl curl
openssl openssl
nginx-light nginx
npm npm
util-linux unshare'
bench='libsqlite3-dev sqlite3.h
git git
nodejs has_node
rsync rsync
nginx-light nginx
npm npm'

case ${1-} in
build) wanted=$build ;;
test) wanted="$build
$test" ;;
bench) wanted="$build
$bench" ;;
*)
	sed -n '5s/^# //p' "$0" >&2
	exit 2
	;;
esac

has_node() {
	node -e 'process.exit(parseInt(process.versions.node) < 18)' 2>/dev/null
}
has_node_api() {
	"${0%/*}/node/headers"
}
has_fuzzer() {
	ls "$(clang -print-resource-dir)"/lib/*/libclang_rt.fuzzer*.a
}
has() {
	case $1 in
	has_*) "$1" ;;
	/*) [ -e "$1" ] ;;
	*.h) # cmocka.h wants others before it
		printf '#include <%s>\n' stdarg.h stddef.h setjmp.h stdint.h \
			"$1" | cc -E - ;;
	*) command -v "$1" ;;
	esac >/dev/null 2>&1
}

# shellcheck disable=SC2016,SC2046
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' \
	$(echo "$wanted" | cut -d' ' -f1) 2>/dev/null) || :
missing=
while read -r package probe; do
	case "
$installed
" in
	*"
$package installed
"*) ;;
	*) has "$probe" || missing="$missing $package" ;;
	esac
done <<END
$wanted
END
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
	echo "setup: missing, by the names of Debian's packages:$missing" >&2
	exit 1
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "setup: run as root: apt-get install$missing" >&2
		exit 1
	fi
	as_root=sudo
fi
echo "setup: installing$missing"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" \
		</dev/null >"$log" 2>&1 && return
	cat "$log" >&2
	echo "setup: apt-get $1 failed" >&2
	return 1
}
apt update
# shellcheck disable=SC2086
apt install -y --no-install-recommends $missing
