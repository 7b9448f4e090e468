#!/usr/bin/env bats
# shellcheck disable=SC2013,SC2016

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

# A package whose id and versions are words that a shell would run.
put_hostile() {
	put '$(touch${IFS}PWNED)' '1 `touch PWNED`' plain '2;touch PWNED'
}

@test "completion in bash runs nothing that an id or a version says" {
	put_hostile
	bash_completion
	offers 'pakhus get ' >offered
	[ "$(cat offered)" = 'plain \$\(touch\$\{IFS\}PWNED\)' ]
	[ "$(offers 'pakhus get $(t')" = '\$\(touch\$\{IFS\}PWNED\)' ]
	[ "$(offers 'pakhus get \$\(t')" = '\$\(touch\$\{IFS\}PWNED\)' ]
	[ "$(offers 'pakhus versions $')" = '\$\(touch\$\{IFS\}PWNED\)' ]
	[ "$(offers 'pakhus get $(touch${IFS}PWNED)@')" = \
		'1\ \`touch\ PWNED\`' ]
	[ "$(offers 'pakhus get plain@')" = '2\;touch\ PWNED' ]
	[ "$(offers 'pakhus diff plain ')" = '2\;touch\ PWNED' ]
	[ ! -e PWNED ]
}

@test "completion in fish runs nothing that an id or a version says" {
	command -v fish >/dev/null || skip 'no fish'
	put_hostile
	mkdir -p bin
	ln -s "$PAKHUS" bin/pakhus
	export XDG_CONFIG_HOME=$PWD XDG_DATA_HOME=$PWD HOME=$PWD
	PATH=$PWD/bin:$PATH
	"$PAKHUS" completion fish >pakhus.fish
	fish -c 'source pakhus.fish; complete -C "pakhus versions "' >out
	grep -qxF '$(touch${IFS}PWNED)' out
	fish -c 'source pakhus.fish; complete -C "pakhus get plain@"' >out
	grep -qF 'touch' out
	[ ! -e PWNED ]
}

@test "completion in zsh runs nothing that an id or a version says" {
	command -v zsh >/dev/null || skip 'no zsh'
	put_hostile
	mkdir -p bin
	ln -s "$PAKHUS" bin/pakhus
	PATH=$PWD/bin:$PATH
	# what is defined, without the call at its end, and the two
	# functions of zsh's own it asks, as they are: one runs, one takes
	"$PAKHUS" completion zsh | sed '$d' >pakhus.zsh
	cat >try.zsh <<-'EOF'
		_call_program() { shift; eval "$*"; }
		compadd() { print -rl -- "$@"; }
		. ./pakhus.zsh
		typeset -a store; typeset -A opt_args
		PREFIX= _pakhus_specs
		PREFIX='\$\(touch\$\{IFS\}PWNED\)@' _pakhus_specs
		PREFIX=plain@ _pakhus_specs
	EOF
	zsh -f try.zsh >out
	cat >want_out <<-'EOF'
		--
		plain
		$(touch${IFS}PWNED)
		--
		$(touch${IFS}PWNED)@1 `touch PWNED`
		--
		plain@2;touch PWNED
	EOF
	diff -u want_out out
	[ ! -e PWNED ]
}

@test "bash completes the versions of the package that diff was given" {
	put org.a 1.0 org.a 2.0 net.b 3
	bash_completion
	[ "$(offers 'pakhus diff org.a ')" = '2.0 1.0' ]
	[ "$(offers 'pakhus diff org.a 1.0 2')" = 2.0 ]
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
