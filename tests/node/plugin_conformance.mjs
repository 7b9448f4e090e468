// plugin_conformance.mjs - what a caller of the package service may count on,
// asked of the original and of ours in the same words.
//
// IMPLEMENTATION is original, ours or strict. With SERVICE the host has an
// @objectstack/metadata-core, whose handshake is used; without it is our own.
import test from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Registry, ours, pkg, published, scratch, sqlite, start }
	from './plugin.mjs';

const which = process.env.IMPLEMENTATION ?? 'ours';
const module = which === 'original' ?
	await published('@objectstack/service-package') :
	await ours('plugin.mjs');
const { PackageServicePlugin } = module;
const protocol = process.env.SERVICE ? undefined : '17.0.0';
if (process.env.SERVICE)
	process.chdir(process.env.SERVICE);

// A started plugin, and again() for its next start on the same data.
async function begin(t, registry) {
	const dir = scratch();
	const database = which === 'original' ? await sqlite() : {};
	let now;
	const again = async () => {
		await now?.stop();
		now = await start(PackageServicePlugin, which === 'original' ?
			undefined : { path: `${dir}/a/store`,
				protocol, strict: which === 'strict' },
		{ execute: database.execute, registry });
		return now;
	};
	// The original tells versions apart by the second: makes all that is
	// there a second older.
	const age = () => database.db?.exec('UPDATE sys_packages SET ' +
		"created_at = datetime(created_at, '-1 second')");
	t.after(() => now.stop());
	return { ...await again(), again, age };
}

test('the module has the exports and constants of 17.4', () => {
	assert.equal(module.default, PackageServicePlugin);
	assert.equal(PackageServicePlugin.name, 'PackageServicePlugin');
	assert.equal(module.PACKAGE_PUBLISH_DRIVER_FAULT_MESSAGE,
		'The package registry could not store this package. The ' +
		'failure was logged on the server; no package data was written.');
	assert.equal(module.PACKAGE_SEAM_UNREADABLE_MESSAGE,
		'The package registry could not be read: the storage seam ' +
		'accepted the query but returned no result set. Whether this ' +
		'package is installed is UNKNOWN \u2014 this is not an answer ' +
		'of "no".');
	const plugin = new PackageServicePlugin();
	assert.deepEqual({ ...plugin }, { name: 'package-service' });
	assert.equal(plugin.version, undefined);
});

test('publish answers success and no more, and logs it', async (t) => {
	const { service, log } = await begin(t);
	assert.deepEqual(await service.publish(pkg('com.acme.crm', '1.0.0')),
		{ success: true });
	assert.equal(log.of('info').at(-1),
		'Published package: com.acme.crm@1.0.0');
	assert.equal(log.of('info')[0], 'Package service initialized');
	assert.equal(log.of('debug')[0], 'Package service plugin initialized');
	assert.deepEqual(log.of('error'), []);
});

test('get gives the record, whose hash is that of the text', async (t) => {
	const { service } = await begin(t);
	const given = { manifest: { id: 'com.acme.crm', name: 'CRM',
		version: '1.0.0', type: 'app' }, metadata: { objects: [] } };
	await service.publish(given);
	const got = await service.get('com.acme.crm', '1.0.0');
	assert.deepEqual(Object.keys(got), ['id', 'version', 'manifest',
		'metadata', 'hash', 'created_at', 'updated_at']);
	assert.deepEqual([got.id, got.version], ['com.acme.crm', '1.0.0']);
	assert.deepEqual([got.manifest, got.metadata],
		[given.manifest, given.metadata]);
	assert.equal(got.hash, 'fa8f399fd6b41ef330d7ff4e4c5422a350cd4566f44e' +
		'add7f065b4f5c0b6276a');
	assert.match(got.created_at, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
	assert.equal(got.updated_at, got.created_at);
});

test('text and hash are those of JSON.stringify', async (t) => {
	const { service } = await begin(t);
	const odd = JSON.parse('{"10":1,"9":2,"b":1e21,"a":-0,"__proto__":5,' +
		'"n":12345678901234567890,"e":"\\u00e9\\ud83d\\ude00\\u2028' +
		'\\u0007\\/","o":{},"r":[null,true]}');
	const given = { manifest: { version: '1.0.0-rc.1+b', odd,
		id: '@acme/odd', gone: undefined }, metadata: { odd: [odd] } };
	await service.publish(given);
	const got = await service.get('@acme/odd', '1.0.0-rc.1+b');
	assert.equal(JSON.stringify(got.manifest),
		JSON.stringify(given.manifest));
	assert.equal(JSON.stringify(got.metadata),
		JSON.stringify(given.metadata));
	assert.equal(got.hash, createHash('sha256')
		.update(JSON.stringify(given)).digest('hex'));
});

test('the latest is the one that was first published last', async (t) => {
	const { service, age } = await begin(t);
	await service.publish(pkg('a', '2.0.0'));
	age();
	await service.publish(pkg('a', '1.0.1'));
	age();
	await service.publish(pkg('a', '2.0.0', { name: 'again' }));
	for (const asked of [[], ['latest'], [undefined]])
		assert.equal((await service.get('a', ...asked)).version, '1.0.1');
	assert.equal((await service.get('a', '2.0.0')).manifest.name, 'again');
	assert.deepEqual((await service.list()).map((p) => p.version),
		['1.0.1']);
});

test('publishing again replaces all but created_at', async (t) => {
	const { service } = await begin(t);
	await service.publish(pkg('a', '1.0.0'));
	const first = await service.get('a');
	await service.publish(pkg('a', '1.0.0', { name: 'new' }));
	const second = await service.get('a');
	assert.equal(second.manifest.name, 'new');
	assert.notEqual(second.hash, first.hash);
	assert.equal(second.created_at, first.created_at);
	assert.ok(second.updated_at >= first.updated_at);
});

test('what is not there is null', async (t) => {
	const { service, log } = await begin(t);
	await service.publish(pkg('a', '1.0.0'));
	for (const asked of [['b'], ['a', '1.0.1'], ['a', ''], ['a', null],
		[''], ['A'], ['a '], ['b', 'latest']])
		assert.equal(await service.get(...asked), null);
	assert.deepEqual(log.of('error'), []);
});

test('list has one latest a package, newest first', async (t) => {
	const { service, age } = await begin(t);
	assert.deepEqual(await service.list(), []);
	for (const id of ['b', 'a', 'c']) {
		await service.publish(pkg(id, '1.0.0'));
		age();
	}
	await service.publish(pkg('a', '1.1.0'));
	const all = await service.list();
	assert.deepEqual(all.map((p) => `${p.id}@${p.version}`),
		['a@1.1.0', 'c@1.0.0', 'b@1.0.0']);
	assert.deepEqual(all[0], await service.get('a'));
});

test('delete takes a version, or all, and what is not there', async (t) => {
	const { service, log, age } = await begin(t);
	await service.publish(pkg('a', '1.0.0'));
	age();
	await service.publish(pkg('a', '1.1.0'));
	await service.publish(pkg('b', '1.0.0'));
	assert.deepEqual(await service.delete('a', '1.1.0'), { success: true });
	assert.equal(log.of('info').at(-1), 'Deleted package: a@1.1.0');
	assert.equal((await service.get('a')).version, '1.0.0');
	assert.deepEqual(await service.delete('a', '9.9.9'), { success: true });
	await service.publish(pkg('a', '1.2.0'));
	assert.deepEqual(await service.delete('a'), { success: true });
	assert.equal(log.of('info').at(-1), 'Deleted package: a');
	assert.equal(await service.get('a'), null);
	assert.equal(await service.get('a', '1.0.0'), null);
	assert.equal((await service.list()).length, 1);
	assert.deepEqual(await service.delete('nope'), { success: true });
	await service.publish(pkg('a', '1.0.0'));
	assert.equal((await service.get('a')).version, '1.0.0');
});

test('the calls of the service need no `this`', async (t) => {
	const { service: { publish, get, list, delete: remove } } =
		await begin(t);
	await publish(pkg('a', '1.0.0'));
	assert.equal((await get('a')).id, 'a');
	assert.equal((await list()).length, 1);
	assert.deepEqual(await remove('a'), { success: true });
});

test('a start installs what is stored, manifests alone', async (t) => {
	const registry = new Registry();
	const { service, again } = await begin(t, registry);
	await service.publish(pkg('a', '1.0.0'));
	await service.publish(pkg('b', '1.0.0'));
	registry.installPackage({ id: 'b', mine: true });
	const { log } = await again();
	assert.deepEqual(registry.getPackage('a'), pkg('a', '1.0.0').manifest);
	assert.deepEqual(registry.getPackage('b'), { id: 'b', mine: true });
	assert.equal(log.of('info').at(-1),
		'Hydrated 1 package(s) from sys_packages into registry');
	assert.deepEqual([...log.of('warn'), ...log.of('error')], []);
});

test('a start tells of protocols', async (t) => {
	const registry = new Registry();
	const { service, again, age } = await begin(t, registry);
	for (const [id, engines] of Object.entries({ ok: { protocol: '^17' },
		old: { protocol: '^16' }, none: undefined,
		odd: { platform: 'seventeen' } })) {
		await service.publish(pkg(id, '1.0.0', { engines }));
		age();
	}
	const { log } = await again();
	assert.deepEqual([...registry.installed.keys()], ['odd', 'none', 'ok']);
	const [error] = log.of('error');
	assert.ok(error.startsWith('[protocol] refusing to rehydrate package ' +
		"'old' from sys_packages: package 'old' targets protocol ^16 " +
		'(engines.protocol) but this runtime is protocol 17.0.0. This ' +
		'is a major-version break. Run: objectstack migrate meta ' +
		'--from 16 {"code":"OS_PROTOCOL_INCOMPATIBLE",'));
	assert.deepEqual(log.of('warn'), [
		"[protocol] package 'odd' declares an unrecognized " +
		"engines.platform range 'seventeen'; skipping the protocol " +
		'handshake (ADR-0087).',
		"[protocol] package 'none' declares no engines.protocol range; " +
		'rehydrating without a compatibility check (ADR-0087).',
	]);
	assert.equal(log.of('info').at(-1),
		'Hydrated 3 package(s) from sys_packages into registry');
});
