// exit.mjs - processes that end without closing their store.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { open } from 'pakhus';
import { doc, store } from './common.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

// Runs a program that has the store s open, with print(version) for what was
// acknowledged; gives how it ended, and what it printed.
async function program(path, text, kill) {
	const child = spawn(process.execPath, ['--input-type=module', '-e', `
		import { writeSync } from 'node:fs';
		import { open, mirror } from 'pakhus';
		const s = await open(${JSON.stringify(path)});
		const publish = async (i) => {
			await s.publish({ manifest: { id: 'a',
				version: String(i) }, metadata: {} });
			writeSync(1, i + '\\n');
		};
		${text}
	`], { cwd: here, stdio: ['ignore', 'pipe', 'pipe'] });
	let out = '', err = '';
	child.stdout.on('data', (bytes) => {
		out += bytes;
		if (kill && out.split('\n').length > 20)
			child.kill('SIGKILL');
	});
	child.stderr.on('data', (bytes) => (err += bytes));
	const began = process.hrtime.bigint();
	const [code, signal] = await once(child, 'close');
	return { code, signal, err,
		ms: Number(process.hrtime.bigint() - began) / 1e6,
		versions: out.split('\n').filter(Boolean) };
}

async function holds(path, versions) {
	const s = await open(path);
	for (const version of versions)
		assert.ok(await s.get('a', version), version);
	assert.equal((await s.verify()).ok, true);
	await s.publish(doc('a', 'after'));
	await s.close();
}

const ways = {
	'process.exit() with calls under way': [`
		for (let i = 0; i < 30; i++) publish(i).catch(() => {});
		await publish('awaited');
		process.exit(7);`, 7],
	'process.exit() at once': ['publish(0); process.exit(7);', 7],
	'an error that nobody catches': [`
		await publish(0);
		for (let i = 1; i < 30; i++) publish(i).catch(() => {});
		throw new Error('over');`, 1],
	'nothing more to do': [`
		await Promise.all(Array.from({ length: 30 }, (_, i) =>
			publish(i)));`, 0],
	'a batch under way': [`
		await publish(0);
		const batch = await s.batch();
		for (let i = 0; i < 100; i++)
			batch.publish({ manifest: { id: 'b',
				version: String(i) }, metadata: {} });
		process.exit(0);`, 0],
	'process.exit() while it mirrors': [`
		await publish(0);
		const m = mirror(${'`${process.cwd()}/never`'}, {
			async fetch() { process.exit(7); } });
		await m;`, 7],
	'process.exit() while it closes': [`
		await publish(0);
		s.close();
		process.exit(7);`, 7],
	'process.exit() while it verifies': [`
		await publish(0);
		s.verify(); s.gc(); s.sync(); s.stat({ objects: true });
		setImmediate(() => process.exit(7));`, 7],
};

for (const [name, [text, want]] of Object.entries(ways)) {
	test(`${name} loses nothing`, async () => {
		const { path, store: s } = await store();
		await s.close();
		for (let i = 0; i < 3; i++) {
			const { code, signal, err, versions } =
				await program(path, text);
			assert.equal(signal, null, err);
			assert.equal(code, want, err);
			await holds(path, versions);
		}
	});
}

test('who is killed loses nothing that was acknowledged', async () => {
	const { path, store: s } = await store();
	await s.close();
	const { signal, versions } = await program(path, `
		for (let i = 0; ; i += 8)
			await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map((n) =>
				publish(i + n)));`, true);
	assert.equal(signal, 'SIGKILL');
	await holds(path, versions);
});

test('what waits to be synced does not keep a process alive', async () => {
	const { path, store: s } = await store();
	await s.close();
	const { code, err } = await program(path, `
		await s.close();
		const t = await open(${JSON.stringify(path)},
			{ syncAfter: 1e9 });
		await t.publish({ manifest: { id: 'a', version: '1' },
			metadata: {} });`);
	assert.equal(code, 0, err); // or the test would never end
	const t = await open(path, { readonly: true });
	const { entries, checkpoint } = await t.stat();
	assert.deepEqual([entries, checkpoint], [2, 2]); // done as it ended
	await t.close();
	await holds(path, ['1']);
});
