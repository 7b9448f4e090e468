// node.mjs - the package service of pakhus beside the one that it replaces,
// from JavaScript: what a runtime of ObjectStack waits for.
//
// usage: node node.mjs DIR [PACKAGES]
//
// PAKHUS_NODE is the built npm package; SERVICE a directory with the original,
// ObjectStack's data engine and its SQL driver below node_modules. DIR is on
// the disk that is to be measured. PACKAGES (20,000; 0: none) are how many a
// start finds.
//
// The original runs as the program `os` runs it: on ObjectQL, with its driver
// for better-sqlite3, which sets WAL; there what was published last is lost
// with the power. Rows that say so have SQLite sync at every commit, as pakhus
// does in all. In turns, in blocks, and the first one of a block is the other
// one each time; a rate is work over the sum of all times, so that who is slow
// now and then is slow.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { made } from '../node/packages.mjs';
import { ours, published, sqlite, start } from '../node/plugin.mjs';

const [dir, packages = '20000'] = process.argv.slice(2);
const BLOCK = 25, ROUNDS = 12; // calls of one kind, and how often
const SIZE = 75000, IDS = 10;
const many = BLOCK * ROUNDS;

if (!dir) {
	console.error('usage: node node.mjs DIR [PACKAGES]');
	process.exit(2);
}
rmSync(dir, { recursive: true, force: true });
mkdirSync(dir, { recursive: true });

// ---- the two ----

async function original(file, synchronous) {
	const { ObjectQL } = await published('@objectstack/objectql');
	const { SqlDriver } = await published('@objectstack/driver-sql');
	const { PackageServicePlugin } =
		await published('@objectstack/service-package');
	const driver = new SqlDriver({ client: 'better-sqlite3',
		connection: { filename: file }, useNullAsDefault: true });
	const engine = new ObjectQL({ logger: { debug() {}, info() {},
		warn() {}, error: console.error } });

	await driver.connect();
	engine.registerDriver(driver, true);
	if (synchronous)
		await engine.execute({ sql: `PRAGMA synchronous = ${synchronous}` });
	const { service } = await start(PackageServicePlugin, undefined,
		{ execute: (command) => engine.execute(command) });
	return { ...service, stop: () => driver.disconnect(),
		async getText(id, version) {
			const { manifest, metadata } =
				await service.get(id, version);
			return { document: JSON.stringify(
				{ manifest, metadata }) };
		} };
}

async function pakhus(path) {
	const { PackageServicePlugin } = await ours('plugin.mjs');
	const { service, stop } = await start(PackageServicePlugin, { path });
	return { ...service, stop };
}

// ---- measuring ----

const us = () => Number(process.hrtime.bigint()) / 1e3;

// { name: [µs of each call] } of calls that are made in turns.
async function measure(peers, call, clients = 1) {
	const took = Object.fromEntries(Object.keys(peers).map((n) => [n, []]));
	let wall = Object.fromEntries(Object.keys(peers).map((n) => [n, 0]));
	for (let round = 0; round < ROUNDS; round++) {
		const order = Object.entries(peers);
		if (round % 2)
			order.reverse();
		for (const [name, peer] of order) {
			const begun = us();
			let next = 0;
			const client = async () => {
				while (next < BLOCK) {
					const i = round * BLOCK + next++;
					const before = us();
					await call(peer, i);
					took[name].push(us() - before);
				}
			};
			await Promise.all(Array.from({ length: clients }, client));
			wall[name] += us() - begun;
		}
	}
	return { took, wall };
}

const rows = [];
function report(work, { took, wall }, target) {
	const median = (all) => all.toSorted((a, b) => a - b)[all.length >> 1];
	const rate = (name) => 1e6 * took[name].length / wall[name];
	const ratio = rate('pakhus') / rate('service-package');
	const met = target === undefined ? '' : ratio >= target ?
		`met (${target})` : `not met (${target})`;
	rows.push([work, median(took['service-package']).toFixed(0),
		median(took.pakhus).toFixed(0), rate('service-package').toFixed(0),
		rate('pakhus').toFixed(0), ratio.toFixed(2), met]);
	if (target !== undefined && ratio < target)
		missed = true;
}
let missed = false;

function print(head, lines) {
	const width = head.map((h, i) => Math.max(h.length,
		...lines.map((line) => line[i].length)));
	for (const line of [head, ...lines])
		console.log(line.map((cell, i) => i ? cell.padStart(width[i]) :
			cell.padEnd(width[i])).join('  '));
}

// ---- works ----

const documents = Array.from({ length: many + 1 },
	(_, i) => made(i % IDS, Math.trunc(i / IDS), SIZE));
const nameOf = (i) => {
	const { id, version } = documents[(i * 7919) % many].manifest;
	return [id, version];
};

const peers = {
	'service-package': await original(join(dir, 'full.db'), 'FULL'),
	pakhus: await pakhus(join(dir, 'store')),
};
report('publish, both durable', await measure(peers,
	(peer, i) => peer.publish(documents[i])));
for (const peer of Object.values(peers)) // the same for both: what comes next
	await peer.get(...nameOf(0));
await peers.pakhus.store.sync();

// From what each has at hand: as large as its cache may be.
const few = (i) => nameOf(i % 100);
for (let i = 0; i < 100; i++)
	for (const peer of Object.values(peers))
		await peer.get(...few(i));
report('get, pinned, as objects', await measure(peers,
	(peer, i) => peer.get(...few(i))), 1.3);
report('get, pinned, as text', await measure(peers,
	(peer, i) => peer.getText(...few(i))), 4);
const cold = { ...peers, pakhus: await pakhusWithoutCache() };
report('get as objects, nothing decoded', await measure(cold,
	(peer, i) => peer.get(...nameOf(i))));
report('... by 8 at once', await measure(cold,
	(peer, i) => peer.get(...nameOf(i)), 8));
report('get as text, nothing decoded', await measure(cold,
	(peer, i) => peer.getText(...nameOf(i))));
await cold.pakhus.stop();

async function pakhusWithoutCache() {
	const { PackageServicePlugin } = await ours('plugin.mjs');
	const { service, stop } = await start(PackageServicePlugin, {
		path: join(dir, 'store'), store: { cacheSize: 1 } });
	return { ...service, stop };
}

const asItComes = { 'service-package':
	await original(join(dir, 'normal.db')), pakhus: peers.pakhus };
const anew = (major) => (peer, i) => peer.publish({
	manifest: { ...documents[i].manifest, version: `${major}.${i}.0` },
	metadata: documents[i].metadata });
// Journals take 64 MiB; each begins with empty ones.
const rested = async (row, those, call, clients, target) => {
	await peers.pakhus.store.sync();
	report(row, await measure(those, call, clients), target);
};
await rested('publish, both durable, 8 at once', peers, anew(2), 8);
await rested('durable publish', asItComes, anew(3), 1, 1.3);
await rested('durable publish, 8 at once', asItComes, anew(4), 8, 1.3);
await asItComes['service-package'].stop();
for (const peer of Object.values(peers))
	await peer.stop();
console.log(`documents of ${Math.round(JSON.stringify(documents[0]).length /
	1000)} KB, ${many} calls each; microseconds are medians\n`);
print(['', 'original us', 'pakhus us', 'original/s', 'pakhus/s', 'ratio',
	'target'], rows);

// ---- a start ----

function boot(which, path, heap) {
	const run = spawnSync(process.execPath, ['--no-warnings',
		...heap ? [`--max-old-space-size=${heap}`] : [],
		fileURLToPath(new URL('../node/boot.mjs', import.meta.url)),
		which, path], { encoding: 'utf8' });
	return run.status === 0 ? JSON.parse(run.stdout) : null;
}

function* all(n) {
	for (let p = 0; p < n; p++)
		yield made(p, 0, SIZE);
}

async function boots(n) {
	const path = join(dir, 'many'), file = join(dir, 'many.db');
	const { open } = await ours('index.mjs');
	const store = await open(path, { create: true, level: 1, threads: 2 });
	await store.publishAll(all(n));
	await store.close();

	const { PackageServicePlugin } =
		await published('@objectstack/service-package');
	const database = await sqlite(file);
	database.db.exec('PRAGMA journal_mode = WAL');
	const { service } = await start(PackageServicePlugin, undefined, database);
	database.db.exec('BEGIN');
	for (const document of all(n))
		await service.publish(document);
	database.db.exec('COMMIT');
	database.db.close();

	console.log(`\na start with ${n} packages, Node's default heap\n`);
	const line = (which, at) => {
		const got = boot(which, at);
		if (which === 'ours' && (got?.installed !== n || got.rss > 300))
			missed = true;
		return [which === 'ours' ? 'pakhus' : 'original', ...got ?
			[String(got.installed), `${(got.ms / 1000).toFixed(1)} s`,
				`${got.rss} MB`] : ['-', 'out of memory', '-']];
	};
	print(['', 'installed', 'took', 'memory'],
		[line('ours', path), line('original', file)]);
}

if (Number(packages))
	await boots(Number(packages));
rmSync(dir, { recursive: true, force: true });
process.exit(missed ? 1 : 0);
