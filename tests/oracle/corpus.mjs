// corpus.mjs - real histories against what a store gives back.
//
//	node corpus.mjs read PAKHUS STORE FILE.jsonl.zst ...
//	node corpus.mjs artifacts PAKHUS STORE FILE.jsonl.zst ...
//	node corpus.mjs decode PAKHUS STORE SCRATCH [ZSTD]
//	node corpus.mjs fast-import
//
// read: the files were imported in this order into an empty store; every
// version read by its position, and every eighth by its name, has the texts
// that JSON.stringify(JSON.parse(line)) gives and the hash of their document.
// artifacts: every version's build artifact is what JavaScript makes of it, and
// goes to stdout, a line each. decode: zstd's own program makes of every object the text that the object
// is named by. fast-import: a line of stdin becomes a commit that replaces the
// package's one file, for git. One sentence for what differs, and status 1.
import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {openSync, closeSync, readdirSync, readFileSync} from 'node:fs';
import {createInterface} from 'node:readline';

const [verb, pakhus, store, ...rest] = process.argv.slice(2);
const sha256 = text => createHash('sha256').update(text).digest('hex');
const large = {maxBuffer: 1 << 30};

function fail(text) {
	console.error(text);
	process.exit(1);
}

// ---- read -----------------------------------------------------------------

const get = (...args) => execFileSync(pakhus,
	['-C', store, 'get', '--json', ...args], {...large, encoding: 'utf8'});

function compare(name, record, manifest, metadata, hash) {
	const texts = `,"manifest":${manifest},"metadata":${metadata},` +
		`"hash":"${hash}",`;
	if (!record.includes(texts))
		fail(`${name}: not the texts and the hash that Node gives`);
}

async function artifacts(files) {
	let seq = 0;

	for (const file of files) {
		const zstd = spawn('zstd', ['-dcq', file]);
		for await (const line of createInterface({input: zstd.stdout})) {
			const {manifest, metadata} = JSON.parse(line);
			const got = execFileSync(pakhus, ['-C', store, 'get',
				'--artifact', '--at', `${++seq}`],
				{...large, encoding: 'utf8'});
			if (got !== JSON.stringify({manifest, ...metadata}))
				fail(`${seq}: not the artifact that Node makes`);
			if (!process.stdout.write(`${got}\n`))
				await new Promise(done =>
					process.stdout.once('drain', done));
		}
	}
}

async function read(files) {
	let seq = 0;

	for (const file of files) {
		const zstd = spawn('zstd', ['-dcq', file]);
		for await (const line of createInterface({input: zstd.stdout})) {
			const document = JSON.parse(line);
			const {id, version} = document.manifest;
			const manifest = JSON.stringify(document.manifest);
			const metadata = JSON.stringify(document.metadata);
			const hash = sha256(`{"manifest":${manifest},` +
				`"metadata":${metadata}}`);
			seq++;
			const name = `${seq}: ${id}@${version}`;
			compare(name, get('--at', `${seq}`), manifest,
				metadata, hash);
			if (seq % 8 === 0)
				compare(name, get(`${id}@${version}`), manifest,
					metadata, hash);
		}
	}
	console.log(`${seq} versions`);
}

// ---- decode ---------------------------------------------------------------

// What `pakhus dump` says of an object: encoding, depth, base, …
function dump(path) {
	const text = execFileSync(pakhus, ['dump', path], {encoding: 'utf8'});
	return Object.fromEntries(text.split('\n').filter(Boolean).map(
		line => line.split(/ (.*)/)));
}

function decode(scratch, zstd = 'zstd') {
	const objects = new Map();
	let deepest = 0;

	for (const dir of readdirSync(`${store}/objects`))
		for (const name of readdirSync(`${store}/objects/${dir}`)) {
			const path = `${store}/objects/${dir}/${name}`;
			objects.set(dir + name, {path, ...dump(path)});
		}
	// bases come before what needs them
	const order = [...objects].sort((a, b) => a[1].depth - b[1].depth);
	for (const [hash, o] of order) {
		const args = ['-dcq'];
		deepest = Math.max(deepest, Number(o.depth));
		if (o.encoding === 'delta')
			args.push(`--patch-from=${scratch}/${o.base}`);
		const out = openSync(`${scratch}/${hash}`, 'w');
		const run = spawnSync(zstd, [...args, o.path],
			{stdio: ['ignore', out, 'inherit']});
		closeSync(out);
		if (run.status)
			fail(`${o.path}: zstd exits ${run.status}`);
		if (sha256(readFileSync(`${scratch}/${hash}`)) !== hash)
			fail(`${o.path}: zstd makes another text of it`);
	}
	console.log(`${order.length} objects, depth ${deepest}`);
}

// ---- git ------------------------------------------------------------------

async function fastImport() {
	const write = text => new Promise(done =>
		process.stdout.write(text, done));
	const who = 'committer corpus <corpus@example.org> 0 +0000\n';

	for await (const line of createInterface({input: process.stdin})) {
		const {id, version} = JSON.parse(line).manifest;
		const size = Buffer.byteLength(line);
		await write(`commit refs/heads/${id}\n${who}` +
			`data <<END\n${version}\nEND\n` +
			`M 644 inline ${id}.json\ndata ${size}\n${line}\n`);
	}
}

if (verb === 'fast-import')
	await fastImport();
else if (verb === 'read')
	await read(rest);
else if (verb === 'artifacts')
	await artifacts(rest);
else if (verb === 'decode')
	decode(...rest);
else
	fail('usage: corpus.mjs read|artifacts|decode PAKHUS STORE ...');
