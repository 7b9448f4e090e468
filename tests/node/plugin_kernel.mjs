// plugin_kernel.mjs - a kernel of ObjectStack with its data engine, in which
// the package service is ours though it is imported by the original's name.
//
// PAKHUS_TGZ is the npm package, as npm installs it. SERVICE has the rest.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync,
	rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pkg, published, sqlite, start } from './plugin.mjs';

const skip = !process.env.SERVICE && 'npm could not be reached';
const here = fileURLToPath(new URL('plugin/', import.meta.url));
let app;

const npm = (...args) => {
	const run = spawnSync('npm', args, { cwd: app, encoding: 'utf8',
		env: { ...process.env, npm_config_offline: 'true',
			npm_config_audit: 'false', npm_config_fund: 'false',
			npm_config_ignore_scripts: 'true' } });
	assert.equal(run.status, 0, run.stderr);
};

// The commands of README.md that put ours into an application's package.json.
function commands() {
	const readme = readFileSync(join(process.env.PAKHUS_NODE, 'README.md'),
		'utf8');
	const [, block] = /```sh\n(npm pkg set [^`]*)```/.exec(readme);
	return block.trim().split('\n').map((line) => line
		.replace(/file:\S+/, `file:${process.env.PAKHUS_TGZ}`)
		.replaceAll("'", '').split(' '));
}

// An application, one of whose packages wants the original, as ObjectStack's
// program does. What it does not have is found above it.
test('npm installs it by the name of the original', { skip }, () => {
	app = mkdtempSync(join(process.env.SERVICE, 'app-'));
	process.on('exit', () => rmSync(app, { recursive: true, force: true }));
	copyFileSync(join(here, 'host.mjs'), join(app, 'host.mjs'));
	mkdirSync(join(app, 'program'));
	writeFileSync(join(app, 'program/package.json'), JSON.stringify({
		name: 'program', version: '1.0.0',
		dependencies: { '@objectstack/service-package': '17.4.0' } }));
	writeFileSync(join(app, 'package.json'), JSON.stringify({
		private: true, dependencies: { program: 'file:./program' } }));
	for (const [program, ...args] of commands()) {
		assert.equal(program, 'npm');
		npm(...args);
	}
	const { name } = JSON.parse(readFileSync(join(app, 'node_modules',
		'@objectstack/service-package/package.json')));
	assert.equal(name, 'pakhus');
	assert.ok(!existsSync(join(app, 'program/node_modules')));
});

const host = (command, ...args) => {
	const run = spawnSync(process.execPath, ['--no-warnings', 'host.mjs',
		join(app, 'data.db'), command, JSON.stringify(args)],
	{ cwd: app, encoding: 'utf8', env: { ...process.env,
		PAKHUS_STORE: '', PAKHUS_IMPORT: '', PAKHUS_STRICT: '' } });
	assert.equal(run.status, 0, run.stderr);
	return { ...JSON.parse(run.stdout.trim().split('\n').at(-1)),
		log: run.stdout + run.stderr };
};
const own = ({ installed }) => installed.filter(
	({ id }) => id.startsWith('com.acme'));

test('the kernel starts with it, and publishes', { skip }, () => {
	const { result, identity, isDefault, log } = host('publish',
		pkg('com.acme.crm', '1.0.0'));
	assert.deepEqual(result, { success: true });
	assert.deepEqual(identity, ['package-service', 'PackageServicePlugin']);
	assert.equal(isDefault, true);
	assert.match(log, /Published package: com\.acme\.crm@1\.0\.0/);
	assert.ok(existsSync(join(app, '.objectstack/packages/FORMAT')));
});

test('started again, it has installed what was published', { skip }, () => {
	host('publish', pkg('com.acme.crm', '1.1.0'));
	host('publish', pkg('com.acme.old', '1.0.0',
		{ engines: { protocol: '^16' } }));
	const now = host('get', 'com.acme.crm');
	assert.equal(now.result.version, '1.1.0');
	assert.deepEqual(own(now), [{ id: 'com.acme.crm', version: '1.1.0',
		status: 'installed' }]);
	assert.match(now.log,
		/Hydrated 1 package\(s\) from sys_packages into registry/);
	assert.match(now.log, /refusing to rehydrate package 'com\.acme\.old'/);
});

test('what was deleted is not installed again', { skip }, () => {
	assert.deepEqual(host('delete', 'com.acme.crm', '').result.thrown.status,
		400);
	assert.deepEqual(host('delete', 'com.acme.crm').result,
		{ success: true });
	assert.deepEqual(own(host('none')), []);
});

test('the example takes over what a database has', { skip }, async () => {
	const { PackageServicePlugin } =
		await published('@objectstack/service-package');
	const file = join(app, 'old.db');
	const database = await sqlite(file);
	const { service } = await start(PackageServicePlugin, undefined, database);
	for (const [id, version] of [['com.acme.a', '1.0.0'],
		['com.acme.b', '1.0.0'], ['com.acme.a', '1.1.0']])
		await service.publish(pkg(id, version));
	const { hash } = await service.get('com.acme.b');
	database.db.close();
	npm('install', `pakhus@file:${process.env.PAKHUS_TGZ}`);
	const name = 'replace-service-package.mjs';
	copyFileSync(join(here, '../../../tools/node/examples', name),
		join(app, name));
	for (let n = 0; n < 2; n++) {
		const run = spawnSync(process.execPath, ['--no-warnings', name,
			file, join(app, 'new')], { cwd: app, encoding: 'utf8' });
		assert.equal(run.status, 0, run.stderr);
		const lines = run.stdout.split('\n').filter((line) =>
			line.startsWith('package ')).sort();
		assert.equal(lines.length, 2);
		assert.match(lines[0], /^package com\.acme\.a 1\.1\.0 /);
		assert.equal(lines[1], `package com.acme.b 1.0.0 ${hash}`);
	}
});
