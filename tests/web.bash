# shellcheck shell=bash disable=SC2034
# web.bash - a stock nginx that serves files, on a loopback port.

# A port that nobody listens on.
free_port() {
	node -e 'const s = require("net").createServer();
		s.listen(0, "127.0.0.1", () => {
			console.log(s.address().port);
			s.close();
		});'
}

# web_start DIR [SERVER]: serves what SERVER, the inside of a server block,
# says; without it DIR, as files. Sets web to the address. As root and not.
web_start() {
	local prefix server=${2-} port i

	prefix=$(mktemp -d "$BATS_TEST_TMPDIR/nginx.XXXXXX")
	port=$(free_port)
	[ -n "$server" ] || server="root $1;"
	cat >"$prefix/nginx.conf" <<-END
		$([ "$(id -u)" -ne 0 ] || echo 'user root;')
		worker_processes 1;
		pid $prefix/nginx.pid;
		error_log $prefix/error.log;
		events { }
		http {
			access_log $prefix/access.log;
			client_body_temp_path $prefix/body;
			proxy_temp_path $prefix/proxy;
			fastcgi_temp_path $prefix/fastcgi;
			uwsgi_temp_path $prefix/uwsgi;
			scgi_temp_path $prefix/scgi;
			types { application/json json; }
			default_type application/octet-stream;
			server {
				listen 127.0.0.1:$port;
				$server
			}
		}
	END
	PATH=$PATH:/usr/sbin nginx -p "$prefix" -c "$prefix/nginx.conf" \
		2>"$prefix/start.log" 3>&- || {
		cat "$prefix/start.log"
		return 1
	}
	web_prefix=$prefix
	web=http://127.0.0.1:$port
	for i in {1..100}; do
		[ ! -s "$prefix/nginx.pid" ] || return 0
		sleep 0.05
	done
	return "$i"
}

web_stop() {
	[ -z "${web_prefix-}" ] || kill "$(cat "$web_prefix/nginx.pid")"
	web_prefix=
}

# How often something was asked for.
web_asked() {
	grep -cF -- "\"GET $1 " "$web_prefix/access.log"
}
