'use strict';
// PackageServicePlugin: what @objectstack/service-package gives an ObjectStack
// kernel, on a store instead of an SQL table.
const { mkdirSync } = require('node:fs');
const { dirname, join, resolve } = require('node:path');
const { PACKAGE_PUBLISH_DRIVER_FAULT_MESSAGE,
	PACKAGE_SEAM_UNREADABLE_MESSAGE } = require('./answers.cjs');
const { hydrate } = require('./hydrate.cjs');
const { rowsOf } = require('./import.cjs');
const { options } = require('./options.cjs');
const { packageService } = require('./service.cjs');
const { Store } = require('./store.cjs');

const isOn = (value) => value === '1' || value === 'true';

// The constructor's options; who cannot give any, as the program `os` cannot,
// sets the environment.
function settings(given) {
	const o = options(given, 'path', 'strict', 'import', 'protocol',
		'hydrate', 'by', 'store');
	return {
		path: resolve(o.path ?? (process.env.PAKHUS_STORE ||
			join('.objectstack', 'packages'))),
		strict: o.strict ?? isOn(process.env.PAKHUS_STRICT),
		import: o.import ?? isOn(process.env.PAKHUS_IMPORT),
		protocol: o.protocol,
		hydrate: o.hydrate ?? true,
		by: o.by ?? 'package-service',
		store: o.store ?? {},
	};
}

// A service that may be absent, which a kernel says by an error.
function serviceOf(ctx, name) {
	try {
		return ctx.getService(name);
	} catch {
		return undefined;
	}
}

// A store is made where none is, and one that may only be read is read.
async function openAt(path, given, logger) {
	const o = { onNotice: (text) => logger.warn(`pakhus: ${text}`), ...given };
	try {
		return { isNew: false, store: await Store.open(path, o) };
	} catch (error) {
		if (error.code !== 'ENOTFOUND' || o.readonly)
			throw error;
	}
	mkdirSync(dirname(path), { recursive: true });
	return { isNew: true,
		store: await Store.open(path, { create: true, ...o }) };
}

// Who comes from the table and did not bring its packages would miss them.
async function warnOfRows(objectql, path, logger) {
	if (!objectql?.execute)
		return;
	try {
		const rows = rowsOf(await objectql.execute(
			{ sql: 'SELECT id FROM sys_packages LIMIT 1' }));
		if (rows?.length)
			logger.warn(`There are packages in sys_packages and ` +
				`none in ${path}: PAKHUS_IMPORT=1 or the ` +
				'option `import` brings them');
	} catch (error) { // no such table, most likely
		logger.debug(`sys_packages was not looked at: ${error.message}`);
	}
}

// What is in the store already is served, whatever the table says.
async function importAtBoot(service, objectql, logger) {
	try {
		await service.importFrom(objectql);
	} catch (error) {
		logger.error('Failed to import packages from sys_packages',
			error);
	}
}

class PackageServicePlugin {
	#given;
	#store;

	constructor(given) {
		this.name = 'package-service';
		this.#given = given;
	}

	// Milliseconds that a kernel waits for the start: an import of a large
	// table takes longer than its 30 seconds.
	get startupTimeout() {
		return settings(this.#given).import ? 3600000 : undefined;
	}

	async init(ctx) {
		ctx.logger.debug('Package service plugin initialized');
	}

	async start(ctx) {
		const { logger } = ctx;
		const o = settings(this.#given);
		const objectql = serviceOf(ctx, 'objectql');
		let isNew;
		try {
			({ store: this.#store, isNew } =
				await openAt(o.path, o.store, logger));
		} catch (error) {
			logger.error(`Failed to open the package store ${o.path}`,
				error);
			throw error;
		}
		const store = this.#store;
		const service = packageService(store, logger, o);
		logger.debug(`package store opened: ${o.path}`);
		ctx.registerService('package', service);
		logger.info('Package service initialized');
		if (o.import)
			await importAtBoot(service, objectql, logger);
		else if (isNew) // once: a driver may complain of no such table
			await warnOfRows(objectql, o.path, logger);
		const registry = objectql?.registry;
		if (!o.hydrate || !registry?.installPackage ||
		    !registry.getPackage)
			return;
		try {
			await hydrate(store, registry, logger, o.protocol);
		} catch (error) {
			logger.warn('Package hydration from sys_packages ' +
				'SKIPPED \u2014 the store gave no result set: ' +
				`${error.message}. Durable packages could NOT ` +
				'all be read, and may be absent from the ' +
				'registry for this process. This is not "no ' +
				'packages installed".');
		}
	}

	async destroy() {
		const store = this.#store;
		this.#store = undefined;
		await store?.close();
	}
}

module.exports = {
	PackageServicePlugin, default: PackageServicePlugin,
	PACKAGE_PUBLISH_DRIVER_FAULT_MESSAGE, PACKAGE_SEAM_UNREADABLE_MESSAGE,
};
