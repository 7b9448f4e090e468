'use strict';
// At boot: the packages of a store, into the registry of the host. Manifests
// alone, a page at a time. What is wrong with one is logged, and keeps none of
// the others out.
const { packages } = require('./pages.cjs');
const { handshake } = require('./protocol.cjs');

// Whether a package may be installed, and what is said of it.
function admitted(id, manifest, check, logger) {
	const compat = check(manifest);
	switch (compat.status) {
	case 'incompatible':
		logger.error(`[protocol] refusing to rehydrate package '${id}' ` +
			`from sys_packages: ${compat.diagnostic.message} ` +
			JSON.stringify(compat.diagnostic));
		return false;
	case 'no-range':
		logger.warn(`[protocol] package '${id}' declares no ` +
			'engines.protocol range; rehydrating without a ' +
			'compatibility check (ADR-0087).');
		return true;
	case 'unparsed-range':
		logger.warn(`[protocol] package '${id}' declares an ` +
			`unrecognized ${compat.source} range ` +
			`'${compat.requiredRange}'; skipping the protocol ` +
			'handshake (ADR-0087).');
	}
	return true;
}

async function hydrate(store, registry, logger, protocol) {
	let check, hydrated = 0;
	for await (const item of packages(store)) {
		const id = item.manifest?.id;
		try {
			if (item.error)
				throw item.error;
			if (!id || registry.getPackage(id))
				continue;
			if (check === undefined) {
				check = await handshake(protocol);
				if (!check)
					logger.warn('[protocol] the protocol ' +
						'of this runtime is not known: ' +
						'@objectstack/metadata-core ' +
						'cannot be found, and the ' +
						'option `protocol` does not ' +
						'say it; rehydrating without ' +
						'compatibility checks (ADR-0087).');
			}
			if (check && !admitted(id, item.manifest, check, logger))
				continue;
			registry.installPackage(item.manifest);
			hydrated++;
		} catch (error) {
			logger.error('Failed to rehydrate package ' +
				`'${item.id}@${item.version}': ` +
				error.message, error);
		}
	}
	if (hydrated)
		logger.info(`Hydrated ${hydrated} package(s) from ` +
			'sys_packages into registry');
}

module.exports = { hydrate };
