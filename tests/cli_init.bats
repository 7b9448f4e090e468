#!/usr/bin/env bats

load cli

@test "init makes a store with a name of its own" {
	pk init
	[ "$status" -eq 0 ]
	[ ! -s err ]
	sed -Ei 's/[0-9a-f]{32}/ID/g; s/\+[0-9a-f]{8}\+.*/+KEY/' out
	want 0 "\
store      store
identity   ID
origin     pakhus.invalid/ID
key        pakhus.invalid/ID+KEY
immutable  no"
	pk list
	want 0
}

@test "init takes an origin, a label and immutable" {
	pk init --origin packages.example.org --immutable --by anna --json
	[ "$status" -eq 0 ]
	[ "$(js 'Object.keys(rows[0])')" = store,identity,origin,key,immutable ]
	[ "$(js 'rows[0].origin')" = packages.example.org ]
	[ "$(js 'rows[0].immutable')" = true ]
	[ "$(js 'rows[0].key.startsWith("packages.example.org+")')" = true ]
	pk history --json
	[ "$(js 'rows[0].op + rows[0].seq + rows[0].by')" = key0anna ]
}

@test "init where a store is already is a conflict" {
	"$PAKHUS" init >/dev/null
	pk init
	want 5 '' 'pakhus: init: store: there is a store already'
}

@test "init in an empty directory makes a store there" {
	mkdir store
	pk init
	[ "$status" -eq 0 ]
}

@test "init in a directory that holds something else leaves it alone" {
	mkdir store
	touch store/mine
	pk init
	[ "$status" -ne 0 ]
	[ ! -s out ]
	[ "$(ls -A store)" = mine ]
}

@test "init refuses an origin that cannot be one" {
	for origin in '' 'a b' 'a+b' $'a\nb' 'é' "$(printf 'x%.0s' {1..201})"; do
		pk init --origin "$origin"
		want 2 '' "pakhus: init: the origin must be 1 to 200 printable ASCII characters without space and +"
		[ ! -e store/FORMAT ]
	done
}

@test "init without a parent directory, and where it may not write" {
	pk -C no/where init
	[ "$status" -eq 3 ]
	mkdir -m 755 locked
	pk_other -C locked/store init
	[ "$status" -eq 7 ]
	[ ! -s out ]
}

@test "a label that is too long or has control characters is refused" {
	pk init --by "$(printf 'x%.0s' {1..65})"
	want 2 '' "\
pakhus: init: --by: longer than 64 bytes
usage: pakhus init [--json] [--by LABEL] [--origin NAME] [--immutable]
                   [--key FILE]"
	pk init --by $'a\tb'
	want 2 '' "\
pakhus: init: --by: has a control character
usage: pakhus init [--json] [--by LABEL] [--origin NAME] [--immutable]
                   [--key FILE]"
	PAKHUS_BY=$'a\tb' pk init
	want 2 '' "\
pakhus: init: PAKHUS_BY: has a control character
usage: pakhus init [--json] [--by LABEL] [--origin NAME] [--immutable]
                   [--key FILE]"
	pk init --by $'\xff'
	[ "$status" -eq 2 ]
	[ ! -e store ]
}
