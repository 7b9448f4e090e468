'use strict';
// Where mirrors copy from: an address, a path, or what a program hands in.
const { createWriteStream, constants } = require('node:fs');
const { open, rm } = require('node:fs/promises');
const { join } = require('node:path');
const { Readable, Transform } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { fileURLToPath } = require('node:url');

const AT_ONCE = 8; // files under way
const MISSING = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'];

// A stream as a file; where it has more than max bytes there is none.
async function save(stream, { into, max, signal }, name) {
	const file = join(into, name);
	const tooLong = new Error('longer than it may be');
	let size = 0;
	const count = new Transform({
		transform(bytes, _, next) {
			size += bytes.length;
			next(size > max ? tooLong : null, bytes);
		},
	});
	try {
		await pipeline(stream, count, createWriteStream(file),
			{ signal });
	} catch (error) {
		await rm(file, { force: true });
		if (error !== tooLong)
			throw error;
	}
}

// The address, and what it says of who asks, which is a secret: fetch() takes
// none in an address, and no message has it.
function webOf(address) {
	const base = new URL(address);
	const headers = {};
	if (base.username || base.password) {
		const pair = [base.username, base.password]
			.map(decodeURIComponent).join(':');
		headers.authorization = 'Basic ' +
			Buffer.from(pair).toString('base64');
		base.username = base.password = '';
	}
	return { base, headers };
}

// What fetch() says is "fetch failed"; why, its cause says.
async function ask(url, headers, request) {
	try {
		return await fetch(url, {
			signal: request.signal,
			headers: request.fresh ?
				{ ...headers, 'cache-control': 'no-cache' } :
				headers,
		});
	} catch (error) {
		if (request.signal?.aborted || !error.cause)
			throw error;
		const { message, code } = error.cause;
		throw new Error(`${url}: ${message || code}`,
			{ cause: error.cause });
	}
}

async function bringFromWeb({ base, headers }, request, name) {
	const path = name.split('/').map(encodeURIComponent).join('/');
	const url = new URL(path, base);
	const answer = await ask(url, headers, request);
	if (answer.ok && answer.body) {
		await save(Readable.fromWeb(answer.body), request, name);
		return;
	}
	await answer.body?.cancel();
	if (answer.status !== 404 && answer.status !== 410)
		throw new Error(`${url}: ${answer.status} ` +
			answer.statusText);
}

// Of a FIFO nobody waits for who writes it.
async function openThere(path) {
	const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
	try {
		return await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	} catch (error) {
		if (MISSING.includes(error.code))
			return undefined;
		throw error;
	}
}

async function bringFromPath(dir, request, name) {
	const file = await openThere(join(dir, name));
	try {
		if ((await file?.stat())?.isFile())
			await save(file.createReadStream(), request, name);
	} finally {
		await file?.close();
	}
}

// Whatever fails, nothing is written any more when this is over.
const fetchWith = (bring, from) => async (request) => {
	const names = request.names.values();
	let failed = false;
	const work = async () => {
		for (const name of names) {
			request.signal?.throwIfAborted();
			try {
				await bring(from, request, name);
			} catch (error) {
				failed = true;
				throw error;
			}
			if (failed)
				return;
		}
	};
	const all = await Promise.allSettled(
		Array.from({ length: AT_ONCE }, work));
	const broken = all.find(({ status }) => status === 'rejected');
	if (broken)
		throw broken.reason;
};

function sourceOf(from) {
	if (typeof from?.fetch === 'function')
		return { name: String(from.name ?? 'the source'),
			fetch: (request) => from.fetch(request) };
	if (typeof from !== 'string' && !(from instanceof URL))
		throw new TypeError('a source is an address, a path, or ' +
			'an object with a function fetch');
	const name = String(from);
	if (/^https?:/.test(name)) {
		const web = webOf(name.endsWith('/') ? name : `${name}/`);
		return { name: web.base.href.slice(0, -1),
			fetch: fetchWith(bringFromWeb, web) };
	}
	return { name, fetch: fetchWith(bringFromPath,
		/^file:/.test(name) ? fileURLToPath(name) : name) };
}

module.exports = { sourceOf };
