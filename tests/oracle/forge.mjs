// Puts entries behind the log of a small store and signs it with the store's own key: what no program writes, for
// readers to refuse. The journal and the index know nothing of it.
//
// usage: node forge.mjs STORE LINE...
import { createHash, createPrivateKey, sign } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const [store, ...lines] = process.argv.slice(2);
const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();
const root = (leaves) => {
	if (leaves.length === 1) return leaves[0];
	const half = 2 ** Math.floor(Math.log2(leaves.length - 1));
	return sha256(Buffer.of(1), root(leaves.slice(0, half)), root(leaves.slice(half)));
};

const [origin, size] = readFileSync(`${store}/log/checkpoint`, 'utf8').split('\n');
const old = readFileSync(`${store}/log/tile/entries/000.p/${size}`);
const entries = [];
for (let at = 0; at < old.length; at += 2 + old.readUInt16BE(at))
	entries.push(old.subarray(at + 2, at + 2 + old.readUInt16BE(at)));
entries.push(...lines.map((line) => Buffer.from(line)));

const bundle = Buffer.concat(entries.map((entry) =>
	Buffer.concat([Buffer.of(entry.length >> 8, entry.length & 255), entry])));
const leaves = entries.map((entry) => sha256(Buffer.of(0), entry));
for (const [level, bytes] of [['entries', bundle], ['0', Buffer.concat(leaves)]]) {
	mkdirSync(`${store}/log/tile/${level}/000.p`, { recursive: true });
	writeFileSync(`${store}/log/tile/${level}/000.p/${entries.length}`, bytes);
}

const secret = readFileSync(`${store}/local/key`, 'utf8').trim().slice('PRIVATE+KEY+'.length);
const [, name, id, base64] = /^([^+]+)\+([^+]+)\+(.*)$/.exec(secret);
const seed = Buffer.from(base64, 'base64').subarray(1);
const key = createPrivateKey({
	key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]), format: 'der', type: 'pkcs8',
});
const text = `${origin}\n${entries.length}\n${root(leaves).toString('base64')}\n`;
const bytes = Buffer.concat([Buffer.from(id, 'hex'), sign(null, Buffer.from(text), key)]);
writeFileSync(`${store}/log/checkpoint`, `${text}\n— ${name} ${bytes.toString('base64')}\n`);
