#!/usr/bin/env bats

load cli

@test "key prints the verifier key" {
	"$PAKHUS" init --origin packages.example.org >/dev/null
	pk key
	[ "$status" -eq 0 ]
	[ ! -s err ]
	grep -Eqx 'packages\.example\.org\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*' out
	key=$(cat out)
	pk key --json
	[ "$(js 'rows[0].origin + " " + rows[0].key')" = \
		"packages.example.org $key" ]
	pk stat --json
	[ "$(js 'rows[0].key')" = "$key" ]
}

@test "key --rotate gives the log another key, and --all tells of both" {
	"$PAKHUS" init --origin packages.example.org >/dev/null
	old=$("$PAKHUS" key)
	put a 1
	pk key --rotate --by me
	[ "$status" -eq 0 ]
	[ ! -s err ]
	new=$(cat out)
	[ "$new" != "$old" ]
	grep -Eqx 'packages\.example\.org\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*' out
	pk key
	want 0 "$new"
	put a 2
	pk key --all
	mask
	want 0 "$(printf '0\tTIME\t%s\n2\tTIME\t%s' "$old" "$new")"
	pk key --all --json
	[ "$(js 'rows.map((row) => row.seq + row.by + row.key).join(" ")')" = \
		"0$old 2me$new" ]
	[ "$(js 'Object.keys(rows[1]).join()')" = key,seq,time,time_us,by ]
	pk key --rotate --json
	[ "$(js 'rows[0].origin')" = packages.example.org ]
	pk verify
	[ "$status" -eq 0 ]
	pk get a
	[ "$status" -eq 0 ]
}

@test "key --import and init --key take a private key, from a file or stdin" {
	"$PAKHUS" -C one init --origin example.org/a >/dev/null
	"$PAKHUS" -C two init --origin example.org/a >/dev/null
	"$PAKHUS" -C far init --origin example.org/b >/dev/null
	pk init --key one/local/key --json
	[ "$status" -eq 0 ]
	[ "$(js 'rows[0].key')" = "$("$PAKHUS" -C one key)" ]
	[ "$(js 'rows[0].origin')" = example.org/a ]
	pk key --import two/local/key
	want 0 "$("$PAKHUS" -C two key)"
	pk verify
	[ "$status" -eq 0 ]
	[ "$(stat -c %a store/local/key)" = 600 ]
	cmp store/local/key two/local/key
	pk -C piped init --origin example.org/a --key - <one/local/key
	[ "$status" -eq 0 ]
	pk -C piped key --import - <two/local/key
	[ "$status" -eq 0 ]

	pk key --import far/local/key
	want 1 '' "pakhus: key: far/local/key: the private key is named \
example.org/b, and the log example.org/a"
	pk key --import one/local/key
	want 5 '' "pakhus: key: the log had a key of this id before, and none \
comes again"
	pk key --import two/local/key
	want 5 '' 'pakhus: key: the key signs this log already'
	pk -C other init --origin example.org/b --key one/local/key
	want 1 '' "pakhus: init: one/local/key: the private key is named \
example.org/a, and the log example.org/b"
	[ ! -e other ]
}

@test "what is no private key is refused, and not shown" {
	put a 1
	not=$(printf 'pakhus: key: stdin: %s' "what is given is not a private \
key: PRIVATE+KEY+<name>+<id>+<base64>, of Ed25519, on one line")
	"$PAKHUS" key >vkey
	pk key --import - <vkey
	want 1 '' "$not"
	sed 's/.....$/AAAA=/' store/local/key >wrong
	pk key --import - <wrong
	want 1 '' "$not"
	pk key --import - </dev/null
	want 1 '' 'pakhus: key: stdin: it is empty, not a private key'
	head -c 2000 /dev/zero >zeros
	pk key --import zeros
	want 1 '' 'pakhus: key: zeros: it is longer than a line of text, not a private key'
	pk key --import nowhere
	want 1 '' 'pakhus: key: nowhere: No such file or directory'
	pk key --rotate --all
	[ "$status" -eq 2 ]
	pk key --by me
	[ "$status" -eq 2 ]
	[ "$("$PAKHUS" key --all | wc -l)" -eq 1 ]
	[ ! -e store/local/key-next ]
}

@test "a copy without the private key rotates nothing" {
	put a 1
	cp -a store copy
	rm -r copy/local
	pk -C copy key --rotate
	[ "$status" -eq 7 ]
	pk -C copy checkpoint --renew
	[ "$status" -eq 7 ]
	pk -C copy key
	want 0 "$("$PAKHUS" key)"
}

@test "who may not write does not rotate" {
	put a 1
	chmod -R a+rX store
	chmod 700 store/local
	pk_other key --rotate
	cat err
	[ "$status" -eq 7 ]
	[ "$("$PAKHUS" key --all | wc -l)" -eq 1 ]
}
