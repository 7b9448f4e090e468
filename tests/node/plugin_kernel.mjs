// plugin_kernel.mjs - a kernel of ObjectStack with its data engine, in which
// the package service is ours though it is imported by the original's name.
//
// PAKHUS_TGZ is the npm package, as npm installs it. SERVICE has the rest.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync,
	writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pkg } from './plugin.mjs';

const skip = !process.env.SERVICE && 'npm could not be reached';
const here = fileURLToPath(new URL('plugin/', import.meta.url));
let app;

// An application that says in its package.json, and nowhere else, that ours is
// to be used; what it does not have is found above it.
test('npm installs it by the name of the original', { skip }, () => {
	app = mkdtempSync(join(process.env.SERVICE, 'app-'));
	process.on('exit', () => rmSync(app, { recursive: true, force: true }));
	copyFileSync(join(here, 'host.mjs'), join(app, 'host.mjs'));
	writeFileSync(join(app, 'package.json'), JSON.stringify({
		private: true, dependencies: {
			'@objectstack/service-package':
				`file:${process.env.PAKHUS_TGZ}`,
		} }));
	const run = spawnSync('npm', ['install', '--offline', '--no-audit',
		'--no-fund', '--ignore-scripts'],
	{ cwd: app, encoding: 'utf8' });
	assert.equal(run.status, 0, run.stderr);
	const { name } = JSON.parse(readFileSync(join(app, 'node_modules',
		'@objectstack/service-package/package.json')));
	assert.equal(name, 'pakhus');
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
