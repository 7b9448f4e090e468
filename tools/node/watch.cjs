'use strict';
// What running calls tell: each has an id, under which who listens stands.
const { PakhusError, statusOf } = require('./error.cjs');

const listeners = new Map();
let last = 0;

function listen(listener) {
	listeners.set(++last, listener);
	return last;
}

function unlisten(id) {
	listeners.delete(id);
}

function warn(text) {
	process.emitWarning(text, { type: 'PakhusNotice' });
}

// What a listener throws is the program's, and no answer to a call.
function give(f, ...args) {
	try {
		f?.(...args);
	} catch (error) {
		queueMicrotask(() => {
			throw error;
		});
	}
}

// What a source throws may be anything, and is answered all the same.
function failureOf(error) {
	try {
		const status = error?.name === 'AbortError' ?
			statusOf('ECANCELED') :
			error instanceof PakhusError && (error.status | 0) < 0 ?
				error.status | 0 : statusOf('ENETWORK');
		return [status, String(error?.message ?? error)];
	} catch {
		return [statusOf('ENETWORK'), 'it failed, and cannot say why'];
	}
}

async function reply(binding, id, ask) {
	try {
		await ask();
	} catch (error) {
		binding.answer(id, ...failureOf(error));
		return;
	}
	binding.answer(id, 0, '');
}

const tell = (binding) => (id, kind, ...args) => {
	const listener = listeners.get(id);
	switch (kind) {
	case 'notice':
		give(listener?.onNotice ?? warn, ...args);
		break;
	case 'progress':
		give(listener?.onProgress, {
			what: args[0], done: args[1], total: args[2],
		});
		break;
	case 'mended':
		give(listener?.onMended, { path: args[0], text: args[1] });
		break;
	case 'fetch':
		reply(binding, id, () => listener.fetch({
			into: args[0], names: args[1], max: args[2],
			fresh: args[3], signal: listener.signal,
		}));
		break;
	case 'write':
		reply(binding, id, () => listener.write(args[0]));
		break;
	}
};

// Runs start(id) with somebody listening, whose signal cancels it.
async function watched(binding, listener, start) {
	const { signal } = listener;
	signal?.throwIfAborted();
	const id = listen(listener);
	const cancel = () => binding.cancel(id);
	signal?.addEventListener('abort', cancel, { once: true });
	try {
		return await start(id);
	} catch (error) {
		// by its own name, as JavaScript's calls that take a signal do
		if (signal?.aborted && error?.code === 'ECANCELED')
			throw signal.reason;
		throw error;
	} finally {
		signal?.removeEventListener('abort', cancel);
		unlisten(id);
	}
}

module.exports = { tell, listen, unlisten, watched };
