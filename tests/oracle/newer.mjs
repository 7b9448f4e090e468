// newer.mjs - every object of a store, decoded by the zstd inside Node 24.
//
// usage: node newer.mjs STORE      prints "N objects by zstd VERSION"
//
// The base of a delta is a raw dictionary to zstd; trailer as in F-13.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';

const objects = join(process.argv[2], 'objects');
const texts = new Map();

function text(hash) {
	if (texts.has(hash))
		return texts.get(hash);
	const file = readFileSync(join(objects, hash.slice(0, 2), hash.slice(2)));
	const trailer = file.subarray(-64);
	const base = trailer[13] ? trailer.subarray(24, 56).toString('hex') : null;
	const out = zstdDecompressSync(file, base ? { dictionary: text(base) } : {});
	if (createHash('sha256').update(out).digest('hex') !== hash)
		throw new Error(`${hash}: another text`);
	texts.set(hash, out);
	return out;
}

let n = 0;
for (const dir of readdirSync(objects))
	for (const name of readdirSync(join(objects, dir))) {
		text(dir + name);
		n++;
	}
console.log(`${n} objects by zstd ${process.versions.zstd}`);
