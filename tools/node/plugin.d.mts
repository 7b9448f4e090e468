export * from './plugin.cjs';
export { PackageServicePlugin as default } from './plugin.cjs';
