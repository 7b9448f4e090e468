// api.mjs - every call, with what it gives.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { test } from 'node:test';
import * as pakhus from 'pakhus';
import { doc, place, store, texts } from './common.mjs';

const sha = (text) => createHash('sha256').update(text).digest('hex');

test('what is published is read back, as objects and as texts', async () => {
	const { store: s } = await store();
	const before = Date.now() * 1000;
	const d = doc('com.acme.crm', '1.0.0', { name: 'CRM' },
		{ objects: [{ name: 'account' }] });
	const record = await s.publish(d, { by: 'me' });
	const text = JSON.stringify(d);
	assert.equal(record.id, 'com.acme.crm');
	assert.equal(record.version, '1.0.0');
	assert.equal(record.hash, sha(text));
	assert.equal(record.manifestSize, JSON.stringify(d.manifest).length);
	assert.equal(record.metadataSize, JSON.stringify(d.metadata).length);
	assert.match(record.created_at, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
	assert.ok(record.createdUs >= before - 1e6 &&
		Number.isSafeInteger(record.createdUs));
	assert.equal(record.seq, 1);
	assert.equal(record.place, 1);
	assert.deepEqual(await s.get('com.acme.crm'), { ...record, ...d });
	assert.deepEqual(await s.get('com.acme.crm', 'latest'),
		{ ...record, ...d });
	assert.deepEqual(await s.getText('com.acme.crm', '1.0.0'), {
		...record, manifest: JSON.stringify(d.manifest),
		metadata: JSON.stringify(d.metadata), document: text,
	});
	assert.equal(await s.read(record.hash), text);
	assert.deepEqual(await s.getAt(1), { ...record, ...d });
	assert.equal((await s.getTextAt(1)).document, text);
	await s.close();
});

test('what is not there is null', async () => {
	const { store: s } = await store();
	assert.equal(await s.get('a'), null);
	assert.equal(await s.getText('a', '1'), null);
	assert.equal(await s.getAt(0), null);
	assert.equal(await s.getAt(99), null);
	assert.equal(await s.getTextAt(99), null);
	assert.equal(await s.read('0'.repeat(64)), null);
	assert.deepEqual((await s.versions('a')).items, []);
	assert.equal(await s.delete('a'), 0);
	await s.close();
});

test('a document is an object, a text, or bytes', async () => {
	const { store: s } = await store();
	const d = doc('a', '1');
	const one = await s.publish(d);
	const same = [JSON.stringify(d), JSON.stringify(d, null, 2),
		Buffer.from(JSON.stringify(d)),
		new TextEncoder().encode(JSON.stringify(d))];
	for (const form of same) {
		assert.equal((await s.publish(form)).hash, one.hash);
		assert.equal(await pakhus.hash(form), one.hash);
		await pakhus.check(form);
	}
	// a build artifact: metadata is what stands beside the manifest
	await s.publish({ manifest: { id: 'a', version: '2' }, objects: [] });
	assert.deepEqual((await s.get('a')).metadata, { objects: [] });
	await s.close();
});

test('bytes may change as soon as publish has been called', async () => {
	const { store: s } = await store();
	const bytes = Buffer.from(JSON.stringify(doc('a', '1')));
	const hash = sha(bytes);
	const going = s.publish(bytes);
	bytes.fill(0);
	assert.equal((await going).hash, hash);
	await s.close();
});

test('all of Unicode comes back as it was', async () => {
	const { store: s } = await store();
	const names = ['', 'plain', 'a\u0080\u00ff', 'Grüße', 'naïve café'.repeat(
		9), 'Ā', '\u07ff\u0800\uffff', '日本語', 'a😀b\u{10ffff}',
	'😀'.repeat(50), 'é日😀', '\u0000\u001f\u007f\u2028"\\'];
	for (const [i, name] of names.entries()) {
		const d = doc('u', String(i), { name }, { [`k${name}`]: [name] });
		await s.publish(d);
		const { manifest, metadata } = await s.get('u', String(i));
		assert.deepEqual({ manifest, metadata }, d);
		const { document } = await s.getText('u', String(i));
		assert.equal(document, JSON.stringify(d));
	}
	await s.publish(doc('ü日😀', 'ä😀'));
	assert.equal((await s.get('ü日😀', 'ä😀')).id, 'ü日😀');
	await s.close();
});

test('keys that JavaScript knows are keys like others', async () => {
	const { store: s } = await store();
	await s.publish('{"manifest":{"id":"a","version":"1","__proto__":' +
		'{"x":1},"constructor":2},"metadata":{"toString":3}}');
	const { manifest, metadata } = await s.get('a');
	assert.ok(Object.hasOwn(manifest, '__proto__'));
	assert.equal(manifest.x, undefined);
	assert.equal(manifest.constructor, 2);
	assert.equal(metadata.toString, 3);
	await s.close();
});

test('the latest is the one inserted last, and keeps its place', async () => {
	const { store: s } = await store();
	for (const v of ['2.0.0', '1.0.1', '2.0.0'])
		await s.publish(doc('a', v, { at: v }));
	const latest = await s.get('a');
	assert.equal(latest.version, '1.0.1');
	const again = await s.get('a', '2.0.0');
	assert.equal(again.place, 1);
	assert.equal(again.seq, 3);
	await s.close();
});

test('pages and iterators give the same, newest first', async () => {
	const { store: s } = await store();
	const ids = Array.from({ length: 7 }, (_, i) => `p${i}`);
	for (const id of ids)
		for (const v of ['1', '2'])
			await s.publish(doc(id, v));
	const newest = [...ids].reverse();
	const first = await s.list({ limit: 3 });
	assert.deepEqual(first.items.map((p) => p.id), newest.slice(0, 3));
	assert.equal(first.position, 15);
	assert.deepEqual(first.items[0].manifest, { id: 'p6', version: '2' });
	assert.ok(!('metadata' in first.items[0]));
	const second = await s.list({ limit: 3, before: first.next });
	assert.deepEqual(second.items.map((p) => p.id), newest.slice(3, 6));
	const third = await s.list({ limit: 3, before: second.next });
	assert.equal(third.next, 0);
	assert.deepEqual((await texts(s.eachPackage({ limit: 2 }))).map(
		(p) => p.id), newest);
	assert.deepEqual((await s.list({ documents: true })).items[0].metadata,
		{});
	assert.equal((await s.listText({ documents: true })).items[0].document,
		JSON.stringify(doc('p6', '2')));
	assert.equal((await s.listText()).items[0].manifest,
		JSON.stringify(doc('p6', '2').manifest));
	assert.deepEqual((await texts(s.eachVersion('p3', { limit: 1 }))).map(
		(v) => v.version), ['2', '1']);
	const entries = await texts(s.eachEntry(null, { limit: 4 }));
	assert.deepEqual(entries.map((e) => e.seq),
		Array.from({ length: 15 }, (_, i) => 14 - i));
	assert.equal(entries.at(-1).op, 'key');
	assert.deepEqual((await texts(s.eachEntry('p0', { limit: 1 }))).map(
		(e) => [e.op, e.version]), [['publish', '2'], ['publish', '1']]);
	await s.close();
});

test('delete takes a version or all, and the log tells', async () => {
	const { store: s } = await store();
	for (const v of ['1', '2', '3'])
		await s.publish(doc('a', v), { by: 'ann' });
	assert.equal(await s.delete('a', '2', { by: 'bob' }), 1);
	assert.equal(await s.get('a', '2'), null);
	assert.deepEqual((await s.getAt(2)).manifest, { id: 'a', version: '2' });
	assert.equal(await s.delete('a'), 2);
	assert.equal(await s.get('a'), null);
	const { items } = await s.history('a');
	assert.deepEqual(items.map((e) => [e.op, e.version, e.by]), [
		['delete', '3', ''], ['delete', '1', ''], ['delete', '2', 'bob'],
		['publish', '3', 'ann'], ['publish', '2', 'ann'],
		['publish', '1', 'ann']]);
	await s.close();
});

test('purged texts are gone, with a reason in the log', async () => {
	const { store: s } = await store();
	await s.publish(doc('a', '1', { secret: 1 }));
	const { seq } = await s.publish(doc('a', '1', { secret: 2 }));
	const one = await s.purge('a', '1', 'a secret', { seq, by: 'law' });
	assert.equal(one.texts, 1);
	const rest = await s.purge('a', '1', 'another');
	assert.equal(rest.texts, 1);
	assert.equal(await s.getAt(1), null);
	assert.equal((await s.history('a')).items[0].reason, 'another');
	await assert.rejects(s.publish(doc('a', '1', { secret: 1 })),
		{ code: 'ECONFLICT' });
	await s.close();
});

test('publishAll takes what iterates, and many at once', async () => {
	const { store: s } = await store();
	const many = Array.from({ length: 500 }, (_, i) =>
		doc('many', String(i)));
	assert.deepEqual(await s.publishAll(many), { count: 500 });
	assert.deepEqual(await s.publishAll((async function* () {
		yield doc('b', '1');
		yield JSON.stringify(doc('b', '2'));
	})(), { by: 'it' }), { count: 2 });
	assert.deepEqual(await s.publishAll([]), { count: 0 });
	assert.equal((await texts(s.eachVersion('many'))).length, 500);
	assert.equal((await s.history('b')).items[0].by, 'it');
	await s.close();
});

test('publishAll loses no line that comes before it looks', async () => {
	const { store: s } = await store();
	for (let i = 0; i < 20; i++) {
		const lines = createInterface({ input: Readable.from(
			[1, 2, 3].map((n) =>
				`${JSON.stringify(doc(`l${i}`, String(n)))}\n`)) });
		assert.deepEqual(await s.publishAll(lines), { count: 3 });
	}
	await s.close();
	await assert.rejects(s.publishAll([doc('a', '1')]), { code: 'EINVAL' });
	await assert.rejects(s.publishAll(), TypeError);
});

test('what publishAll cannot take leaves nothing of its step', async () => {
	const { store: s } = await store();
	await assert.rejects(s.publishAll([doc('a', '1'), doc('a', '2'), {}]),
		{ code: 'EINVAL', index: 2, durable: 0 });
	await assert.rejects(s.publishAll([doc('a', '1'), undefined]),
		{ code: 'EINVAL', index: 1, durable: 0 });
	await assert.rejects(s.publishAll((function* () {
		yield doc('a', '1');
		throw new RangeError('enough');
	})()), RangeError);
	assert.equal((await s.stat()).versions, 0);
	await s.close();
});

test('a batch goes on after what was refused', async () => {
	const { store: s } = await store();
	const batch = await s.batch();
	const all = await Promise.allSettled([batch.publish(doc('a', '1')),
		batch.publish({}), batch.publish(doc('a', '2'))]);
	assert.deepEqual(all.map((one) => one.status),
		['fulfilled', 'rejected', 'fulfilled']);
	assert.equal(all[1].reason.index, 1);
	assert.equal(batch.durable, 0);
	await batch.commit();
	assert.equal(batch.durable, 2);
	await batch.publish(doc('a', '3'));
	await batch.drop();
	await batch.drop();
	await assert.rejects(async () => batch.commit(), { code: 'EINVAL' });
	assert.equal((await s.stat()).versions, 2);
	await s.close();
});

test('stat, sync, checkpoint and verify tell of the tree', async () => {
	const { path, store: s } = await store({ syncAfter: 0 });
	await s.publish(doc('a', '1'));
	const before = await s.stat();
	assert.equal(before.entries, 2);
	assert.equal(before.checkpoint, 1);
	assert.equal(before.objects, undefined);
	assert.equal(before.writable, true);
	await s.sync();
	const after = await s.stat({ objects: true });
	assert.equal(after.checkpoint, 2);
	assert.equal(after.objects, 1);
	assert.match(await s.checkpoint(), new RegExp(`^${
		after.origin.replaceAll('.', '\\.')}\n2\n`));
	assert.notEqual(await s.checkpoint({ renew: true }),
		await s.checkpoint({ renew: true }));
	for (const options of [undefined, { files: true }, { index: true },
		{ quick: true }]) {
		const { ok, damages } = await s.verify(options);
		assert.deepEqual([ok, damages], [true, []]);
	}
	assert.match(await pakhus.dump(join(path, 'FORMAT')), /pakhus/);
	assert.match(await pakhus.dump(pathToFileURL(join(path, 'FORMAT'))),
		/pakhus/);
	await s.refreshPkg();
	assert.ok(readdirSync(join(path, 'pkg')).length);
	await s.close();
});

test('gc frees what was deleted, once it has waited', async () => {
	const { store: s, path } = await store();
	const { hash } = await s.publish(doc('a', '1'));
	await s.publish(doc('b', '1'));
	await s.delete('a');
	const first = await s.gc({ garbage: true });
	assert.equal(first.waiting, 1);
	assert.equal(first.garbage[0].hash, hash);
	assert.equal(first.garbage[0].id, 'a');
	assert.equal(first.garbage[0].isFreed, false);
	assert.equal((await s.gc({ grace: 0, dryRun: true })).freed, 1);
	const freed = await s.gc({ grace: 0 });
	assert.equal(freed.freed, 1);
	assert.ok(!('garbage' in freed));
	await s.close();
	const again = await pakhus.open(path); // that has cached nothing
	assert.equal(await again.read(hash), null);
	assert.equal(await again.getAt(1), null);
	await again.close();
});

test('what is said of a package or a version is read back', async () => {
	const { store: s } = await store();
	assert.equal(await s.attrs('a'), null);
	const seq = await s.setAttrs('a', null, { name: 'Ä', n: 1 },
		{ by: 'ann' });
	assert.equal(seq, 1);
	const { hash, time, timeUs, ...said } = await s.attrs('a');
	assert.deepEqual(said, { id: 'a', version: '', seq: 1, by: 'ann',
		attrs: { name: 'Ä', n: 1 } });
	assert.match(hash, /^[0-9a-f]{64}$/);
	assert.ok(time && timeUs);
	await assert.rejects(s.setAttrs('a', '1', {}), { code: 'ENOTFOUND' });
	await assert.rejects(s.setAttrs('a', null, []), { code: 'EINVAL' });
	const batch = await s.batch({ by: 'bob' });
	await Promise.all([batch.publish(doc('a', '1')),
		batch.setAttrs('a', '1', '{ "x": 1 }'),
		assert.rejects(batch.setAttrs('a', '9', {}),
			{ code: 'ENOTFOUND', durable: 0 })]);
	await batch.commit();
	assert.equal(batch.durable, 2);
	assert.equal((await s.attrsText('a', '1')).attrs, '{"x":1}');
	assert.deepEqual((await s.history('a')).items.map((e) =>
		[e.op, e.version, e.attrsSize > 0]), [['attrs', '1', true],
		['publish', '1', false], ['attrs', '', true]]);
	await s.setAttrs('a', null, {});
	assert.equal(await s.attrs('a'), null);
	await s.close();
});

test('a publish or a delete may be over one content alone', async () => {
	const { store: s } = await store();
	const { seq } = await s.publish(doc('a', '1'), { over: 0 });
	await assert.rejects(s.publish(doc('a', '1', { x: 1 }), { over: 0 }),
		{ code: 'ESTALE', status: -14 });
	const next = await s.publish(doc('a', '1', { x: 1 }), { over: seq });
	await assert.rejects(s.delete('a', '1', { over: seq }),
		{ code: 'ESTALE' });
	await assert.rejects(s.delete('a', null, { over: seq }), TypeError);
	await assert.rejects(s.publish('{', { over: 0 }), { code: 'EINVAL' });
	assert.equal(await s.delete('a', '1', { over: next.seq }), 1);
	assert.equal(await s.find('a', '1'), null);
	await s.close();
});

test('who serves a store reads records, artifacts and files', async () => {
	const { store: s } = await store();
	const record = await s.publish(doc('a', '1', {}, { objects: ['é😀'] }));
	assert.deepEqual(await s.find('a'), record);
	const { text, hash } = await s.artifact('a', '1');
	assert.equal(text, '{"manifest":{"id":"a","version":"1"},' +
		'"objects":["é😀"]}');
	assert.equal(hash, sha(text));
	assert.equal(await s.artifact('b'), null);
	await s.sync();
	const { fd, size, isImmutable } = await s.openFile('log/checkpoint');
	assert.equal(fstatSync(fd).size, size);
	assert.equal(isImmutable, false);
	assert.equal(readFileSync(fd, 'utf8'), await s.checkpoint());
	closeSync(fd);
	assert.equal(await s.openFile(`objects/00/${'0'.repeat(62)}`), null);
	for (const name of ['local/key', '../x', '/etc/passwd', ''])
		await assert.rejects(s.openFile(name), { code: 'EINVAL' });
	await s.close();
});

test('keys rotate, and proofs hold for who has the key', async () => {
	const { store: s } = await store();
	await s.publish(doc('a', '1'));
	const [old] = await s.keys();
	const proof = await s.prove('a');
	const proven = await pakhus.checkProof(proof, old.key);
	assert.equal(proven.entry.id, 'a');
	assert.equal(proven.entry.seq, 1);
	assert.equal(proven.origin, (await s.stat()).origin);
	assert.deepEqual((await pakhus.checkProof(
		Buffer.from(await s.proveAt(1)), old.key)).entry, proven.entry);
	const next = await s.rotate({ by: 'ann' });
	assert.deepEqual((await s.keys()).map((k) => k.key),
		[old.key, next.key]);
	assert.equal(next.by, 'ann');
	await assert.rejects(pakhus.checkProof(proof, next.key),
		{ code: 'ECORRUPT' });
	await s.close();
});

test('init makes a store as asked', async () => {
	const path = place();
	await pakhus.init(path, { origin: 'example.org/x', immutable: true,
		by: 'ann' });
	await assert.rejects(pakhus.init(path), { code: 'ECONFLICT' });
	const s = await pakhus.open(path);
	const stat = await s.stat();
	assert.equal(stat.origin, 'example.org/x');
	assert.equal(stat.immutable, true);
	await s.close();
});

test('a file URL is a path', async () => {
	const path = place();
	const s = await pakhus.open(pathToFileURL(path), { create: true });
	await s.close();
	assert.ok(readdirSync(path).includes('FORMAT'));
});

test('the version is that of the package', () => {
	assert.equal(pakhus.version, JSON.parse(readFileSync(new URL(
		'node_modules/pakhus/package.json', import.meta.url))).version);
});
