// The types of both entries.

/** A JSON value, as `JSON.parse` gives it. */
export type Json = null | boolean | number | string | Json[] |
	{ [key: string]: Json };
export interface JsonObject { [key: string]: Json }

/** `{ manifest, metadata }`, a build artifact, or either as JSON text. */
export type PackageDocument = object | string | Uint8Array;

/** What names a status of the library, see `code` of PakhusError. */
export type Code = 'ENOTFOUND' | 'EINVAL' | 'ECONFLICT' | 'ECORRUPT' |
	'EVERSION' | 'ELIMIT' | 'EBUSY' | 'EDENIED' | 'ENOMEM' | 'ESYS' |
	'EUNKNOWN' | 'ECANCELED' | 'ENETWORK' | 'ESTALE';

/** What a call of the library that failed rejects with. */
export class PakhusError extends Error {
	constructor(message: string, status: number, errno?: number);
	readonly name: 'PakhusError';
	/** The library's status, a negative number. */
	readonly status: number;
	readonly code: Code;
	/** Where the system said no: 'ENOSPC', 'EACCES', … */
	readonly sys?: string;
	/** Of publishAll: which document it was, counted from 0. */
	index?: number;
	/** Of publishAll and a batch: how many documents are durable. */
	durable?: number;
}

/** A version as the store's index knows it; sizes are bytes, times with `Us`
 * are microseconds since 1970. */
export interface VersionRecord {
	id: string;
	version: string;
	/** SHA-256 of the document's canonical text, in hexadecimal. */
	hash: string;
	manifestSize: number;
	metadataSize: number;
	/** `YYYY-MM-DD HH:MM:SS`, UTC. */
	created_at: string;
	updated_at: string;
	createdUs: number;
	updatedUs: number;
	/** Position of the log entry that set the content. */
	seq: number;
	/** Position of the one that inserted the version. */
	place: number;
}

export interface Package extends VersionRecord {
	manifest: JsonObject;
	metadata: JsonObject;
}

/** The canonical texts, whose SHA-256 is `hash`. */
export interface PackageText extends VersionRecord {
	manifest: string;
	metadata: string;
	document: string;
}

/** Where only manifests were asked for there is no more of a package. */
export interface ListedPackage extends VersionRecord {
	manifest: JsonObject;
	metadata?: JsonObject;
}

export interface ListedPackageText extends VersionRecord {
	manifest: string;
	metadata?: string;
	document?: string;
}

export interface Entry {
	seq: number;
	timeUs: number;
	time: string;
	op: string;
	/** '' where the op has none; so are version and hash. */
	id: string;
	version: string;
	hash: string;
	manifestSize: number;
	metadataSize: number;
	by: string;
	/** Of a purge. */
	reason: string;
	/** Of an attrs: bytes of its object; 0: nothing is said any more. */
	attrsSize: number;
}

/** What is said of a package, where version is '', or of a version. */
export interface Attrs<T = JsonObject> {
	id: string;
	version: string;
	hash: string;
	seq: number;
	timeUs: number;
	time: string;
	by: string;
	attrs: T;
}

export interface Artifact {
	/** The manifest with the metadata's members beside it. */
	text: string;
	/** Its own SHA-256. */
	hash: string;
}

/** A file of the tree, open for reading; who gets it closes fd. */
export interface TreeFile {
	fd: number;
	size: number;
	/** It may be kept: what the name stands for does not change. */
	isImmutable: boolean;
}

export interface Key {
	/** The verifier key, in signed-note form. */
	key: string;
	seq: number;
	timeUs: number;
	time: string;
	by: string;
}

/** A page, newest first; `next` goes into `before` of the one that follows it,
 * and is 0 in the last one. */
export interface Page<T> {
	items: T[];
	next: number;
	/** Log entries that had been applied when it was read. */
	position: number;
}

export interface Range {
	before?: number;
	/** 100 unless told otherwise, at most 10,000. */
	limit?: number;
}

export interface ListRange extends Range {
	/** Whole documents, not manifests alone. */
	documents?: boolean;
}

export interface Progress {
	what: string;
	done: number;
	/** 0 while unknown. */
	total: number;
}

export interface Watching {
	onProgress?: (progress: Progress) => void;
	/** Cancels the call, which rejects with the signal's reason. */
	signal?: AbortSignal;
}

export interface OpenOptions extends Watching {
	/** Make a store where none is. */
	create?: boolean;
	readonly?: boolean;
	/** Make the index anew. */
	rebuild?: boolean;
	/** zstd level of new objects, 1 to 19; 12. */
	level?: number;
	/** Bytes of decoded texts kept; 32 MiB. */
	cacheSize?: number;
	/** Bytes; lowers 64 MiB. */
	maxDocument?: number;
	/** Threads that encode and decode objects, in one call; 1. */
	threads?: number;
	/** Milliseconds after the last write until what was written is moved
	 * into the tree; 1000. 0: only `sync()` and `close()` do. */
	syncAfter?: number;
	/** Told what the user should know; unless given, it is a warning of
	 * the process. */
	onNotice?: (text: string) => void;
}

export interface By {
	/** Who did it: a label in the log, at most 64 bytes. */
	by?: string;
}

export interface Over extends By {
	/** Only where the version's content was set by the entry at this
	 * position, or with 0 where it is not there; ESTALE otherwise. */
	over?: number;
}

export interface Stat {
	identity: string;
	/** The log's name. */
	origin: string;
	/** The verifier key in force. */
	key: string;
	immutable: boolean;
	writable: boolean;
	/** Why it is not, or ''. */
	whyNot: string;
	entries: number;
	/** Entries in the signed tree. */
	checkpoint: number;
	root: string;
	packages: number;
	versions: number;
	/** These four with `{ objects: true }`. */
	objects?: number;
	objectBytes?: number;
	objectBlocks?: number;
	maxDepth?: number;
	journalBytes: number;
	indexBytes: number;
}

export interface Damage {
	/** The file inside the store. */
	path: string;
	/** The rule of FORMAT.md that it breaks. */
	rule: string;
	text: string;
}

export interface Verified {
	ok: boolean;
	entries: number;
	objects: number;
	bytes: number;
	damages: Damage[];
}

export interface VerifyOptions extends Watching {
	/** Of the two parts, both unless one is named. */
	files?: boolean;
	index?: boolean;
	/** Look at the files without decoding an object. */
	quick?: boolean;
}

export interface Garbage {
	hash: string;
	bytes: number;
	sinceUs: number;
	/** It was freed, or would be; else it waits. */
	isFreed: boolean;
	/** What was published with it; '' where the log does not say. */
	id: string;
	version: string;
}

export interface Collected {
	freed: number;
	freedBytes: number;
	waiting: number;
	waitingBytes: number;
	emptied: number;
	emptiedBytes: number;
	/** With `{ garbage: true }`. */
	garbage?: Garbage[];
}

export interface CollectOptions extends Watching {
	/** Tell, and change nothing. */
	dryRun?: boolean;
	/** Seconds that garbage waits; 14 days. */
	grace?: number;
	/** Name every object in the result. */
	garbage?: boolean;
}

export interface Purged {
	texts: number;
	seq: number;
	encoded: number;
}

export interface Bundled {
	from: number;
	to: number;
	objects: number;
	bytes: number;
}

export interface BundleOptions extends Watching {
	/** Entries that the mirror holds. */
	since?: number;
	/** Instead: the mirror's checkpoint. */
	checkpoint?: string | Uint8Array;
}

export interface Proof {
	origin: string;
	entries: number;
	timeUs: number;
	time: string;
	entry: Entry;
}

/** An open store. Calls under way when it is closed come to their end. */
export class Store {
	private constructor();

	/** Durable when it resolves. */
	publish(document: PackageDocument, options?: Over):
		Promise<VersionRecord>;
	/** Many documents with few syncs; what fails leaves those before it,
	 * see `index` and `durable` of the error. */
	publishAll(documents: Iterable<PackageDocument> |
		AsyncIterable<PackageDocument>, options?: By):
		Promise<{ count: number }>;
	batch(options?: By): Promise<Batch>;
	/** Without a version all of the package. How many went. */
	delete(id: string, version?: string | null, options?: Over):
		Promise<number>;
	/** Makes texts unreadable for ever; `seq`: one of them alone. */
	purge(id: string, version: string, reason: string,
		options?: By & { seq?: number }): Promise<Purged>;
	/** Says something beside the documents, in the place of what was said;
	 * version null: of the package. {} takes it away. Its position. */
	setAttrs(id: string, version: string | null | undefined,
		attrs: PackageDocument, options?: By): Promise<number>;
	/** Moves what is durable into the tree that mirrors copy. */
	sync(): Promise<void>;

	/** Without a version, or with 'latest', the one inserted last. */
	get(id: string, version?: string | null): Promise<Package | null>;
	getText(id: string, version?: string | null):
		Promise<PackageText | null>;
	/** The record alone. */
	find(id: string, version?: string | null):
		Promise<VersionRecord | null>;
	/** The build artifact that would publish the same document. */
	artifact(id: string, version?: string | null):
		Promise<Artifact | null>;
	/** Without a version what is said of the package. */
	attrs(id: string, version?: string | null): Promise<Attrs | null>;
	attrsText(id: string, version?: string | null):
		Promise<Attrs<string> | null>;
	/** What the publish at a position of the log stored. */
	getAt(seq: number): Promise<Package | null>;
	getTextAt(seq: number): Promise<PackageText | null>;
	/** A text by its SHA-256. */
	read(hash: string): Promise<string | null>;

	/** One package an item, its latest version. */
	list(options?: ListRange): Promise<Page<ListedPackage>>;
	listText(options?: ListRange): Promise<Page<ListedPackageText>>;
	versions(id: string, options?: Range): Promise<Page<VersionRecord>>;
	/** Without an id all of the log. */
	history(id?: string | null, options?: Range): Promise<Page<Entry>>;
	eachPackage(options?: ListRange):
		AsyncGenerator<ListedPackage, void, undefined>;
	eachVersion(id: string, options?: Range):
		AsyncGenerator<VersionRecord, void, undefined>;
	eachEntry(id?: string | null, options?: Range):
		AsyncGenerator<Entry, void, undefined>;

	stat(options?: { objects?: boolean }): Promise<Stat>;
	/** Damage is what it resolves with, and no failure. */
	verify(options?: VerifyOptions): Promise<Verified>;
	gc(options?: CollectOptions): Promise<Collected>;
	/** A file of the tree that mirrors copy, for who serves it. */
	openFile(name: string): Promise<TreeFile | null>;
	/** Brings pkg/, for readers that have HTTP alone, up to date. */
	refreshPkg(): Promise<void>;

	keys(): Promise<Key[]>;
	/** Gives the log another key: this private one, or a new one. */
	rotate(options?: By & { key?: string }): Promise<Key>;
	/** The signed note; `renew` signs it with the present time. */
	checkpoint(options?: { renew?: boolean }): Promise<string>;
	prove(id: string, version?: string | null): Promise<string>;
	proveAt(seq: number): Promise<string>;
	/** To a file, or to a function that gets the bytes in order. */
	bundleCreate(to: string | ((bytes: Uint8Array) => unknown),
		options?: BundleOptions): Promise<Bundled>;

	/** Waits for the calls under way. */
	close(): Promise<void>;
}

/** Documents on their way in, made durable about every 8 MiB. */
export class Batch {
	private constructor();
	/** How many of the documents and attrs are durable: the first ones. */
	readonly durable: number;
	/** A document that is refused is not added, and the batch goes on. */
	publish(document: PackageDocument): Promise<void>;
	publishAll(documents: Iterable<PackageDocument> |
		AsyncIterable<PackageDocument>): Promise<void>;
	/** Durable in one step with the document before it. */
	setAttrs(id: string, version: string | null | undefined,
		attrs: PackageDocument): Promise<void>;
	commit(): Promise<void>;
	/** Forgets what was not committed. */
	drop(): Promise<void>;
}

export function open(path: string | URL, options?: OpenOptions):
	Promise<Store>;

export interface InitOptions extends By {
	origin?: string;
	immutable?: boolean;
	/** The private key to begin with, `PRIVATE+KEY+…`. */
	key?: string;
}
export function init(path: string | URL, options?: InitOptions): Promise<void>;
/** Says that the copy at path is from now on the only one written. */
export function adoptHere(path: string | URL): Promise<void>;

/** Rejects where the document could not be published. */
export function check(document: PackageDocument): Promise<void>;
/** The hash that a document has or would have. */
export function hash(document: PackageDocument): Promise<string>;
/** What a proof proves to who trusts the key. */
export function checkProof(proof: string | Uint8Array, key: string):
	Promise<Proof>;
/** Any one file of a store as text for people. */
export function dump(path: string | URL): Promise<string>;

export interface FetchRequest {
	/** A directory, an absolute path, where the files go. */
	into: string;
	/** The files' names, whose directories are there. */
	names: string[];
	/** A file of more bytes is left out, as one that is not there. */
	max: number;
	/** Past caches. */
	fresh: boolean;
	signal?: AbortSignal;
}

/** Where a store's files come from. What it brings is checked. */
export interface FileSource {
	name?: string;
	/** Brings the files, or rejects: with a PakhusError as what that says,
	 * with anything else as ENETWORK. */
	fetch(request: FetchRequest): void | Promise<void>;
}
/** An http: or https: address, a path, or a source of your own. */
export type Source = string | URL | FileSource;

export interface MirrorOptions extends Watching {
	/** The verifier key to be trusted. */
	key?: string;
	/** Seconds; what was signed longer ago is refused. */
	maxAge?: number;
	threads?: number;
	onNotice?: (text: string) => void;
}

export interface Mirrored {
	isNew: boolean;
	isChanged: boolean;
	/** Log entries held before, and now. */
	before: number;
	entries: number;
	/** Objects brought, and their files' sizes. */
	objects: number;
	bytes: number;
	timeUs: number;
	tries: number;
}

/** Makes path a mirror of the source, or brings it up to date. */
export function mirror(path: string | URL, from: Source,
	options?: MirrorOptions): Promise<Mirrored>;
/** Gives a store that came back from a backup what its mirror knows. */
export function adoptFrom(path: string | URL, from: Source,
	options?: MirrorOptions): Promise<Mirrored>;
/** Brings a mirror up to date from a bundle's file. */
export function bundleApply(path: string | URL, file: string | URL,
	options?: MirrorOptions): Promise<Mirrored>;

export interface RepairOptions extends Watching {
	threads?: number;
	onMended?: (mended: { path: string, text: string }) => void;
	onNotice?: (text: string) => void;
}
export interface Repaired extends Verified {
	/** Objects that were damaged or missing. */
	restored: number;
	/** Damaged ones that nothing needs, moved aside. */
	aside: number;
}
/** Restores objects that are damaged or missing from any store or mirror. */
export function repair(path: string | URL, from: Source,
	options?: RepairOptions): Promise<Repaired>;

/** The library's version. */
export const version: string;

export * from './plugin.cjs';
export { default } from './plugin.cjs';
