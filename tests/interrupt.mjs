// interrupt.mjs - ends processes at random moments, round after round, and
// asks each time whether anything acknowledged is gone.
//
//	node interrupt.mjs PAKHUS WORKER STORE ROUNDS SEED [stay]
//
// ROUNDS is a number, or seconds as in "60s". In a round workers publish,
// write and delete by sevens, sync, verify and read (aid_worker.c), and
// one-shot commands come and go. Every few milliseconds one of them is killed,
// and a worker is started again, or is stopped for a while, whatever lock it
// holds, and then goes on or is killed. Then some or all are killed; after
// all, those who recover, rebuild the index or verify are killed too. What had
// been acknowledged must be there, the imports' lines as a prefix, and nobody
// who was not killed may have seen anything wrong. With "stay" one reader
// keeps its handle through all of it, so that nobody ever recovers.
//
// At the end all stop in order, nothing may be left in the journals, and a
// copy of the tree must verify and show the same. Prints what was done; status
// 1 for the first wrong.
import {execFileSync, spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';

const [pakhus, worker, store, rounds, seed, stay] = process.argv.slice(2);
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
process.env.SEEN = `${store}.seen`; // the workers' (aid_worker.c)
const done = {acknowledged: 0, killed: 0, stopped: 0, recoveries: 0, reads: 0,
	ended: 0, rebuilt: 0};

function wrong(text) {
	console.log(`round ${round} of seed ${seed}: ${text}`);
	for (const p of running)
		p.child.kill('SIGKILL');
	process.exit(1);
}

// ---- what has to be there -------------------------------------------------

// id@version → the hashes one of which it has; '-' where it may be absent
const known = new Map();
let said = new Set(); // names that were not checked since their writer ended

function note(line, p = {said}) {
	const [what, id, version, hash] = line.split(' ');
	const name = `${id} ${version}`;

	p.said.add(name);
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

// An index that is made anew is news where nobody asked for it.
let asked = false;
function hear(text) {
	if (!/index was rebuilt/.test(text))
		return;
	if (!asked)
		wrong(text);
	done.rebuilt++;
}

function start(program, args, {onLine = wrong, input, may = [0]} = {}) {
	const child = spawn(program, args);
	const p = {child, args, killed: false, err: '', said: new Set()};
	let rest = '';

	child.stdout.setEncoding('utf8').on('data', text => {
		const lines = (rest + text).split('\n');
		rest = lines.pop(); // a line cut by the kill was not said
		lines.forEach(line => onLine(line, p));
	});
	child.stderr.setEncoding('utf8').on('data', text => p.err += text);
	child.stdin.on('error', () => {});
	child.stdin.end(input);
	running.add(p);
	p.end = new Promise(ended => child.on('close', (status, signal) => {
		running.delete(p);
		if (!p.killed && !may.includes(status))
			wrong(`${program} ${args.join(' ')} ended with ` +
				`${signal ?? status}: ${p.err}`);
		hear(p.err);
		p.said.forEach(name => said.add(name));
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
function work(kind) {
	const id = kind === 'publish' ? [`org.example.loop${count % 5}`] : [];
	const name = `${seed * 100000 + count++}`;
	const p = start(worker, [kind, store, ...id, name], {
		onLine: (line, p) => {
			if (line === '.')
				done.reads += 50;
			else if (line[0] === 'n')
				hear(line);
			else if (line[0] === '!')
				wrong(line);
			else
				note(line, p);
		},
	});
	p.kind = kind;
	return p;
}

// A document as one canonical line.
const filler = 'x'.repeat(3000);
function documentOf(id, version) {
	const noise = Array.from({length: 20}, () => below(1e9));
	return JSON.stringify({manifest: {id, version},
		metadata: {noise, filler: filler.slice(below(3000))}});
}

function oneShotPublish() {
	const id = `org.example.once${below(3)}`, args = [], names = new Set();

	for (let i = 0; i < 1 + below(3); i++) {
		const version = `${round}.${count++}.0`;
		const text = documentOf(id, version);
		const file = `${store}.${round}-${count}.json`;

		note(`? ${id} ${version} ${sha256(text)}`, {said: names});
		writeFileSync(file, text);
		args.push(file);
	}
	const p = start(pakhus, ['-C', store, 'publish', ...args], {onLine: line => {
		const [name, hash] = line.split(' ');
		note(`+ ${name.replace('@', ' ')} ${hash}`, p);
	}});
	p.said = names;
	return p;
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

const ignore = () => {};
const oneShotRead = () => start(pakhus, ['-C', store,
	...[['list'], ['list', '--json'], ['history'], ['verify'], ['stat']][
		below(5)]], {onLine: ignore});

// The first thing done to a store where all were killed.
function oneShotRecovery() {
	done.recoveries++;
	if (!stay && random() < .3) {
		asked = true; // killed in it, it leaves that to the next one
		return start(pakhus, ['-C', store, 'verify', '--rebuild'],
			{onLine: ignore, may: [0, 6]});
	}
	return random() < .5 ? oneShotRead() : oneShotPublish();
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
const isTimed = rounds.endsWith('s');
const longest = isTimed ? 6000 : 600; // a storm, in milliseconds
const kinds = ['publish', 'publish', 'seven', 'sync', 'verify', 'read', 'read'];
let workers = [];

// Some of those who work, each for itself and at a moment of its own.
async function storm(ms, shots) {
	const till = Date.now() + ms, stopped = [];

	while (Date.now() < till) {
		await sleep(below(8));
		const i = below(workers.length + shots.length);
		const p = workers[i] ?? shots[i - workers.length];

		if (p.killed)
			continue;
		if (random() < .7) {
			if (random() < .3) {
				p.child.kill('SIGSTOP');
				done.stopped++;
				await sleep(below(30));
			}
			kill(p);
			if (workers[i])
				workers[i] = work(p.kind);
		} else {
			p.child.kill('SIGSTOP');
			done.stopped++;
			stopped.push(sleep(below(200)).then(
				() => p.child.kill('SIGCONT')));
		}
	}
	await Promise.all(stopped);
}

async function one() {
	for (const kind of kinds)
		if (workers.filter(p => p.kind === kind).length <
			kinds.filter(k => k === kind).length)
			workers.push(work(kind));
	const shots = [oneShotPublish()];
	if (random() < .5)
		shots.push(random() < .5 ? oneShotImport() : oneShotRead());
	await storm(random() < .3 ? below(25) : 10 + longest * random() ** 2, shots);

	const all = random() < .4; // then the next one recovers
	const victims = [...workers, ...shots].filter(
		() => all || random() < .3);
	await Promise.all(victims.map(kill));
	workers = workers.filter(p => !p.killed);
	for (let n = all ? below(5) : 0; n; n--) {
		const openers = [oneShotRecovery(), oneShotRecovery()];

		await sleep(below(25));
		await Promise.all(openers.map(random() < .9 ? kill : p => p.end));
	}
	await Promise.all(shots.map(p => p.end));
	await checkImports();
	const names = [...said];
	said.clear();
	await check(names);
	if (round % 5 === 0)
		await ask(['verify', '--json']);
}

const start_ms = Date.now();
const isOver = isTimed
	? () => Date.now() - start_ms > 1000 * parseFloat(rounds)
	: () => round === Number(rounds);
const stayer = stay && work('stay');

while (!isOver()) {
	round++;
	await one();
}
await Promise.all(workers.map(stop));
await check([...known.keys()]);
if (stay)
	await stop(stayer);
await ask(['verify']);
const stat = JSON.parse((await ask(['stat', '--json']))[0]);
if (stat.journal_bytes || stat.entries !== stat.checkpoint)
	wrong(`left in the journal: ${JSON.stringify(stat)}`);

// What a mirror has is the same, without index or journal.
const list = await ask(['list', '--json']);
const copy = `${store}.copy`;
mkdirSync(copy);
for (const part of ['FORMAT', 'keys', 'log', 'objects'])
	execFileSync('cp', ['-r', `${store}/${part}`, copy]);
const there = [];
asked = true; // it comes without one
await start(pakhus, ['-C', copy, 'verify'], {onLine: ignore}).end;
await start(pakhus, ['-C', copy, 'list', '--json'],
	{onLine: line => there.push(line)}).end;
if (there.join() !== list.join())
	wrong('a copy of the tree shows something else');
rmSync(copy, {recursive: true, force: true});
console.log(`${round} rounds: ${done.acknowledged} acknowledged, ` +
	`${done.reads} reads, ${done.killed} killed, ${done.stopped} stopped, ` +
	`${done.recoveries} recoveries, ${done.ended} ended, ` +
	`${done.rebuilt} rebuilt; ${stat.entries} entries`);
