export * from './index.cjs';
import * as pakhus from './index.cjs';
export default pakhus;
