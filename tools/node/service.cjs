'use strict';
// The service `package` of an ObjectStack kernel on a store: the calls of
// @objectstack/service-package 17.4. How they differ is in README.md.
const answers = require('./answers.cjs');
const binding = require('./binding.cjs');
const { importRows } = require('./import.cjs');
const { packages } = require('./pages.cjs');

const LOADS = 4; // documents that a list reads at a time

// Whether there can be an id or a version of this kind.
const isName = (value) => typeof value === 'string' && value !== '' &&
	!/\0|\p{Surrogate}/u.test(value);

// The members of the original's record, in its order.
const recordOf = ({ id, version, manifest, metadata, hash, created_at,
	updated_at }) => ({ id, version, manifest, metadata, hash, created_at,
	updated_at });

// Whether JSON.stringify leaves a member out.
const isLeftOut = (value) =>
	['undefined', 'function', 'symbol'].includes(typeof value) ||
	typeof value?.toJSON === 'function' &&
		JSON.stringify(value) === undefined;

// The text that the original hashes, made in one go, as that is most of what
// a publish costs here. Without metadata it would be a build artifact's.
function documentOf(data) {
	const { manifest, metadata } = data ?? {};
	try {
		if (!isLeftOut(manifest) && !isLeftOut(metadata))
			return JSON.stringify({ manifest, metadata });
	} catch (error) {
		throw answers.invalid(error.message, error);
	}
	throw answers.invalid('Missing required fields: manifest, metadata');
}

// calls(n, each, items): each(item) for all, n at a time.
async function calls(n, each, items) {
	const rest = items[Symbol.iterator]();
	const run = async () => {
		for (const item of rest)
			await each(item);
	};
	await Promise.all(Array.from({ length: n }, run));
}

function packageService(store, logger, { strict = false, by } = {}) {
	// What a write that failed answers: thrown, or returned.
	function failed(what, error, returned) {
		const refused = error instanceof answers.PackageRefusal ?
			error : answers.refusal(error);
		const told = strict && refused?.status !== 409 ? undefined :
			refused;
		logger.error(what, told ?? error);
		if (told)
			throw told;
		return returned;
	}

	// What a read that failed answers.
	function unanswered(what, failing, error, returned) {
		if (strict) {
			logger.error(failing, error);
			return returned;
		}
		const told = answers.unreadable(error);
		logger.error(what, told);
		throw told;
	}

	// A document that no store would take is a mistake of its publisher.
	async function publish(text) {
		try {
			return await store.publish(text, { by });
		} catch (error) {
			if (error.code !== 'EINVAL')
				throw error;
			await binding.check(text).catch((why) => {
				throw answers.invalid(why.message, why);
			});
			throw error;
		}
	}

	async function load(found, loaded) {
		try {
			const whole = await store.get(found.id, found.version) ??
				await store.get(found.id); // deleted since
			if (whole)
				loaded.set(found.id, whole);
		} catch (error) {
			if (error.code !== 'ECORRUPT' || strict)
				throw error;
			// the others are none the worse for it
			logger.error('Failed to read package: ' +
				`${found.id}@${found.version}`, error);
		}
	}

	return {
		store,

		async publish(data) {
			try {
				const { id, version } = await publish(
					documentOf(data));
				logger.info(`Published package: ${id}@` +
					version);
				return { success: true };
			} catch (error) {
				return failed('Failed to publish package',
					error, { success: false, driverFault: {
						message: answers.PACKAGE_PUBLISH_DRIVER_FAULT_MESSAGE,
					} });
			}
		},

		async get(packageId, version = 'latest') {
			if (!isName(packageId) || !isName(version))
				return null; // there can be none
			try {
				const found = await store.get(packageId,
					version);
				return found && recordOf(found);
			} catch (error) {
				return unanswered('Cannot answer whether ' +
					`package '${packageId}' is installed`,
				`Failed to get package: ${packageId}`, error,
				null);
			}
		},

		// The canonical texts, for who hands them on.
		async getText(packageId, version = 'latest') {
			return isName(packageId) && isName(version) ?
				store.getText(packageId, version) : null;
		},

		async list() {
			const found = new Map(), loaded = new Map();
			try {
				for await (const item of packages(store))
					found.set(item.id, item);
				await calls(LOADS, (item) => load(item, loaded),
					found.values());
			} catch (error) {
				return unanswered('Cannot answer which ' +
					'packages are installed',
				'Failed to list packages', error, []);
			}
			return [...loaded.values()].sort(
				(a, b) => b.place - a.place).map(recordOf);
		},

		async delete(packageId, version) {
			try {
				const all = version === undefined ||
					version === null || (strict && !version);
				if (!isName(packageId))
					throw answers.badArgument('Which ' +
						'package to delete was not said');
				if (!all && (!isName(version) ||
				    !strict && version === 'latest'))
					throw answers.badArgument('This is no ' +
						'version; without one all of ' +
						'the package is deleted');
				await store.delete(packageId,
					all ? undefined : version, { by });
				logger.info(`Deleted package: ${packageId}` +
					(all ? '' : `@${version}`));
				return { success: true };
			} catch (error) {
				return failed('Failed to delete package', error,
					{ success: false });
			}
		},

		// From the table of the original: see import.cjs.
		importFrom: (objectql, options) =>
			importRows(store, objectql, { logger, by, ...options }),
	};
}

module.exports = { packageService };
