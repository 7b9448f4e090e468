// web.mjs - a web server for a directory that is not as it should be.
//
//	node web.mjs DIR MANNER [WHAT]
//
// Prints its port on a line, and then each path that it is asked for, with the
// range and what is said of caches. Ranges are served, and If-Range with the date that it gave is heeded.
import fs from 'node:fs';
import http from 'node:http';

const [dir, manner, what] = process.argv.slice(2);
const asked = new Map();
let count = 0;

const manners = {
	// as it should be
	plain: (req, res) => file(req, res),
	// never ends, and says no length
	endless: (req, res) => {
		const more = () => {
			while (res.write(Buffer.alloc(65536, 'x')));
			res.once('drain', more);
		};
		res.on('error', () => {});
		more();
	},
	// to files of the reader, once it is believed
	tofile: (req, res) => move(res, `file://${dir}${req.url}`),
	// for ever
	round: (req, res) => move(res, `${req.url}x`),
	// to another address for the same
	moved: (req, res) => req.url.startsWith('/there/')
		? file(req, res, req.url.slice(6)) : move(res, '/there' + req.url),
	// refuses what is asked for the first time
	flaky: (req, res) => asked.get(req.url) > 1 ? file(req, res)
		: res.writeHead(503).end('not now'),
	refusing: (req, res) => res.writeHead(what).end('no'),
	// breaks off in the middle of everything, the first time
	breaking: (req, res) => file(req, res, req.url,
		asked.get(req.url) > 1 ? undefined : half),
	// is gone after so many answers, in the middle of one
	dying: (req, res) => count < what ? file(req, res)
		: file(req, res, req.url, (res, bytes) =>
			half(res, bytes, () => process.exit())),
	// a little, and then nothing more
	stuck: (req, res) => count < what ? file(req, res)
		: file(req, res, req.url, (res, bytes) =>
			res.write(bytes.subarray(0, bytes.length >> 1))),
	slow: (req, res) => file(req, res, req.url, (res, bytes) => {
		const step = Math.ceil(bytes.length / 3);
		const next = at => at < bytes.length
			? res.write(bytes.subarray(at, at + step), () =>
				setTimeout(next, 20, at + step))
			: res.end();
		next(0);
	}),
	garbage: (req) => req.socket.end('\0\x80\r\n\r\n'),
	// to who says who he is
	locked: (req, res) => req.headers.authorization ===
		`Basic ${Buffer.from(what).toString('base64')}`
		? file(req, res) : res.writeHead(401).end('who are you'),
	// of any host
	proxy: (req, res) => file(req, res, new URL(req.url).pathname),
	// right in form, and not what is there
	lying: (req, res) => file(req, res, req.url, (res, bytes) => {
		if (req.url.includes(what))
			bytes[bytes.length >> 1] ^= 1;
		res.end(bytes);
	}),
	// a checkpoint from before, the first time: the file that is named
	late: (req, res) => req.url.endsWith('/checkpoint') &&
		asked.get(req.url) === 1 ? res.end(fs.readFileSync(what))
		: file(req, res),
};

function half(res, bytes, then) {
	res.write(bytes.subarray(0, bytes.length >> 1), () =>
		setTimeout(() => {
			res.socket.destroy();
			then?.();
		}, 20));
}

function move(res, location) {
	res.writeHead(302, { location }).end('elsewhere');
}

function file(req, res, path = req.url, send = (res, bytes) => res.end(bytes)) {
	let bytes, date;
	try {
		bytes = fs.readFileSync(dir + path);
		date = fs.statSync(dir + path).mtime.toUTCString();
	} catch {
		res.writeHead(404).end('not here');
		return;
	}
	const head = { 'last-modified': date };
	const range = /^bytes=(\d+)-$/.exec(req.headers.range ?? '');
	if (range && req.headers['if-range'] === date) {
		const from = +range[1];
		head['content-range'] =
			`bytes ${from}-${bytes.length - 1}/${bytes.length}`;
		bytes = bytes.subarray(from);
		res.writeHead(206, { ...head, 'content-length': bytes.length });
	} else {
		res.writeHead(200, { ...head, 'content-length': bytes.length });
	}
	send(res, bytes);
}

const server = http.createServer((req, res) => {
	count++;
	asked.set(req.url, (asked.get(req.url) ?? 0) + 1);
	console.log([req.url, req.headers.range, req.headers['cache-control']]
		.filter(Boolean).join(' '));
	manners[manner](req, res);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
