#!/usr/bin/env bats
# shellcheck disable=SC2154
# node.bats - the module of Node, as it is installed from its package: in
# the Node that is installed, and in Node 18, 22 and 24.

bats_require_minimum_version 1.5.0

load npm

here=$BATS_TEST_DIRNAME/node
built=$BATS_TEST_DIRNAME/../build/${SANITIZED:+san/}node
others=$BATS_TEST_DIRNAME/../build/node-tests
app=$BATS_FILE_TMPDIR/app

setup_file() {
	mkdir "$app"
	echo '{ "private": true }' >"$app/package.json"
	(cd "$app" && npm install --offline --no-audit --no-fund \
		"$built"/pakhus-*.tgz) 3>&-
	cp "$here"/*.mjs "$here"/*.?ts "$here/tsconfig.json" \
		"$BATS_TEST_DIRNAME"/../tools/node/examples/* "$app"
	# other Nodes, and TypeScript
	[ -n "${SANITIZED-}" ] || npm_ci "$here" "$others"
}

setup() {
	cd "$app" || return
	node=$(command -v node)
}

# Runs a program in Node; the sanitized module in one that has its runtime.
in_node() {
	if [ -n "${SANITIZED-}" ]; then
		LD_PRELOAD=$(clang -print-file-name="libclang_rt.asan-$(
			uname -m).so") \
			ASAN_OPTIONS=detect_leaks=${leaks:-0} \
			LSAN_OPTIONS=exitcode=0:log_path=$BATS_TEST_TMPDIR/leaks \
			"$node" "$@"
	else
		"$node" "$@"
	fi
}

# What leaks of Node itself is Node's: only what the module allocated counts,
# which is what called the allocator.
no_leaks() {
	local report

	for report in "$BATS_TEST_TMPDIR"/leaks.*; do
		[ -e "$report" ] || continue
		awk -v RS= '/leak of/ {
			split($0, line, "\n")
			if (line[3] ~ /pakhus\.node|\/(tools\/node|src|layout)\//) {
				print
				bad = 1
			}
		}
		END { exit bad }' "$report" || return
	done
}

suite() { # NAME
	run in_node --expose-gc --test-reporter=tap "$1.mjs"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *$'\n# fail 0'* ]]
	no_leaks
}

@test "every call gives what it says" {
	leaks=1 suite api
}

@test "what fails says what, and changes nothing" {
	leaks=1 suite errors
}

@test "stores are closed while calls run, and collected as garbage" {
	leaks=1 suite close
}

@test "workers share a store, and are ended as they work" {
	leaks=1 suite workers
}

@test "a process that ends loses nothing" {
	suite exit # of a process that does not clean up all is left
}

@test "mirrors, bundles and repairs fetch through JavaScript" {
	leaks=1 UV_THREADPOOL_SIZE=1 suite sources
}

@test "the module needs glibc and nothing else" {
	[ -z "${SANITIZED-}" ] || skip 'it needs the sanitizer'
	run readelf -d node_modules/pakhus/prebuilds/*/pakhus.node
	[ "$(grep -o 'Shared library: .*' <<<"$output" |
		grep -vcE '\[(libc|ld-linux[^]]*|libm|libpthread|libdl)\.so')" -eq 0 ]
	run nm -D --defined-only node_modules/pakhus/prebuilds/*/pakhus.node
	[ "$(grep -vc ' T n\(api\|ode_api\)_' <<<"$output")" -eq 0 ]
}

@test "the package has what it names, and what it needs" {
	cd node_modules/pakhus
	run -0 node -e '
		const { exports, main, types } = require("./package.json");
		const paths = (e) => typeof e === "string" ? [e] :
			Object.values(e).flatMap(paths);
		for (const path of [main, types, ...paths(exports)])
			require("fs").accessSync(path);'
	[ "$(find . -type f ! -name '*.[cm]js' ! -name '*.d.[cm]ts' | sort |
		sed 's|/linux-[a-z0-9]*/|/X/|' | tr '\n' ' ')" = \
		'./LICENSE ./README.md ./package.json ./prebuilds/X/pakhus.node ' ]
	# what was packed is all that make staged
	[ "$(tar -tzf "$built"/pakhus-*.tgz | sed 's|^package/||' | sort)" = \
		"$(cd "$built/package" && find . -type f | sed 's|^./||' | sort)" ]
}

@test "where there is no build for a platform that is said" {
	run -1 in_node -e '
		Object.defineProperty(process, "platform", { value: "sunos" });
		require("pakhus");'
	[[ $output == *'pakhus: there is no build for sunos-'*'make node'* ]]
}

@test "the examples run" {
	dir=$BATS_TEST_TMPDIR
	run -0 in_node publish.mjs "$dir/store"
	[[ $output == *'latest is 1.1.0 account'* ]]
	[[ $output == *'log: 1 publish 1.0.0 by example'* ]]
	run -0 in_node prove.cjs "$dir/store" com.acme.crm
	[[ $output == 'com.acme.crm@1.1.0 was published at '* ]]
	run -1 in_node prove.cjs "$dir/store" com.acme.none
	[[ $output == 'ENOTFOUND: '* ]]
	for i in 1 2 3; do
		echo "{\"manifest\":{\"id\":\"a\",\"version\":\"$i\"}}"
	done >"$dir/lines"
	run -0 in_node import.mjs "$dir/store" "$dir/lines"
	[ "$output" = '3 documents' ]
	echo '{}' >>"$dir/lines"
	run -1 in_node import.mjs "$dir/store" "$dir/lines"
	[[ $output == "$dir/lines:4: the manifest is missing; 0 documents"* ]]
	run -0 in_node mirror.mjs "$dir/store" "$dir/mirror"
	[[ $output == *$'0 entries before, 6 now\na@3\ncom.acme.crm@1.1.0' ]]
}

@test "what README.md of the package shows does what it says" {
	awk '/^```js$/ { on = 1; next } /^```$/ { on = 0 } on' \
		node_modules/pakhus/README.md >readme.mjs
	cd "$BATS_TEST_TMPDIR"
	run in_node "$app/readme.mjs"
	echo "$output"
	[ "$status" -eq 0 ]
	[ -e crm-store/FORMAT ]
}

@test "the types hold what the module does" {
	[ -z "${SANITIZED-}" ] || skip 'of types nothing is sanitized'
	[ -z "${NO_NPM-}" ] || skip "$NO_NPM"
	run node "$others/node_modules/typescript/bin/tsc" -p tsconfig.json
	echo "$output"
	[ "$status" -eq 0 ]
}

all_in() { # VERSION
	local name

	[ -z "${SANITIZED-}" ] || skip 'one Node is enough for the sanitizer'
	[ -z "${NO_NPM-}" ] || skip "$NO_NPM"
	node=$(echo "$others/node_modules/node$1"-linux-*/bin/node)
	[ -x "$node" ] || skip "there is no Node $1 for this processor"
	[[ $("$node" --version) == v$1.* ]]
	for name in api errors close workers exit; do
		suite "$name"
	done
	UV_THREADPOOL_SIZE=1 suite sources
}

@test "Node 18 passes all of it" {
	all_in 18
}

@test "Node 22 passes all of it" {
	all_in 22
}

@test "Node 24 passes all of it" {
	all_in 24
}
