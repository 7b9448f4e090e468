// The module's entry: the same objects as those of CommonJS, so that an error
// of the one is an error of the other. The default is the plugin, as who
// imports this by the name of @objectstack/service-package expects.
import pakhus from './index.cjs';

export const {
	open, init, adoptHere, check, hash, checkProof, dump, mirror, adoptFrom,
	bundleApply, repair, Store, Batch, PakhusError, version,
	PackageServicePlugin, PACKAGE_PUBLISH_DRIVER_FAULT_MESSAGE,
	PACKAGE_SEAM_UNREADABLE_MESSAGE,
} = pakhus;
export default PackageServicePlugin;
