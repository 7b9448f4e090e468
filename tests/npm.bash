# shellcheck shell=bash
# npm.bash - what tests need of npm, installed once.

# npm_ci FROM DIR [NPM OPTION...]: what the lock file in FROM says is in DIR,
# or NO_NPM says why it cannot be had. Only who cannot reach npm is let off.
npm_ci() {
	local from=$1 dir=$2

	! cmp -s "$from/package-lock.json" "$dir/done" || return 0
	command -v npm >/dev/null || {
		export NO_NPM='npm is not installed'
		return 0
	}
	mkdir -p "$dir"
	rm -f "$dir/done"
	cp "$from"/package*.json "$dir"
	if (cd "$dir" && timeout 600 npm ci --ignore-scripts --no-audit \
		--no-fund "${@:3}") >"$dir/npm.log" 2>&1 3>&-; then
		cp "$from/package-lock.json" "$dir/done"
		return
	fi
	grep -Eq 'E(CONN|NOTFOUND|AI_AGAIN|TIMEDOUT|NETUNREACH|50[0-9])|network' \
		"$dir/npm.log" || return
	NO_NPM="npm cannot be reached: $(grep -m 1 'npm error' "$dir/npm.log")"
	export NO_NPM
}
