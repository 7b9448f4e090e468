// service.mjs - npm's @objectstack/service-package on a real SQLite.
//
//	node service.mjs      lies beside its node_modules
//
// A request on stdin is a line of words; "publish SIZE" is followed by SIZE
// bytes of JSON. The answer is a line of three numbers, for get with as many
// bytes as the last two say; or "-1 SIZE 0" and SIZE bytes of why.
//
//	open FILE                   NANOSECONDS 0 0
//	publish SIZE                NANOSECONDS 0 0
//	get ID [VERSION]            NANOSECONDS MANIFEST METADATA, the texts
//	list LIMIT                  NANOSECONDS PACKAGES BYTES
//	delete ID VERSION           NANOSECONDS 0 0
//	created ID VERSION SECONDS  dates a row, as the service itself cannot
//	begin, commit, close
//
// Timed is what its caller waits for: from the text that came, as a string,
// to a durable row; from the call to the objects that get() and list() give.
// That they are made into texts again is for the comparison, and untimed.
//
// The database is the one inside Node: there is nothing to compile, and no
// driver between. Statements are kept prepared, which the service does not
// ask for; WAL with synchronous FULL, so that what returned is as durable as
// with pakhus. The rest is SQLite's default.
import {readSync, writeSync} from 'node:fs';
import {DatabaseSync} from 'node:sqlite';
import {PackageServicePlugin} from '@objectstack/service-package';

let db, service, failure;

// What the plugin asks of its host: a database, and a place for the service.
async function open(file) {
	const prepared = new Map();
	const execute = async ({sql, args = []}) => {
		let statement = prepared.get(sql);
		if (!statement)
			prepared.set(sql, statement = db.prepare(sql));
		return statement.all(...args);
	};
	const ignore = () => {};

	db = new DatabaseSync(file);
	db.exec('PRAGMA busy_timeout = 60000');
	db.exec('PRAGMA journal_mode = WAL');
	db.exec('PRAGMA synchronous = FULL');
	await new PackageServicePlugin().start({
		logger: {debug: ignore, info: ignore, warn: ignore,
			error: (what, error) => {
				failure = `${what}: ${error?.message}`;
			}},
		getService: () => ({execute}),
		registerService: (name, made) => { service = made; },
	});
}

const dated = 'UPDATE sys_packages SET created_at = datetime(?, ' +
	"'unixepoch') WHERE id = ? AND version = ?";
const nothing = () => ['', ''];
const texts = found => found ?
	[JSON.stringify(found.manifest), JSON.stringify(found.metadata)] :
	nothing();
const seen = all => [all.length, all.map(texts).flat().reduce(
	(bytes, text) => bytes + Buffer.byteLength(text), 0)];

// The timed call of each verb, and what makes its answer.
const verbs = {
	open: [(...words) => open(words.join(' ')), nothing],
	publish: [json => service.publish(JSON.parse(json)), nothing],
	get: [(id, version) => service.get(id, version), texts],
	list: [async limit => {
		const all = await service.list();
		return Number(limit) ? all.slice(0, Number(limit)) : all;
	}, seen],
	delete: [(id, version) => service.delete(id, version), nothing],
	created: [(id, version, seconds) => db.prepare(dated).run(
		Number(seconds), id, version), nothing],
	begin: [() => db.exec('BEGIN'), nothing],
	commit: [() => db.exec('COMMIT'), nothing],
	close: [() => db.close(), nothing],
};

// Blocking reads and writes: nothing else is to run here meanwhile.
let held = Buffer.alloc(0);
function more() {
	const piece = Buffer.allocUnsafe(1 << 16);
	const n = readSync(0, piece);
	held = Buffer.concat([held, piece.subarray(0, n)]);
	return n > 0;
}
function line() {
	let end;
	while ((end = held.indexOf('\n')) < 0)
		if (!more())
			return null;
	return take(end + 1).slice(0, -1);
}
function take(size) {
	while (held.length < size)
		if (!more())
			throw new Error('a request that ends early');
	const out = held.toString('utf8', 0, size);
	held = held.subarray(size);
	return out;
}
function answer(ns, first, second) {
	const isText = typeof first === 'string';
	const size = x => isText ? Buffer.byteLength(x) : x;
	let out = Buffer.from(`${ns} ${size(first)} ${size(second)}\n` +
		(isText ? first + second : ''));
	while (out.length)
		out = out.subarray(writeSync(1, out));
}

for (let request; (request = line()) !== null;) {
	const [name, ...words] = request.split(' ');
	const args = name === 'publish' ? [take(Number(words[0]))] : words;
	const [call, show] = verbs[name];
	try {
		failure = null;
		const start = process.hrtime.bigint();
		const result = await call(...args);
		const ns = process.hrtime.bigint() - start;
		if (failure)
			throw new Error(failure);
		answer(ns, ...show(result));
	} catch (error) {
		answer(-1, error.message, '');
	}
}
