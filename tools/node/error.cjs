'use strict';
// What a call that failed rejects with.
const { getSystemErrorName } = require('node:util');

const codes = ['OK', 'ENOTFOUND', 'EINVAL', 'ECONFLICT', 'ECORRUPT',
	'EVERSION', 'ELIMIT', 'EBUSY', 'EDENIED', 'ENOMEM', 'ESYS', 'EUNKNOWN',
	'ECANCELED', 'ENETWORK', 'ESTALE'];

class PakhusError extends Error {
	constructor(message, status, errno = 0) {
		super(message);
		this.status = status;
		this.code = codes[-status] ?? 'EUNKNOWN';
		if (errno)
			this.sys = getSystemErrorName(-errno);
	}

	get name() {
		return 'PakhusError';
	}
}

const statusOf = (code) => -codes.indexOf(code);

// The same promise, whose error says where in the caller's code it was waited
// for: the addon makes it where there is no JavaScript beneath.
async function traced(promise, from) {
	try {
		return await promise;
	} catch (error) {
		if (error instanceof PakhusError)
			Error.captureStackTrace(error, from);
		throw error;
	}
}

module.exports = { PakhusError, statusOf, traced };
