#!/usr/bin/env bats

load cli

@test "import publishes a document a line" {
	{
		doc a 1
		echo
		doc b 1
		printf ' \t\r\n'
		doc a 2 | tr -d '\n'
	} >lines
	pk import lines
	want 0 'imported 3 versions'
	pk list
	[ "$(cut -f1,2 out | tr '\t\n' '@,')" = a@2,b@1, ]
	pk stat --json
	[ "$(js 'rows[0].entries === rows[0].checkpoint')" = true ]
}

@test "import reads stdin and prints JSON" {
	pk import --json - <<<"$(doc a 1)"
	want 0 '{"imported":1}'
	pk import - <<<"$(doc a 2)"
	want 0 'imported 1 version'
	pk import - </dev/null
	want 0 'imported 0 versions'
}

@test "import keeps its label" {
	pk import --by anna - <<<"$(doc a 1)"
	pk history a
	[ "$(cut -f7 out)" = anna ]
}

@test "at a refused line import stops and keeps what was before it" {
	{
		doc a 1
		echo
		doc a 2
		echo '{"manifest":'
		doc a 3
	} >lines
	pk import lines
	want 1 '' "\
pakhus: import: lines: line 4, column 13: unexpected end of the text
pakhus: import: stopped; 2 versions are durable"
	pk versions a
	[ "$(cut -f2 out | tr '\n' ,)" = 2,1, ]
	pk import --json lines
	want 1 '{"imported":2}' "$(cat err)"
}

@test "import says what its file may be instead" {
	printf '{\n"manifest": {}}\n' >pretty.json
	pk import pretty.json
	want 1 '' "\
pakhus: import: pretty.json: line 1, column 2: unexpected end of the text
pakhus: import: (import takes one document a line; publish takes one a file)
pakhus: import: stopped; 0 versions are durable"
	printf '\x28\xb5\x2f\xfdX\n' >lines.zst
	pk import lines.zst
	want 1 '' "\
pakhus: import: lines.zst: line 1, column 1: expected a value
pakhus: import: (compressed: zstd -dc lines.zst | pakhus import -)
pakhus: import: stopped; 0 versions are durable"
}

@test "a conflict in import names its line" {
	"$PAKHUS" init --immutable >/dev/null
	put a 1
	{
		doc b 1
		doc a 1 changed
		doc c 1
	} >lines
	pk import lines
	want 5 '' "\
pakhus: import: lines: line 2: a@1: this store is immutable, and the version was published with other content
pakhus: import: stopped; 1 version is durable"
}

@test "a line beyond 64 MiB is refused, one of 64 MiB is read" {
	{
		doc a 1
		head -c 67108865 /dev/zero | tr '\0' ' '
		echo
		doc b 1
	} >lines
	pk import lines
	want 1 '' "\
pakhus: import: lines: line 2: longer than 64 MiB
pakhus: import: stopped; 1 version is durable"
	{
		head -c 67108000 /dev/zero | tr '\0' ' '
		doc c 1
		doc d 1
	} >lines
	pk import lines
	want 0 'imported 2 versions'
}

@test "import of a directory, of nothing, and without permission" {
	mkdir dir
	pk import dir
	want 1 '' 'pakhus: import: dir: Is a directory'
	pk import missing
	want 1 '' 'pakhus: import: missing: No such file or directory'
	doc a 1 >locked
	chmod 000 locked
	pk_other import locked
	want 7 '' 'pakhus: import: locked: Permission denied'
	[ ! -e store ]
	pk import
	want 2 '' "\
pakhus: import: an argument is missing
usage: pakhus import [--json] [--by LABEL] [--level N] [--threads N] FILE|-"
	pk import a b
	want 2 '' "\
pakhus: import: one argument too many: b
usage: pakhus import [--json] [--by LABEL] [--level N] [--threads N] FILE|-"
}

# Every object's name and bytes, in one sum.
objects_sum() {
	(cd "$1/objects" && find . -type f -exec sha256sum {} + | sort -k2) |
		sha256sum
}

@test "however many threads compress, the objects are the same" {
	local v text
	text=$(printf 'a long enough text %.0s' {1..40})
	for v in {1..40}; do # two lines of versions, so two bases to choose of
		doc "p$((v % 3))" "$((v % 2 + 1)).0.$v" "$v $text $((v / 7))"
	done >many
	for v in 1 2 5 64; do
		pk -C "by$v" import --threads "$v" many
		want 0 'imported 40 versions' ''
		[ "$(objects_sum "by$v")" = "$(objects_sum by1)" ]
	done
	"$PAKHUS" -C by5 verify
	for v in 0 65 -1 x; do
		pk import --threads "$v" many
		[ "$status" -eq 2 ]
	done
	[ ! -e store ]
}

@test "an interrupt keeps what was read" {
	for signal in INT TERM; do
		rm -rf store pipe
		mkfifo pipe
		env --default-signal=INT,TERM \
			"$PAKHUS" import pipe >out 2>err &
		pid=$!
		exec 9>pipe
		doc a 1 >&9
		doc a 2 >&9
		sleep 1
		kill "-$signal" "$pid"
		status=0
		wait "$pid" || status=$?
		exec 9>&-
		want 1 '' \
			'pakhus: import: interrupted; 2 versions are durable'
		pk versions a
		[ "$(wc -l <out)" -eq 2 ]
	done
}

@test "many small documents and several batches" {
	node -e '
		for (let i = 0; i < 3000; i++)
			console.log(JSON.stringify({
				manifest: { id: "p" + i % 7, version: "1." + i },
				metadata: { text: "x".repeat(i * 7 % 9000) },
			}));
	' >lines
	pk import lines
	want 0 'imported 3000 versions'
	pk list
	[ "$(wc -l <out)" -eq 7 ]
	pk versions p3
	[ "$(wc -l <out)" -eq 429 ]
	pk verify
	[ "$status" -eq 0 ]
}

@test "progress appears on a terminal only, and is cleared" {
	node -e '
		for (let i = 0; i < 20000; i++)
			console.log(JSON.stringify({
				manifest: { id: "p", version: "1." + i },
				metadata: { text: "x".repeat(1000) },
			}));
	' >lines
	pk_terminal import lines
	[ "$status" -eq 0 ]
	# each line of progress is followed by what clears it
	[ "$(tail -1 out | tr '\r' '\n' | tail -1 |
		sed 's/^.*\x1b\[K//')" = 'imported 20000 versions' ]
}
