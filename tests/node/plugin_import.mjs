// plugin_import.mjs - packages out of sys_packages.
import test from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { ours, pkg, published, scratch, sqlite, start, thrown }
	from './plugin.mjs';

const { PackageServicePlugin } = await ours('plugin.mjs');

const row = (id, version, created, more = {}) => {
	const { manifest, metadata } = pkg(id, version, more);
	return { id, version, manifest: JSON.stringify(manifest),
		metadata: JSON.stringify(metadata),
		hash: createHash('sha256').update(
			JSON.stringify({ manifest, metadata })).digest('hex'),
		created_at: created, updated_at: created };
};

// The table, as a driver that gives its rows in `shape`; it knows the two
// questions that are asked, and how many rows it gave at most.
class Table {
	most = 0;
	asked = 0;
	constructor(rows, shape = (found) => found) {
		this.rows = rows;
		this.shape = shape;
	}
	execute = async ({ sql, args = [] }) => {
		const found = sql.startsWith('SELECT manifest') ?
			[this.named(...args)].filter(Boolean) :
			this.keys(sql, args);
		this.most = Math.max(this.most, found.length);
		this.asked++;
		return this.shape(found);
	};
	named(id, version) {
		this.byName ??= new Map();
		if (this.byName.size !== this.rows.length)
			this.byName = new Map(this.rows.map((r) =>
				[`${r.id}@${r.version}`, r]));
		return this.byName.get(`${id}@${version}`);
	}
	keys(sql, [created, , id, , version]) {
		const key = (r) => [r.created ?? r.created_at ?? '', r.id, r.version];
		const after = (a, b) => {
			const i = a.findIndex((x, j) => x !== b[j]);
			return i >= 0 && a[i] > b[i];
		};
		assert.match(sql, /ORDER BY COALESCE\(created_at, ''\), id, version/);
		return this.rows
			.map((r) => ({ id: r.id, version: r.version,
				hash: r.hash, created: r.created_at ?? '' }))
			.sort((a, b) => after(key(a), key(b)) ? 1 : -1)
			.filter((r) => created === undefined ||
				after(key(r), [created, id, version]))
			.slice(0, Number(/LIMIT (\d+)/.exec(sql)?.[1]));
	}
}

async function begin(t, objectql, options) {
	const now = await start(PackageServicePlugin,
		{ path: join(scratch(), 'store'), ...options }, objectql);
	t.after(() => now.stop());
	return now;
}

test('an import keeps the order, and what was latest latest', async (t) => {
	const table = new Table([
		row('a', '2.0.0', '2026-01-02 00:00:00'),
		row('a', '1.0.1', '2026-01-03 00:00:00'),
		row('a', '1.0.0', '2026-01-01 00:00:00'),
		row('b', '1.0.0', '2026-01-05 00:00:00'),
		row('c', '1.0.0', '2026-01-04 00:00:00'),
		row('d', '1.0.0', null),
		// in one second: in the order of versions
		row('e', '1.10.0', '2026-01-06 00:00:00'),
		row('e', '1.9.0', '2026-01-06 00:00:00'),
		row('e', '1.10.0-rc.2', '2026-01-06 00:00:00'),
	]);
	const { service, log } = await begin(t);
	assert.deepEqual(await service.importFrom(table),
		{ imported: 9, same: 0, bad: [] });
	assert.deepEqual((await service.list()).map(
		(p) => `${p.id}@${p.version}`), ['e@1.10.0', 'b@1.0.0',
		'c@1.0.0', 'a@1.0.1', 'd@1.0.0']);
	for (const r of table.rows)
		assert.equal((await service.get(r.id, r.version)).hash, r.hash);
	assert.equal(log.of('info').at(-1), 'Imported 9 version(s) from ' +
		'sys_packages, 0 were here, 0 cannot be');
});

test('a second import brings nothing, and undoes nothing', async (t) => {
	const table = new Table([row('a', '1.0.0', '1'), row('a', '1.1.0', '2'),
		row('b', '1.0.0', '3'), row('c', '1.0.0', '4')]);
	const { service } = await begin(t);
	await service.importFrom(table);
	const before = await service.store.stat();
	assert.deepEqual(await service.importFrom(table),
		{ imported: 0, same: 4, bad: [] });
	assert.equal((await service.store.stat()).entries, before.entries);
	await service.delete('b');
	await service.publish(pkg('c', '1.0.0', { name: 'newer' }));
	assert.deepEqual(await service.importFrom(table),
		{ imported: 0, same: 4, bad: [] });
	assert.equal(await service.get('b'), null);
	assert.equal((await service.get('c')).manifest.name, 'newer');
	// what is new there comes
	table.rows.push(row('b', '2.0.0', '5'));
	Object.assign(table.rows[0], row('a', '1.0.0', '1', { name: 'edited' }));
	assert.deepEqual(await service.importFrom(table),
		{ imported: 2, same: 3, bad: [] });
	assert.equal((await service.get('a', '1.0.0')).manifest.name, 'edited');
	assert.equal((await service.get('a')).version, '1.1.0');
});

test('every shape of rows is read, and none is told', async (t) => {
	for (const shape of [(r) => ({ rows: r }), (r) => [r, [{ name: 'id' }]],
		(rows) => rows.map((r) => ({ ...r,
			...r.manifest && { manifest: JSON.parse(r.manifest),
				metadata: JSON.parse(r.metadata) } }))]) {
		const { service } = await begin(t);
		assert.equal((await service.importFrom(new Table(
			[row('a', '1', '1')], shape))).imported, 1);
		assert.equal((await service.get('a')).version, '1');
		assert.deepEqual(await service.importFrom(new Table([], shape)),
			{ imported: 0, same: 0, bad: [] });
	}
	const { service } = await begin(t);
	for (const nothing of [null, undefined, 'SELECT', {}, { rows: null }]) {
		const error = await thrown(service.importFrom(
			{ execute: async () => nothing }));
		assert.deepEqual([error.status, error.code],
			[503, 'SERVICE_UNAVAILABLE']);
	}
	await assert.rejects(service.importFrom({}), /execute/);
	await assert.rejects(service.importFrom({ execute: async () => {
		throw new Error('no such table');
	} }), /no such table/);
});

test('bad rows are told one by one, and stop none', async (t) => {
	const bad = (id, version, what) =>
		({ ...row(id, version, '2'), ...what });
	const table = new Table([row('a', '1', '1'),
		bad('b', '1', { manifest: '{"id":"b"' }),
		bad('b', '2', { metadata: 'null' }),
		bad('b', '3', { manifest: JSON.stringify(pkg('x', '3').manifest) }),
		bad('b', '4', { metadata: null }),
		row('b\n', '5', '2'), row('c', '1', '3')]);
	const { service, log } = await begin(t);
	const done = await service.importFrom(table);
	assert.equal(done.imported, 2);
	assert.deepEqual(done.bad.map((b) => `${b.id}@${b.version}`),
		['b@1', 'b@2', 'b@3', 'b@4', 'b\n@5']);
	assert.match(done.bad[0].reason, /manifest is not JSON/);
	assert.match(done.bad[2].reason, /its manifest is that of x@3/);
	assert.equal(log.of('error').length, 5);
	assert.match(log.of('error')[0],
		/^Cannot import b@1 from sys_packages: its manifest is not JSON/);
	assert.deepEqual((await service.list()).map((p) => p.id), ['c', 'a']);
});

test('a text that is not the one of its hash comes, and is told', async (t) => {
	const table = new Table([{ ...row('a', '1', '1'), hash: '0'.repeat(64) }]);
	const { service, log } = await begin(t);
	assert.equal((await service.importFrom(table)).imported, 1);
	assert.deepEqual(log.of('warn'), ['Imported a@1, whose text is not ' +
		'the one of its hash']);
	assert.equal((await service.importFrom(table)).same, 1);
});

test('more rows than are asked for at a time all come', async (t) => {
	const rows = [];
	for (let i = 0; i < 12000; i++) // ties across the seams
		rows.push({ id: `p${i % 4000}`, version: `1.${i}.0`,
			hash: 'x', created_at: String(Math.trunc(i / 7000)),
			manifest: `{"id":"p${i % 4000}","version":"1.${i}.0"}`,
			metadata: '{}' });
	const table = new Table(rows);
	const { service } = await begin(t);
	assert.equal((await service.importFrom(table)).imported, 12000);
	assert.ok(table.most <= 5000);
	assert.equal((await service.store.stat()).versions, 12000);
	assert.equal((await service.get('p7')).version, '1.8007.0');
});

// ---- at boot ----

test('a start imports where it is told to', async (t) => {
	const table = new Table([row('a', '1', '1')]);
	for (const by of ['option', 'environment']) {
		if (by === 'environment')
			process.env.PAKHUS_IMPORT = '1';
		const { service } = await begin(t, table,
			by === 'option' ? { import: true } : {});
		delete process.env.PAKHUS_IMPORT;
		assert.equal((await service.get('a')).version, '1');
	}
	const { log } = await begin(t, { execute: async () => {
		throw new Error('no such table');
	} }, { import: true });
	assert.equal(log.last('error').message,
		'Failed to import packages from sys_packages');
});

test('a start says that there is something to import', async (t) => {
	const table = { execute: async () => [{ id: 'a' }] };
	const path = join(scratch(), 'store');
	const { log, service, stop } = await begin(t, table, { path });
	assert.match(log.of('warn')[0], /There are packages in sys_packages/);
	await service.publish(pkg('a', '1'));
	await stop();
	const again = await begin(t, table, { path });
	assert.deepEqual(again.log.of('warn'), []);
	for (const rows of [[], null, { rows: [] }]) {
		const quiet = await begin(t, { execute: async () => rows });
		assert.deepEqual(quiet.log.of('warn'), []);
	}
});

test("the original's table is imported", { skip: !process.env.SERVICE &&
	'npm could not be reached' }, async (t) => {
	const original = await published('@objectstack/service-package');
	const database = await sqlite();
	const { service: theirs } = await start(original.PackageServicePlugin,
		undefined, database);
	for (let i = 0; i < 300; i++)
		await theirs.publish(pkg(`p${i % 7}`, `1.${i}.0`));
	const { service } = await begin(t, database, { import: true });
	const all = database.db.prepare('SELECT * FROM sys_packages').all();
	assert.equal(all.length, 300);
	for (const r of all) {
		const got = await service.get(r.id, r.version);
		assert.equal(got.hash, r.hash);
		assert.equal(JSON.stringify(got.manifest), r.manifest);
		assert.equal(JSON.stringify(got.metadata), r.metadata);
	}
	assert.equal((await service.list()).length, 7);
});
