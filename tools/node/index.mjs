// The module's entry: the same objects as those of CommonJS, so that an error
// of the one is an error of the other.
import pakhus from './index.cjs';

export const {
	open, init, adoptHere, check, hash, checkProof, dump, mirror, adoptFrom,
	bundleApply, repair, Store, Batch, PakhusError, version,
} = pakhus;
export default pakhus;
