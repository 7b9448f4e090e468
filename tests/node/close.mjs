// close.mjs - stores that are closed, dropped, and synced by themselves.
// Started with --expose-gc.
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { open } from 'pakhus';
import { doc, store } from './common.mjs';

// Files of a store that this process has open.
const files = (path) => readdirSync('/proc/self/fd').filter((fd) => {
	try {
		return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path);
	} catch {
		return false;
	}
}).length;

async function until(is, what) {
	for (let i = 0; i < 400; i++) {
		global.gc();
		if (await is())
			return;
		await sleep(25);
	}
	assert.fail(`never: ${what}`);
}

test('calls under way when it is closed come to their end', async () => {
	const { path, store: s } = await store();
	const going = Array.from({ length: 40 }, (_, i) =>
		s.publish(doc('a', String(i))));
	going.push(s.get('a'), s.list(), s.verify());
	const closed = s.close();
	assert.equal(s.close(), closed);
	const done = await Promise.allSettled(going);
	assert.deepEqual(done.filter((d) => d.status !== 'fulfilled'), []);
	await closed;
	assert.equal(files(path), 0);
	const again = await open(path);
	assert.equal((await again.stat()).versions, 40);
	await again.close();
});

test('a store that is closed says so to every call', async () => {
	const { store: s } = await store();
	const batch = await s.batch();
	const closing = s.close();
	const calls = [s.publish(doc('a', '1')), s.get('a'), s.sync(),
		s.stat(), s.batch(), batch.publish(doc('a', '1')),
		batch.commit(), s.publishAll([doc('a', '1')])];
	for (const call of calls)
		await assert.rejects(call, { code: 'EINVAL',
			message: 'the store is closed' });
	await batch.drop();
	await closing;
	await assert.rejects(s.get('a'), { code: 'EINVAL' });
});

test('closing waits for who waits for JavaScript', async () => {
	const { path, store: s } = await store();
	let go;
	const bundle = s.bundleCreate(() => new Promise((resolve) =>
		(go = resolve)));
	let isClosed = false;
	const closed = s.close().then(() => (isClosed = true));
	while (!go)
		await sleep(5);
	assert.equal(isClosed, false);
	const finish = setInterval(() => go(), 1);
	assert.ok((await bundle).bytes > 0);
	await closed;
	clearInterval(finish);
	assert.equal(files(path), 0);
});

test('a signal ends verifying, and progress is told', async () => {
	const { store: s } = await store();
	await s.publishAll(Array.from({ length: 2000 }, (_, i) =>
		doc('a', String(i))));
	await s.sync();
	const control = new AbortController(), told = [];
	const verifying = s.verify({ signal: control.signal });
	control.abort();
	await assert.rejects(verifying, { name: 'AbortError' });
	const { ok } = await s.verify({ signal: AbortSignal.timeout(6e5),
		onProgress: (progress) => told.push(progress) });
	assert.equal(ok, true);
	assert.ok(told.length && told.every((p) => p.what));
	await s.close();
});

test('closing drops what was not committed', async () => {
	const { path, store: s } = await store();
	const batch = await s.batch();
	await batch.publish(doc('a', '1'));
	await s.close();
	await batch.drop();
	const again = await open(path);
	assert.equal((await again.stat()).versions, 0);
	await again.close();
});

test('closing moves what was written into the tree', async () => {
	const { path, store: s } = await store({ syncAfter: 0 });
	await s.publish(doc('a', '1'));
	await s.close();
	const again = await open(path, { readonly: true });
	assert.equal((await again.stat()).checkpoint, 2);
	await again.close();
});

test('some time after the last write it is moved without asking', async () => {
	const { store: s } = await store({ syncAfter: 30 });
	await s.publish(doc('a', '1'));
	await until(async () => (await s.stat()).checkpoint === 2, 'a sync');
	await s.publishAll([doc('a', '2'), doc('a', '3')]);
	await s.delete('a', '1');
	await until(async () => (await s.stat()).checkpoint === 5, 'another');
	await s.close();
});

test('several handles on one store know of each other', async () => {
	const { path, store: a } = await store();
	const b = await open(path);
	await a.publish(doc('a', '1'));
	assert.equal((await b.get('a')).version, '1');
	await Promise.all([a, b].flatMap((s, n) => Array.from({ length: 20 },
		(_, i) => s.publish(doc('a', `${n}.${i}`)))));
	await a.close();
	assert.equal((await b.stat()).versions, 41);
	await b.publish(doc('a', 'last'));
	await b.close();
	assert.equal(files(path), 0);
});

test('stores that nobody holds are closed', async () => {
	const { path, store: s } = await store();
	await s.publish(doc('a', '1'));
	await s.close();
	await (async () => {
		for (let i = 0; i < 200; i++)
			await open(path);
	})();
	assert.ok(files(path) > 0);
	await until(() => files(path) === 0, 'that the files are closed');
	const again = await open(path);
	assert.equal((await again.verify()).ok, true);
	await again.close();
});

test('calls of a store that nobody holds come to their end', async () => {
	const { path, store: s } = await store();
	await s.publish(doc('a', '1'));
	await s.close();
	const going = [];
	await (async () => {
		for (let i = 0; i < 20; i++) {
			const own = await open(path);
			going.push(own.publish(doc('b', String(i))),
				own.get('a'), own.batch().then((batch) =>
					batch.publish(doc('c', '1'))));
		}
	})();
	global.gc();
	for (const { status, reason } of await Promise.allSettled(going))
		assert.equal(status, 'fulfilled', reason);
	await until(() => files(path) === 0, 'that the files are closed');
	const again = await open(path);
	assert.equal((await again.stat()).versions, 21);
	await again.close();
});

test('what a batch of a dropped store held is forgotten', async () => {
	const { path, store: s } = await store();
	await s.close();
	const batches = [];
	await (async () => {
		const own = await open(path);
		batches.push(await own.batch());
		await batches[0].publish(doc('a', '1'));
	})();
	global.gc();
	await sleep(10);
	await batches[0].commit(); // it holds its store
	batches.length = 0;
	await until(() => files(path) === 0, 'that the files are closed');
});

const rss = process.env.SANITIZED ? 'the sanitizer keeps what is freed' : false;
test('memory does not grow with calls', { skip: rss }, async () => {
	const { store: s } = await store({ cacheSize: 1 });
	const long = doc('a', '1', {}, { x: 'é'.repeat(1 << 20) });
	await s.publish(long);
	for (let i = 0; i < 10; i++)
		await s.getText('a');
	global.gc();
	const before = process.memoryUsage().rss;
	for (let i = 0; i < 60; i++) {
		await s.getText('a');
		await s.publish(long);
		await s.publish('{').catch(() => {});
		global.gc();
	}
	const grown = process.memoryUsage().rss - before;
	assert.ok(grown < 60 << 20, `${grown >> 20} MiB`);
	await s.close();
});
