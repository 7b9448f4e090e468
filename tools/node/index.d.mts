export * from './index.cjs';
export { PackageServicePlugin as default } from './index.cjs';
