'use strict';
// Packages out of sys_packages, the table of @objectstack/service-package,
// through the execute() that it used itself.
//
// In the order of created_at, so that a package's latest stays its latest;
// where several of one package were created in the same second, which the
// table cannot put in order, in that of their versions. Keys come some
// thousands at a time and texts one by one: memory is bounded by that.
//
// A row whose text was ever published here for its version is not brought
// again, also where it was replaced or deleted since: a second import changes
// nothing, and undoes nothing.
const { createHash } = require('node:crypto');
const answers = require('./answers.cjs');
const { PakhusError } = require('./error.cjs');

const KEYS = 5000;
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
	read(metadata, 'metadata');
	if (said?.id !== id || said?.version !== version)
		throw answers.invalid('its manifest is that of ' +
			`${said?.id}@${said?.version}`);
	return `{"manifest":${manifest},"metadata":${metadata}}`;
}

const sum = (text) => createHash('sha256').update(text).digest('hex');
const isOfRow = (error) => error instanceof answers.PackageRefusal ||
	error instanceof PakhusError &&
	['EINVAL', 'ELIMIT', 'ECONFLICT'].includes(error.code);

// { imported, same, bad: [{ id, version, reason }] }
async function importRows(store, objectql, { logger, by } = {}) {
	if (!objectql?.execute)
		throw new TypeError('importFrom wants an objectql with execute()');
	const done = { imported: 0, same: 0, bad: [] };
	const batch = await store.batch({ by });

	async function bring(key) {
		if (await wasPublished(store, key, key.hash))
			return done.same++;
		const document = await documentOf(objectql, key);
		if (!document)
			return;
		// the text as the store has it: the row's may have been edited
		const made = JSON.stringify(JSON.parse(document));
		const hash = sum(made);
		if (hash !== key.hash && await wasPublished(store, key, hash))
			return done.same++;
		await batch.publish(document);
		done.imported++;
		if (hash !== key.hash)
			logger?.warn(`Imported ${key.id}@${key.version}, ` +
				'whose text is not the one of its hash');
	}

	try {
		for await (const key of ordered(objectql)) {
			try {
				await bring(key);
			} catch (error) {
				if (!isOfRow(error))
					throw error;
				const { id, version } = key;
				logger?.error(`Cannot import ${id}@${version}` +
					` from sys_packages: ${error.message}`,
				error);
				done.bad.push({ id, version,
					reason: error.message });
			}
		}
		await batch.commit();
	} finally {
		await batch.drop();
	}
	logger?.info(`Imported ${done.imported} version(s) from sys_packages, ` +
		`${done.same} were here, ${done.bad.length} cannot be`);
	return done;
}

module.exports = { importRows, rowsOf };
