'use strict';
// Where mirrors copy from: what a program hands in, an address, or a path.
const { createWriteStream } = require('node:fs');
const { open, copyFile, rm } = require('node:fs/promises');
const { constants } = require('node:fs');
const { join } = require('node:path');
const { Readable, Transform } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { fileURLToPath } = require('node:url');

const AT_ONCE = 8; // requests under way

const tooLong = Symbol('longer than it may be');

async function bringFromWeb(base, { into, max, fresh, signal }, name) {
	const url = new URL(name.split('/').map(encodeURIComponent).join('/'),
		base);
	const answer = await fetch(url, {
		signal,
		...(fresh && { cache: 'no-store',
			headers: { 'cache-control': 'no-cache' } }),
	});
	if (answer.status === 404 || answer.status === 410) {
		await answer.body?.cancel();
		return;
	}
	if (!answer.ok || !answer.body) {
		await answer.body?.cancel();
		throw new Error(`${url}: ${answer.status} ` +
			answer.statusText);
	}
	const file = join(into, name);
	let size = 0;
	const count = new Transform({
		transform(bytes, _, next) {
			size += bytes.length;
			next(size > max ? tooLong : null, bytes);
		},
	});
	try {
		await pipeline(Readable.fromWeb(answer.body), count,
			createWriteStream(file), { signal });
	} catch (error) {
		await rm(file, { force: true });
		if (error !== tooLong)
			throw error;
	}
}

async function bringFromPath(dir, { into, max }, name) {
	const missing = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'];
	let file;
	try {
		file = await open(join(dir, name), constants.O_RDONLY |
			constants.O_NOFOLLOW | constants.O_NONBLOCK);
	} catch (error) {
		if (missing.includes(error.code))
			return;
		throw error;
	}
	try {
		const stat = await file.stat();
		if (stat.isFile() && stat.size <= max)
			await copyFile(join(dir, name), join(into, name));
	} finally {
		await file.close();
	}
}

function fetchWith(bring, from) {
	return async (request) => {
		const names = request.names[Symbol.iterator]();
		const work = async () => {
			for (const name of names) {
				request.signal?.throwIfAborted();
				await bring(from, request, name);
			}
		};
		await Promise.all(Array.from({ length: AT_ONCE }, work));
	};
}

function sourceOf(from) {
	if (typeof from === 'object' && typeof from?.fetch === 'function')
		return { fetch: (request) => from.fetch(request),
			name: String(from.name ?? 'the source') };
	const name = String(from);
	if (/^https?:/.test(name))
		return { fetch: fetchWith(bringFromWeb, new URL(
			name.endsWith('/') ? name : name + '/')), name };
	const dir = /^file:/.test(name) ? fileURLToPath(name) : name;
	return { fetch: fetchWith(bringFromPath, dir), name };
}

module.exports = { sourceOf };
