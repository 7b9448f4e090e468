#!/usr/bin/env bats

load cli

usage='usage: pakhus delete [--json] [--by LABEL] [--id ID] [--version V]
                     [ID[@VERSION]]'

@test "delete removes one version, or all of them" {
	put a 1 a 2 a 3 b 1
	pk delete a@2
	want 0 'deleted 1 version'
	pk get a@2
	[ "$status" -eq 3 ]
	pk delete a
	want 0 'deleted 2 versions'
	pk list
	[ "$(cut -f1 out)" = b ]
	pk stat --json
	[ "$(js 'rows[0].entries === rows[0].checkpoint')" = true ]
}

@test "delete --json says how many went" {
	put a 1 a 2
	pk delete --json a
	want 0 '{"deleted":2}'
}

@test "delete keeps its label" {
	put a 1
	pk delete --by anna a
	pk history --limit 1 a
	[ "$(cut -f1,7 out)" = $'delete\tanna' ]
}

@test "deleting what is not there is not found" {
	put a 1
	pk delete b
	want 3 '' 'pakhus: delete: not found: b'
	pk delete a@2
	want 3 '' 'pakhus: delete: not found: a@2'
	pk delete --json a@2
	want 3 '' 'pakhus: delete: not found: a@2'
	pk list
	[ "$(cut -f1 out)" = a ]
}

@test "an empty version is not all of them" {
	put a 1
	pk delete a@
	want 2 '' "pakhus: delete: the version is empty: a@
$usage"
	pk delete a --version ''
	want 2 '' "pakhus: delete: the version is empty: a
$usage"
	pk delete
	want 2 '' "pakhus: delete: an argument is missing
$usage"
	pk delete ''
	want 2 '' "pakhus: delete: the package id is empty
$usage"
	pk list
	[ "$(cut -f1 out)" = a ]
}

@test "an id with an @ in it" {
	put a@b 1 a b
	pk delete --id a@b
	want 0 'deleted 1 version'
	pk list
	[ "$(cut -f1 out)" = a ]
}

@test "a version that was deleted can be published again, at the front" {
	put a 1 a 2
	"$PAKHUS" delete a@1 >/dev/null
	put a 1
	pk versions a
	[ "$(cut -f2 out | tr '\n' ,)" = 1,2, ]
}
