// interrupt.mjs - ends processes at random moments, round after round, and
// asks each time whether anything acknowledged is gone.
//
//	node interrupt.mjs PAKHUS WORKER STORE ROUNDS SEED
//
// In a round two long-lived publishers and two readers (aid_worker.c) are
// there, and one-shot `pakhus publish` and `pakhus import` come and go. After
// a moment some or all of them are killed; what they had acknowledged must be
// there, the imports' lines as a prefix, and nobody who was not killed may
// have seen anything wrong. At the end all stop in order, and nothing may be
// left in the journals. Prints what was done; status 1 for the first wrong.
import {spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import {writeFileSync} from 'node:fs';

const [pakhus, worker, store, rounds, seed] = process.argv.slice(2);
let state = BigInt(seed) * 0x9e3779b97f4a7c15n & 0xffffffffffffffffn;
const random = () => { // splitmix64, in [0, 1)
	state = state + 0x9e3779b97f4a7c15n & 0xffffffffffffffffn;
	let z = state;
	z = (z ^ z >> 30n) * 0xbf58476d1ce4e5b9n & 0xffffffffffffffffn;
	z = (z ^ z >> 27n) * 0x94d049bb133111ebn & 0xffffffffffffffffn;
	return Number(z >> 11n) / 2 ** 53;
};
const below = n => Math.floor(random() * n);
const sleep = ms => new Promise(done => setTimeout(done, ms));
const sha256 = text => createHash('sha256').update(text).digest('hex');

const running = new Set();
const done = {acknowledged: 0, killed: 0, ended: 0, reads: 0};

function wrong(text) {
	console.log(`round ${round} of seed ${seed}: ${text}`);
	for (const p of running)
		p.child.kill('SIGKILL');
	process.exit(1);
}

// ---- what has to be there -------------------------------------------------

// id@version → the hashes one of which it has; '-' where it may be absent
const known = new Map();
let said = new Set(); // names that were not checked since

function note(line) {
	const [what, id, version, hash] = line.split(' ');
	const name = `${id} ${version}`;

	said.add(name);
	if (what === '?') {
		known.set(name, known.get(name) ?? new Set(['-']));
		known.get(name).add(hash);
	} else if (what === '+') {
		known.set(name, new Set([hash]));
		done.acknowledged++;
	} else {
		wrong(line);
	}
}

// ---- processes ------------------------------------------------------------

function start(program, args, {onLine = wrong, input} = {}) {
	const child = spawn(program, args);
	const p = {child, args, killed: false, err: ''};
	let rest = '';

	child.stdout.setEncoding('utf8').on('data', text => {
		const lines = (rest + text).split('\n');
		rest = lines.pop(); // a line cut by the kill was not said
		lines.forEach(line => onLine(line));
	});
	child.stderr.setEncoding('utf8').on('data', text => p.err += text);
	child.stdin.on('error', () => {});
	child.stdin.end(input);
	running.add(p);
	p.end = new Promise(ended => child.on('close', (status, signal) => {
		running.delete(p);
		if (!p.killed && status !== 0)
			wrong(`${program} ${args.join(' ')} ended with ` +
				`${signal ?? status}: ${p.err}`);
		done[p.killed ? 'killed' : 'ended']++;
		ended();
	}));
	return p;
}

const kill = p => {
	p.killed = true;
	p.child.kill('SIGKILL');
	return p.end;
};
const stop = p => {
	p.child.kill('SIGTERM');
	return p.end;
};

let count = 0;
const publisher = () => start(worker,
	['publish', store, `org.example.loop${count % 5}`,
		`${seed * 100000 + count++}`],
	{onLine: line => line[0] === '!' ? wrong(line) : note(line)});
const reader = () => start(worker,
	['read', store, `${seed * 100000 + count++}`],
	{onLine: line => line[0] === '!' ? wrong(line)
		: done.reads += 50});

// A document as one canonical line.
const filler = 'x'.repeat(3000);
function documentOf(id, version) {
	const noise = Array.from({length: 20}, () => below(1e9));
	return JSON.stringify({manifest: {id, version},
		metadata: {noise, filler: filler.slice(below(3000))}});
}

function oneShotPublish() {
	const id = `org.example.once${below(3)}`, args = [];

	for (let i = 0; i < 1 + below(3); i++) {
		const version = `${round}.${count++}.0`;
		const text = documentOf(id, version);
		const file = `${store}.${round}-${count}.json`;

		note(`? ${id} ${version} ${sha256(text)}`);
		writeFileSync(file, text);
		args.push(file);
	}
	return start(pakhus, ['-C', store, 'publish', ...args], {onLine: line => {
		const [name, hash] = line.split(' ');
		note(`+ ${name.replace('@', ' ')} ${hash}`);
	}});
}

// The lines that are there when it was killed are the first ones.
const imports = [];
function oneShotImport() {
	const id = `org.example.import${count++}`;
	const lines = [], names = [];

	for (let i = 0; i < 1 + below(random() < .1 ? 6000 : 300); i++) {
		lines.push(documentOf(id, `1.0.${i}`));
		names.push(`${id} 1.0.${i} ${sha256(lines[i])}`);
	}
	const im = {id, names, all: false};
	imports.push(im);
	return start(pakhus, ['-C', store, 'import', '-'],
		{input: lines.join('\n'), onLine: line => {
			if (line !== `imported ${lines.length} version` +
				(lines.length === 1 ? '' : 's'))
				wrong(line);
			im.all = true;
		}});
}

// ---- questions ------------------------------------------------------------

async function ask(args) {
	const lines = [];
	await start(pakhus, ['-C', store, ...args],
		{onLine: line => lines.push(line)}).end;
	return lines;
}

async function check(names) {
	const input = names.map(name =>
		`${name} ${[...known.get(name)].join(',')}\n`).join('');
	await start(worker, ['check', store], {input,
		onLine: line => line !== '=' && wrong(line)}).end;
}

async function checkImports() {
	for (const im of imports.splice(0)) {
		const list = (await ask(['list', '--json'])).map(line =>
			JSON.parse(line).id);
		const rows = !list.includes(im.id) ? []
			: (await ask(['versions', '--json', im.id])).map(
				line => JSON.parse(line)).reverse();
		const there = rows.map(r => `${im.id} ${r.version} ${r.hash}`);
		const want = im.all ? im.names
			: im.names.slice(0, there.length);
		if (there.join() !== want.join())
			wrong(`${im.id}: ${there.length} lines are there, ` +
				`not the first of ${im.names.length}`);
		done.acknowledged += there.length;
	}
}

// ---- rounds ---------------------------------------------------------------

let round = 0;
let publishers = [], readers = [];

// Those of a publisher that goes on are checked when it has ended.
const isOf = p => name => name.split(' ')[1].startsWith(`${p.child.pid}.`);

async function one() {
	while (publishers.length < 2)
		publishers.push(publisher());
	while (readers.length < 2)
		readers.push(reader());
	const shots = [oneShotPublish()];
	if (random() < .5)
		shots.push(random() < .7 ? oneShotImport() : oneShotPublish());
	await sleep(random() < .3 ? below(25) : 10 + 200 * random() ** 2);

	const all = random() < .4; // then the next one recovers
	const victims = [...publishers, ...readers, ...shots].filter(
		() => all || random() < .5);
	await Promise.all(victims.map(kill));
	const alive = p => !victims.includes(p);
	publishers = publishers.filter(alive);
	readers = readers.filter(alive);
	await Promise.all(shots.map(p => p.end));
	await checkImports();
	const later = [...said].filter(name =>
		publishers.some(p => isOf(p)(name)));
	later.forEach(name => said.delete(name));
	await check([...said]);
	said = new Set(later);
	if (round % 5 === 0)
		await ask(['verify', '--json']);
}

for (round = 1; round <= Number(rounds); round++)
	await one();
await Promise.all([...publishers, ...readers].map(stop));
await check([...known.keys()]);
await ask(['verify']);
const stat = JSON.parse((await ask(['stat', '--json']))[0]);
if (stat.journal_bytes || stat.entries !== stat.checkpoint)
	wrong(`left in the journal: ${JSON.stringify(stat)}`);
console.log(`${rounds} rounds: ${done.acknowledged} acknowledged, ` +
	`${done.reads} reads, ${done.killed} killed, ${done.ended} ended; ` +
	`${stat.entries} entries`);
