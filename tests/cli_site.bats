#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2016,SC1003

load cli

# A value of the JSON in a file: of FILE EXPRESSION, the text being `it`
of() {
	node -e '
		const it = JSON.parse(require("fs").readFileSync(
			process.argv[1], "utf8"));
		console.log(String(eval(process.argv[2])));
	' "$1" "$2"
}

# Fails where something is listed in a site and its file is not there.
whole() {
	node -e '
		const fs = require("fs");
		const site = process.argv[1];
		const read = (path) => JSON.parse(fs.readFileSync(
			`${site}/${path}`, "utf8")).data;
		if (!fs.existsSync(`${site}/packages.json`)) process.exit();
		for (const { id, latest_version } of read("packages.json").items) {
			const { versions } = read(`packages/${id}.json`);
			for (const v of ["latest", latest_version.version,
				...versions.map(({ version }) => version)])
				read(`packages/${id}/versions/${v}/manifest.json`);
		}
	' "$1"
}

# The site is what one made anew is.
fresh() {
	rm -rf anew
	"$PAKHUS" site anew >/dev/null 2>&1
	diff -r anew "$1"
}

stamps() {
	find "$1" -type f ! -name '.*' -printf '%i %T@ %p\n' | sort -k3
}

@test "site writes the list, the packages, and the manifests" {
	put_lending
	put com.acme.crm 1.0.0
	pk site www
	want 0 '2 packages: 12 files written, 0 removed'
	(cd www && find . -type f | sort) >out
	want 0 "\
./.pakhus-site
./packages.json
./packages/com.acme.crm.json
./packages/com.acme.crm/versions/1.0.0/manifest.json
./packages/com.acme.crm/versions/latest/manifest.json
./packages/org.example.lending.json
./packages/org.example.lending/versions/1.0.0/manifest.json
./packages/org.example.lending/versions/1.1.0/manifest.json
./packages/org.example.lending/versions/1.2.0/manifest.json
./packages/org.example.lending/versions/1.2.1/manifest.json
./packages/org.example.lending/versions/2.0.0/manifest.json
./packages/org.example.lending/versions/2.1.0/manifest.json
./packages/org.example.lending/versions/latest/manifest.json"
	whole www
	[ "$(of www/packages.json 'Object.keys(it)')" = success,data ]
	[ "$(of www/packages.json 'Object.keys(it.data)')" = \
		items,total,limit,offset ]
	[ "$(of www/packages.json 'it.data.total')" = 2 ]
	[ "$(of www/packages.json 'it.data.items.map(i => i.id)')" = \
		com.acme.crm,org.example.lending ]
}

@test "site tells of a package what its manifest says, and no more" {
	doc='{"manifest":{"id":"com.acme.crm","version":"1.0.0-rc.1+b","name":"C \"R\" M \u00e9",
		"description":"d","category":"sales","keywords":["a","b\""],
		"icon":"hammer","iconUrl":"https://x/y.png","homepage":"https://x/",
		"license":"MIT","publisher":"acme","isStarter":true,
		"translations":{"de":{"name":"K"}},"readme":"# R","secret":"s"},
		"metadata":{}}'
	echo "$doc" | "$PAKHUS" publish - >/dev/null
	put bare 1
	echo '{"manifest":{"id":"odd","version":"1.0.0","name":7,"license":{},
		"isStarter":"yes","description":""},"metadata":{}}' |
		"$PAKHUS" publish - >/dev/null
	"$PAKHUS" site www >/dev/null
	item=$(of www/packages.json 'Object.entries(it.data.items[2]).filter(([k]) =>
		!/_at$|latest/.test(k)).map(([k, v]) => k + "=" + JSON.stringify(v)).join("\n")')
	[ "$item" = 'id="com.acme.crm"
manifest_id="com.acme.crm"
display_name="C \"R\" M é"
description="d"
category="sales"
tags="[\"a\",\"b\\\"\"]"
icon_url="https://x/y.png"
homepage_url="https://x/"
license="MIT"
publisher="acme"
is_starter=true
translations={"de":{"name":"K"}}' ]
	[ "$(of www/packages.json 'it.data.items[2].latest_version.is_prerelease')" = true ]
	[ "$(of www/packages/com.acme.crm.json 'it.data.package.readme')" = '# R' ]
	for id in 0:odd 1:bare; do
		[ "$(of www/packages.json "Object.keys(it.data.items[${id%:*}])")" = \
			id,manifest_id,display_name,created_at,updated_at,latest_version ]
		[ "$(of www/packages.json "it.data.items[${id%:*}].display_name")" = \
			"${id#*:}" ]
	done
	[ "$(of www/packages.json 'it.data.items[1].latest_version.is_prerelease')" = false ]
}

@test "site says the times in the form of ISO 8601" {
	put a 1.0.0 a 2.0.0
	doc a 1.0.0 New | "$PAKHUS" publish - >/dev/null
	"$PAKHUS" versions --json a >out
	"$PAKHUS" site www >/dev/null
	[ "$(js 'const ms = (us) => new Date(us / 1000 - us % 1000 / 1000).toISOString();
		[ms(rows[1].created_us), ms(rows[1].updated_us), ms(rows[0].created_us)]')" = \
		"$(of www/packages/a.json '[it.data.package.created_at,
			it.data.package.updated_at, it.data.versions[0].published_at]')" ]
}

@test "site gives a manifest as the artifact that it was built as" {
	put_lending
	"$PAKHUS" get org.example.lending@2.0.0 --manifest | head -c -1 >manifest
	"$PAKHUS" get org.example.lending@2.0.0 --metadata | head -c -1 >metadata
	"$PAKHUS" site www >/dev/null
	printf '{"success":true,"data":{"version_id":"2.0.0","version":"2.0.0","manifest":{"manifest":%s,%s}}\n' \
		"$(cat manifest)" "$(tail -c +2 metadata)" >wanted
	cmp wanted www/packages/org.example.lending/versions/2.0.0/manifest.json
	cmp www/packages/org.example.lending/versions/{1.2.1,latest}/manifest.json ||
		return 1
	# published again it is the same version
	of www/packages/org.example.lending/versions/2.0.0/manifest.json \
		'JSON.stringify(it.data.manifest)' >artifact
	"$PAKHUS" publish --json artifact >out
	[ "$(js 'rows[0].hash')" = "$("$PAKHUS" versions --json \
		org.example.lending | grep '"2.0.0"' |
		sed 's/.*"hash":"\([0-9a-f]*\).*/\1/')" ]
}

@test "site keeps out of a manifest what would rename the package" {
	echo '{"manifest":{"id":"a","version":"1"},"metadata":{"id":"b","name":"c",
		"manifest":{},"objects":[]}}' | "$PAKHUS" publish - >/dev/null
	"$PAKHUS" site www >/dev/null
	[ "$(of www/packages/a/versions/1/manifest.json \
		'JSON.stringify(it.data.manifest)')" = \
		'{"manifest":{"id":"a","version":"1"},"objects":[]}' ]
}

@test "site leaves out what can be no part of a path, and says so" {
	put .hidden 1 .. 1 . 1 a/b 1 @a/b/c 1 @ 1 @a 1 @/a 1 @a/ 1 @a/.. 1 \
		a.json 1 @a/b.json 1 fine 1
	pk site --json www
	[ "$(js 'rows[0].packages')" = 1 ]
	[ "$(js 'rows[0].packages_left_out')" = 12 ]
	grep -q '^pakhus: site: left out, as their names can be no part of a path: 12 packages, 0 versions (one is ' err
	[ "$(ls -A www/packages)" = $'fine\nfine.json' ]
	[ "$(ls -A)" = "$(printf '%s\n' err out store www)" ]
	put ok ../../../x ok .x ok a/b ok .. some 1
	pk site www
	grep -q 'of a path: 13 packages, 4 versions (one is ' err
	put ok 1.0.0 some .5
	pk site www
	grep -q 'of a path: 12 packages, 5 versions (one is ' err
	[ "$(of www/packages.json 'it.data.items.map(i => i.latest_version.version)')" = \
		1,1.0.0,1 ]
	whole www
	fresh www
}

@test "site takes ids and versions as they are, where a path can" {
	put @acme/crm 1.0.0 @acme/hr 1 'a b' '1 %2F\\' ü é a..b 1..2 '#?&' '?' \
		"$(printf 'i%.0s' {1..214})" "$(printf 'v%.0s' {1..128})"
	pk site www
	want 0 '7 packages: 22 files written, 0 removed'
	whole www
	[ -f 'www/packages/a b/versions/1 %2F\/manifest.json' ]
	"$PAKHUS" delete @acme/crm >/dev/null
	pk site www
	want 0 '6 packages: 1 file written, 3 removed'
	[ "$(ls -A www/packages/@acme)" = $'hr\nhr.json' ]
	"$PAKHUS" delete @acme/hr >/dev/null
	"$PAKHUS" site www >/dev/null
	[ ! -e www/packages/@acme ]
}

@test "site writes what changed and leaves the rest as it is" {
	put_lending
	put a 1 a 2 b 1
	"$PAKHUS" site www >/dev/null
	stamps www >before
	pk site www
	want 0 '3 packages: 0 files written, 0 removed'
	stamps www | diff before -
	put a 3
	pk site www
	want 0 '3 packages: 4 files written, 0 removed'
	stamps www >after
	diff before after | sed -n 's/^> .* //p' | sort >out
	want 0 "\
www/packages.json
www/packages/a.json
www/packages/a/versions/3/manifest.json
www/packages/a/versions/latest/manifest.json"
	fresh www
}

@test "site follows content that is published again" {
	put a 1 a 2
	"$PAKHUS" site www >/dev/null
	stamps www >before
	doc a 1 New | "$PAKHUS" publish - >/dev/null
	"$PAKHUS" site www >/dev/null
	grep -q '"New"' www/packages/a/versions/1/manifest.json
	lacks www/packages.json New
	fresh www
	stamps www >after
	grep -qxF "$(grep latest before)" after
	# the same content: when is new, what is not
	doc a 2 | "$PAKHUS" publish - >/dev/null
	"$PAKHUS" site www >/dev/null
	stamps www >again
	for path in latest versions/1 versions/2; do
		grep -qxF "$(grep "$path" after)" again
	done
	fresh www
}

@test "site removes what is deleted" {
	put a 1 a 2 b 1 c 1
	"$PAKHUS" site www >/dev/null
	"$PAKHUS" delete a@2 >/dev/null
	"$PAKHUS" delete b >/dev/null
	pk site www
	want 0 '2 packages: 3 files written, 4 removed'
	[ "$(of www/packages/a/versions/latest/manifest.json 'it.data.version')" = 1 ]
	[ ! -e www/packages/b.json ]
	[ ! -e www/packages/b ]
	[ ! -e www/packages/a/versions/2 ]
	fresh www
	"$PAKHUS" delete a >/dev/null
	put a 2
	pk site www
	want 0 '2 packages: 4 files written, 1 removed'
	fresh www
	"$PAKHUS" delete a >/dev/null
	"$PAKHUS" delete c >/dev/null
	"$PAKHUS" site www >/dev/null
	[ "$(cat www/packages.json)" = \
		'{"success":true,"data":{"items":[],"total":0,"limit":0,"offset":0}}' ]
	[ ! -e www/packages ]
}

@test "site is made anew where it cannot know what it shows" {
	put a 1 b 1
	"$PAKHUS" site www >/dev/null
	stamps www >before
	put c 1
	mkdir -p www/packages/gone/versions/1
	touch www/packages/gone.json www/packages/gone/versions/1/manifest.json
	for damage in '' 'pakhus site 1' 'pakhus site 2
x
0 0 -'; do
		printf '%s\n' "$damage" >www/.pakhus-site
		pk site --json www
		[ "$status" -eq 0 ]
		[ "$(js 'rows[0].anew')" = true ]
		fresh www
	done
	rm www/.pakhus-site
	pk site --json www
	[ "$(js 'rows[0].anew')" = true ]
	[ ! -e www/packages/gone ]
	# what did not change kept its time all the while
	stamps www >after
	grep -qxF "$(grep 'a/versions/1' before)" after
}

@test "a site is not overwritten by another store's" {
	put a 1 b 1
	"$PAKHUS" site www >/dev/null
	stamps www >before
	doc b 2 | "$PAKHUS" -C other publish - >/dev/null
	pk -C other site www
	want 5 '' "pakhus: site: www: the site of another store; take another directory, or remove it first"
	stamps www >after
	cmp before after
}

@test "site of a store that was set back is made anew" {
	put a 1
	cp -r store kept
	put b 1
	"$PAKHUS" site www >/dev/null
	rm -r store
	mv kept store
	"$PAKHUS" adopt --here >/dev/null
	put c 1
	pk site --json www
	[ "$(js 'rows[0].anew')" = true ]
	[ ! -e www/packages/b.json ]
	fresh www
}

@test "site refuses a directory that is something else" {
	put a 1
	mkdir full hidden packages
	touch full/x hidden/.x packages/packages.json
	mkdir packages/packages
	for dir in full hidden packages store; do
		pk site "$dir"
		want 5 '' "pakhus: site: $dir: neither empty nor a site"
	done
	[ "$(ls -A full hidden)" = $'full:\nx\n\nhidden:\n.x' ]
	pk site nowhere/www
	want 1 '' 'pakhus: site: make nowhere/www: No such file or directory'
	pk site full/x
	want 1 '' 'pakhus: site: open full/x: Not a directory'
	pk site ''
	want 2 '' $'pakhus: site: the directory\'s name is empty\nusage: pakhus site [--json] OUT'
	PAKHUS_STORE=none pk site www
	[ "$status" -eq 3 ]
	[ ! -e www ]
}

@test "site is written by one at a time" {
	put a 1
	mkdir www
	exec 9<www
	flock 9
	pk site www
	want 6 '' 'pakhus: site: www: another one writes there'
	exec 9<&-
	pk site www
	want 0 '1 package: 4 files written, 0 removed'
}

@test "site of a store that can only be read" {
	put a 1
	cp -r store copy
	rm -r copy/local
	chmod -R a+rX-w copy
	mkdir www
	chmod a+w www
	PAKHUS_STORE=copy pk_other site www
	[ "$status" -eq 0 ]
	[ "$(cat out)" = '1 package: 4 files written, 0 removed' ]
	chmod -R u+w copy
}

@test "site that was killed at any rename or removal is healed by the next" {
	strace -o /dev/null true 2>/dev/null || skip 'strace is not permitted'
	put a 1 a 2 b 1 c 1 d 1
	"$PAKHUS" site www >/dev/null
	cp -a www before
	put a 3 e 1 d 1
	"$PAKHUS" delete a@1 >/dev/null
	"$PAKHUS" delete b >/dev/null
	cp -a store changed
	"$PAKHUS" site wanted >/dev/null
	for call in renameat unlinkat; do
		for ((n = 1, killed = 0; n < 100; n += ${SANITIZED:+3}+1)); do
			rm -rf www
			cp -a before www
			status=0
			# LeakSanitizer does not work while it is traced
			ASAN_OPTIONS=detect_leaks=0 strace -f -o trace \
				-e trace=$call \
				-e inject=$call:signal=KILL:when=$n+ \
				-P "$PWD/www" \
				"$PAKHUS" site www >/dev/null 2>&1 || status=$?
			whole www
			[ "$status" -ne 0 ] || break
			[ "$status" -eq 137 ]
			killed=$((killed + 1))
			"$PAKHUS" site www >/dev/null
			whole www
			diff -r wanted www
		done
		[ "$killed" -ge 2 ]
	done
}

@test "site says that the disk is full, and goes on when it is not" {
	mkdir disk
	for ns in 'unshare -Urm' 'unshare -m'; do
		$ns mount -t tmpfs none disk 2>/dev/null && break
		ns=
	done
	[ -n "$ns" ] || skip 'mounting is not permitted here'
	for i in 1 2 3 4 5 6; do
		printf '{"manifest":{"id":"p%d","version":"1"},"metadata":{"x":"%s"}}' \
			"$i" "$(head -c 30000 /dev/zero | tr '\0' x)" |
			"$PAKHUS" publish - >/dev/null
	done
	"$PAKHUS" site wanted >/dev/null
	export -f whole
	PAKHUS_STORE=$PWD/store $ns bash -euc '
		mount -t tmpfs -o size=256k none disk
		for left in 8 20 60 120 200 240; do
			rm -rf disk/*  disk/.p*
			head -c $((left * 1024)) /dev/zero >disk/filler
			mkdir disk/www
			! "$0" site disk/www >out 2>err || exit 1
			grep -q "No space left on device" err
			whole disk/www
		done
		mount -o remount,size=2m disk
		"$0" site disk/www >out
		diff -r wanted disk/www
	' "$PAKHUS"
}

@test "site that is interrupted says so, and the next run goes on" {
	strace -o /dev/null true 2>/dev/null || skip 'strace is not permitted'
	put a 1 b 1 c 1
	status=0
	# LeakSanitizer does not work while it is traced
	ASAN_OPTIONS=detect_leaks=0 strace -o trace -e trace=renameat \
		-P "$PWD/www" -e inject=renameat:signal=TERM:when=3 \
		"$PAKHUS" site www >out 2>err || status=$?
	want 1 '' 'pakhus: site: interrupted; the next run goes on'
	whole www
	pk site --json www
	[ "$(js 'rows[0].packages')" = 3 ]
	fresh www
}

@test "site lists nothing that is not there while others publish" {
	put a 1
	"$PAKHUS" site www >/dev/null
	(
		for i in {1..40}; do
			put "p$i" 1 a "1.$i" q 1
		done
		: >ended
	) &
	while [ ! -e ended ]; do
		"$PAKHUS" site www >/dev/null
		whole www
		cp -r www again
		whole again
		rm -r again
	done
	wait
	"$PAKHUS" site www >/dev/null
	[ "$(of www/packages.json 'it.data.total')" = 42 ]
	fresh www
}

@test "site is whole for who reads while it is written" {
	seq 300 | while read -r i; do doc "p$i" 1; done >lines
	"$PAKHUS" import lines >/dev/null
	(
		"$PAKHUS" site www >/dev/null
		sed -i 's/"version":"1"/"version":"2"/' lines
		"$PAKHUS" import lines >/dev/null
		"$PAKHUS" site www >/dev/null
		: >ended
	) &
	until [ -e ended ]; do
		whole www
	done
	wait
	fresh www
}

@test "site tells what is said of packages and versions before what manifests say" {
	doc='{"manifest":{"id":"a","version":"1.0.0","name":"M","license":"MIT",
		"description":"m","keywords":["k"]},"metadata":{}}'
	echo "$doc" | "$PAKHUS" publish - >/dev/null
	echo "${doc/1.0.0/1.1.0}" | "$PAKHUS" publish - >/dev/null
	"$PAKHUS" site www >/dev/null
	echo '{"display_name":"D","description":"","category":"c","readme":"# R",
		"icon_url":"https://x/i.png","homepage_url":"https://x/",
		"license":7,"tags":["t","u"],"visibility":"marketplace"}' |
		"$PAKHUS" attrs a --set - >/dev/null
	echo '{"release_notes":"one \"is\""}' |
		"$PAKHUS" attrs a@1.0.0 --set - >/dev/null
	"$PAKHUS" site www >/dev/null
	fresh www
	[ "$(of www/packages/a.json 'JSON.stringify(it.data.package, ["display_name",
		"description", "category", "tags", "icon_url", "homepage_url", "license",
		"readme", "visibility"])')" = '{"display_name":"D","description":"m","category":"c","tags":"[\"t\",\"u\"]","icon_url":"https://x/i.png","homepage_url":"https://x/","license":"MIT","readme":"# R"}' ]
	[ "$(of www/packages/a.json 'it.data.versions.map((v) => v.release_notes)')" = \
		',one "is"' ]
	[ "$(of www/packages.json 'it.data.items[0].latest_version.release_notes')" = \
		undefined ]
	echo '{"release_notes":"two"}' |
		"$PAKHUS" attrs a@1.1.0 --set - >/dev/null
	"$PAKHUS" site www >/dev/null
	[ "$(of www/packages.json 'it.data.items[0].latest_version.release_notes')" = \
		two ]
	fresh www
	"$PAKHUS" attrs a --unset >/dev/null
	"$PAKHUS" site www >/dev/null
	[ "$(of www/packages/a.json 'it.data.package.display_name')" = M ]
	fresh www
}

@test "site leaves out what is not for everybody, and takes it back" {
	put a 1.0.0 a 2.0.0 b 1.0.0
	"$PAKHUS" site www >/dev/null
	for hidden in private org; do
		echo "{\"visibility\":\"$hidden\"}" | "$PAKHUS" attrs a --set - >/dev/null
		"$PAKHUS" site www >/dev/null
		[ "$(of www/packages.json 'it.data.items.map(i => i.id)')" = b ]
		[ -z "$(find www -name a -o -name a.json)" ]
		put a 3.0.0
		"$PAKHUS" site www >/dev/null
		[ -z "$(find www -name a -o -name a.json)" ]
		fresh www
		echo '{"visibility":"marketplace"}' | "$PAKHUS" attrs a --set - >/dev/null
		"$PAKHUS" site www >/dev/null
		whole www
		[ -e www/packages/a/versions/1.0.0/manifest.json ]
		fresh www
	done
}
