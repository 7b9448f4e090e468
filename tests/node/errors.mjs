// errors.mjs - what fails says what, and changes nothing.
import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { open, init, hash, check, PakhusError, dump } from 'pakhus';
import { doc, place, store } from './common.mjs';

test('an error has code, status, message, and the caller in its stack',
	async () => {
		const error = await open(place()).catch((e) => e);
		assert.ok(error instanceof PakhusError);
		assert.ok(error instanceof Error);
		assert.equal(error.name, 'PakhusError');
		assert.equal(error.code, 'ENOTFOUND');
		assert.equal(error.status, -1);
		assert.match(error.message, /no store there$/);
		assert.match(error.stack, /errors\.mjs/);
	});

test('both entries have the same classes', async () => {
	const cjs = createRequire(import.meta.url)('pakhus');
	assert.equal(cjs.PakhusError, PakhusError);
	assert.equal(cjs.open, open);
	const names = (module) => Object.keys(module).filter((name) =>
		name !== 'default' && name !== 'module.exports').sort();
	assert.deepEqual(names(cjs), names(await import('pakhus')));
});

test('a document that is refused says where', async () => {
	const { store: s } = await store();
	const wrong = [
		['{', 'EINVAL', /line 1, column 2: unexpected end/],
		['{\n"manifest":1}', 'EINVAL', /line 2, column 12/],
		[{}, 'EINVAL', /manifest is missing/],
		[{ manifest: { id: 'a' }, metadata: {} }, 'EINVAL',
			/manifest\.version is missing/],
		[doc('', '1'), 'ELIMIT', /manifest\.id is empty/],
		[doc('x'.repeat(215), '1'), 'ELIMIT', /longer than 214/],
		[doc('a', 'latest'), 'ELIMIT', /latest/],
		[doc('a', '1', { x: '\ud800' }), 'EINVAL', /surrogate/],
		['{"manifest":{"id":"\ud800","version":"1"}}', 'EINVAL',
			/surrogate/],
		[Buffer.from('{"manifest":{"id":"\xff"}}', 'latin1'), 'EINVAL',
			/UTF-8/],
		[undefined, 'EINVAL', /cannot express/],
		[() => 1, 'EINVAL', /cannot express/],
		[null, 'EINVAL', /object with a manifest/],
		[new Uint8Array(0), 'EINVAL', /unexpected end/],
	];
	for (const [d, code, message] of wrong) {
		const known = { code, message, name: 'PakhusError' };
		await assert.rejects(s.publish(d), known);
		await assert.rejects(check(d), known);
		await assert.rejects(hash(d), known);
	}
	const ring = {};
	ring.manifest = ring;
	await assert.rejects(s.publish(ring), TypeError);
	assert.equal((await s.stat()).entries, 1);
	await s.close();
});

test('names that cannot be are refused before they are cut', async () => {
	const { store: s } = await store();
	await s.publish(doc('a', '1'));
	await assert.rejects(s.get('a\0b'), { code: 'ERR_INVALID_ARG_TYPE' });
	await assert.rejects(s.get('a', '1\0'), TypeError);
	await assert.rejects(s.get('\ud800'), { code: 'EINVAL' });
	await assert.rejects(s.delete('a', '1\0'), TypeError);
	for (const id of [undefined, null, 1, {}, ['a'], new String('a')])
		await assert.rejects(s.get(id), TypeError);
	await assert.rejects(s.get('a', 1), TypeError);
	await assert.rejects(s.delete('a', ''), { code: 'EINVAL' });
	await assert.rejects(s.read('xyz'), { code: 'EINVAL' });
	for (const seq of [-1, 1.5, NaN, 2 ** 60, '1', 1n, {}])
		await assert.rejects(s.getAt(seq), TypeError);
	await assert.rejects(s.list({ limit: 10001 }), TypeError);
	await assert.rejects(s.list({ before: -1 }), TypeError);
	await assert.rejects(s.stat({ objects: 1 }), TypeError);
	assert.equal((await s.stat()).versions, 1);
	await s.close();
});

test('a misspelt option is no option', async () => {
	await assert.rejects(open(place(), { readOnly: true }),
		{ name: 'TypeError', message: /no option readOnly.*readonly/ });
	const { store: s } = await store();
	await assert.rejects(s.publish(doc('a', '1'), { By: 'x' }), TypeError);
	await assert.rejects(s.publish(doc('a', '1'), 'me'), TypeError);
	await assert.rejects(s.publish(doc('a', '1'), { by: 'x'.repeat(65) }),
		{ code: 'EINVAL' });
	await assert.rejects(open(place(), { create: true, level: 20 }),
		{ code: 'EINVAL' });
	await assert.rejects(open(5), TypeError);
	await s.close();
});

test('an immutable store keeps what it has', async () => {
	const path = place();
	await init(path, { immutable: true });
	const s = await open(path);
	await s.publish(doc('a', '1'));
	await s.publish(doc('a', '1'));
	await assert.rejects(s.publish(doc('a', '1', { x: 1 })),
		{ code: 'ECONFLICT', status: -3 });
	await s.close();
});

test('who opens to read cannot write', async () => {
	const { path, store: w } = await store();
	await w.publish(doc('a', '1'));
	const s = await open(path, { readonly: true });
	assert.equal((await s.get('a')).version, '1');
	await assert.rejects(s.publish(doc('a', '2')), { code: 'EDENIED' });
	await assert.rejects(s.publishAll([doc('a', '2')]),
		{ code: 'EDENIED' });
	await assert.rejects(s.sync(), { code: 'EDENIED' });
	await s.close();
	await assert.rejects(open(path, { rebuild: true }), { code: 'EBUSY' });
	await w.close();
	await (await open(path, { rebuild: true })).close();
});

test('limits are those that were asked for', async () => {
	const { store: s } = await store({ maxDocument: 100 });
	await assert.rejects(s.publish(doc('a', '1', { x: 'y'.repeat(100) })),
		{ code: 'ELIMIT' });
	await s.close();
});

test('the system’s word is passed on', async () => {
	const error = await open(`/${'x'.repeat(5000)}`).catch((e) => e);
	assert.equal(error.code, 'ESYS');
	assert.equal(error.sys, 'ENAMETOOLONG');
	await assert.rejects(dump(place()), { code: 'ENOTFOUND' });
});

test('damage is found by who reads, and told by verify', async () => {
	const { path, store: s } = await store();
	await s.publish(doc('a', '1'));
	await s.close();
	const objects = join(path, 'objects');
	const name = readdirSync(objects, { recursive: true }).find((n) =>
		String(n).length > 60) ?? readdirSync(objects).map((d) =>
		join(d, readdirSync(join(objects, d))[0]))[0];
	const file = join(objects, name);
	const bytes = readFileSync(file);
	bytes[0] ^= 1;
	chmodSync(file, 0o600);
	writeFileSync(file, bytes);
	const again = await open(path);
	await assert.rejects(again.get('a'), { code: 'ECORRUPT' });
	const { ok, damages } = await again.verify();
	assert.equal(ok, false);
	assert.equal(damages.length, 1);
	assert.match(damages[0].path, /^objects\//);
	assert.match(damages[0].rule, /^F-\d+$/);
	assert.ok(damages[0].text);
	await again.close();
});

test('notices come to who listens', async () => {
	const { path, store: w } = await store();
	await w.publish(doc('a', '1'));
	await w.close();
	const local = join(path, 'local');
	for (const name of readdirSync(local).filter((n) => /^index-\d/.test(n)))
		writeFileSync(join(local, name, 'data.mdb'), 'no index');
	const notices = [];
	const s = await open(path, { onNotice: (text) => notices.push(text) });
	assert.equal((await s.get('a')).version, '1');
	assert.ok(notices.some((text) => /index/.test(text)), String(notices));
	await s.close();
});
