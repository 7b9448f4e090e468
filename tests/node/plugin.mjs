// plugin.mjs - what the tests of the package service share: a context as a
// kernel gives it to a plugin, a log that is kept, and the implementations.
//
// PAKHUS_NODE is the built npm package. SERVICE is a directory with load.mjs
// and the original below node_modules.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export const pakhusDir = process.env.PAKHUS_NODE;
export const ours = (name) => import(pathToFileURL(join(pakhusDir, name)));
export const published = async (name) => (await import(pathToFileURL(
	join(process.env.SERVICE, 'load.mjs')))).load(name);

// Directories that go away when all is over.
const made = [];
process.on('exit', () => made.forEach((dir) =>
	rmSync(dir, { recursive: true, force: true })));
export function scratch() {
	made.push(mkdtempSync(join(tmpdir(), 'plugin-')));
	return made.at(-1);
}

export class Log {
	lines = [];
	constructor() {
		for (const level of ['debug', 'info', 'warn', 'error'])
			this[level] = (message, ...rest) =>
				this.lines.push({ level, message, rest });
	}
	of(level) {
		return this.lines.filter((line) => line.level === level)
			.map((line) => line.message);
	}
	last(level) {
		return this.lines.filter((line) => line.level === level).at(-1);
	}
}

// The part of ObjectStack's registry that hydration asks for.
export class Registry {
	installed = new Map();
	getPackage(id) {
		return this.installed.get(id);
	}
	installPackage(manifest) {
		this.installed.set(manifest.id, manifest);
	}
}

// { service, log, registry, stop() } of a plugin that was started.
export async function start(Plugin, options, objectql = {}) {
	const log = new Log(), services = { objectql };
	const plugin = new Plugin(options);
	const context = {
		logger: log,
		getService(name) {
			if (services[name])
				return services[name];
			throw new Error(`Service '${name}' not found`);
		},
		registerService(name, service) {
			services[name] = service;
		},
	};
	await plugin.init(context);
	await plugin.start(context);
	return { plugin, log, service: services.package,
		stop: async () => plugin.destroy?.() };
}

// execute() as ObjectQL has it, on the SQLite inside Node.
export async function sqlite(file = ':memory:') {
	const { DatabaseSync } = await import('node:sqlite');
	const db = new DatabaseSync(file);
	return {
		db,
		async execute({ sql, args = [] }) {
			return db.prepare(sql).all(...args);
		},
	};
}

export const pkg = (id, version, more = {}) => ({
	manifest: { id, version, name: id, type: 'app',
		engines: { protocol: '^17' }, ...more },
	metadata: { objects: [{ name: 'thing', label: version }] },
});

// What somebody throws, who has to.
export async function thrown(promise) {
	try {
		await promise;
	} catch (error) {
		return error;
	}
	throw new Error('nothing was thrown');
}
