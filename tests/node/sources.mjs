// sources.mjs - mirrors and bundles, and what JavaScript does for them.
// Started with one thread in libuv's pool, which nothing here may wait for.
import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, copyFileSync, cpSync, existsSync,
	readdirSync, readFileSync, rmSync, statSync, writeFileSync }
	from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { adoptFrom, adoptHere, bundleApply, mirror, open, PakhusError, repair }
	from 'pakhus';
import { doc, place, store } from './common.mjs';

async function filled(n = 5) {
	const { path, store: s } = await store();
	await s.publishAll(Array.from({ length: n }, (_, i) =>
		doc('a', String(i), {}, { x: i })));
	await s.sync();
	const { key } = await s.stat();
	return { path, s, key };
}

async function same(path, n = 5) {
	const s = await open(path);
	assert.equal((await s.stat()).versions, n);
	assert.equal((await s.verify({ files: true })).ok, true);
	await assert.rejects(s.publish(doc('a', 'x')), { code: 'EDENIED' });
	await s.close();
}

const objects = (path) => readdirSync(join(path, 'objects')).flatMap((d) =>
	readdirSync(join(path, 'objects', d)).map((name) =>
		join(path, 'objects', d, name)));

const copying = (path) => ({
	name: 'a function',
	async fetch({ into, names, max }) {
		for (const name of names) {
			const file = join(path, name);
			if (existsSync(file) && statSync(file).size <= max)
				copyFileSync(file, join(into, name));
		}
	},
});

test('a mirror is made from a path, and brought up to date', async () => {
	const { path, s, key } = await filled();
	const to = place(), told = [];
	const first = await mirror(to, path, { key, threads: 2,
		onProgress: (p) => told.push(p) });
	assert.equal(first.isNew, true);
	assert.equal(first.entries, 6);
	assert.equal(first.objects, 5);
	assert.ok(told.length && told.every((p) => p.what && p.done <= p.total));
	await s.publish(doc('b', '1'));
	await s.sync();
	const second = await mirror(pathToFileURL(to), pathToFileURL(path));
	assert.deepEqual([second.isNew, second.before, second.entries],
		[false, 6, 7]);
	assert.equal((await mirror(to, path)).isChanged, false);
	await same(to, 6);
	await s.close();
});

test('who trusts the first key is told which', async () => {
	const { path, s, key } = await filled();
	const told = [];
	await mirror(place(), path, { onNotice: (text) => told.push(text) });
	assert.ok(told.some((text) => text.includes(key)));
	await s.close();
});

test('why an address cannot be reached is said', async () => {
	const from = 'http://127.0.0.1:1/store';
	await assert.rejects(mirror(place(), from), {
		code: 'ENETWORK',
		message: /http:\/\/127\.0\.0\.1:1\/store\/\S+: \w/,
	});
});

test('a function fetches, many at once, on a pool of one', async () => {
	assert.equal(process.env.UV_THREADPOOL_SIZE, '1');
	const { path, s, key } = await filled();
	await s.close();
	const all = Array.from({ length: 6 }, place);
	await Promise.all(all.map((to, i) => mirror(to,
		i % 2 ? path : copying(path), { key })));
	for (const to of all)
		await same(to);
});

test('a web server is a source', async () => {
	const { path, s, key } = await filled();
	const asked = [];
	const server = createServer((request, response) => {
		const file = join(path, decodeURIComponent(request.url));
		asked.push(request.url);
		if (!existsSync(file))
			response.writeHead(404).end();
		else
			response.end(readFileSync(file));
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address();
	const to = place();
	await mirror(to, `http://127.0.0.1:${port}`, { key });
	await same(to);
	assert.ok(asked.includes('/log/checkpoint'));
	assert.ok(!asked.some((url) => url.includes('local')));
	server.close();
	server.closeAllConnections();
	await assert.rejects(mirror(to, `http://127.0.0.1:${port}/`),
		{ code: 'ENETWORK' });
	await s.close();
});

test('files longer than allowed are left out', async () => {
	const { path, s } = await filled();
	await s.close();
	const { sourceOf } = await import(pathToFileURL(join(process.cwd(),
		'node_modules/pakhus/source.cjs')));
	const from = place(), into = place();
	cpSync(path, from, { recursive: true });
	cpSync(path, into, { recursive: true });
	rmSync(into, { recursive: true });
	cpSync(path, into, { recursive: true,
		filter: (file) => statSync(file).isDirectory() });
	writeFileSync(join(from, 'long'), 'x'.repeat(11));
	writeFileSync(join(from, 'fits'), 'x'.repeat(10));
	await sourceOf(from).fetch({ into, max: 10, fresh: false,
		names: ['long', 'fits', 'missing', 'log', 'a/b'] });
	assert.equal(existsSync(join(into, 'long')), false);
	assert.equal(readFileSync(join(into, 'fits'), 'utf8'), 'x'.repeat(10));
	for (const wrong of [undefined, null, 5, {}])
		assert.throws(() => sourceOf(wrong), TypeError);
	// what fails leaves nobody behind who writes
	const names = Array.from({ length: 40 }, (_, i) => `n${i}`);
	for (const name of names)
		writeFileSync(join(from, name), 'x');
	await assert.rejects(sourceOf(from).fetch({ into: join(into, 'not'),
		max: 1e6, names }), { code: 'ENOENT' });
});

test('a secret in an address is sent, and told to nobody', async () => {
	const { path, s, key } = await filled();
	await s.close();
	const want = 'Basic ' + Buffer.from('site:p@ss').toString('base64');
	let seen;
	let file = (name) => join(path, name);
	const server = createServer((request, response) => {
		seen = request.headers.authorization;
		try {
			response.end(readFileSync(file(request.url)));
		} catch {
			response.writeHead(404).end();
		}
	});
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	const { port } = server.address();
	const from = `http://site:p%40ss@127.0.0.1:${port}`;
	await mirror(place(), from, { key });
	assert.equal(seen, want);
	file = () => '/';
	const missing = await mirror(place(), from, { key }).catch((e) => e);
	assert.equal(missing.code, 'ENOTFOUND');
	server.close();
	server.closeAllConnections();
	const gone = await mirror(place(), from, { key }).catch((e) => e);
	assert.equal(gone.code, 'ENETWORK');
	for (const { message, stack } of [missing, gone])
		assert.doesNotMatch(message + stack, /p(%40|@)ss/);
});

test('a source that throws what cannot be told has failed', async () => {
	const odd = [null, undefined, Symbol('s'), Object.create(null),
		{ get message() { throw new Error('no message'); } },
		{ message: Symbol('m') },
		new Proxy({}, { get() { throw new Error('no'); } }),
		Object.assign(new PakhusError('x', -1), { status: 0 }),
		Object.assign(new PakhusError('x', -1), { status: 'x' })];
	for (const error of odd)
		await assert.rejects(mirror(place(), {
			async fetch() {
				throw error;
			},
		}), { code: 'ENETWORK' });
});

test('what a source says is passed on', async () => {
	const fails = async (error) => mirror(place(), {
		async fetch() {
			throw error;
		},
	}).catch((e) => e);
	const broken = await fails(new Error('no wire'));
	assert.deepEqual([broken.code, broken.message],
		['ENETWORK', 'no wire']);
	assert.equal((await fails(new PakhusError('not you', -8))).code,
		'EDENIED');
	assert.equal((await fails('odd')).message, 'odd');
	assert.equal((await fails(new Error('ä'.repeat(1000)))).code,
		'ENETWORK');
	await assert.rejects(mirror(place(), { fetch() {} }),
		{ code: 'ENOTFOUND' });
	await assert.rejects(mirror(place(), place()), { code: 'ENOTFOUND' });
});

test('a source that lies gets nothing shown', async () => {
	const { path, s, key } = await filled();
	await s.close();
	const liar = copying(path);
	const to = place();
	await assert.rejects(mirror(to, {
		async fetch(request) {
			await liar.fetch(request);
			for (const name of request.names)
				appendFileSync(join(request.into, name), 'x');
		},
	}, { key }), { code: 'ECORRUPT' });
	await assert.rejects(open(to), { code: 'ENOTFOUND' });
});

test('a signal ends it', async () => {
	const { path, s } = await filled();
	await s.close();
	const control = new AbortController();
	let asked;
	const going = mirror(place(), {
		fetch({ signal }) {
			asked = signal;
			setImmediate(() => control.abort(new Error('enough')));
			return new Promise(() => {});
		},
	}, { signal: control.signal });
	await assert.rejects(going, { message: 'enough' });
	assert.equal(asked, control.signal);
	await assert.rejects(mirror(place(), path, { signal: control.signal }),
		{ message: 'enough' });
	await assert.rejects(mirror(place(), path,
		{ signal: AbortSignal.abort() }), { name: 'AbortError' });
});

test('an answer that comes too late is no answer to another', async () => {
	const { path, s, key } = await filled();
	await s.close();
	const control = new AbortController();
	let late;
	await assert.rejects(mirror(place(), {
		fetch() {
			setImmediate(() => control.abort());
			return new Promise((resolve) => (late = resolve));
		},
	}, { signal: control.signal }), { name: 'AbortError' });
	late();
	const to = place();
	await mirror(to, path, { key });
	await same(to);
});

test('a bundle goes to a file or a function, and to a mirror', async () => {
	const { path, s } = await filled();
	const file = place(), other = place(), pieces = [];
	const made = await s.bundleCreate(file);
	assert.equal(made.bytes, statSync(file).size);
	await s.bundleCreate(async (bytes) => {
		await new Promise(setImmediate);
		pieces.push(bytes);
	});
	assert.deepEqual(Buffer.concat(pieces), readFileSync(file));
	await assert.rejects(s.bundleCreate(() => {
		throw new Error('no room');
	}));
	const to = place();
	const applied = await bundleApply(to, file, { onNotice() {} });
	assert.deepEqual([applied.isNew, applied.objects], [true, 5]);
	await s.publish(doc('b', '1'));
	const m = await open(to);
	const more = await s.bundleCreate(other,
		{ checkpoint: await m.checkpoint() });
	assert.deepEqual([more.from, more.to, more.objects], [6, 7, 1]);
	await m.close();
	await bundleApply(to, pathToFileURL(other));
	await same(to, 6);
	await assert.rejects(s.bundleCreate(other, { since: 99 }),
		{ code: 'ENOTFOUND' });
	await s.close();
	assert.ok(existsSync(path));
});

test('what is damaged is restored from a mirror', async () => {
	const { path, store: s } = await store();
	for (const id of ['a', 'b', 'c']) // nothing is made against another
		await s.publish(doc(id, '1'));
	const { key } = await s.stat();
	await s.close();
	const to = place(), mended = [];
	await mirror(to, path, { key });
	const [damaged, missing] = objects(path);
	chmodSync(damaged, 0o600);
	writeFileSync(damaged, 'x');
	rmSync(missing);
	const without = await repair(path, { fetch() {} });
	assert.deepEqual([without.ok, without.damages.length], [false, 2]);
	const result = await repair(path, to, { threads: 2,
		onMended: (m) => mended.push(m.path) });
	assert.deepEqual([result.ok, result.restored, result.damages],
		[true, 2, []]);
	assert.deepEqual(mended.sort(), [damaged, missing].map((file) =>
		file.slice(path.length + 1)).sort());
	const again = await open(path);
	assert.equal((await again.verify()).ok, true);
	await again.close();
});

test('a store that came back from a backup adopts its mirror', async () => {
	const { path, s, key } = await filled();
	await s.close();
	const old = place(), to = place();
	cpSync(path, old, { recursive: true });
	const more = await open(path);
	await more.publish(doc('b', '1'));
	await more.close();
	await mirror(to, path, { key });
	await assert.rejects((async () => {
		const copy = await open(old);
		await copy.publish(doc('c', '1')).finally(() => copy.close());
	})(), { code: 'EDENIED' });
	const adopted = await adoptFrom(old, to, { onNotice() {} });
	assert.equal(adopted.entries, 7);
	const back = await open(old);
	assert.equal((await back.get('b')).version, '1');
	await back.publish(doc('c', '1'));
	await back.close();
	const copy = place();
	cpSync(path, copy, { recursive: true });
	await adoptHere(copy);
	const own = await open(copy);
	await own.publish(doc('d', '1'));
	await own.close();
});
