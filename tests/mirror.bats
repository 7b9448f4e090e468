#!/usr/bin/env bats
# mirror.bats - mirrors by each transport, and sources that are not as they
# should be. Servers are stock rsync and nginx, and tests/web.mjs; they listen
# on the loopback interface, and end with their test.
# shellcheck disable=SC2016

load cli

teardown() {
	local pid

	for pid in ${servers-}; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
}

# until_ COMMAND...: within ten seconds
until_() {
	local i

	for ((i = 0; i < 200; i++)); do
		! "$@" || return 0
		sleep 0.05
	done
	echo "never: $*"
	return 1
}

# Runs a server in the background, with its output in a file.
serve() { # FILE COMMAND...
	"${@:2}" >"$1" 2>&1 3>&- &
	servers+=" $!"
}

free_port() {
	node -e 'const s = require("net").createServer().listen(0,
		"127.0.0.1", () => { console.log(s.address().port); s.close() })'
}

listens() { # PORT
	(: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# web MANNER [WHAT [DIR]]: sets url; what it was asked for is in asked
web() {
	: >asked
	serve asked node "$BATS_TEST_DIRNAME/web.mjs" \
		"$(realpath "${3-store}")" "$1" "${2-}"
	until_ [ -s asked ]
	url=http://127.0.0.1:$(head -n 1 asked)
}

# nginx_here [HOW [LINES]]: stock nginx over this directory; sets url. What it was asked for is in
# nginx/access.
nginx_here() {
	port=$(free_port)
	mkdir -p nginx
	cat >nginx/conf <<-END
		daemon off;
		master_process off;
		pid $PWD/nginx/pid;
		error_log $PWD/nginx/error;
		events { }
		http {
			access_log $PWD/nginx/access;
			client_body_temp_path $PWD/nginx/body;
			proxy_temp_path $PWD/nginx/proxy;
			fastcgi_temp_path $PWD/nginx/fastcgi;
			uwsgi_temp_path $PWD/nginx/uwsgi;
			scgi_temp_path $PWD/nginx/scgi;
			server {
				listen 127.0.0.1:$port $1;
				$2
				root $PWD;
			}
		}
	END
	serve nginx/out nginx -p "$PWD/nginx" -e "$PWD/nginx/error" \
		-c "$PWD/nginx/conf"
	until_ listens "$port"
	url=http://127.0.0.1:$port
}

# A daemon whose module `here` is this directory; sets url.
rsync_here() {
	port=$(free_port)
	cat >rsyncd.conf <<-END
		address = 127.0.0.1
		port = $port
		use chroot = no
		lock file = $PWD/rsyncd.lock
		[here]
		path = $PWD
	END
	[ "$(id -u)" -ne 0 ] || printf 'uid = 0\ngid = 0\n' >>rsyncd.conf
	serve rsyncd.out rsync --daemon --no-detach --config=rsyncd.conf \
		--log-file=rsyncd.log
	until_ listens "$port"
	url=rsync://127.0.0.1:$port/here
}

# A remote shell to this host.
shell_here() {
	printf '#!/bin/sh\nshift\nexec sh -c "$*"\n' >rsh
	chmod +x rsh
	export RSYNC_RSH=$PWD/rsh
	url=there:$PWD
}

# Nothing is different in what DIR shows from what the store shows.
same() { # DIR
	local how

	for how in 'list --json' 'history --json'; do
		# shellcheck disable=SC2086
		"$PAKHUS" -C store $how >of_store
		# shellcheck disable=SC2086
		"$PAKHUS" -C "$1" $how >of_mirror
		cmp of_store of_mirror
	done
	"$PAKHUS" -C store get org.example.lending >of_store
	"$PAKHUS" -C "$1" get org.example.lending >of_mirror
	cmp of_store of_mirror
	"$PAKHUS" -C "$1" verify >/dev/null
}

put_ten() {
	local i

	for i in 1 2 3 4 5 6 7 8 9 10; do
		doc org.ten "$1.$i"
	done | "$PAKHUS" import - >/dev/null
}

# A document that does not compress to less than many pieces.
put_long() {
	doc long 1 "$(head -c 300000 /dev/urandom | base64 -w 0)" >long.json
	"$PAKHUS" publish long.json >/dev/null
}

# A store, its mirror, ten versions more, and a mirror of the mirror.
by() { # URL
	[ -e store ] || put_lending
	pk mirror "$1/store" m
	[ "$status" -eq 0 ]
	grep -Eqx "m: 7 entries \(\+7\), 6 objects, [0-9]+ bytes from .*/store" out
	grep -q "^pakhus: note: .*$("$PAKHUS" key)" err
	same m
	pk mirror "$1/store" m
	want 0 'm: up to date'
	put_ten 1
	pk mirror "$1/store" m
	[ "$status" -eq 0 ]
	[ ! -s err ]
	grep -Eqx "m: 17 entries \(\+10\), 10 objects, [0-9]+ bytes from .*/store" out
	same m
	pk mirror --key "$("$PAKHUS" key)" "$1/m/" mm
	[ "$status" -eq 0 ]
	[ ! -s err ]
	same mm
	put_ten 2
	pk mirror "$1/m" mm
	want 0 'mm: up to date'
	pk mirror "$1/store" m
	pk mirror "$1/m" mm
	grep -q '^mm: 27 entries (+10), 10 objects, ' out
	same mm
}

@test "a mirror of a path" {
	by "$PWD"
}

@test "a mirror of an rsync daemon" {
	rsync_here
	by "$url"
	# and where the store is the module
	printf '[store]\npath = %s\n' "$PWD/store" >>rsyncd.conf
	pk mirror "${url%here}store" m
	want 0 'm: up to date'
}

@test "a mirror by rsync and a remote shell" {
	shell_here
	by "$url"
}

@test "a mirror of a web server" {
	nginx_here
	by "$url"
}

@test "a mirror of a web server by TLS and HTTP/2" {
	openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost \
		-keyout private.pem -out root.pem 2>/dev/null
	nginx_here 'ssl http2' "ssl_certificate $PWD/root.pem;
		ssl_certificate_key $PWD/private.pem;"
	put_lending
	pk mirror "https://localhost:$port/store" m
	[ "$status" -eq 8 ]
	grep -q 'certificate' err
	[ ! -e m/FORMAT ]
	export CURL_CA_BUNDLE=$PWD/root.pem
	by "https://localhost:$port"
	lacks nginx/access HTTP/1.1
	grep -q HTTP/2.0 nginx/access
}

@test "where nothing changed a web server is asked for one file" {
	put_lending
	nginx_here
	pk mirror "$url/store" m
	wc -l <nginx/access >before
	pk mirror "$url/store" m
	want 0 'm: up to date'
	[ "$(wc -l <nginx/access)" -eq $(($(cat before) + 1)) ]
	tail -n 1 nginx/access | grep -q 'GET /store/log/checkpoint HTTP/1.1" 200'
	put org.a 1
	pk mirror "$url/store" m
	[ "$status" -eq 0 ]
	# the checkpoint, the last bundle, and the object
	[ "$(wc -l <nginx/access)" -eq $(($(cat before) + 4)) ]
}

@test "--json is one object a round" {
	put_lending
	pk mirror --json store m
	[ "$status" -eq 0 ]
	[ "$(js 'rows.length === 1 && Object.keys(rows[0])')" = \
		mirror,source,new,changed,before,entries,objects,bytes,time_us,tries ]
	[ "$(js '`${rows[0].mirror} ${rows[0].source} ${rows[0].new}`')" = \
		'm store true' ]
	[ "$(js '[rows[0].before, rows[0].entries, rows[0].objects]')" = 0,7,6 ]
	pk mirror --json store m
	[ "$(js '[rows[0].new, rows[0].changed, rows[0].before,
		rows[0].entries]')" = false,false,7,7 ]
}

@test "a mirror is read and not written" {
	put a 1
	pk mirror store m
	doc b 1 >b.json
	pk -C m publish b.json
	[ "$status" -eq 7 ]
	[ ! -s out ]
	grep -q 'mirror' err
	pk -C m delete a
	[ "$status" -eq 7 ]
	pk -C m list
	[ "$status" -eq 0 ]
}

@test "a store that is written does not become a mirror" {
	put a 1
	pk -C other init
	pk mirror store other
	[ "$status" -eq 5 ]
	pk mirror store store
	[ "$status" -eq 5 ]
	pk mirror store m
	pk mirror other m
	[ "$status" -eq 5 ] || [ "$status" -eq 4 ]
	pk -C m get a --manifest
	[ "$status" -eq 0 ]
}

@test "a key is held against what the source has" {
	put_lending
	pk -C other init
	pk mirror --key "$("$PAKHUS" -C other key)" store m
	[ "$status" -eq 4 ]
	pk -C m list
	[ "$status" -ne 0 ]
	"$PAKHUS" key >vkey
	pk mirror --key vkey store m
	[ "$status" -eq 0 ]
	[ ! -s err ]
	same m
	pk mirror --key "$("$PAKHUS" -C other key)" store m
	[ "$status" -eq 4 ]
	pk mirror --key nothing store m
	want 1 '' 'pakhus: mirror: nothing: No such file or directory'
}

@test "what was signed too long ago is refused" {
	put a 1
	sleep 2
	pk mirror --max-age 1s store m
	[ "$status" -eq 4 ]
	pk mirror --max-age 7d store m
	[ "$status" -eq 0 ]
	pk mirror --max-age 1s store m
	[ "$status" -eq 4 ]
	pk -C m get a --manifest
	[ "$status" -eq 0 ]
}

@test "bad options and names of sources" {
	for args in '--max-age 7 store m' '--max-age 0s store m' \
		'--max-age 7w store m' '--max-age 99999999999d store m' \
		'--every 1m store m' '--threads 0 store m' 'store' 'store m n' \
		'ftp://host/store m' 'file:///store m' 'ssh://host/x m' \
		'http:// m' 'http://host/x?y m' 'http://host/x#y m' \
		'user@-oProxyCommand=x:store m' 'rsync://-x/store m' \
		':store m' 'rsync:///here m' 'rsync://host m' 'host:: m' \
		'-- -x:store m' '-C m store n'; do
		# shellcheck disable=SC2086
		pk mirror $args
		echo "$args: $status"
		cat err
		[ "$status" -eq 2 ]
		[ ! -s out ]
		[ ! -e m ]
	done
	pk mirror '' m
	[ "$status" -eq 2 ]
	pk mirror store ''
	[ "$status" -eq 2 ]
}

@test "a name with a colon behind a slash, or that begins with -, is a path" {
	put_lending
	mv -- store -a:b
	pk mirror ./-a:b m
	[ "$status" -eq 0 ]
	mv -- ./-a:b -c
	pk mirror -- -c m
	want 0 'm: up to date'
	mv -- -c 'http:store'
	pk mirror ./http:store m
	want 0 'm: up to date'
}

@test "where there is no store" {
	pk mirror nothing m
	[ "$status" -eq 3 ]
	mkdir empty
	pk mirror empty m
	[ "$status" -eq 3 ]
	nginx_here
	pk mirror "$url/empty" m
	[ "$status" -eq 3 ]
	shell_here
	pk mirror "$url/empty" m
	[ "$status" -eq 3 ]
}

@test "a source that is not reached" {
	port=$(free_port)
	pk mirror "http://127.0.0.1:$port/store" m
	[ "$status" -eq 8 ]
	grep -q "http://127.0.0.1:$port/store/.*: Failed to connect" err
	pk mirror "rsync://127.0.0.1:$port/store" m
	[ "$status" -eq 8 ]
	grep -q 'Connection refused' err
	shell_here
	pk mirror "there:$PWD/nothing" m
	[ "$status" -eq 8 ]
	grep -q 'change_dir.*No such file or directory' err
	printf '#!/bin/sh\necho "no route to $1" >&2; exit 255\n' >rsh
	pk mirror "there:$PWD/nothing" m
	[ "$status" -eq 8 ]
	grep -q 'no route to there' err
	PATH=/nowhere pk mirror "there:$PWD/nothing" m
	[ "$status" -eq 8 ]
	grep -q 'rsync is not installed' err
}

@test "a user and a password are given, and do not appear in what is said" {
	put a 1
	web locked me:s3cr-t
	pk mirror "$url" m
	[ "$status" -eq 8 ]
	grep -q 'the server answered 401: who asks? https://NAME:SECRET@' err
	pk mirror "http://me:s3cr%2Dt@${url#http://}/" m
	[ "$status" -eq 0 ]
	grep -q 'from http://127' out
	lacks out s3cr
	lacks err s3cr
	pk mirror "http://me:wr0ng@${url#http://}/" m
	[ "$status" -eq 8 ]
	lacks err wr0ng
}

@test "a proxy is used as the environment says" {
	put_lending
	web proxy
	http_proxy=$url pk mirror http://nowhere.invalid m
	[ "$status" -eq 0 ]
	same m
	http_proxy=$url no_proxy=nowhere.invalid pk mirror \
		http://nowhere.invalid m
	[ "$status" -eq 8 ]
	grep -q 'nowhere.invalid' err
}

@test "what changes is asked for past caches, and nothing else" {
	put_lending
	web plain
	pk mirror "$url" m
	pk mirror "$url" m
	[ "$(grep -c '^/log/checkpoint no-cache$' asked)" -ge 2 ]
	lacks asked '/log/checkpoint bytes'
	grep -q '^/objects/../[0-9a-f]*$' asked
	grep -q '^/log/tile/entries/000.p/7$' asked
}

@test "a path that may not be read is denied" {
	put a 1
	chmod 1777 .
	chmod 000 store
	pk_other mirror store m
	want 7 '' 'pakhus: mirror: store: Permission denied'
	chmod 755 store
	chmod 000 store/log/checkpoint
	pk_other mirror store m
	want 7 '' 'pakhus: mirror: store/log/checkpoint: Permission denied'
	touch file
	pk mirror file m
	want 1 '' 'pakhus: mirror: file: Not a directory'
}

@test "what is no regular file at a source is not there" {
	put a 1
	shell_here
	mkdir other
	for source in "$PWD/other" "$url/other"; do
		for how in 'ln -s ../store/FORMAT' 'mkdir' 'mkfifo'; do
			rm -rf other/FORMAT
			$how other/FORMAT
			pk mirror "$source" m
			cat err
			[ "$status" -eq 3 ]
			[ ! -e m/FORMAT ]
		done
	done
}

@test "a web server that breaks off, refuses at first, or is slow" {
	put_lending
	put_long
	for manner in flaky breaking slow moved; do
		web "$manner"
		pk mirror "$url" "m-$manner"
		cat err
		[ "$status" -eq 0 ]
		same "m-$manner"
		# and the long one was not begun anew
		[ "$manner" != breaking ] || grep -q ' bytes=[0-9]' asked
	done
}

@test "a web server that is never done, sends elsewhere or makes no sense" {
	put_lending
	for manner in tofile round garbage 'refusing 500' 'refusing 403'; do
		# shellcheck disable=SC2086
		web $manner
		pk mirror "$url" m
		cat err
		[ "$status" -eq 8 ]
		[ "$(wc -l <err)" -eq 1 ]
		grep -q "$url" err
		[ ! -e m/FORMAT ]
	done
	web endless
	pk mirror "$url" m
	[ "$status" -eq 3 ] || [ "$status" -eq 4 ]
	[ "$(du -sk . | cut -f 1)" -lt 8000 ]
}

@test "a web server that lies is found out, and the mirror stays as it was" {
	put_lending
	"$PAKHUS" mirror store m >out 2>err
	put_ten 1
	for what in /checkpoint /entries/ /objects/; do
		web lying "$what"
		pk mirror "$url" m
		cat err
		[ "$status" -eq 4 ]
		[ "$("$PAKHUS" -C m list | wc -l)" -eq 1 ]
		"$PAKHUS" -C m verify
	done
	pk mirror store m
	[ "$status" -eq 0 ]
	same m
}

@test "a server that dies in the middle, and one that comes after it" {
	put_lending
	put_ten 1
	"$PAKHUS" mirror store m >out 2>err
	put_ten 2
	for n in 1 2 5; do
		web dying "$n"
		pk mirror "$url" m
		[ "$status" -eq 8 ]
		[ "$("$PAKHUS" -C m history | wc -l)" -eq 17 ]
		web dying "$n"
		pk mirror "$url" "new-$n"
		[ "$status" -eq 8 ]
		pk -C "new-$n" list
		[ "$status" -eq 3 ]
		pk mirror store "new-$n"
		[ "$status" -eq 0 ]
		same "new-$n"
	done
	pk mirror store m
	[ "$status" -eq 0 ]
	same m
}

asked_for() { # more than N, the port's line left out
	[ "$(wc -l <asked)" -gt "$1" ]
}

half_there() {
	find m -name '*.part' -size +100k 2>/dev/null | grep -q .
}

@test "a long file that an interrupt broke off is gone on with" {
	put_long
	web stuck 0
	env --default-signal=INT "$PAKHUS" mirror "$url" m >out 2>err 3>&- &
	pid=$!
	until_ asked_for 1
	kill -INT "$pid"
	wait "$pid" || status=$?
	[ "$status" -eq 1 ]
	grep -qx 'pakhus: mirror: interrupted' err
	web stuck 4 # the object
	env --default-signal=INT "$PAKHUS" mirror "$url" m >out 2>err 3>&- &
	pid=$!
	until_ half_there
	kill -INT "$pid"
	wait "$pid" || true
	web plain
	pk mirror "$url" m
	[ "$status" -eq 0 ]
	cat asked
	grep -q '^/objects/.* bytes=[0-9]*-$' asked
	"$PAKHUS" -C m verify
}

@test "a mirror that is killed in the middle is gone on with" {
	put_lending
	put_ten 1
	for n in 1 2 3 5 9; do
		web stuck "$n"
		"$PAKHUS" mirror "$url" m >out 2>err 3>&- &
		pid=$!
		until_ asked_for "$n"
		kill -9 "$pid"
		wait "$pid" || true
		pk -C m list
		[ "$status" -eq 3 ]
	done
	pk mirror store m
	[ "$status" -eq 0 ]
	same m
	[ -z "$(find m -name '*.part')" ]
}

@test "an rsync does not outlive who runs it, nor fills the disk" {
	put a 1
	printf '#!/bin/sh\necho $$ >shell; exec sleep 1000\n' >rsh
	chmod +x rsh
	export RSYNC_RSH=$PWD/rsh
	for signal in TERM KILL; do
		rm -f shell
		"$PAKHUS" mirror there:store m >out 2>err 3>&- &
		pid=$!
		until_ [ -s shell ]
		rsync=$(pgrep -P "$pid" -x rsync)
		# nor writes more than it is to, should its server send more
		grep -q '^Max file size  *16777216 ' "/proc/$rsync/limits"
		kill "-$signal" "$pid"
		wait "$pid" || true
		until_ eval '! kill -0 '"$rsync"' 2>/dev/null'
		kill "$(cat shell)" || true
	done
}

@test "a checkpoint from before, whose last bundle is gone, is done without" {
	put_lending
	cp store/log/checkpoint late
	put_ten 1
	rm -f store/log/tile/entries/000.p/7
	web late late
	pk mirror "$url" m
	cat err
	[ "$status" -eq 0 ]
	pk mirror "$url" m
	[ "$status" -eq 0 ]
	same m
}

# follow ARG...: in the background, its lines in followed and errors in err;
# as bash lets what is in the background ignore SIGINT, that is undone.
follow() {
	env --default-signal=INT "$PAKHUS" mirror --follow --every 1s "$@" \
		>followed 2>err 3>&- &
	follower=$!
	servers+=" $!"
}

@test "--follow goes on, and ends well when it is interrupted" {
	put_lending
	for signal in INT TERM; do
		follow store "m-$signal"
		until_ grep -q "^m-$signal: 7 entries" followed
		kill "-$signal" "$follower"
		wait "$follower"
		[ "$(wc -l <followed)" -eq 1 ]
	done
	follow store m
	until_ grep -q '^m: 7 entries' followed
	put_ten 1
	until_ grep -q '^m: 17 entries (+10)' followed
	same m
	kill -INT "$follower"
	wait "$follower"
	lacks err interrupted
}

@test "--follow outlives a source that is away, and not one that lies" {
	put_lending
	follow --json store m
	until_ grep -q '"entries":7' followed
	mv store away
	until_ grep -q '^pakhus: mirror: .*store' err
	mv away store
	put_ten 1
	until_ grep -q '"entries":17' followed
	mv store away
	pk -C store init
	rc=0
	wait "$follower" || rc=$?
	[ "$rc" -eq 4 ] || [ "$rc" -eq 5 ]
	rm -r store
	mv away store
	same m
}

@test "a mirror follows the log to another key, and one is made by the first" {
	put_lending
	nginx_here
	"$PAKHUS" key >first
	pk mirror --key first "$url/store" m
	[ "$status" -eq 0 ]
	"$PAKHUS" key --rotate >/dev/null
	put_ten 1
	"$PAKHUS" key --rotate >/dev/null
	pk mirror "$url/store" m
	cat err
	[ "$status" -eq 0 ]
	same m
	for key in first "$("$PAKHUS" key)"; do
		rm -rf new
		pk mirror --key "$key" "$url/m" new
		cat err
		[ "$status" -eq 0 ]
		same new
	done
}

@test "a log that is signed anew is young again" {
	put_lending
	pk mirror store m
	sleep 2
	pk mirror --max-age 1s store m
	[ "$status" -eq 4 ]
	"$PAKHUS" checkpoint --renew >/dev/null
	pk mirror --max-age 1h store m
	want 0 'm: up to date'
	cmp store/log/checkpoint m/log/checkpoint
}

# repaired_from URL: objects of a store and a mirror come back from it.
repaired_from() {
	local file

	put_lending
	"$PAKHUS" mirror store m >/dev/null 2>&1
	cp -r m copy
	for file in m/objects/*/*; do
		chmod u+w "$file"
		echo rubbish >"$file"
	done
	rm "$(find m/objects -type f | head -n 1)"
	pk -C m verify --repair --from "$1/store"
	[ "$status" -eq 0 ]
	tail -n 1 out | grep -q ': 6 restored, no damage$'
	diff -r copy/objects m/objects
}

@test "a repair from an rsync daemon" {
	rsync_here
	repaired_from "$url"
}

@test "a repair from a web server" {
	nginx_here
	repaired_from "$url"
}

@test "a mirror is not followed to where no store ever was" {
	mkdir nothing
	pk mirror --follow --every 1s "$PWD/nothing" m
	[ "$status" -eq 3 ]
	grep -q 'no store there' err
	pk mirror --key '' "$PWD/nothing" m
	[ "$status" -eq 2 ]
	grep -q -e '--key: is empty' err
}

@test "a password without https:// before it is not given to ssh, nor printed" {
	run "$PAKHUS" mirror site:secret@example.invalid:443 copy
	[ "$status" -eq 2 ]
	[[ $output == *'begins with https://'* ]]
	[[ $output != *secret* ]]
	[ ! -e copy ]
}
