// plugin_protocol.mjs - the handshake of protocols by our own rules, against a
// table, and against that of the host where there is one (SERVICE).
import test from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ours, published, scratch } from './plugin.mjs';

const { check, handshake } = await ours('protocol.cjs');
const status = (range, host = '17.0.0') =>
	check({ id: 'a', engines: { protocol: range } }, host).status;

test('ranges admit majors', () => {
	for (const [range, want] of Object.entries({
		'^17': 'ok', '^17.4': 'ok', '~17.1.0': 'ok', '17': 'ok',
		'17.9.9': 'ok', '17.x': 'ok', '*': 'ok', 'latest': 'ok',
		'>=16': 'ok', '>=16 <18': 'ok', '>=16, <18.0': 'ok', '16 - 18': 'ok',
		'<17.1': 'ok', '>17.2': 'ok', '<=17': 'ok',
		'^16': 'incompatible', '18': 'incompatible',
		'<17': 'incompatible', '<17.0.0': 'incompatible',
		'>17': 'incompatible', '>=16 <17': 'incompatible',
		'14 - 16': 'incompatible', '16.*': 'incompatible',
		'seventeen': 'unparsed-range', '>=x': 'unparsed-range',
		'^17 || ^18': 'ok', '17-beta': 'unparsed-range',
		'': 'no-range', ' ': 'no-range',
		['1'.repeat(129)]: 'unparsed-range' }))
		assert.deepEqual([range, status(range)], [range, want]);
});

test('the first range that is said counts', () => {
	const from = (manifest) => check(manifest, '17.0.0').source;
	assert.equal(from({ engines: { protocol: '^1', platform: '^2' },
		engine: { objectstack: '^3' } }), 'engines.protocol');
	assert.equal(from({ engines: { platform: '^2' },
		engine: { objectstack: '^3' } }), 'engines.platform');
	assert.equal(from({ engine: { objectstack: '^3' } }),
		'engine.objectstack');
	assert.deepEqual(check({}, 'v17.1'),
		{ status: 'no-range', runtimeMajor: 17 });
});

// Texts out of the letters that ranges are made of, the same in every run.
function* ranges(n) {
	const parts = ['>', '>=', '<', '<=', '^', '~', 'v', 'x', '*', '16',
		'17', '18', '.0', '.0.0', '.1', '.x', ' ', ' - ', ',', '-rc'];
	let seed = 42;
	const random = (below) => {
		seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
		return (seed >>> 16) % below;
	};
	for (let i = 0; i < n; i++)
		yield Array.from({ length: 1 + random(6) },
			() => parts[random(parts.length)]).join('');
}

test("our rules are the host's", { skip: !process.env.SERVICE &&
	'there is no @objectstack/metadata-core' }, async () => {
	const host = await published('@objectstack/metadata-core');
	let n = 0;
	for (const range of ranges(20000)) {
		for (const version of ['16.3.1', '17.0.0', '18']) {
			const manifest = { id: 'a', engines: { platform: range } };
			assert.deepEqual(check(manifest, version),
				host.checkProtocolCompat(manifest, version));
			n++;
		}
	}
	assert.equal(n, 60000);
});

// A host whose handshake can be told.
function host(dir, answer) {
	const at = join(dir, 'node_modules/@objectstack/metadata-core');
	mkdirSync(at, { recursive: true });
	writeFileSync(join(at, 'package.json'), JSON.stringify({
		name: '@objectstack/metadata-core', main: './main.cjs',
		exports: { '.': { import: { default: './main.mjs' },
			require: { default: './main.cjs' } } } }));
	writeFileSync(join(at, 'main.cjs'), 'throw new Error("a second copy");');
	writeFileSync(join(at, 'main.mjs'), answer);
}

test("the host's handshake is asked, its module as it has it", async (t) => {
	const dir = scratch(), cwd = process.cwd();
	t.after(() => process.chdir(cwd));
	process.chdir(dir);
	assert.equal(await handshake(), null);
	assert.equal((await handshake('16.0.0'))(
		{ engines: { protocol: '16' } }).status, 'ok');
	host(dir, 'export const checkProtocolCompat = ' +
		'() => ({ status: "asked" });');
	assert.equal((await handshake())({}).status, 'asked');
});

test('a host without a handshake has none', async (t) => {
	const dir = scratch(), cwd = process.cwd();
	t.after(() => process.chdir(cwd));
	process.chdir(dir);
	host(dir, 'export const old = true;');
	assert.equal(await handshake(), null);
});
