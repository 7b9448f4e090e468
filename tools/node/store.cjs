'use strict';
// An open store.
const binding = require('./binding.cjs');
const { Batch, begin } = require('./batch.cjs');
const { PakhusError, statusOf, traced } = require('./error.cjs');
const { json, optional, options, pathOf, text } = require('./options.cjs');
const { listen, unlisten, watched } = require('./watch.cjs');

const GRACE = 14 * 24 * 3600; // seconds, as `pakhus gc` has it
const VERIFY = { files: 1, index: 2, quick: 4 };

function parsed(found) {
	found.manifest = JSON.parse(found.manifest);
	if (found.metadata !== undefined)
		found.metadata = JSON.parse(found.metadata);
	return found;
}

function withDocument(found) {
	if (found.metadata !== undefined)
		found.document = `{"manifest":${found.manifest},"metadata":` +
			`${found.metadata}}`;
	return found;
}

// What is not there is no error to who asks whether it is.
async function orNull(promise, made = (found) => found) {
	try {
		return made(await promise);
	} catch (error) {
		if (error.code === 'ENOTFOUND')
			return null;
		throw error;
	}
}

async function* each(page, given) {
	let before = given.before;
	do {
		const { items, next } = await page({ ...given, before });
		yield* items;
		before = next;
	} while (before);
}

class Store {
	#handle;
	#id; // of its notices
	#closed; // the promise of close()
	#syncAfter; // ms without a write
	#wroteAt = 0; // ms, 0: synced since
	#timer;

	constructor(handle, id, syncAfter) {
		this.#handle = handle;
		this.#id = id;
		this.#syncAfter = syncAfter;
	}

	static async open(path, given) {
		const o = options(given, 'create', 'readonly', 'rebuild',
			'level', 'cacheSize', 'maxDocument', 'threads',
			'syncAfter', 'onNotice', 'onProgress', 'signal');
		const flags = (o.create ? 1 : 0) | (o.readonly ? 2 : 0) |
			(o.rebuild ? 4 : 0);
		const id = listen({ onNotice: o.onNotice });
		try {
			const handle = await watched(binding, o, (call) =>
				traced(binding.open(call, id, pathOf(path),
					flags, o.level, o.cacheSize,
					o.maxDocument, o.threads),
				Store.open));
			finalizers.register(handle, id);
			return new Store(handle, id, o.syncAfter ?? 1000);
		} catch (error) {
			unlisten(id);
			throw error;
		}
	}

	// ---- writing ----

	async publish(document, given) {
		const { by, over } = options(given, 'by', 'over');
		const record = await this.#call('publish', json(document),
			optional(by, 'by'), over);
		this.#wrote();
		return record;
	}

	async batch(given) {
		const { by } = options(given, 'by');
		return new Batch(await this.#call('batchNew',
			optional(by, 'by')), (verb, ...args) =>
			this.#call(verb, ...args), () => this.#wrote());
	}

	// All that an iterable gives, in few steps. What fails says with
	// `index` at which document, and with `durable` how many are there.
	async publishAll(documents, given) {
		const all = begin(documents);
		let batch;
		try {
			batch = await this.batch(given);
			await batch.publishAll(all);
			await batch.commit();
			return { count: batch.durable };
		} finally {
			await batch?.drop();
			await all.end();
		}
	}

	async delete(id, version, given) {
		const { by, over } = options(given, 'by', 'over');
		const count = await this.#call('delete', text(id, 'the id'),
			optional(version, 'the version'), optional(by, 'by'),
			over);
		this.#wrote();
		return count;
	}

	async purge(id, version, reason, given) {
		const { by, seq } = options(given, 'by', 'seq');
		const purged = await this.#call('purge', text(id, 'the id'),
			text(version, 'the version'),
			text(reason, 'the reason'), optional(by, 'by'), seq);
		this.#wrote();
		return purged;
	}

	// What is said beside the documents: of the package where version is
	// null. {} takes it away.
	async setAttrs(id, version, attrs, given) {
		const { by } = options(given, 'by');
		const seq = await this.#call('setAttrs', text(id, 'the id'),
			optional(version, 'the version'), json(attrs),
			optional(by, 'by'));
		this.#wrote();
		return seq;
	}

	async sync() {
		this.#wroteAt = 0;
		await this.#call('sync');
	}

	// ---- reading ----

	async get(id, version) {
		const found = this.#cached(id, version);
		return found ? parsed(found) :
			orNull(this.#get(id, version), parsed);
	}

	async getText(id, version) {
		const found = this.#cached(id, version);
		return found ? withDocument(found) :
			orNull(this.#get(id, version), withDocument);
	}

	// Its record alone.
	async find(id, version) {
		return orNull(this.#call('find', text(id, 'the id'),
			optional(version, 'the version')));
	}

	async artifact(id, version) {
		return orNull(this.#call('artifact', text(id, 'the id'),
			optional(version, 'the version')));
	}

	async attrs(id, version) {
		return orNull(this.#attrs(id, version), (found) => {
			found.attrs = JSON.parse(found.attrs);
			return found;
		});
	}

	async attrsText(id, version) {
		return orNull(this.#attrs(id, version));
	}

	async getAt(seq) {
		return orNull(this.#call('getAt', seq), parsed);
	}

	async getTextAt(seq) {
		return orNull(this.#call('getAt', seq), withDocument);
	}

	async read(hash) {
		return orNull(this.#call('read', text(hash, 'the hash')));
	}

	async list(given) {
		return this.#list(given, parsed);
	}

	async listText(given) {
		return this.#list(given, withDocument);
	}

	async versions(id, given) {
		const { before, limit } = options(given, 'before', 'limit');
		return this.#call('versions', text(id, 'the id'), before,
			limit);
	}

	async history(id, given) {
		const { before, limit } = options(given, 'before', 'limit');
		return this.#call('history', optional(id, 'the id'), before,
			limit);
	}

	eachPackage(given) {
		return each((o) => this.list(o), given ?? {});
	}

	eachVersion(id, given) {
		return each((o) => this.versions(id, o), given ?? {});
	}

	eachEntry(id, given) {
		return each((o) => this.history(id, o), given ?? {});
	}

	// ---- its state ----

	async stat(given) {
		const { objects } = options(given, 'objects');
		return this.#call('stat', objects);
	}

	async verify(given) {
		const o = options(given, 'files', 'index', 'quick',
			'onProgress', 'signal');
		let flags = 0;
		for (const name of Object.keys(VERIFY))
			flags |= o[name] ? VERIFY[name] : 0;
		return watched(binding, o, (id) =>
			this.#call('verify', id, flags));
	}

	async gc(given) {
		const o = options(given, 'dryRun', 'grace', 'garbage',
			'onProgress', 'signal');
		const us = Math.round((o.grace ?? GRACE) * 1e6);
		return watched(binding, o, (id) =>
			this.#call('gc', id, o.dryRun, us, o.garbage));
	}

	// A file of the tree that mirrors copy, by its name; who gets it closes
	// fd.
	async openFile(name) {
		return orNull(this.#call('openFile', text(name, 'the name')));
	}

	async refreshPkg() {
		await this.#call('refreshPkg');
	}

	// ---- its log ----

	async keys() {
		return this.#call('keys');
	}

	async rotate(given) {
		const { key, by } = options(given, 'key', 'by');
		return this.#call('rotate', optional(key, 'the key'),
			optional(by, 'by'));
	}

	async checkpoint(given) {
		const { renew } = options(given, 'renew');
		return this.#call('checkpoint', renew);
	}

	async prove(id, version) {
		return this.#call('prove', text(id, 'the id'),
			optional(version, 'the version'));
	}

	async proveAt(seq) {
		return this.#call('proveAt', seq);
	}

	// A path, or a function that is given the bytes and may be async.
	async bundleCreate(to, given) {
		const o = options(given, 'since', 'checkpoint', 'onProgress',
			'signal');
		const write = typeof to === 'function' ? to : undefined;
		const path = write ? undefined : pathOf(to);
		return watched(binding, { ...o, write }, (id) =>
			this.#call('bundleCreate', id, path, o.since,
				o.checkpoint));
	}

	// ---- its end ----

	// Ends when the calls under way have, and what was written is in the
	// tree.
	close() {
		this.#closed ??= this.#close();
		return this.#closed;
	}

	async [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
		await this.close();
	}

	async #close() {
		clearTimeout(this.#timer);
		try {
			await traced(binding.close(this.#handle),
				Store.prototype.close);
		} finally {
			unlisten(this.#id);
		}
	}

	// ---- inside ----

	#call(verb, ...args) {
		if (this.#closed)
			throw new PakhusError('the store is closed',
				statusOf('EINVAL'));
		return traced(binding[verb](this.#handle, ...args),
			this.#call);
	}

	// A text that the store keeps decoded is there at once: a thread of the
	// pool would take longer to hear of it. What is wrong #get() says.
	#cached(id, version) {
		return this.#closed ? undefined : binding.getCached(
			this.#handle, text(id, 'the id'),
			optional(version, 'the version'));
	}

	async #attrs(id, version) {
		return this.#call('attrs', text(id, 'the id'),
			optional(version, 'the version'));
	}

	async #get(id, version) {
		return this.#call('get', text(id, 'the id'),
			optional(version, 'the version'));
	}

	async #list(given, made) {
		const { before, limit, documents } = options(given, 'before',
			'limit', 'documents');
		const page = await this.#call('list', before, limit,
			documents);
		page.items.forEach(made);
		return page;
	}

	// Moved into the tree, for mirrors, a second after the last write;
	// nothing is kept alive for that, as what was written is durable.
	#wrote() {
		this.#wroteAt = Date.now();
		if (!this.#timer && this.#syncAfter > 0 && !this.#closed)
			this.#wait(this.#syncAfter);
	}

	#wait(ms) {
		this.#timer = setTimeout(() => this.#syncLater(), ms).unref();
	}

	async #syncLater() {
		const left = this.#wroteAt + this.#syncAfter - Date.now();
		this.#timer = undefined;
		if (this.#closed || !this.#wroteAt)
			return;
		if (left > 0)
			return this.#wait(left);
		try {
			await this.sync();
		} catch (error) {
			if (!this.#closed)
				process.emitWarning(`pakhus: what was ` +
					`published is durable, but not yet ` +
					`in the tree: ${error.message}`,
				{ type: 'PakhusNotice' });
		}
	}
}

// Of stores that nobody closed; the addon closes the store itself.
const finalizers = new FinalizationRegistry(unlisten);

module.exports = { Store };
