// workers.mjs - several threads of JavaScript on one store, which begin and
// end as they like.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { open } from 'pakhus';
import { doc, store } from './common.mjs';

const work = (path, name, how) => new Worker(new URL('worker.mjs',
	import.meta.url), { workerData: { path, name, how } });

async function ended(worker) {
	const acknowledged = [];
	worker.on('message', (version) => acknowledged.push(version));
	const [code] = await once(worker, 'exit');
	return { code, acknowledged };
}

async function holds(path, name, acknowledged) {
	const s = await open(path);
	for (const version of acknowledged)
		assert.ok(await s.get(name, version), `${name}@${version}`);
	assert.equal((await s.verify()).ok, true);
	await s.close();
}

test('workers publish to one store and read what others did', async () => {
	const { path, store: s } = await store();
	const all = await Promise.all(['a', 'b', 'c'].map((name) =>
		ended(work(path, name, 'close'))));
	for (const { code, acknowledged } of all) {
		assert.equal(code, 0);
		assert.equal(acknowledged.length, 20);
	}
	assert.equal((await s.stat()).versions, 60);
	await s.close();
});

test('a worker that ends without closing loses nothing', async () => {
	const { path, store: s } = await store();
	const { code, acknowledged } = await ended(work(path, 'a', 'leave'));
	assert.equal(code, 0);
	await s.publish(doc('b', '1'));
	await s.close();
	await holds(path, 'a', acknowledged);
	assert.equal(acknowledged.length, 20);
});

test('a worker that is terminated in the middle of calls', async () => {
	const { path, store: s } = await store();
	for (let i = 0; i < 12; i++) {
		const worker = work(path, 'a', 'forever');
		const end = ended(worker);
		await once(worker, 'message');
		await s.publish(doc('b', String(i)));
		await worker.terminate();
		await holds(path, 'a', (await end).acknowledged);
	}
	await s.close();
});

test('a worker that is terminated while it mirrors, or closes', async () => {
	const { path, store: s } = await store();
	await s.publish(doc('a', '1'));
	await s.sync();
	for (const how of ['mirror', 'bundle', 'mirror', 'bundle']) {
		const worker = work(path, 'a', how);
		await once(worker, 'message');
		await worker.terminate();
	}
	await s.close();
});

test('a module that only a worker loaded', async () => {
	// in a process of its own, whose main thread has not loaded it
	const { spawnSync } = await import('node:child_process');
	const { path, store: s } = await store();
	await s.close();
	const { status, stderr } = spawnSync(process.execPath, ['-e', `
		const { Worker } = require('node:worker_threads');
		let left = 3;
		const next = () => {
			if (!left--)
				return;
			new Worker(${JSON.stringify(new URL('worker.mjs',
		import.meta.url).pathname)}, { workerData: {
				path: ${JSON.stringify(path)}, name: 'x',
				how: ['leave', 'close', 'leave'][left],
			} }).on('exit', next);
		};
		next();
	`], { cwd: new URL('.', import.meta.url), encoding: 'utf8' });
	assert.equal(status, 0, stderr);
	await holds(path, 'x', ['0', '19']);
});
