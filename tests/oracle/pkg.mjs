// pkg.mjs - the latest version of a package, or all its versions, from a store
// that is served as files, by one who has HTTP, SHA-256 and the zstd program
// and reads F-95, F-10 to F-17 and nothing else.
//
// usage: node pkg.mjs URL ID      prints the text of the latest version
//        node pkg.mjs -l URL ID   prints its versions, a line each
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [list, base, id] = process.argv[2] === '-l'
	? [true, ...process.argv.slice(3)] : [false, ...process.argv.slice(2)];
const dir = mkdtempSync(join(tmpdir(), 'pkg-'));
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

async function get(path) {
	const reply = await fetch(`${base}/${path}`);

	if (reply.status === 404) return null;
	if (!reply.ok) throw new Error(`${path}: ${reply.status}`);
	return Buffer.from(await reply.arrayBuffer());
}

async function text(hash) {
	const file = await get(`objects/${hash.slice(0, 2)}/${hash.slice(2)}`);
	const base = file.subarray(-40, -8).toString('hex');
	const args = ['-dcq'];

	if (/[^0]/.test(base)) { // F-17
		const prefix = join(dir, base);

		writeFileSync(prefix, await text(base));
		args.push(`--patch-from=${prefix}`);
	}
	const name = join(dir, `${hash}.zst`);
	writeFileSync(name, file);
	const { stdout, stderr, status } = spawnSync('zstd', [...args, name],
		{ maxBuffer: 1 << 27 });

	if (status) throw new Error(`${hash}: ${stderr}`);
	if (sha256(stdout) !== hash) throw new Error(`F-16 ${hash}`);
	return stdout;
}

try {
	const name = sha256(id);
	const lines = await get(`pkg/${name.slice(0, 2)}/${name.slice(2)}.jsonl`);

	if (!lines) {
		console.error(`${id}: not found`);
		process.exitCode = 3;
	} else if (list) {
		process.stdout.write(lines);
	} else {
		const { hash } = JSON.parse(lines.toString().split('\n')[0]);

		process.stdout.write(await text(hash));
	}
} finally {
	rmSync(dir, { recursive: true });
}
