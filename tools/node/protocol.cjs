'use strict';
// Whether the range of protocols that a package declares admits that of the
// host: the handshake of ObjectStack's ADR-0087, which looks at majors alone.
//
// The host's own handshake is asked, that of its @objectstack/metadata-core,
// so that what the host thinks compatible is. It is looked for beside this
// package, beside the program that runs and below the working directory. Who
// has none says what the protocol is, and the same rules are applied here.
const { existsSync, readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { dirname, join } = require('node:path');
const { pathToFileURL } = require('node:url');

const HOST = '@objectstack/metadata-core';
const RANGE_MAX = 128; // characters; a longer one is not looked at

// ---- the rules ----

const major = (text) => {
	const digits = /^v?(\d+)/i.exec(text.trim());
	return digits ? Number(digits[1]) : null;
};

// Of `>17` and `>17.2` only the second admits a host of 17.
function compares(text, host) {
	const bound = /^([<>]=?)\s*v?(\d+)(\.\d+)?(\.\d+)?\s*$/i.exec(text);
	if (!bound)
		return null;
	const [, sign, digits, minor, patch] = bound;
	const at = Number(digits);
	const isFloor = !Number(minor?.slice(1) ?? 0) &&
		!Number(patch?.slice(1) ?? 0);
	switch (sign) {
	case '>=': return host >= at;
	case '>': return minor === undefined ? host > at : host >= at;
	case '<=': return host <= at;
	default: return isFloor ? host < at : host <= at;
	}
}

// true, false, or null for what is no range.
function admits(range, host) {
	const parts = range.split(/[\s,]+/).filter(Boolean);
	const ends = range.split(/\s+-\s+/);
	if (!range || range.length > RANGE_MAX)
		return null;
	if (['*', 'x', 'latest'].includes(range))
		return true;
	if (parts.length > 1 && parts.every((part) => /^[<>]/.test(part))) {
		const each = parts.map((part) => compares(part, host));
		return each.includes(null) ? null : !each.includes(false);
	}
	if (ends.length === 2) {
		const [low, high] = ends.map(major);
		return low === null || high === null ? null :
			low <= host && host <= high;
	}
	if (/^[<>]/.test(range))
		return compares(range, host);
	if (/^[\^~]/.test(range)) {
		const at = major(range.slice(1));
		return at === null ? null : at === host;
	}
	if (/^\d+(\.\d+){0,2}$/.test(range) || /^\d+\.[x*]/i.test(range))
		return major(range) === host;
	return null;
}

function declared(manifest) {
	const sources = [
		['engines.protocol', manifest.engines?.protocol],
		['engines.platform', manifest.engines?.platform],
		['engine.objectstack', manifest.engine?.objectstack],
	];
	for (const [source, value] of sources) {
		const requiredRange = value?.trim();
		if (requiredRange)
			return { requiredRange, source };
	}
	return null;
}

// What the host's checkProtocolCompat() answers, for a host of this version.
function check(manifest, runtimeVersion) {
	const runtimeMajor = major(runtimeVersion) ?? 0;
	const range = declared(manifest);
	if (!range)
		return { status: 'no-range', runtimeMajor };
	const { requiredRange, source } = range;
	const is = admits(requiredRange, runtimeMajor);
	if (is !== false)
		return { status: is ? 'ok' : 'unparsed-range', runtimeMajor,
			requiredRange, source };
	const packageId = manifest.id ?? '<unknown>';
	const targetMajor = major(requiredRange.replace(/^[\^~<>=\s]+/, ''));
	const migrateCommand = 'objectstack migrate meta' +
		(targetMajor === null ? '' : ` --from ${targetMajor}`);
	return {
		status: 'incompatible', runtimeMajor, runtimeVersion,
		requiredRange, source,
		diagnostic: {
			code: 'OS_PROTOCOL_INCOMPATIBLE', packageId,
			requiredRange, rangeSource: source, runtimeVersion,
			runtimeMajor, targetMajor, migrateCommand,
			message: `package '${packageId}' targets protocol ` +
				`${requiredRange} (${source}) but this ` +
				`runtime is protocol ${runtimeVersion}. This ` +
				'is a major-version break. Run: ' +
				migrateCommand,
		},
	};
}

// ---- the host's ----

// The module that `import` would give who stands at base: the one that the
// host has loaded already, as what `require` gives would be a second copy.
function entry(base) {
	const file = createRequire(base).resolve(HOST);
	let dir = dirname(file);
	while (!existsSync(join(dir, 'package.json')))
		dir = dirname(dir);
	const { exports } = JSON.parse(readFileSync(join(dir, 'package.json')));
	const esm = exports?.['.']?.import;
	return pathToFileURL(esm ? join(dir, esm.default ?? esm) : file);
}

async function hostCheck() {
	const bases = [__filename, process.argv[1],
		join(process.cwd(), 'package.json')];
	for (const base of bases.filter(Boolean)) {
		let url;
		try {
			url = entry(base);
		} catch {
			continue; // it is not there
		}
		const { checkProtocolCompat } = await import(url);
		if (checkProtocolCompat)
			return (manifest) => checkProtocolCompat(manifest);
	}
	return null;
}

// The handshake of a host: of the protocol that was said, else the host's own;
// null where nobody knows.
const handshake = async (protocol) => protocol ?
	(manifest) => check(manifest, protocol) : hostCheck();

module.exports = { check, handshake };
