#!/usr/bin/env bats
# shellcheck disable=SC2013

load cli

# What bash offers for a line that is being typed.
offers() {
	COMP_LINE=$1 COMP_POINT=${#1}
	COMPREPLY=()
	PATH=$PWD/bin:$PATH
	_pakhus
	echo "${COMPREPLY[*]}"
}

bash_completion() {
	mkdir -p bin
	ln -s "$PAKHUS" bin/pakhus
	"$PAKHUS" completion bash >pakhus.bash
	compopt() { :; } # works inside a real completion only
	# shellcheck disable=SC1091
	. ./pakhus.bash
}

@test "bash completes commands, options, files and packages" {
	put org.a 1.0 org.a 2.0 net.b 3
	bash_completion
	[ "$(offers 'pakhus ve')" = 'versions verify' ]
	[ "$(offers 'pakhus -C store li')" = list ]
	[ "$(offers 'pakhus list --l')" = --limit ]
	[ "$(offers 'pakhus get --me')" = --metadata ]
	[ "$(offers 'pakhus get o')" = org.a ]
	[ "$(offers 'pakhus get org.a@')" = '2.0 1.0' ]
	[ "$(offers 'pakhus diff org.a@1.0 org.a@2')" = 2.0 ]
	[ "$(offers 'pakhus versions n')" = net.b ]
	[ "$(offers 'pakhus help di')" = diff ]
	[ "$(offers 'pakhus completion f')" = fish ]
	touch some.json
	[ "$(offers 'pakhus publish so')" = some.json ]
	[ "$(offers 'pakhus -C sto')" = store ]
	[ "$(offers 'pakhus get --version ')" = '' ]
}

@test "bash asks the store of the line" {
	doc other 1 | "$PAKHUS" -C elsewhere publish - >/dev/null
	bash_completion
	[ "$(offers 'pakhus -C elsewhere get ')" = other ]
	[ "$(offers 'pakhus get -C elsewhere o')" = other ]
	[ "$(offers 'pakhus get ')" = '' ]
}

@test "the scripts are well-formed where their shell is at hand" {
	for shell in bash zsh fish; do
		pk completion "$shell"
		[ "$status" -eq 0 ]
		[ ! -s err ]
		if command -v "$shell" >/dev/null; then
			"$shell" -n out
		fi
	done
}

@test "zsh and fish scripts have all commands and options" {
	for shell in zsh fish; do
		"$PAKHUS" completion "$shell" >script
		pk help
		for verb in $(sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' \
			out); do
			grep -qw -- "$verb" script
		done
		grep -qw -- rebuild script
	done
}

@test "another shell is a usage error" {
	pk completion tcsh
	want 2 '' "\
pakhus: completion: no such shell: tcsh
usage: pakhus completion bash|zsh|fish"
}
