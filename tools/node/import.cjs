'use strict';
// Packages out of sys_packages, the table of @objectstack/service-package,
// through the execute() that it used itself.
//
// In the order of created_at, so that a package's latest stays its latest;
// where several of one package were created in the same second, which the
// table cannot put in order, in that of their versions. Keys come some
// thousands at a time, and texts one by one, a few of which wait: memory is
// bounded by that.
//
// A row whose text was ever published here for its version is not brought
// again, also where it was replaced or deleted since: a second import changes
// nothing, and undoes nothing.
const { createHash } = require('node:crypto');
const answers = require('./answers.cjs');
const { PakhusError } = require('./error.cjs');

const KEYS = 5000;
const WAITING = 64; // documents handed over at a time ...
const SIZE = 1 << 20; // ... or so many characters
const CREATED = "COALESCE(created_at, '')"; // NULL is older than all

// An array, {rows}, or mysql2's [rows, fields].
function rowsOf(result) {
	if (Array.isArray(result))
		return Array.isArray(result[0]) ? result[0] : result;
	return Array.isArray(result?.rows) ? result.rows : null;
}

async function query(objectql, sql, args) {
	const rows = rowsOf(await objectql.execute({ sql, args }));
	if (!rows)
		throw answers.unreadable();
	return rows;
}

// ---- keys, in order ----

async function* keys(objectql) {
	let where = '', args = [], rows;
	do {
		rows = await query(objectql, 'SELECT id, version, hash, ' +
			`${CREATED} AS created FROM sys_packages ${where} ` +
			`ORDER BY ${CREATED}, id, version LIMIT ${KEYS}`, args);
		yield* rows;
		const last = rows.at(-1);
		where = `WHERE ${CREATED} > ? OR (${CREATED} = ? AND ` +
			'(id > ? OR (id = ? AND version > ?)))';
		args = last && [last.created, last.created, last.id, last.id,
			last.version];
	} while (rows.length === KEYS);
}

const { compare } = new Intl.Collator('en', { numeric: true });

// 1.9.0, 1.10.0-rc.1, 1.10.0
function byVersion(a, b) {
	const [x, xPre] = a.version.split(/-(.*)/s);
	const [y, yPre] = b.version.split(/-(.*)/s);
	return compare(x, y) || (xPre === undefined) - (yPre === undefined) ||
		compare(xPre ?? '', yPre ?? '');
}

// The same, ties put in order.
async function* ordered(objectql) {
	let tied = [];
	for await (const key of keys(objectql)) {
		if (tied.length && (tied[0].id !== key.id ||
		    tied[0].created !== key.created)) {
			yield* tied.sort(byVersion);
			tied = [];
		}
		tied.push(key);
	}
	yield* tied.sort(byVersion);
}

// ---- one row ----

async function wasPublished(store, { id, version }, hash) {
	for await (const entry of store.eachEntry(id)) {
		if (entry.op === 'publish' && entry.version === version &&
		    entry.hash === hash)
			return true;
	}
	return false;
}

// A driver that knows JSON may have parsed it.
const textOf = (value) =>
	typeof value === 'string' ? value : JSON.stringify(value ?? null);

// The document of a row, or an error that says what is wrong with it.
async function documentOf(objectql, { id, version }) {
	const [row] = await query(objectql, 'SELECT manifest, metadata FROM ' +
		'sys_packages WHERE id = ? AND version = ?', [id, version]);
	if (!row)
		return null; // deleted meanwhile
	const manifest = textOf(row.manifest), metadata = textOf(row.metadata);
	const read = (text, what) => {
		try {
			return JSON.parse(text);
		} catch (error) {
			throw answers.invalid(`its ${what} is not JSON: ` +
				error.message);
		}
	};
	const said = read(manifest, 'manifest');
	const data = read(metadata, 'metadata');
	if (typeof data !== 'object' || !data || Array.isArray(data))
		throw answers.invalid('its metadata is no object');
	if (said?.id !== id || said?.version !== version)
		throw answers.invalid('its manifest is that of ' +
			`${said?.id}@${said?.version}`);
	return `{"manifest":${manifest},"metadata":${metadata}}`;
}

const sum = (text) => createHash('sha256').update(text).digest('hex');
const isOfRow = (error) => error instanceof answers.PackageRefusal ||
	error instanceof PakhusError &&
	['EINVAL', 'ELIMIT', 'ECONFLICT'].includes(error.code);

// ---- all of them ----

class Import {
	#store; #objectql; #logger; #batch; #isNew;
	#waiting = []; // { key, document, isEdited }
	#size = 0; // of its documents, in characters
	#added = 0;
	done = { imported: 0, same: 0, bad: [] };

	constructor(store, objectql, logger) {
		this.#store = store;
		this.#objectql = objectql;
		this.#logger = logger;
	}

	async run(by) {
		this.#batch = await this.#store.batch({ by });
		// nothing can have been published in a store of one key entry
		this.#isNew = (await this.#store.stat()).entries <= 1;
		try {
			for await (const key of ordered(this.#objectql))
				await this.#take(key);
			await this.#hand();
			await this.#batch.commit();
		} finally {
			await this.#batch.drop();
		}
		const { imported, same, bad } = this.done;
		this.#logger?.info(`Imported ${imported} version(s) from ` +
			`sys_packages, ${same} were here, ${bad.length} ` +
			'cannot be');
		return this.done;
	}

	async #take(key) {
		try {
			await this.#bring(key);
		} catch (error) {
			this.#refused(key, error);
		}
		if (this.#waiting.length >= WAITING || this.#size >= SIZE)
			await this.#hand();
	}

	async #bring(key) {
		if (await this.#was(key, key.hash))
			return this.done.same++;
		const document = await documentOf(this.#objectql, key);
		if (!document)
			return;
		// as the store has it: the row's may have been edited
		const hash = sum(JSON.stringify(JSON.parse(document)));
		const isEdited = hash !== key.hash;
		if (isEdited && await this.#was(key, hash))
			return this.done.same++;
		this.#waiting.push({ key, document, isEdited });
		this.#size += document.length;
	}

	async #was(key, hash) {
		return !this.#isNew && wasPublished(this.#store, key, hash);
	}

	// What waits goes to the store, but what it refuses.
	async #hand() {
		const all = this.#waiting;
		let at = 0;
		while (at < all.length) {
			try {
				await this.#batch.publishAll(all.slice(at)
					.map(({ document }) => document));
				this.#took(all.slice(at));
				at = all.length;
			} catch (error) {
				const n = error.index - this.#added;
				if (!isOfRow(error) || !(n >= 0))
					throw error;
				this.#took(all.slice(at, at + n));
				this.#refused(all[at + n].key, error);
				at += n + 1;
			}
		}
		this.#waiting = [];
		this.#size = 0;
	}

	#took(items) {
		this.#added += items.length;
		this.done.imported += items.length;
		for (const { key, isEdited } of items) {
			if (isEdited)
				this.#logger?.warn(`Imported ${key.id}@` +
					`${key.version}, whose text is not ` +
					'the one of its hash');
		}
	}

	#refused({ id, version }, error) {
		if (!isOfRow(error))
			throw error;
		this.#logger?.error(`Cannot import ${id}@${version} from ` +
			`sys_packages: ${error.message}`, error);
		this.done.bad.push({ id, version, reason: error.message });
	}
}

// { imported, same, bad: [{ id, version, reason }] }
async function importRows(store, objectql, { logger, by } = {}) {
	if (!objectql?.execute)
		throw new TypeError('importFrom wants an objectql with execute()');
	return new Import(store, objectql, logger).run(by);
}

module.exports = { importRows, rowsOf };
