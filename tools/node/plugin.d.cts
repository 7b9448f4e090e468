// Types of PackageServicePlugin, which need no @objectstack package: what they
// ask of a kernel is what its own types say.
import type { OpenOptions, Store, PackageText } from './index.cjs';

export interface PackageMetadata {
	objects?: any[];
	views?: any[];
	apps?: any[];
	flows?: any[];
	agents?: any[];
	tools?: any[];
	translations?: any[];
	[category: string]: unknown;
}
export interface PackageManifest {
	id: string;
	version: string;
	[member: string]: any;
}
export interface PackageRecord {
	id: string;
	version: string;
	manifest: any;
	metadata: PackageMetadata;
	/** SHA-256 of the document's text, in lower-case hexadecimal. */
	hash: string;
	/** `YYYY-MM-DD HH:MM:SS`, UTC; kept when it is replaced. */
	created_at: string;
	/** `YYYY-MM-DD HH:MM:SS`, UTC; of the last content. */
	updated_at: string;
}
export interface PackagePublishDriverFault {
	message: string;
}
export interface PackagePublishResult {
	success: boolean;
	driverFault?: PackagePublishDriverFault;
}
export interface PackageDeleteResult {
	success: boolean;
}
export interface PackageImport {
	/** Versions that were brought ... */
	imported: number;
	/** ... and that had been published here before. */
	same: number;
	/** Rows that are no packages, and why. */
	bad: { id: string; version: string; reason: string }[];
}
export interface SqlSource {
	execute(command: { sql: string; args?: any[] }): Promise<any>;
}
export interface PackageService {
	publish(data: { manifest: any; metadata: PackageMetadata }):
		Promise<PackagePublishResult>;
	get(packageId: string, version?: string):
		Promise<PackageRecord | null>;
	list(): Promise<PackageRecord[]>;
	delete(packageId: string, version?: string):
		Promise<PackageDeleteResult>;
	/** As get(), with texts instead of objects; store errors reject. */
	getText(packageId: string, version?: string):
		Promise<PackageText | null>;
	/** Brings what is in the table sys_packages. */
	importFrom(objectql: SqlSource): Promise<PackageImport>;
	/** What it is stored in, while the plugin runs. */
	readonly store: Store;
}
export interface PackageServiceOptions {
	/** Of the store; $PAKHUS_STORE, else .objectstack/packages. */
	path?: string;
	/** Answers mistakes as 17.4 does; else $PAKHUS_STRICT=1. */
	strict?: boolean;
	/** Imports sys_packages at start; else $PAKHUS_IMPORT=1. */
	import?: boolean;
	/** The host's, as in "17.0.0"; else its own handshake is used. */
	protocol?: string;
	/** false: what is published is not installed at boot. */
	hydrate?: boolean;
	/** Who published, in the log; else "package-service". */
	by?: string;
	/** How the store is opened. */
	store?: OpenOptions;
}
export interface Logger {
	debug(message: string, ...rest: any[]): void;
	info(message: string, ...rest: any[]): void;
	warn(message: string, ...rest: any[]): void;
	error(message: string, ...rest: any[]): void;
}
export interface PluginContext {
	logger: Logger;
	getService<T>(name: string): T;
	registerService(name: string, service: any): void;
}
export class PackageServicePlugin {
	name: string;
	constructor(options?: PackageServiceOptions);
	init(ctx: PluginContext): Promise<void>;
	start(ctx: PluginContext): Promise<void>;
	destroy(): Promise<void>;
}
export const PACKAGE_PUBLISH_DRIVER_FAULT_MESSAGE: string;
export const PACKAGE_SEAM_UNREADABLE_MESSAGE: string;
export { PackageServicePlugin as default };
