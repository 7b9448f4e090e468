#!/usr/bin/env bats
# install.bats - what is installed is enough to build against, and goes again.

bats_require_minimum_version 1.5.0

setup_file() { # bats 1.8 cannot skip from here
	[ -z "${SANITIZED-}" ] || return 0
	unset MAKEFLAGS MAKELEVEL
	export ROOT=$BATS_FILE_TMPDIR/root
	top=$BATS_TEST_DIRNAME/..
	# what is built is not built anew: only the program's place counts
	B=$(dirname "$(realpath "${PAKHUS:-$top/build/cc/pakhus}")")
	export B
	make -s -C "$top" B="$B" DESTDIR="$ROOT" PREFIX=/usr install
}
setup() {
	[ -z "${SANITIZED-}" ] || skip 'the library is built with sanitizers'
	cd "$BATS_TEST_TMPDIR" || return 1
	export PKG_CONFIG_SYSROOT_DIR=$ROOT
	export PKG_CONFIG_PATH=$ROOT/usr/lib/pkgconfig
	export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1
	cat >example.c <<-'END'
		#include <pakhus.h>
		#include <stdio.h>
		#include <string.h>

		int main(void)
		{
			const char *json = "{\"manifest\":{\"id\":\"a\","
				"\"version\":\"1\"},\"metadata\":{}}";
			struct pakhus_options opt = { .flags = PAKHUS_CREATE };
			struct pakhus_record record;
			struct pakhus_package *p;
			struct pakhus_error err;
			struct pakhus *s;

			if (pakhus_open(&s, "store", &opt, &err) ||
			    pakhus_publish(s, json, strlen(json), NULL,
					   &record, &err) ||
			    pakhus_get(s, "a", NULL, &p, &err)) {
				puts(err.text);
				return 1;
			}
			printf("%s %s\n", pakhus_version(), p->document);
			pakhus_package_free(p);
			pakhus_close(s);
			return 0;
		}
	END
	want="$(sed -n 's/^VERSION *= *//p' "$BATS_TEST_DIRNAME/../Makefile")"
	want+=' {"manifest":{"id":"a","version":"1"},"metadata":{}}'
}

# The sysroot goes before paths of the installation only: what the library
# needs is the system's own.
config() {
	pkg-config "$@" pakhus | sed "s|$ROOT$ROOT|$ROOT|g"
}

@test "a program links with the shared library and runs" {
	# shellcheck disable=SC2046
	cc -Wall -Werror -o example example.c $(config --cflags --libs)
	ldd example | grep -q 'libpakhus\.so\.0'
	run env LD_LIBRARY_PATH="$ROOT/usr/lib" ./example
	echo "$output"
	[ "$output" = "$want" ]
}

@test "a program links with the static library and runs" {
	local flags
	flags=$(config --cflags --static --libs)
	# shellcheck disable=SC2086
	cc -Wall -Werror -o example example.c \
		${flags/-lpakhus/-Wl,-Bstatic -lpakhus -Wl,-Bdynamic}
	run ! grep -q libpakhus <(ldd example)
	run ./example
	echo "$output"
	[ "$output" = "$want" ]
}

@test "the installed program runs, and its manual and completions are there" {
	run "$ROOT/usr/bin/pakhus" --version
	[ "$status" -eq 0 ]
	[ "$output" = "pakhus ${want%% *}" ]
	[ -s "$ROOT/usr/share/man/man1/pakhus.1" ]
	bash -n "$ROOT/usr/share/bash-completion/completions/pakhus"
	[ -s "$ROOT/usr/share/zsh/site-functions/_pakhus" ]
	[ -s "$ROOT/usr/share/fish/vendor_completions.d/pakhus.fish" ]
	[ -s "$ROOT/usr/lib/systemd/system/pakhus.service" ]
	grep -q '^ExecStart=/usr/bin/pakhus ' \
		"$ROOT/usr/lib/systemd/system/pakhus.service"
}

@test "what is installed is read by all and written by its owner" {
	run find "$ROOT" ! -type l -perm /022
	[ -z "$output" ]
	run find "$ROOT" -type f ! -perm -444
	[ -z "$output" ]
}

@test "uninstall leaves no file" {
	make -s -C "$BATS_TEST_DIRNAME/.." B="$B" DESTDIR="$ROOT" PREFIX=/usr \
		uninstall
	run find "$ROOT" ! -type d
	echo "$output"
	[ -z "$output" ]
}
