'use strict';
// Many publishes with few syncs.
const { PakhusError, statusOf } = require('./error.cjs');
const { json, optional, text } = require('./options.cjs');

// Texts go to the library so many, or so long, at a time.
const TEXTS = 64;
const SIZE = 1 << 20;

class Batch {
	#batch;
	#call;
	#wrote;
	#last = Promise.resolve(); // the library does one thing at a time
	#added = 0;

	constructor(batch, call, wrote) {
		this.#batch = batch;
		this.#call = call;
		this.#wrote = wrote;
		this.durable = 0;
	}

	// A document that is refused is not added, and the batch goes on.
	async publish(document) {
		await this.#publish([json(document)]);
	}

	async publishAll(documents) {
		let texts = [], size = 0;
		for await (const document of documents) {
			let made;
			try {
				made = json(document);
			} catch (error) {
				await this.#publish(texts);
				throw this.#told(error);
			}
			texts.push(made);
			size += made.length;
			if (texts.length < TEXTS && size < SIZE)
				continue;
			await this.#publish(texts);
			texts = [];
			size = 0;
		}
		if (texts.length)
			await this.#publish(texts);
	}

	// In one step with the document before it; version null: of the package.
	async setAttrs(id, version, attrs) {
		await this.#do('batchAttrs', text(id, 'the id'),
			optional(version, 'the version'), json(attrs));
	}

	async commit() {
		await this.#do('batchCommit');
	}

	// Forgets what was not committed.
	async drop() {
		const batch = this.#batch;
		this.#batch = undefined;
		if (batch)
			await this.#queue(() => this.#call('batchFree', batch))
				.catch(ignoreClosed);
	}

	async #publish(texts) {
		this.#added += await this.#do('batchPublish', texts);
	}

	#told(error) {
		error.index = this.#added;
		error.durable = this.durable;
		return error;
	}

	#queue(next) {
		const done = this.#last.then(next);
		this.#last = done.catch(() => {});
		return done;
	}

	#do(verb, ...args) {
		const batch = this.#batch;
		if (!batch)
			throw new PakhusError('the batch was dropped',
				statusOf('EINVAL'));
		return this.#queue(async () => {
			const { added, durable, error } =
				await this.#call(verb, batch, ...args);
			if (durable > this.durable)
				this.#wrote();
			this.durable = durable;
			if (!error)
				return added;
			if (verb === 'batchPublish') {
				this.#added += added;
				throw this.#told(error);
			}
			error.durable = durable;
			throw error;
		});
	}
}

// What a stream of lines gives before somebody iterates is lost: its iterator
// is made at once. end() is for who did not come to iterate.
function begin(iterable) {
	const kind = iterable[Symbol.asyncIterator] ? Symbol.asyncIterator :
		Symbol.iterator;
	const iterator = iterable[kind]();
	return { [kind]: () => iterator, end: () => iterator.return?.() };
}

// Closing the store dropped it.
function ignoreClosed(error) {
	if (error.code !== 'EINVAL')
		throw error;
}

module.exports = { Batch, begin };
