'use strict';
// The addon for this platform, with what it needs to know of JavaScript.
const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { PakhusError } = require('./error.cjs');
const { tell } = require('./watch.cjs');

const platform = `${process.platform}-${process.arch}`;
const file = join(__dirname, 'prebuilds', platform, 'pakhus.node');
if (!existsSync(file)) {
	throw new Error(`pakhus: there is no build for ${platform}: ${file} ` +
		'is missing; `make node` in the source of pakhus makes one on ' +
		'Linux');
}

function load() {
	try {
		return require(file);
	} catch (error) {
		const glibc = process.report?.getReport()?.header
			?.glibcVersionRuntime;
		throw new Error(`pakhus: ${file} cannot be loaded: ` +
			`${error.message}` + (glibc ? ` (glibc ${glibc})` :
			'; it needs glibc 2.34 or later, and not musl'),
		{ cause: error });
	}
}

const binding = load();
binding.setup(PakhusError, tell(binding));

module.exports = binding;
