// plugin_boot.mjs - a start holds manifests in memory, and no documents: it
// gets by with less memory than all of them take. The original does not.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { made } from './packages.mjs';
import { ours, published, scratch, sqlite, start } from './plugin.mjs';

const PACKAGES = 2000, SIZE = 75000, HEAP = 64; // packages, bytes, MB

const boot = (which, path) => spawnSync(process.execPath,
	[`--max-old-space-size=${HEAP}`, '--no-warnings',
		fileURLToPath(new URL('boot.mjs', import.meta.url)), which, path],
	{ encoding: 'utf8' });

function* documents() {
	for (let p = 0; p < PACKAGES; p++)
		yield made(p, 0, SIZE);
}

test('they take more than that', () => {
	const size = JSON.stringify(made(0, 0, SIZE)).length;
	assert.ok(size > 0.8 * SIZE && size < 1.2 * SIZE, `${size} bytes`);
	assert.ok(PACKAGES * size > 2 * HEAP * 1e6);
});

test('ours starts', async () => {
	const { open } = await ours('index.mjs');
	const path = join(scratch(), 'store');
	const store = await open(path, { create: true, level: 1 });
	await store.publishAll(documents());
	await store.close();
	const run = boot('ours', path);
	assert.equal(run.status, 0, run.stderr);
	assert.equal(JSON.parse(run.stdout).installed, PACKAGES);
});

test('the original does not', { skip: !process.env.SERVICE &&
	'npm could not be reached' }, async () => {
	const { PackageServicePlugin } =
		await published('@objectstack/service-package');
	const file = join(scratch(), 'database');
	const database = await sqlite(file);
	database.db.exec('PRAGMA journal_mode = WAL');
	const { service } = await start(PackageServicePlugin, undefined, database);
	database.db.exec('BEGIN');
	for (const document of documents())
		await service.publish(document);
	database.db.exec('COMMIT');
	database.db.close();
	const run = boot('original', file);
	assert.match(run.stderr, /heap out of memory/);
});
