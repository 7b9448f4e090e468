#!/usr/bin/env bats

load cli

@test "stat says what the store is and holds" {
	"$PAKHUS" init --origin packages.example.org >/dev/null
	put_lending
	put a 1
	pk stat
	sed -Ei '/^identity/s/[0-9a-f]{32}/ID/; /^key/s/\+[0-9a-f]{8}\+.*/+KEY/
		/^root/s/[^ ]*$/ROOT/; /^(objects|index)/s/[0-9]+ (bytes|on)/N \1/g
		/^depth/s/[0-9]+$/N/' out
	want 0 "\
store      store
identity   ID
origin     packages.example.org
key        packages.example.org+KEY
immutable  no
writable   yes
entries    8, 8 of them in the signed tree
root       ROOT
packages   2
versions   7
objects    7, N bytes, N on disk
depth      N
journal    0 bytes
index      N bytes"
}

@test "stat --json has it all" {
	put a 1
	pk stat --json
	[ "$status" -eq 0 ]
	[ "$(js 'Object.keys(rows[0])')" = \
		store,identity,origin,key,immutable,writable,entries,checkpoint,root,packages,versions,objects,object_bytes,object_blocks,max_depth,journal_bytes,index_bytes ]
	[ "$(js 'rows[0].immutable + "," + rows[0].writable')" = false,true ]
}

@test "stat says why a store cannot be written" {
	put a 1
	chmod -R go+rX store
	pk_other stat --json
	[ "$status" -eq 0 ]
	[ "$(js 'rows[0].writable + "," + (rows[0].why_not.length > 0)')" = \
		false,true ]
}
