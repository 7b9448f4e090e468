// A second reader of stores, written from layout/FORMAT.md alone: what it and the program both say of a store, the
// document says. It shares no code with layout/ and src/, runs the zstd program to decode, and needs nothing of local/
// but for --journal.
//
// usage: node reader.mjs [--history] [--attrs] [--stat] [--journal] STORE
//
// Checks every file, and prints JSON lines: a line per live version, newest place first; with --history a line per
// entry of the log, newest first; with --attrs one for what is said of each package and version; with --stat one of
// sums; with --journal one per slot, one per entry that is not in the log yet, and one for the end. At the first rule
// that does not hold it prints "RULE sentence" to stderr, exit 1.
import { spawn, spawnSync } from 'node:child_process';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { lstatSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';

const MIB = 1024 * 1024;
const BLOCK = 4096;
const HEADER = 128;
const TRAILER = 64;

class Broken extends Error {}

function rule(name, sentence) {
	throw new Broken(`${name} ${sentence}`);
}

function must(holds, name, sentence) {
	if (!holds) rule(name, sentence);
}

const sha256 = (...parts) => {
	const hash = createHash('sha256');
	for (const part of parts) hash.update(part);
	return hash.digest();
};

// ---- XXH64 ---------------------------------------------------------------------------------------------------------

const P1 = 0x9E3779B185EBCA87n, P2 = 0xC2B2AE3D27D4EB4Fn, P3 = 0x165667B19E3779F9n;
const P4 = 0x85EBCA77C2B2AE63n, P5 = 0x27D4EB2F165667C5n;
const u64 = (n) => BigInt.asUintN(64, n);
const rotl = (n, by) => u64((n << by) | (n >> (64n - by)));
const round = (acc, lane) => u64(rotl(u64(acc + u64(lane * P2)), 31n) * P1);

function xxh64(bytes, seed) {
	const at = (i) => bytes.readBigUInt64LE(i);
	let i = 0, h;
	if (bytes.length >= 32) {
		let a = u64(seed + P1 + P2), b = u64(seed + P2), c = seed, d = u64(seed - P1);
		for (; i + 32 <= bytes.length; i += 32) {
			a = round(a, at(i));
			b = round(b, at(i + 8));
			c = round(c, at(i + 16));
			d = round(d, at(i + 24));
		}
		h = u64(rotl(a, 1n) + rotl(b, 7n) + rotl(c, 12n) + rotl(d, 18n));
		for (const acc of [a, b, c, d]) h = u64((h ^ round(0n, acc)) * P1 + P4);
	} else {
		h = u64(seed + P5);
	}
	h = u64(h + BigInt(bytes.length));
	for (; i + 8 <= bytes.length; i += 8) h = u64(rotl(h ^ round(0n, at(i)), 27n) * P1 + P4);
	if (i + 4 <= bytes.length) {
		h = u64(rotl(h ^ u64(BigInt(bytes.readUInt32LE(i)) * P1), 23n) * P2 + P3);
		i += 4;
	}
	for (; i < bytes.length; i++) h = u64(rotl(h ^ u64(BigInt(bytes[i]) * P5), 11n) * P1);
	h = u64((h ^ (h >> 33n)) * P2);
	h = u64((h ^ (h >> 29n)) * P3);
	return h ^ (h >> 32n);
}

// ---- texts ---------------------------------------------------------------------------------------------------------

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes, name, what) {
	try {
		return utf8.decode(bytes);
	} catch {
		return rule(name, `${what} is not UTF-8`);
	}
}

function base64(text) {
	const bytes = Buffer.from(text, 'base64');
	return bytes.toString('base64') === text ? bytes : null;
}

// The value of a canonical text. What JSON.parse and JSON.stringify leave as it was is canonical, but for lone
// surrogates, which stringify as the escapes they were written as.
function canonical(text, name, what) {
	let value;
	try {
		value = JSON.parse(text);
	} catch {
		rule('F-6', `${what} is not JSON`);
	}
	must(JSON.stringify(value) === text, name, `${what} is not canonical`);
	must(!/(?<!\\)(\\\\)*\\ud[89a-f]/.test(text), 'F-6', `${what} has a lone surrogate`);
	return value;
}

function nesting(text) {
	let deep = 0, most = 0;
	for (let i = 0; i < text.length; i++) {
		const c = text.charCodeAt(i);
		if (c === 0x22) {
			for (i++; text.charCodeAt(i) !== 0x22; i++) if (text.charCodeAt(i) === 0x5C) i++;
		} else if (c === 0x7B || c === 0x5B) {
			if (++deep > most) most = deep;
		} else if (c === 0x7D || c === 0x5D) {
			deep--;
		}
	}
	return most;
}

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

function isString(value, least, most) {
	if (typeof value !== 'string' || CONTROL.test(value)) return false;
	const size = Buffer.byteLength(value);
	return size >= least && size <= most;
}

const isId = (value) => isString(value, 1, 214);
const isVersion = (value) => isString(value, 1, 128) && value !== 'latest';
const isHash = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isNumber = (value) => Number.isSafeInteger(value) && value >= 0;

// What a text says of itself: id, version, and the sizes of M and D.
// What is said of a package or version (F-97).
function readSaid({ id, version, attrs }, text, what) {
	must(isId(id) && (version === '' || isVersion(version)), 'F-9', `${what} has no good id and version`);
	must(isObject(attrs), 'F-97', `${what} says no object`);
	must(nesting(text) <= 513, 'F-7', `${what} nests too deep`);
	return { id, version, attrs, size: Buffer.byteLength(JSON.stringify(attrs)) };
}

function readText(bytes, what) {
	must(bytes.length >= 1 && bytes.length <= 64 * MIB, 'F-8', `${what} has ${bytes.length} bytes`);
	const text = decode(bytes, 'F-6', what);
	const doc = canonical(text, 'F-2', what);
	if (isObject(doc) && Object.keys(doc).join() === 'id,version,attrs') return readSaid(doc, text, what);
	must(isObject(doc) && Object.keys(doc).join() === 'manifest,metadata', 'F-10', `${what} has other members`);
	must(isObject(doc.manifest) && isObject(doc.metadata), 'F-1', `${what} has parts that are no objects`);
	must(nesting(text) <= 513, 'F-7', `${what} nests too deep`);
	const { id, version } = doc.manifest;
	must(isId(id) && isVersion(version), 'F-9', `${what} has no good id and version`);
	const manifest = Buffer.byteLength(JSON.stringify(doc.manifest));
	return { id, version, manifest, metadata: bytes.length - 25 - manifest };
}

// ---- the tree of files ---------------------------------------------------------------------------------------------

// Number and width of tlog-tiles' "x001/x234/067" and "000.p/3"; null for another spelling.
function tileIndex(path) {
	const match = /^((?:x\d{3}\/)*)(\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path);
	if (!match || match[1].startsWith('x000') || Number(match[3] ?? 1) > 255) return null;
	return { n: Number(match[1].replace(/[x/]/g, '') + match[2]), width: match[3] ? Number(match[3]) : 256 };
}

function tilePath(level, n, width) {
	let digits = String(n);
	digits = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
	const groups = digits.match(/.{3}/g);
	const name = groups.map((group, i) => (i < groups.length - 1 ? 'x' : '') + group).join('/');
	return `log/tile/${level}/${name}${width < 256 ? `.p/${width}` : ''}`;
}

const FILE = 1, DIR = 2, SKIP = 3;

function kindOf(path) {
	let match;
	if (path === 'FORMAT' || path === 'log/checkpoint' || /^keys\/[0-9a-f]{8}(\.next)?$/.test(path)) return FILE;
	if (/^(objects(\/[0-9a-f]{2})?|log|log\/tile|log\/tile\/(entries|[0-7])|keys)$/.test(path)) return DIR;
	if (/^objects\/[0-9a-f]{2}\/[0-9a-f]{62}$/.test(path)) return FILE;
	if (path === 'local' || path === 'pkg' || path === 'lost+found') return SKIP;
	if ((match = /^log\/tile\/(?:entries|[0-7])\/(.*)$/.exec(path))) {
		if (tileIndex(match[1])) return FILE;
		if (/^(x\d{3}\/)*(x\d{3}|\d{3}\.p)$/.test(match[1]) && !match[1].startsWith('x000')) return DIR;
	}
	return 0;
}

function walk(store) {
	const files = [];
	const into = (dir) => {
		for (const name of readdirSync(join(store, dir)).sort()) {
			if (name.startsWith('.')) continue;
			const path = dir ? `${dir}/${name}` : name;
			const kind = kindOf(path);
			must(kind, 'F-43', `${path} has no business here`);
			if (kind === SKIP) continue;
			const stat = lstatSync(join(store, path));
			must(kind === FILE ? stat.isFile() : stat.isDirectory(), 'F-43', `${path} is not of its kind`);
			if (kind === FILE) files.push(path);
			else into(path);
		}
	};
	into('');
	return files;
}

// ---- FORMAT, keys, checkpoint --------------------------------------------------------------------------------------

const isName = (name) => /^[!-~]{1,200}$/.test(name) && !name.includes('+');

function readFormat(bytes) {
	const text = bytes.toString('latin1');
	const first = /^pakhus ([1-9][0-9]*)\n/.exec(text);
	must(!first || first[1] === '1', 'F-42', `version ${first?.[1]} of the format is a later one`);
	must(first, 'F-40', 'FORMAT does not begin with a version');
	const match = /^pakhus 1\nidentity ([0-9a-f]{32})\norigin ([^\n]*)\nimmutable (yes|no)\n$/.exec(text);
	must(match, 'F-41', 'FORMAT is not its four lines');
	must(isName(match[2]), 'F-35', 'FORMAT has an origin that is no name');
	return { identity: match[1], origin: match[2], immutable: match[3] === 'yes', hash: sha256(bytes).toString('hex') };
}

function readKey(text, what) {
	const parts = text.split('+');
	const [name, id] = parts;
	const bytes = base64(parts.slice(2).join('+'));
	must(parts.length >= 3 && isName(name) && /^[0-9a-f]{8}$/.test(id), 'F-35', `${what} is no verifier key`);
	must(bytes && bytes.length === 33 && bytes[0] === 1, 'F-35', `${what} has no Ed25519 key`);
	const own = sha256(name, '\n', bytes).subarray(0, 4).toString('hex');
	must(own === id, 'F-36', `${what} has the id ${own}`);
	const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), bytes.subarray(1)]);
	return { name, id, text, key: createPublicKey({ key: der, format: 'der', type: 'spki' }) };
}

// The text of a note, and those of the keys that signed it.
function readNote(bytes, origin, keys, what) {
	must(bytes.length <= 16384, 'F-34', `${what} is too long`);
	const note = decode(bytes, 'F-34', what);
	must(!/[\u0000-\u0009\u000b-\u001f]/.test(note), 'F-34', `${what} has control characters`);
	const divide = note.lastIndexOf('\n\n');
	must(divide > 0 && note.endsWith('\n') && divide + 2 < note.length, 'F-34', `${what} is no note`);
	const text = note.slice(0, divide + 1);
	const signers = [];
	for (const line of note.slice(divide + 2, -1).split('\n')) {
		const match = /^— ([^ +]+) ([^ ]+)$/.exec(line);
		const sig = match && base64(match[2]);
		if (!sig || sig.length < 5) break;
		const id = sig.subarray(0, 4).toString('hex');
		const key = keys.find((one) => one.id === id && one.name === match[1]);
		if (!key || key.name !== origin || sig.length !== 4 + 64) continue;
		if (verify(null, Buffer.from(text), key.key, sig.subarray(4))) signers.push(key);
	}
	const match = /^([^\n]*)\n(0|[1-9][0-9]*)\n([^\n]*)\n((?:[^\n]*\n)*)$/.exec(text);
	must(match && isNumber(Number(match[2])), 'F-37', `${what} is not origin, size and root`);
	const root = base64(match[3]);
	must(root && root.length === 32, 'F-37', `the root hash of ${what} is none`);
	return { origin: match[1], size: Number(match[2]), root, signers, more: match[4].split('\n').slice(0, -1) };
}

// Signed by some key of keys/; whether by the one in force, the log says.
function readCheckpoint(bytes, origin, keys) {
	const note = readNote(bytes, origin, keys, 'the checkpoint');
	must(note.signers.length, 'F-38', 'no key of keys/ with the name of the origin signed the checkpoint');
	must(note.origin === origin, 'F-38', 'the checkpoint is of another origin');
	must(note.size > 0, 'F-38', 'the checkpoint is empty');
	return note;
}

// The notes that lead from each key of the log to the next, over the trees that end in the entries that brought them.
function readRotations(store, files, origin, chain, leaves) {
	for (const { id } of chain) must(files.has(`keys/${id}`), 'F-69', `keys/${id} is missing`);
	chain.slice(1).forEach((next, i) => {
		const path = `keys/${chain[i].id}.next`;
		must(files.has(path), 'F-69', `${path} is missing`);
		const note = readNote(readFileSync(join(store, path)), origin, [chain[i], next], path);
		const said = note.more.filter((line) => line.startsWith('key '));
		must(said.length === 1 && said[0] === `key ${next.text}`, 'F-68', `${path} names another key`);
		must(note.origin === origin && note.signers.includes(chain[i]) && note.signers.includes(next),
			'F-68', `${path} is not signed by both keys`);
		must(note.size === next.seq + 1 && note.root.equals(treeHash(leaves, 0, note.size)),
			'F-68', `${path} is of another tree`);
	});
	const notes = [...files].filter((path) => path.endsWith('.next')).map((path) => path.slice(5, 13));
	for (const id of notes) must(chain.some((key) => key.id === id), 'F-69', `keys/${id}.next is of no key of the log`);
}

// ---- the log -------------------------------------------------------------------------------------------------------

// As many entries as said, each behind its size, from an offset on: [entries, end].
function readSizes(bytes, count, start, name, what) {
	const entries = [];
	let at = start;
	for (let i = 0; i < count; i++) {
		must(at + 2 <= bytes.length, name, `${what} ends before entry ${i}`);
		const size = bytes.readUInt16BE(at);
		must(at + 2 + size <= bytes.length, name, `${what} ends inside entry ${i}`);
		entries.push(bytes.subarray(at + 2, at + 2 + size));
		at += 2 + size;
	}
	return [entries, at];
}

const leaf = (entry) => sha256(Buffer.of(0), entry);
const node = (left, right) => sha256(Buffer.of(1), left, right);

function treeHash(hashes, from = 0, to = hashes.length) {
	if (to - from === 1) return hashes[from];
	let half = 1;
	while (half * 2 < to - from) half *= 2;
	return node(treeHash(hashes, from, from + half), treeHash(hashes, from + half, to));
}

// The root over the widths of tiles: the highest level has the biggest subtrees, which stand leftmost.
function rootOfTiles(levels) {
	const peaks = [];
	for (let level = levels.length - 1; level >= 0; level--) {
		const width = levels[level].length % 256;
		let at = levels[level].length - width;
		for (let bit = 128; bit >= 1; bit /= 2) {
			if (!(width & bit)) continue;
			peaks.push(treeHash(levels[level], at, at + bit));
			at += bit;
		}
	}
	return peaks.reduceRight((right, left) => node(left, right));
}

// The files of one level up to a count, of which a partial one that is gone may be cut from the full one: calls back
// with the path, its bytes, n, the width that counts, and the width that the file has.
function eachTile(store, files, level, count, take) {
	for (let n = 0; n * 256 < count; n++) {
		const width = Math.min(256, count - n * 256);
		const path = [tilePath(level, n, width), tilePath(level, n, 256)].find((one) => files.has(one));
		must(path, 'F-33', `${tilePath(level, n, width)} is missing`);
		take(path, readFileSync(join(store, path)), n, width, path.includes('.p/') ? width : 256);
	}
}

// Partial ones of checkpoints before, which are how the longer ones begin.
function eachOlder(store, files, level, count, take) {
	for (const path of files) {
		if (!path.startsWith(`log/tile/${level}/`)) continue;
		const { n, width } = tileIndex(path.slice(`log/tile/${level}/`.length));
		if (n * 256 + width < count && width < 256) take(path, readFileSync(join(store, path)), n, width, width);
	}
}

function readLog(store, files, { size, root }) {
	const bundle = (path, bytes, has) => {
		const [some, end] = readSizes(bytes, has, 0, 'F-30', path);
		must(end === bytes.length, 'F-31', `${path} goes on behind its last entry`);
		return some;
	};
	const entries = [];
	eachTile(store, files, 'entries', size, (path, bytes, n, width, has) =>
		entries.push(...bundle(path, bytes, has).slice(0, width)));
	const leaves = entries.map(leaf);
	must(treeHash(leaves).equals(root), 'F-39', 'the root over the entries is not the checkpoint\'s');
	eachOlder(store, files, 'entries', size, (path, bytes, n, width) => bundle(path, bytes, width).forEach((entry, i) =>
		must(entry.equals(entries[n * 256 + i]), 'F-31', `${path} has another entry ${i}`)));

	const levels = [];
	for (let hashes = leaves; hashes.length;) {
		const level = levels.length, count = hashes.length, all = hashes;
		must(level < 8, 'F-32', 'the log is too long');
		const read = [];
		const same = (path, bytes, n, width, has) => {
			must(bytes.length === has * 32, 'F-33', `${path} has not ${has} hashes`);
			for (let i = 0; i < width; i++) {
				const hash = bytes.subarray(i * 32, i * 32 + 32);
				must(hash.equals(all[n * 256 + i]), 'F-33', `${path}: hash ${i} is wrong`);
				read[n * 256 + i] = hash;
			}
		};
		eachTile(store, files, level, count, same);
		eachOlder(store, files, level, count, same);
		levels.push(read);
		hashes = [];
		for (let n = 0; n + 256 <= count; n += 256) hashes.push(treeHash(all, n, n + 256));
	}
	must(rootOfTiles(levels).equals(root), 'F-39', 'the root over the tiles is not the checkpoint\'s');
	return entries;
}

// The hash of an attrs that takes away what was said.
const NOTHING = /^0{64}$/;
const hasText = (entry) => entry.op === 'publish' || (entry.op === 'attrs' && entry.size > 0);

const MEMBERS = {
	key: ['key', 'format', 'time', 'by'],
	publish: ['id', 'version', 'hash', 'manifest_size', 'metadata_size', 'time', 'by'],
	delete: ['id', 'version', 'time', 'by'],
	attrs: ['id', 'version', 'hash', 'size', 'time', 'by'],
	purge: ['id', 'version', 'hash', 'reason', 'time', 'by'],
};
const OTHERS = ['yank', 'unyank', 'tag', 'deprecate'];

function readEntry(bytes, position) {
	const what = `entry ${position}`;
	must(bytes.length <= 8192, 'F-28', `${what} has ${bytes.length} bytes`);
	const text = decode(bytes, 'F-21', what);
	const entry = canonical(text, 'F-20', what);
	must(isObject(entry) && Object.keys(entry)[0] === 'op', 'F-20', `${what} does not begin with op`);
	must(entry.op !== 'require', 'F-27', `${what} requires features that are not known here`);
	must(!OTHERS.includes(entry.op), 'F-24', `${what} is a ${entry.op}, whose effect is not known here`);
	must(Object.hasOwn(MEMBERS, entry.op), 'F-24', `${what} has an op that is not known here`);
	must(Object.keys(entry).join() === ['op', ...MEMBERS[entry.op]].join(), 'F-20', `${what} has other members`);
	must(isNumber(entry.time), 'F-22', `${what} has no good time`);
	must(isString(entry.by, 0, 64), 'F-21', `${what} has no good by`);
	if (entry.op === 'key') {
		must(isString(entry.key, 1, 1024), 'F-21', `${what} has no good key`);
		must(isHash(entry.format), 'F-22', `${what} has no good format`);
	} else {
		const any = entry.version === '' && (entry.op === 'attrs' || entry.op === 'purge');
		must(isId(entry.id) && (any || isVersion(entry.version)), 'F-9', `${what} has no good id and version`);
	}
	if (entry.op === 'publish' || entry.op === 'attrs' || entry.op === 'purge')
		must(isHash(entry.hash), 'F-22', `${what} has no good hash`);
	if (entry.op === 'purge')
		must(isString(entry.reason, 0, 1024), 'F-21', `${what} has no good reason`);
	if (entry.op === 'publish') {
		must(isNumber(entry.manifest_size) && isNumber(entry.metadata_size), 'F-22', `${what} has no good sizes`);
	}
	if (entry.op === 'attrs') {
		must(isNumber(entry.size), 'F-22', `${what} has no good size`);
		must(NOTHING.test(entry.hash) ? entry.size === 0 : entry.size >= 3 && entry.size <= MIB,
			'F-97', `${what} has another size than it can have`);
	}
	return entry;
}

// ---- the state -----------------------------------------------------------------------------------------------------

class State {
	constructor() {
		this.live = new Map();
		this.said = new Map(); // of packages, with version "", and of live versions
		this.entries = [];
		this.keys = []; // of the log, one after the other
		this.published = new Set();
		this.purged = new Map();
	}

	rotate(entry, seq, format) {
		const key = readKey(entry.key, `the key of entry ${seq}`);
		must(key.name === format.origin, 'F-67', `the key of entry ${seq} is of another name`);
		must(entry.format === format.hash, 'F-23', `entry ${seq} was made for another FORMAT`);
		must(!this.keys.some(({ id }) => id === key.id), 'F-67', `the key of entry ${seq} was there before`);
		must(this.keys.length < 64, 'F-67', 'the log has more than 64 keys');
		this.keys.push({ ...key, seq });
	}

	apply(entry, format) {
		const seq = this.entries.length;
		const { op, id, version, time } = entry;
		this.entries.push(entry);
		must(seq || op === 'key', 'F-23', `entry 0 is a ${op}`);
		if (op === 'key') {
			this.rotate(entry, seq, format);
			return;
		}
		const name = `${id}\0${version}`;
		const was = this.live.get(name);
		if (op === 'delete') {
			must(was, 'F-26', `entry ${seq} deletes what is not live`);
			this.live.delete(name);
			this.said.delete(name);
			return;
		}
		const content = `${name}\0${entry.hash}`;
		if (op === 'purge') {
			must(this.published.has(content), 'F-90', `entry ${seq} purges what was never published`);
			must(!this.purged.has(entry.hash), 'F-90', `entry ${seq} purges what was purged`);
			this.purged.set(entry.hash, seq);
			if (was?.hash === entry.hash || this.said.get(name)?.hash === entry.hash) this.said.delete(name);
			if (was?.hash === entry.hash) this.live.delete(name);
			return;
		}
		must(!this.purged.has(entry.hash), 'F-91', `entry ${seq} publishes what was purged`);
		if (op === 'attrs') must(version === '' || was, 'F-98', `entry ${seq} speaks of a version that is not live`);
		if (!hasText(entry)) {
			this.said.delete(name);
			return;
		}
		this.published.add(content);
		if (op === 'attrs') {
			this.said.set(name, { id, version, hash: entry.hash, seq, time_us: time, by: entry.by });
			return;
		}
		this.live.set(name, {
			id, version, hash: entry.hash,
			created_us: was ? was.created_us : time, updated_us: time,
			seq, place: was ? was.place : seq,
			manifest_size: entry.manifest_size, metadata_size: entry.metadata_size,
		});
	}
}

// A publish and the text that it names.
function sameText(entry, seq, text) {
	if (entry.op === 'attrs') {
		must(text.attrs && text.id === entry.id && text.version === entry.version && text.size === entry.size,
			'F-97', `entry ${seq} names a text of another id, version or size`);
		return;
	}
	must(text.id === entry.id && text.version === entry.version, 'F-25', `entry ${seq} names a text of another version`);
	must(text.manifest === entry.manifest_size && text.metadata === entry.metadata_size,
		'F-25', `entry ${seq} has other sizes than its text`);
}

// ---- objects -------------------------------------------------------------------------------------------------------

// Where the zstd frame ends that a file begins with, and what its header says.
function readFrame(bytes, what) {
	const need = (end) => must(end <= bytes.length - TRAILER, 'F-12', `${what} has no whole frame`);
	need(6);
	must(bytes.readUInt32LE(0) === 0xFD2FB528, 'F-12', `${what} does not begin with a zstd frame`);
	const descriptor = bytes[4];
	const single = (descriptor >> 5) & 1;
	const sizeBytes = [single, 2, 4, 8][descriptor >> 6];
	must(sizeBytes, 'F-15', `${what} has no content size`);
	must(descriptor & 4, 'F-15', `${what} has no content checksum`);
	must(!(descriptor & 8), 'F-12', `${what} has a reserved bit set`);
	let at = 5 + (single ? 0 : 1) + [0, 1, 2, 4][descriptor & 3];
	need(at + sizeBytes);
	let size = BigInt(0);
	for (let i = sizeBytes - 1; i >= 0; i--) size = size * 256n + BigInt(bytes[at + i]);
	if (sizeBytes === 2) size += 256n;
	at += sizeBytes;
	for (let last = 0; !last;) {
		need(at + 3);
		const header = bytes.readUIntLE(at, 3);
		const type = (header >> 1) & 3;
		must(type !== 3, 'F-12', `${what} has a reserved block`);
		last = header & 1;
		at += 3 + (type === 1 ? 1 : header >> 3);
		need(at);
	}
	need(at + 4);
	return { size, end: at + 4 };
}

function readObject(store, hash) {
	const path = `objects/${hash.slice(0, 2)}/${hash.slice(2)}`;
	const bytes = readFileSync(join(store, path));
	must(bytes.length > TRAILER, 'F-12', `${path} is too short`);
	const trailer = bytes.subarray(-TRAILER);
	must(trailer.readUInt32LE(0) === 0x184D2A5B && trailer.readUInt32LE(4) === 56, 'F-12', `${path} has no trailer`);
	must(trailer.toString('latin1', 8, 12) === 'pkob' && trailer[12] === 1, 'F-13', `${path} has another trailer`);
	const seed = Buffer.from(hash, 'hex').readBigUInt64LE(0);
	must(xxh64(trailer.subarray(0, 56), seed) === trailer.readBigUInt64LE(56), 'F-14', `${path} has a wrong checksum`);
	const delta = trailer[13], depth = trailer[14], size = trailer.readBigUInt64LE(16);
	const base = trailer.toString('hex', 24, 56);
	must(delta <= 1 && trailer[15] === 0, 'F-13', `${path} has another encoding`);
	must(size >= 1n && size <= BigInt(64 * MIB), 'F-13', `${path} is of ${size} bytes`);
	if (delta) must(depth >= 1 && depth <= 16, 'F-17', `${path} has the depth ${depth}`);
	else must(depth === 0 && /^0*$/.test(base), 'F-18', `${path} is whole and has a depth or a base`);
	must(!delta || size <= BigInt(4 * MIB), 'F-19', `${path} is a delta of more than 4 MiB`);
	const frame = readFrame(bytes, path);
	must(frame.end === bytes.length - TRAILER, 'F-12', `${path} is more than a frame and a trailer`);
	must(frame.size === size, 'F-15', `${path} has two sizes`);
	return { hash, path, bytes: bytes.length, delta, depth, size: Number(size), base };
}

// Standard output of `zstd -dc ...`, or null.
function zstd(args, limit) {
	return new Promise((resolve) => {
		const child = spawn('zstd', ['-dcq', ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
		const parts = [];
		let size = 0;
		child.stdout.on('data', (part) => {
			parts.push(part);
			size += part.length;
			if (size > limit) child.kill();
		});
		child.on('error', () => resolve(null));
		child.on('close', (code) => resolve(code === 0 && size <= limit ? Buffer.concat(parts) : null));
	});
}

// Decodes all objects, those of one depth at a time, and calls back with each one's text.
async function decodeAll(store, objects, take) {
	const dir = mkdtempSync(join(tmpdir(), 'pakhus-reader-'));
	const bases = new Set([...objects.values()].filter((object) => object.delta).map((object) => object.base));
	const done = (object, text) => {
		must(text && text.length === object.size, 'F-15', `${object.path} does not decode to ${object.size} bytes`);
		must(sha256(text).toString('hex') === object.hash, 'F-16', `${object.path} holds another text`);
		take(object, text);
		if (bases.has(object.hash)) writeFileSync(join(dir, object.hash), text);
	};
	const one = async (object) => done(object, await zstd(
		[...(object.delta ? ['--patch-from', join(dir, object.base)] : []), join(store, object.path)], object.size));
	// Whole ones many at a time: a process for each small text takes longer than what it does.
	const many = async (some) => {
		const sum = some.reduce((so_far, object) => so_far + object.size, 0);
		const all = some.length > 1 ? await zstd(some.map((object) => join(store, object.path)), sum) : null;
		if (!all || all.length !== sum) {
			for (const object of some) await one(object);
			return;
		}
		let at = 0;
		for (const object of some) done(object, all.subarray(at, at += object.size));
	};
	try {
		for (let depth = 0; depth <= 16; depth++) {
			const some = [...objects.values()].filter((object) => object.depth === depth);
			const jobs = [];
			for (const object of some) {
				const last = jobs.at(-1);
				if (depth === 0 && last && last.length < 200 && last.sum + object.size < 32 * MIB) {
					last.push(object);
					last.sum += object.size;
				} else {
					jobs.push(Object.assign([object], { sum: object.size }));
				}
			}
			let next = 0, failed = null;
			const worker = async () => {
				while (next < jobs.length && !failed) {
					try {
						await (depth === 0 ? many(jobs[next++]) : one(jobs[next++][0]));
					} catch (e) {
						failed ??= e;
					}
				}
			};
			await Promise.all(Array.from({ length: (availableParallelism ?? (() => cpus().length))() }, worker));
			if (failed) throw failed;
		}
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
}

async function readObjects(store, files, state) {
	const objects = new Map();
	for (const path of files) {
		if (!path.startsWith('objects/')) continue;
		const hash = path.slice(8).replace('/', '');
		objects.set(hash, readObject(store, hash));
	}
	// What nothing live needs may have been collected (F-85).
	for (const { hash } of [...state.live.values(), ...state.said.values()]) must(objects.has(hash), 'F-11', `there is no object ${hash}`);
	for (const object of objects.values()) {
		if (!object.delta) continue;
		const base = objects.get(object.base);
		must(base, 'F-17', `the base of ${object.path} is missing`);
		must(base.depth < object.depth, 'F-17', `${object.path} is not deeper than its base`);
		must(base.size <= 4 * MIB, 'F-19', `the base of ${object.path} has more than 4 MiB`);
	}
	const texts = new Map();
	await decodeAll(store, objects, (object, bytes) => texts.set(object.hash, readText(bytes, object.path)));
	state.entries.forEach((entry, seq) => {
		if (hasText(entry) && texts.has(entry.hash)) sameText(entry, seq, texts.get(entry.hash));
	});
	return { objects, texts };
}

// ---- the journal ---------------------------------------------------------------------------------------------------

function readHeader(slot, at) {
	if (at + HEADER > slot.length) return null;
	const bytes = slot.subarray(at, at + HEADER);
	if (bytes.toString('latin1', 0, 8) !== '\xffpkrec1\n') return null;
	if (xxh64(bytes.subarray(0, 120), 0n) !== bytes.readBigUInt64LE(120)) return null;
	const header = {
		at,
		generation: bytes.toString('hex', 8, 24),
		first: Number(bytes.readBigUInt64LE(24)),
		count: bytes.readUInt32LE(32),
		texts: bytes.readUInt32LE(36),
		payload: Number(bytes.readBigUInt64LE(40)),
		durable: Number(bytes.readBigUInt64LE(48)),
		before: bytes.readBigUInt64LE(56),
		generationBefore: bytes.toString('hex', 64, 80),
		endedBefore: Number(bytes.readBigUInt64LE(80)),
		payloadSum: bytes.readBigUInt64LE(112),
		sum: bytes.readBigUInt64LE(120),
	};
	const good = header.count >= 1 && header.payload <= 32 * MIB && header.durable <= header.first
		&& bytes.subarray(88, 112).every((byte) => byte === 0);
	return good ? header : null;
}

// Entries and texts of a whole record (F-52), or null.
function readPayload(header, slot) {
	const from = header.at + HEADER;
	const payload = slot.subarray(from, from + header.payload);
	if (payload.length !== header.payload || xxh64(payload, 0n) !== header.payloadSum) return null;
	try {
		const what = `the record of position ${header.first}`;
		const [entries, end] = readSizes(payload, header.count, 0, 'F-52', what);
		const texts = [];
		let at = end;
		for (let i = 0; i < header.texts; i++) {
			must(at + 40 <= payload.length, 'F-53', `${what} ends before text ${i}`);
			const hash = payload.toString('hex', at, at + 32);
			const size = Number(payload.readBigUInt64LE(at + 32));
			must(at + 40 + size <= payload.length, 'F-53', `${what} ends inside text ${i}`);
			texts.push({ hash, bytes: payload.subarray(at + 40, at + 40 + size) });
			at += 40 + size;
		}
		must(at === payload.length, 'F-53', `${what} goes on behind its last text`);
		return { entries, texts };
	} catch (e) {
		if (e instanceof Broken) return null;
		throw e;
	}
}

// The records of one generation from the beginning of a slot (F-50), up to the first that is not whole (F-52) or does
// not belong (F-56).
function readSlot(store, number) {
	const file = readFileSync(join(store, `local/slot-${number}`));
	const bytes = file.subarray(0, file.length - file.length % BLOCK);
	const slot = { slot: number, records: [], torn: false, durable: 0, bytes: 0 };
	for (let at = 0; at < bytes.length; at += BLOCK)
		slot.durable = Math.max(slot.durable, readHeader(bytes, at)?.durable ?? 0);
	for (let before = 0n; ;) {
		const header = readHeader(bytes, slot.bytes);
		if (!header || header.before !== before) break;
		if (slot.records.length && (header.generation !== slot.generation || header.first !== slot.end)) break;
		const payload = readPayload(header, bytes);
		slot.torn = !payload;
		if (!payload) break;
		if (!slot.records.length) {
			const { generation, first, generationBefore, endedBefore } = header;
			Object.assign(slot, { generation, first, generationBefore, endedBefore });
		}
		slot.records.push({ first: header.first, ...payload });
		slot.end = header.first + header.count;
		before = header.sum;
		slot.bytes += Math.ceil((HEADER + header.payload) / BLOCK) * BLOCK;
	}
	return slot;
}

// What one record adds behind the checkpoint: each entry applied, the text of each publish read.
function readRecord(record, slot, journal) {
	const { log, state, format, texts, say } = journal;
	let next = 0;
	record.entries.forEach((bytes, i) => {
		const seq = record.first + i;
		const entry = readEntry(bytes, seq);
		const text = record.texts[next];
		if (hasText(entry) && text?.hash === entry.hash) {
			next++;
			must(sha256(text.bytes).toString('hex') === text.hash, 'F-53', `the text of entry ${seq} is another one`);
			if (!texts.has(text.hash)) texts.set(text.hash, readText(text.bytes, `the text of entry ${seq}`));
		}
		if (seq < log.length) {
			must(bytes.equals(log[seq]), 'F-57', `entry ${seq} is another one in slot ${slot.slot}`);
			return;
		}
		state.apply(entry, format);
		if (hasText(entry)) {
			must(texts.has(entry.hash), 'F-11', `the text of entry ${seq} is neither in an object nor in the journal`);
			sameText(entry, seq, texts.get(entry.hash));
		}
		say({ pending: true, ...line(entry, seq) });
	});
	must(next === record.texts.length, 'F-53', `the record of position ${record.first} has texts that nothing published`);
}

function readJournal(store, journal) {
	const { log, say } = journal;
	const size = log.length;
	const slots = [0, 1].map((number) => readSlot(store, number));
	const durable = Math.max(...slots.map((slot) => slot.durable));
	// What ends at the checkpoint or below is in the log, and its slot is free.
	const begun = slots.filter((slot) => slot.records.length && slot.end > size).sort((a, b) => a.first - b.first);
	for (const slot of slots) {
		const { slot: number, records, first, end, torn, generation } = slot;
		say({ slot: number, free: !begun.includes(slot), records: records.length, first, end, generation, torn });
	}
	const [one, two] = begun;
	must(!one || one.first <= size, 'F-57', `the journal begins at ${one?.first}, behind the checkpoint's ${size}`);
	must(!two || (two.first === one.end && two.generationBefore === one.generation && two.endedBefore === one.bytes),
		'F-57', `slot ${two?.slot} does not begin where slot ${one?.slot} ended`);
	const end = begun.at(-1)?.end ?? size;
	must(durable <= end, 'F-57', `the journal ends at ${end}, and ${durable} entries were durable`);
	for (const slot of begun) for (const record of slot.records) readRecord(record, slot, journal);
	say({ journal: end, checkpoint: size, durable, torn: slots.some((slot) => slot.torn) });
}

// ---- what is printed -----------------------------------------------------------------------------------------------

function line(entry, seq) {
	const { op, time, id, version, hash, reason, by } = entry;
	return { op, seq, time_us: time, id, ...(version ? { version } : {}), ...(hash && !NOTHING.test(hash) ? { hash } : {}), ...(reason ? { reason } : {}),
		...(by ? { by } : {}) };
}

async function main(args) {
	const options = new Set(args.filter((arg) => arg.startsWith('--')));
	const [store] = args.filter((arg) => !arg.startsWith('--'));
	if (!store || [...options].some((one) => !['--history', '--attrs', '--stat', '--journal'].includes(one))) {
		process.stderr.write('usage: node reader.mjs [--history] [--attrs] [--stat] [--journal] STORE\n');
		return 2;
	}
	if (spawnSync('zstd', ['--version']).status !== 0) {
		process.stderr.write('reader.mjs: no zstd\n');
		return 2;
	}
	const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
	try {
		// A version that is not known first: nothing may be said of its other files. Then the checkpoint, before
		// anything that it speaks of.
		const format = readFormat(readFileSync(join(store, 'FORMAT')));
		const note = readFileSync(join(store, 'log/checkpoint'));
		const files = new Set(walk(store));
		const keys = [...files].filter((path) => /^keys\/[^.]*$/.test(path)).map((path) => {
			const text = readFileSync(join(store, path), 'latin1');
			must(text.endsWith('\n'), 'F-36', `${path} does not end in a newline`);
			const key = readKey(text.slice(0, -1), path);
			must(path === `keys/${key.id}`, 'F-36', `${path} holds another key`);
			return key;
		});
		const checkpoint = readCheckpoint(note, format.origin, keys);
		const log = readLog(store, files, checkpoint);
		const state = new State();
		log.forEach((bytes, position) => state.apply(readEntry(bytes, position), format));
		const signer = state.keys.at(-1);
		must(checkpoint.signers.some(({ text }) => text === signer.text),
			'F-38', 'the key in force did not sign the checkpoint');
		readRotations(store, files, format.origin, [...state.keys], log.map(leaf));
		const objects = await readObjects(store, files, state);

		const live = [...state.live.values()].sort((a, b) => b.place - a.place);
		live.forEach(say);
		if (options.has('--history'))
			state.entries.map(line).reverse().forEach(say);
		if (options.has('--attrs'))
			for (const one of state.said.values()) say({ ...one, attrs: objects.texts.get(one.hash).attrs });
		if (options.has('--stat')) {
			const all = [...objects.objects.values()];
			say({
				identity: format.identity, origin: format.origin, key: signer.text,
				immutable: format.immutable, entries: log.length, checkpoint: checkpoint.size,
				root: checkpoint.root.toString('base64'), packages: new Set(live.map(({ id }) => id)).size,
				versions: live.length, objects: all.length,
				object_bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
				max_depth: all.reduce((most, { depth }) => Math.max(most, depth), 0),
			});
		}
		if (options.has('--journal'))
			readJournal(store, { log, state, format, texts: objects.texts, say });
		return 0;
	} catch (e) {
		if (!(e instanceof Broken) && !e.code) throw e;
		process.stderr.write(e instanceof Broken ? `${e.message}\n` : `F-43 ${e.message}\n`);
		return 1;
	}
}

process.exitCode = await main(process.argv.slice(2));
