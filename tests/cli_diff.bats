#!/usr/bin/env bats

load cli

# Publishes METADATA as the versions of a: changes OLD NEW
changes() {
	local v=1 metadata

	for metadata in "$@"; do
		printf '{"manifest":{"id":"a","version":"%d"},"metadata":%s}' \
			"$v" "$metadata" | "$PAKHUS" publish - >/dev/null
		v=$((v + 1))
	done
	pk diff a 1 2
}

@test "the hot fix of the lending package" {
	put_lending
	pk diff org.example.lending@1.2.0 org.example.lending@1.2.1
	want 0 "\
~ manifest: version
~ objects/lending_loan: validations/due_after_lent/condition, validations/due_after_lent/message
~ flows/remind_due: nodes/find/config/filter"
}

@test "a major version of the lending package" {
	put_lending
	pk diff org.example.lending 1.2.0 2.0.0
	want 0 "\
~ manifest: version, engines/platform, permissions
- objects/lending_member
~ objects/lending_loan: fields/member/reference, +fields/state
+ objects/lending_person
+ objects/lending_reservation
~ views/loans_open: columns
- views/loans_overdue
+ views/reservations_week
~ apps/lending: -navigation/nav_loans, -navigation/nav_overdue, -navigation/nav_members, +navigation/grp_counter, +navigation/nav_people
+ flows/mark_late
~ translations/da: -objects/lending_member, +objects/lending_person, +objects/lending_reservation, -views/loans_overdue, +views/reservations_week"
}

@test "a minor version of the lending package" {
	put_lending
	pk diff org.example.lending 2.0.0 2.1.0
	want 0 "\
~ manifest: version, description
~ objects/lending_tool: fields/condition/options
~ flows: (reordered)
~ agents/counter_help: model/maxTokens, tools
+ tools/reserve_tool
+ translations/de"
}

@test "nothing changed" {
	put a 1
	pk diff a@1 a@1
	want 0 '' 'pakhus: diff: no differences'
	pk diff --json a@1 a
	want 0 '' 'pakhus: diff: no differences'
}

@test "members come, go and change" {
	changes '{"objects":[{"name":"account","label":"A","fields":{"industry":{"options":[{"label":"a"}]},"x":{}}},{"name":"old"}]}' \
		'{"objects":[{"name":"account","label":"B","fields":{"industry":{"options":[{"label":"b"},{"label":"c"}]},"y":{}}},{"name":"new"}]}'
	want 0 "\
~ manifest: version
~ objects/account: label, fields/industry/options, -fields/x, +fields/y
- objects/old
+ objects/new"
}

@test "collections that are objects go by their keys" {
	changes '{"objects":{"account":{"label":"A"},"old":{}}}' \
		'{"objects":{"account":{"label":"B"},"new":{}}}'
	want 0 "\
~ manifest: version
~ objects/account: label
- objects/old
+ objects/new"
}

@test "collections come and go, and empty ones do" {
	changes '{"objects":[{"name":"a"},{"name":"b"}],"old":[],"x":[{"name":"q"}]}' \
		'{"views":[{"name":"v"}],"flows":[],"x":[]}'
	want 0 "\
~ manifest: version
- objects/a
- objects/b
- old
- x/q
+ views/v
+ flows"
}

@test "names are name, id, key, else the position" {
	changes '{"l":[{"id":"i","name":"n","v":1},{"key":"k","id":"i","v":1},{"key":"k","v":1},{"v":1}]}' \
		'{"l":[{"id":"i","name":"n","v":2},{"key":"k","id":"i","v":2},{"key":"k","v":2},{"v":2}]}'
	want 0 "\
~ manifest: version
~ l/n: v
~ l/i: v
~ l/k: v
~ l/3: v"
}

@test "a name that is there twice is numbered" {
	changes '{"l":[{"name":"n","v":1},{"name":"n","v":2}]}' \
		'{"l":[{"name":"n","v":1},{"name":"n","v":3},{"name":"n"}]}'
	want 0 "\
~ manifest: version
~ l/n#2: v
+ l/n#3"
}

@test "another order alone is told as such" {
	changes '{"a":[{"name":"x"},{"name":"y"}],"b":[{"name":"n","p":1,"q":{"r":1,"s":2}}]}' \
		'{"a":[{"name":"y"},{"name":"x"}],"b":[{"name":"n","p":1,"q":{"s":2,"r":1}}]}'
	want 0 "\
~ manifest: version
~ a: (reordered)
~ b/n: q (reordered)"
	rm -r store
	changes '{"a":[],"b":[{"name":"n","p":1}]}' \
		'{"b":[{"p":1,"name":"n"}],"a":[]}'
	want 0 "\
~ manifest: version
~ b/n: (reordered)"
	rm -r store
	changes '{"a":1,"b":2}' '{"b":2,"a":1}'
	want 0 "\
~ manifest: version
~ metadata: (reordered)"
}

@test "values that are no collections" {
	changes '{"a":1,"b":"x","c":[1,2],"d":{"k":1,"o":{}},"e":[],"f":{}}' \
		'{"a":2,"b":"x","c":[2,1],"d":{"k":2,"o":[]},"e":{},"f":null}'
	want 0 "\
~ manifest: version
~ a
~ c
~ d/k
~ d/o
~ e
~ f"
}

@test "diff --json has paths as arrays" {
	changes '{"l":[{"name":"a/b","v":{"w":1,"x":1}}],"m":[{"v":1}]}' \
		'{"l":[{"name":"a/b","v":{"w":2}},{"name":"\"q\""}],"m":[{"v":2}]}'
	pk diff --json a 1 2
	want 0 '{"change":"changed","path":["manifest"],"keys":[{"change":"changed","path":["version"]}]}
{"change":"changed","path":["metadata","l","a/b"],"keys":[{"change":"changed","path":["v","w"]},{"change":"removed","path":["v","x"]}]}
{"change":"added","path":["metadata","l","\"q\""]}
{"change":"changed","path":["metadata","m",0],"keys":[{"change":"changed","path":["v"]}]}'
	[ "$(js 'rows.length')" = 4 ]
}

@test "two packages can be compared" {
	put a 1 b 1
	pk diff a@1 b@1
	want 0 '~ manifest: id'
	pk diff a b
	want 0 '~ manifest: id'
}

@test "what is not there is not found" {
	put a 1
	pk diff a@1 a@2
	want 3 '' 'pakhus: diff: not found: a@2'
	pk diff b 1 2
	want 3 '' 'pakhus: diff: not found: b@1'
}

@test "diff with arguments that make no sense" {
	usage='usage: pakhus diff [--json] ID@A ID@B | ID A B'
	pk diff
	want 2 '' "pakhus: diff: an argument is missing
$usage"
	pk diff a@1
	want 2 '' "pakhus: diff: an argument is missing
$usage"
	pk diff a 1 2 3
	want 2 '' "pakhus: diff: one argument too many: 3
$usage"
	pk diff a@1 a@
	want 2 '' "pakhus: diff: the version is empty: a@
$usage"
	pk diff a 1 ''
	want 2 '' "pakhus: diff: a package id or version is empty
$usage"
}

@test "colours appear on a terminal, unless NO_COLOR is set" {
	changes '{"a":1,"b":1}' '{"b":2,"c":1}'
	pk_terminal diff a 1 2
	want 0 "\
$(printf '\033[33m~\033[0m manifest: version\n')
$(printf '\033[31m-\033[0m a\n')
$(printf '\033[33m~\033[0m b\n')
$(printf '\033[32m+\033[0m c\n')"
	NO_COLOR=1 pk_terminal diff a 1 2
	lacks out $'\033'
}

@test "thousands of members are compared in time" {
	node -e '
		for (const v of [1, 2])
			console.log(JSON.stringify({
				manifest: { id: "big", version: String(v) },
				metadata: { objects: Array.from({ length: 20000 },
					(_, i) => ({ name: "o" + (i * 7919 % 20000),
					v: i === 777 ? v : 0 })) },
			}));
	' | "$PAKHUS" import - >/dev/null
	pk diff big 1 2
	want 0 "\
~ manifest: version
~ objects/o$((777 * 7919 % 20000)): v"
}

@test "diff of one version asks for the other" {
	put a 1 a 2
	pk diff a 1
	want 2 '' "\
pakhus: diff: 1 is a version of a; which other one?
usage: pakhus diff [--json] ID@A ID@B | ID A B"
}
