#!/usr/bin/env bats
# Who may do what: pakhus token.

load cli

secret='pakhus_[0-9a-f]{72}'

@test "token create prints the secret once, and the file has its SHA-256" {
	pk token create --tokens t ci --scope 'publish:com.acme.*' \
		--scope read --expires 90d
	[ "$status" -eq 0 ]
	[ ! -s err ]
	grep -Eqx "$secret" out
	digest=$(tr -d '\n' <out | sha256sum | cut -d' ' -f1)
	[ "$(wc -l <t)" -eq 2 ]
	grep -Eqx "ci $digest publish:com\.acme\.\*,read:\* [^ ]+ [^ ]+" t
	lacks t pakhus_
	[ "$(stat -c %a t)" = 600 ]
	# no more is left beside it
	[ "$(echo t*)" = t ]
}

@test "token create --json, and PAKHUS_TOKENS says where" {
	PAKHUS_TOKENS=t pk token create root --scope admin --json
	[ "$status" -eq 0 ]
	[ "$(js 'Object.keys(rows[0]).join()')" = \
		name,secret,scopes,expires,created ]
	js 'rows[0].secret' | grep -Eqx "$secret"
	[ "$(js 'JSON.stringify([rows[0].scopes, rows[0].expires])')" = \
		'[["admin"],null]' ]
}

@test "a scope may be given again, and with a comma" {
	pk token create --tokens t a --scope read:a --scope read:b,delete:c \
		--scope=publish:d.*
	[ "$status" -eq 0 ]
	pk token list --tokens t
	[ "$(cut -f1-3 out)" = \
		"$(printf 'a\tread:a,read:b,delete:c,publish:d.*\t-')" ]
}

@test "token list tells names, scopes and times, and no secret" {
	pk token create --tokens t a --scope read --expires 1d
	pk token create --tokens t b --scope admin
	printf 'old %064d read:* 2020-01-01T00:00:00Z 2019-01-01T00:00:00Z\n' \
		7 >>t
	pk token list --tokens t
	[ "$status" -eq 0 ]
	[ "$(cut -f1,2 out)" = "$(printf 'a\tread:*\nb\tadmin\nold\tread:*')" ]
	[ "$(sed -n 3p out)" = \
		"$(printf 'old\tread:*\t2020-01-01T00:00:00Z\t2019-01-01T00:00:00Z')" ]
	if grep -Eq '[0-9a-f]{32}' out; then
		echo "there is a digest"
		return 1
	fi
	pk token list --tokens t --json
	[ "$(js 'rows.map((row) => row.name + row.expired).join()')" = \
		afalse,bfalse,oldtrue ]
	[ "$(js 'Object.keys(rows[0]).join()')" = \
		name,scopes,expires,created,expired ]
	[ "$(js 'Date.parse(rows[0].expires) - Date.parse(rows[0].created)')" \
		= 86400000 ]
	pk_terminal token list --tokens t
	head -1 out | grep -Eq 'NAME +SCOPES +EXPIRES +CREATED'
}

@test "token revoke takes one away" {
	pk token create --tokens t a --scope read
	pk token create --tokens t b --scope read
	pk token revoke --tokens t a
	want 0 'revoked a'
	pk token list --tokens t
	[ "$(cut -f1 out)" = b ]
	pk token revoke --tokens t a
	want 3 '' 'pakhus: token: t: there is no token a'
	pk token revoke --tokens t b --json
	want 0 '{"name":"b","revoked":true}'
	pk token list --tokens t
	want 0
}

@test "a name is there once" {
	pk token create --tokens t a --scope read
	cp t before
	pk token create --tokens t a --scope read
	want 5 '' 'pakhus: token: t: there is a token a already'
	cmp t before
}

@test "a secret that could not be printed is none" {
	status=0
	"$PAKHUS" token create --tokens t a --scope read >/dev/full 2>err ||
		status=$?
	[ "$status" -eq 1 ]
	pk token list --tokens t
	want 0
}

@test "a file that makes no sense is told by its line, and stays" {
	printf '# x\na b c\n' >t
	pk token create --tokens t a --scope read
	want 1 '' "pakhus: token: t: line 2: a token has five fields: name, \
SHA-256, scopes, expiry, time of creation"
	[ "$(cat t)" = "$(printf '# x\na b c')" ]
	pk token list --tokens t
	[ "$status" -eq 1 ]
	pk token list --tokens none
	want 3 '' \
		'pakhus: token: none: cannot be opened: No such file or directory'
	pk token create --tokens none/t a --scope read
	[ "$status" -eq 3 ]
}

@test "who may read a file of tokens is told" {
	pk token create --tokens t a --scope read
	chmod 644 t
	pk token list --tokens t
	[ "$status" -eq 0 ]
	[ "$(cat err)" = 'pakhus: token: note: others than its owner may read '`
		`'or write t: chmod 600 it' ]
}

# shellcheck disable=SC2016
@test "what makes no sense changes nothing" {
	pk token create a --scope read
	[ "$status" -eq 2 ]
	[ "$(head -1 err)" = 'pakhus: token: which file are the tokens in? '`
		`'--tokens FILE or $PAKHUS_TOKENS says' ]
	pk token create --tokens t a
	[ "$status" -eq 2 ]
	pk token create --tokens t a/b --scope read
	[ "$status" -eq 2 ]
	pk token create --tokens t a --scope write
	[ "$status" -eq 2 ]
	[ "$(head -1 err)" = 'pakhus: token: --scope: write: the scopes are '`
		`'read, publish, delete and admin, with the packages behind a '`
		`'colon' ]
	pk token create --tokens t a --scope 'read:com.acme*'
	[ "$status" -eq 2 ]
	pk token create --tokens t a --scope admin:x
	[ "$status" -eq 2 ]
	pk token create --tokens t a --scope read --expires soon
	[ "$status" -eq 2 ]
	pk token create --tokens t a --scope read --expires 0s
	[ "$status" -eq 2 ]
	pk token create --tokens t
	[ "$status" -eq 2 ]
	pk token create --tokens '' a --scope read
	[ "$status" -eq 2 ]
	pk token list --tokens t a
	[ "$status" -eq 2 ]
	pk token list --tokens t --scope read
	[ "$status" -eq 2 ]
	pk token revoke --tokens t a --expires 1d
	[ "$status" -eq 2 ]
	pk token frob --tokens t
	[ "$status" -eq 2 ]
	[ ! -e t ]
}
