'use strict';
// What the package service answers when it cannot do what was asked: the
// constants and the channels of @objectstack/service-package 17.4. A caller's
// mistake is thrown and carries a status of HTTP, and so is a read that gave
// no answer; a write that broke is returned.

const PACKAGE_PUBLISH_DRIVER_FAULT_MESSAGE = 'The package registry could not ' +
	'store this package. The failure was logged on the server; no ' +
	'package data was written.';
const PACKAGE_SEAM_UNREADABLE_MESSAGE = 'The package registry could not be ' +
	'read: the storage seam accepted the query but returned no result ' +
	'set. Whether this package is installed is UNKNOWN \u2014 this is not ' +
	'an answer of "no".';
const UNREADABLE = Symbol.for('objectstack.service-package.seam-unreadable');

class PackageRefusal extends Error {
	constructor(status, code, message, cause) {
		super(message, cause && { cause });
		this.name = 'PackageRefusal';
		this.status = status;
		this.code = code;
	}
}

function unreadable(cause) {
	const error = new Error(PACKAGE_SEAM_UNREADABLE_MESSAGE, { cause });
	error.code = 'SERVICE_UNAVAILABLE';
	error.status = 503;
	error[UNREADABLE] = true;
	return error;
}

const invalid = (message, cause) => new PackageRefusal(400,
	'PACKAGE_MANIFEST_INVALID', message, cause);
const badArgument = (message) => new PackageRefusal(400, 'VALIDATION_ERROR',
	message);

// What of a store's errors is for the caller of a write; the rest, undefined,
// is a fault of the server.
function refusal(error) {
	switch (error.code) {
	case 'ELIMIT':
		return invalid(error.message, error);
	case 'ECONFLICT':
		return new PackageRefusal(409, 'RESOURCE_CONFLICT',
			error.message, error);
	case 'EUNKNOWN': // nobody may say that nothing was written
		return new PackageRefusal(503, 'SERVICE_UNAVAILABLE',
			'The package registry could not sync its disk. ' +
			'Whether this was stored is UNKNOWN.', error);
	}
}

module.exports = {
	PACKAGE_PUBLISH_DRIVER_FAULT_MESSAGE, PACKAGE_SEAM_UNREADABLE_MESSAGE,
	PackageRefusal, badArgument, invalid, refusal, unreadable,
};
