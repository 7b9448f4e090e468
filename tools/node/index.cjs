'use strict';
// The CommonJS entry, and what index.mjs passes on.
const binding = require('./binding.cjs');
const { Batch } = require('./batch.cjs');
const { PakhusError, traced } = require('./error.cjs');
const { json, optional, options, pathOf, text } = require('./options.cjs');
const plugin = require('./plugin.cjs');
const { Store } = require('./store.cjs');
const { watched } = require('./watch.cjs');
const { sourceOf } = require('./source.cjs');

const open = (path, given) => Store.open(path, given);

async function init(path, given) {
	const o = options(given, 'origin', 'immutable', 'by', 'key');
	await traced(binding.init(pathOf(path), optional(o.origin, 'origin'),
		o.immutable, optional(o.by, 'by'), optional(o.key, 'the key')),
	init);
}

async function adoptHere(path) {
	await traced(binding.adoptHere(pathOf(path)), adoptHere);
}

// Rejects where the document could not be published.
async function check(document) {
	await traced(binding.check(json(document)), check);
}

async function hash(document) {
	return traced(binding.hash(json(document)), hash);
}

async function checkProof(proof, key) {
	return traced(binding.checkProof(proof, text(key, 'the key')),
		checkProof);
}

async function dump(path) {
	return traced(binding.dump(pathOf(path)), dump);
}

const MIRROR = ['key', 'maxAge', 'threads', 'onProgress', 'onNotice',
	'signal'];
const mirrorArgs = (o) => [optional(o.key, 'the key'),
	Math.round((o.maxAge ?? 0) * 1e6), o.threads];

async function mirror(path, from, given) {
	const o = options(given, ...MIRROR);
	const { fetch, name } = sourceOf(from);
	return watched(binding, { ...o, fetch }, (id) => traced(
		binding.mirror(id, pathOf(path), name, ...mirrorArgs(o)),
		mirror));
}

async function adoptFrom(path, from, given) {
	const o = options(given, ...MIRROR);
	const { fetch, name } = sourceOf(from);
	return watched(binding, { ...o, fetch }, (id) => traced(
		binding.adoptFrom(id, pathOf(path), name, ...mirrorArgs(o)),
		adoptFrom));
}

async function bundleApply(path, file, given) {
	const o = options(given, ...MIRROR);
	return watched(binding, o, (id) => traced(
		binding.bundleApply(id, pathOf(path), pathOf(file),
			...mirrorArgs(o)), bundleApply));
}

async function repair(path, from, given) {
	const o = options(given, 'threads', 'onMended', 'onProgress',
		'onNotice', 'signal');
	const { fetch, name } = sourceOf(from);
	return watched(binding, { ...o, fetch }, (id) => traced(
		binding.repair(id, pathOf(path), name, o.threads), repair));
}

module.exports = {
	open, init, adoptHere, check, hash, checkProof, dump, mirror, adoptFrom,
	bundleApply, repair, Store, Batch, PakhusError,
	version: binding.version,
	...plugin, // its `default` too
};
