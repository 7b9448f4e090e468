// plugin_differences.mjs - where the package service does better than the
// original, and where `strict` does as the original does. What the original
// does is in plugin_original.mjs.
import test from 'node:test';
import assert from 'node:assert/strict';
import { chmodSync, cpSync, readFileSync, readdirSync, writeFileSync }
	from 'node:fs';
import { join } from 'node:path';
import { Registry, ours, pkg, scratch, start, thrown } from './plugin.mjs';

const { PackageServicePlugin, PACKAGE_PUBLISH_DRIVER_FAULT_MESSAGE,
	PACKAGE_SEAM_UNREADABLE_MESSAGE } = await ours('plugin.mjs');
const FAULT = { success: false,
	driverFault: { message: PACKAGE_PUBLISH_DRIVER_FAULT_MESSAGE } };

async function begin(t, options, objectql) {
	const path = join(scratch(), 'store');
	const now = await start(PackageServicePlugin, { path, ...options },
		objectql);
	t.after(() => now.stop());
	return { ...now, path };
}

const mistakes = {
	'nothing': undefined, 'no manifest': { metadata: {} },
	'no metadata': { manifest: pkg('a', '1').manifest },
	'left out by toJSON': { ...pkg('a', '1'),
		metadata: { toJSON: () => undefined } },
	'a function': { ...pkg('a', '1'), metadata() {} },
	'null': { manifest: null, metadata: {} },
	'no id': { manifest: { version: '1' }, metadata: {} },
	'an empty id': pkg('', '1'), 'a number': pkg('a', 5),
	'metadata in a list': { ...pkg('a', '1'), metadata: [] },
	'a control character': pkg('a\n', '1'),
	'half a character': pkg('a', '1', { name: '\ud800' }),
	'a big integer': pkg('a', '1', { n: 1n }),
	'a circle': (() => {
		const made = pkg('a', '1');
		made.metadata.self = made;
		return made;
	})(),
};

test('a mistake of who publishes is refused as one', async (t) => {
	const { service, log } = await begin(t);
	for (const [what, given] of Object.entries(mistakes)) {
		const error = await thrown(service.publish(given));
		assert.deepEqual([what, error.status, error.code],
			[what, 400, 'PACKAGE_MANIFEST_INVALID']);
		assert.equal(log.last('error').message,
			'Failed to publish package');
		assert.equal(log.last('error').rest[0], error);
	}
	assert.deepEqual(await service.list(), []);
});

test('strict: a mistake of who publishes is a driver fault', async (t) => {
	const { service } = await begin(t, { strict: true });
	for (const [what, given] of Object.entries(mistakes))
		assert.deepEqual([what, await service.publish(given)],
			[what, FAULT]);
});

test('what is too large, or frozen, is refused as that', async (t) => {
	const { service } = await begin(t, { store: { maxDocument: 1000 } });
	const error = await thrown(service.publish(
		pkg('a', '1', { name: 'x'.repeat(1000) })));
	assert.deepEqual([error.status, error.code],
		[400, 'PACKAGE_MANIFEST_INVALID']);
	assert.equal(error.cause.code, 'ELIMIT');
	const path = join(scratch(), 'frozen');
	const { init } = await ours('index.mjs');
	await init(path, { immutable: true });
	for (const strict of [false, true]) {
		const now = await start(PackageServicePlugin, { path, strict });
		await now.service.publish(pkg('a', '1'));
		const refused = await thrown(now.service.publish(
			pkg('a', '1', { name: 'other' })));
		assert.deepEqual([refused.status, refused.code],
			[409, 'RESOURCE_CONFLICT']);
		await now.stop();
	}
});

test('what can be no name is not there', async (t) => {
	const { service, log } = await begin(t);
	await service.publish(pkg('a', '1'));
	for (const name of [5, {}, ['a'], 'a\0', '\ud800', 'x'.repeat(300)]) {
		assert.equal(await service.get(name), null);
		assert.equal(await service.get('a', name), null);
	}
	assert.deepEqual(log.of('error'), []);
});

test('an empty version deletes nothing', async (t) => {
	const { service } = await begin(t);
	await service.publish(pkg('a', '1.0.0'));
	for (const args of [['a', ''], ['a', 'latest'], ['a', 0], ['a', []],
		[''], [], [null, '1.0.0']]) {
		const error = await thrown(service.delete(...args));
		assert.deepEqual([error.status, error.code],
			[400, 'VALIDATION_ERROR']);
	}
	assert.equal((await service.get('a')).version, '1.0.0');
	assert.deepEqual(await service.delete('a', null), { success: true });
	assert.equal(await service.get('a'), null);
});

test('strict: an empty version deletes all, "latest" none', async (t) => {
	const { service, log } = await begin(t, { strict: true });
	await service.publish(pkg('a', '1.0.0'));
	assert.deepEqual(await service.delete('a', 'latest'), { success: true });
	assert.equal((await service.get('a')).version, '1.0.0');
	assert.deepEqual(await service.delete('a', ''), { success: true });
	assert.equal(log.of('info').at(-1), 'Deleted package: a');
	assert.equal(await service.get('a'), null);
	assert.deepEqual(await service.delete(undefined), { success: false });
	assert.equal(log.last('error').message, 'Failed to delete package');
});

test('many versions in a second have one latest, the last', async (t) => {
	const { service } = await begin(t);
	for (const version of ['1.0.0', '2.0.0', '1.9.0'])
		await service.publish(pkg('a', version));
	assert.equal((await service.get('a')).version, '1.9.0');
	assert.deepEqual((await service.list()).map((p) => p.version),
		['1.9.0']);
});

test('without objectql it stores, and installs nothing', async (t) => {
	const path = join(scratch(), 'store');
	const { service, stop } = await start(PackageServicePlugin, { path },
		null);
	assert.deepEqual(await service.publish(pkg('a', '1')), { success: true });
	await stop();
});

// ---- where it is ----

test('the store is at path, $PAKHUS_STORE, or below here', async (t) => {
	const dir = scratch(), cwd = process.cwd();
	const at = (name) => readdirSync(join(dir, name)).includes('FORMAT');
	const run = async (options) =>
		(await start(PackageServicePlugin, options)).stop();
	process.chdir(dir);
	t.after(() => process.chdir(cwd));
	delete process.env.PAKHUS_STORE;
	await run();
	assert.ok(at('.objectstack/packages'));
	process.env.PAKHUS_STORE = join(dir, 'b/c');
	t.after(() => delete process.env.PAKHUS_STORE);
	await run();
	assert.ok(at('b/c'));
	await run({ path: 'd' });
	assert.ok(at('d'));
	await assert.rejects(run({ paht: 'd' }), /no option paht/);
});

test('a store that cannot be opened stops the start', async (t) => {
	const path = join(scratch(), 'file');
	writeFileSync(path, 'no store');
	for (const strict of [false, true]) {
		const error = await thrown(begin(t, { path, strict }));
		assert.equal(error.name, 'PakhusError');
	}
});

test('neither can one below a file', async (t) => {
	const file = join(scratch(), 'file');
	writeFileSync(file, '');
	const error = await thrown(begin(t, { path: join(file, 'a/b') }));
	assert.match(error.message, /ENOTDIR|EEXIST|Not a directory/);
});

test('what was there before the start stays', async (t) => {
	const { service, path, stop } = await begin(t);
	await service.publish(pkg('a', '1'));
	await stop();
	const again = await begin(t, { path });
	assert.equal((await again.service.get('a')).version, '1');
	await again.stop();
	await again.stop(); // and to stop twice is nothing
	const error = await thrown(again.service.get('a'));
	assert.equal(error.status, 503);
	assert.deepEqual(await again.service.publish(pkg('a', '2')), FAULT);
	assert.deepEqual(await again.service.delete('a'), { success: false });
});

// ---- faults ----

// As a mirror is, and a copy that was made without its key: also for root.
test('a store that is only read answers, and stores nothing', async (t) => {
	const first = await begin(t);
	await first.service.publish(pkg('a', '1'));
	await first.stop();
	const copy = join(scratch(), 'copy');
	cpSync(first.path, copy, { recursive: true,
		filter: (name) => name !== join(first.path, 'local') });
	for (const [path, strict, store] of [
		[first.path, false, { readonly: true, create: false }],
		[first.path, true, { readonly: true }], [copy, false, {}]]) {
		const { service, log } = await begin(t, { path, strict, store });
		assert.equal((await service.get('a')).version, '1');
		assert.deepEqual(await service.publish(pkg('b', '1')), FAULT);
		assert.equal(log.last('error').message,
			'Failed to publish package');
		assert.equal(log.last('error').rest[0].code, 'EDENIED');
		assert.deepEqual(await service.delete('a'), { success: false });
		assert.equal(log.last('error').message,
			'Failed to delete package');
		assert.equal((await service.list()).length, 1);
	}
});

// Changes the object of a hash.
function damage(path, hash) {
	const file = join(path, 'objects', hash.slice(0, 2), hash.slice(2));
	const bytes = readFileSync(file);
	for (let i = 0; i < 8; i++)
		bytes[(bytes.length >> 1) + i] ^= 0x5a;
	chmodSync(file, 0o644);
	writeFileSync(file, bytes);
}

// A store of a, b, c, of which b cannot be read; its manifest is in the index,
// or with `large` is too large for that.
async function damaged(t, large) {
	const { service, path, stop } = await begin(t);
	for (const id of ['a', 'b', 'c'])
		await service.publish(pkg(id, '1.0.0', id === 'b' && large ?
			{ text: 'x'.repeat(70000) } : {}));
	const { hash } = await service.get('b');
	await stop();
	damage(path, hash);
	return path;
}

test('a damaged text is told, and hides no other', async (t) => {
	for (const large of [false, true]) {
		const registry = new Registry();
		const { service, log, stop } = await begin(t, {
			path: await damaged(t, large), protocol: '17.0.0',
		}, { registry });
		assert.deepEqual([...registry.installed.keys()],
			large ? ['c', 'a'] : ['c', 'b', 'a']);
		if (large)
			assert.match(log.of('error')[0],
				/^Failed to rehydrate package 'b@1\.0\.0': /);
		const error = await thrown(service.get('b'));
		assert.deepEqual([error.message, error.code, error.status],
			[PACKAGE_SEAM_UNREADABLE_MESSAGE,
				'SERVICE_UNAVAILABLE', 503]);
		assert.equal(error[Symbol.for(
			'objectstack.service-package.seam-unreadable')], true);
		assert.equal(error.cause.code, 'ECORRUPT');
		assert.equal(log.last('error').message,
			"Cannot answer whether package 'b' is installed");
		assert.deepEqual((await service.list()).map((p) => p.id),
			['c', 'a']);
		assert.equal(log.last('error').message,
			'Failed to read package: b@1.0.0');
		assert.deepEqual(await service.publish(pkg('b', '1.0.1')),
			{ success: true });
		assert.equal((await service.get('b')).version, '1.0.1');
		await stop();
	}
});

test('strict: a read that fails answers null, and []', async (t) => {
	const { service, log } = await begin(t,
		{ path: await damaged(t), strict: true });
	assert.equal(await service.get('b'), null);
	assert.equal(log.last('error').message, 'Failed to get package: b');
	assert.equal(log.last('error').rest[0].code, 'ECORRUPT');
	assert.deepEqual(await service.list(), []);
	assert.equal(log.last('error').message, 'Failed to list packages');
	assert.equal((await service.get('a')).id, 'a');
});

test('a package that the registry refuses keeps no other out', async (t) => {
	const first = await begin(t);
	for (const id of ['a', 'b', 'c'])
		await first.service.publish(pkg(id, '1'));
	await first.stop();
	const registry = new Registry();
	const install = registry.installPackage.bind(registry);
	registry.installPackage = (manifest) => {
		if (manifest.id === 'b')
			throw new Error('namespace conflict');
		install(manifest);
	};
	const { log } = await begin(t, { path: first.path,
		protocol: '17.0.0' }, { registry });
	assert.deepEqual([...registry.installed.keys()], ['c', 'a']);
	assert.deepEqual(log.of('error'),
		["Failed to rehydrate package 'b@1': namespace conflict"]);
});

test('hydrate: false installs nothing', async (t) => {
	const first = await begin(t);
	await first.service.publish(pkg('a', '1'));
	await first.stop();
	const registry = new Registry();
	await begin(t, { path: first.path, hydrate: false }, { registry });
	assert.equal(registry.installed.size, 0);
});

// ---- pages ----

test('what is published while pages are read is among them', async (t) => {
	const { packages } = await ours('pages.cjs');
	const { service } = await begin(t);
	for (let i = 0; i < 450; i++)
		await service.publish(pkg(`p${i}`, '1'));
	const seen = new Map();
	let n = 0;
	for await (const item of packages(service.store)) {
		seen.set(item.id, item.version);
		if (++n === 10) { // p3 moves from where the walk is not yet
			await service.publish(pkg('p3', '2'));
			await service.publish(pkg('new', '1'));
		}
	}
	assert.equal(seen.size, 451);
	assert.equal(seen.get('p3'), '2');
});

test('the records of the log say who published', async (t) => {
	const { service } = await begin(t);
	await service.publish(pkg('a', '1'));
	const { items } = await service.store.history('a');
	assert.equal(items[0].by, 'package-service');
});

test('getText gives the texts that are hashed', async (t) => {
	const { service } = await begin(t);
	const given = pkg('a', '1');
	await service.publish(given);
	const got = await service.getText('a');
	assert.equal(got.document, JSON.stringify(given));
	assert.equal(await service.getText('b'), null);
	assert.equal(await service.getText('a', ''), null);
});
