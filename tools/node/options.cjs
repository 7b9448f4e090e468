'use strict';
// Arguments as they come from a program, checked before anything begins.
const { fileURLToPath } = require('node:url');
const { PakhusError, statusOf } = require('./error.cjs');

function refuse(message) {
	throw new PakhusError(message, statusOf('EINVAL'));
}

// A misspelt option would otherwise be one that was left out.
function options(given, ...known) {
	if (given === undefined || given === null)
		return {};
	if (typeof given !== 'object')
		throw new TypeError('options must be an object');
	for (const name of Object.keys(given)) {
		if (!known.includes(name))
			throw new TypeError(`there is no option ${name}; ` +
				`there are ${known.join(', ')}`);
	}
	return given;
}

const wellFormed = String.prototype.isWellFormed ?
	(text) => text.isWellFormed() :
	(text) => !/\p{Surrogate}/u.test(text);

// Half a surrogate pair has no UTF-8, and would arrive as another character.
function text(value, what) {
	if (typeof value !== 'string')
		throw new TypeError(`${what} must be a string`);
	if (!wellFormed(value))
		refuse(`${what} has a lone surrogate`);
	return value;
}

const optional = (value, what) =>
	value === undefined || value === null ? undefined : text(value, what);

const pathOf = (value) =>
	text(value instanceof URL ? fileURLToPath(value) : value, 'the path');

// A document: JSON as a string or as bytes, or what JSON.stringify makes it of.
function json(document) {
	if (typeof document === 'string')
		return text(document, 'the document');
	if (document instanceof Uint8Array)
		return document;
	const made = JSON.stringify(document);
	if (made === undefined)
		refuse('JSON cannot express the document');
	return made;
}

module.exports = { options, text, optional, pathOf, json };
