// canon.mjs - JavaScript is the oracle of canon.c: what it writes must be what
// JSON.stringify(JSON.parse(text)) gives, brought into the document's form.
//
//	node canon.mjs PROGRAM [--seed=N] [--count=N] [FILE.jsonl.zst ...]
//
// PROGRAM is canon.c of this directory. The files hold a document a line.
// Prints TAP; status 1 when anything differs.
import {spawnSync} from 'node:child_process';
import {basename} from 'node:path';

const args = process.argv.slice(2);
const option = (name, other) => {
	const i = args.findIndex(a => a.startsWith(`--${name}=`));
	return i < 0 ? other : Number(args.splice(i, 1)[0].split('=')[1]);
};
const seed = option('seed', 1);
const count = option('count', 5000);
const [program, ...files] = args;
if (!program) {
	console.error('usage: canon.mjs PROGRAM [--seed=N] [--count=N] [FILE.jsonl.zst ...]');
	process.exit(2);
}

// ---- what the answer should be --------------------------------------------

// Things JavaScript represents and a hashed text must not, wherever they
// stand; and how deep the text goes. The text is known to be JSON.
function refusal(text, document) {
	const token = /"(?:[^"\\]|\\.)*"|-?\d[-+.\deE]*|[{}[\]]|,/g;
	let depth = 0, deepest = 512, isKey = false, m;
	while ((m = token.exec(text))) {
		const t = m[0], c = t[0];
		if (c === '"') {
			const s = JSON.parse(t);
			if (/\p{Surrogate}/u.test(s))
				return 'lone surrogate';
			if (document && depth === 1 && isKey)
				deepest = s === 'manifest' || s === 'metadata'
					? 513 : 512;
			isKey = false;
		} else if (c === '{' || c === '[') {
			if (++depth > deepest)
				return 'depth';
			isKey = c === '{';
		} else if (c === '}' || c === ']') {
			depth--;
		} else if (c === ',') {
			isKey = depth === 1;
		} else if (!Number.isFinite(Number(t))) {
			return 'overflow';
		}
	}
	return null;
}

const isObject = v =>
	typeof v === 'object' && v !== null && !Array.isArray(v);
const isName = (v, most) => typeof v === 'string' && v !== '' &&
	Buffer.byteLength(v) <= most && !/[\0-\x1f\x7f-\x9f]/.test(v);

// The canonical text, or null when it has to be refused.
function wanted(text, document) {
	let v;
	try {
		v = JSON.parse(text);
	} catch {
		return null;
	}
	if (refusal(text, document))
		return null;
	if (!document)
		return JSON.stringify(v);
	if (!isObject(v) || !Object.hasOwn(v, 'manifest'))
		return null;
	const {manifest, ...rest} = v;
	let metadata = rest;
	if (Object.hasOwn(rest, 'metadata')) {
		if (Object.keys(rest).length > 1)
			return null;
		metadata = rest.metadata;
	}
	if (!isObject(manifest) || !isObject(metadata) ||
	    !Object.hasOwn(manifest, 'id') ||
	    !Object.hasOwn(manifest, 'version') ||
	    !isName(manifest.id, 214) || !isName(manifest.version, 128) ||
	    manifest.version === 'latest')
		return null;
	return `{"manifest":${JSON.stringify(manifest)},` +
		`"metadata":${JSON.stringify(metadata)}}`;
}

// ---- asking -----------------------------------------------------------------

const tests = [];
const test = (name, lines, document, only) =>
	tests.push({name, lines, document, only});

function ask(lines, document) {
	const newline = Buffer.from('\n');
	const input = Buffer.concat(lines.flatMap(l => [Buffer.from(l), newline]));
	const run = spawnSync(program, document ? [] : ['-v'],
			      {input, maxBuffer: 2 ** 31 - 1});
	if (run.status !== 0)
		throw new Error(`${program}: ${run.error ?? run.stderr}`);
	const answers = run.stdout.toString().split('\n');
	answers.pop();
	if (answers.length !== lines.length)
		throw new Error(`${answers.length} answers to ${lines.length} lines`);
	return answers;
}

const short = s => s.length > 300 ? `${s.slice(0, 300)}... (${s.length})` : s;

// A line may be a Buffer, when it is no UTF-8 and hence to be refused. only
// is 'ok' or 'refused' where all of them are known to be that.
function check({lines, document, only}) {
	const wrong = [];
	const answers = ask(lines, document);
	lines.forEach((line, i) => {
		const want = Buffer.isBuffer(line) ? null : wanted(line, document);
		const got = answers[i];
		const good = want === null
			? /^refused \d+:\d+ \S/.test(got) && only !== 'ok'
			: got === `ok ${want}` && only !== 'refused';
		if (!good)
			wrong.push(`text ${short(line.toString())}`,
				   `want ${want === null ? 'refused' : short(want)}`,
				   `got  ${short(got)}`);
	});
	return wrong;
}

// ---- hand-picked ------------------------------------------------------------

const man = '"manifest":{"id":"com.acme.crm","version":"1.0.0"}';
const value = (name, lines, only) => test(name, lines, false, only);
const document = (name, lines, only) => test(name, lines, true, only);
// a value inside the two halves of a document, too
const both = (name, lines, only) => {
	value(name, lines, only);
	document(`${name}, inside a document`, lines.flatMap(l => [
		`{${man},"metadata":{"v":${l}}}`,
		`{${man},"v":${l}}`,
		`{"v":${l}, ${man}}`,
		`{"manifest":{"v":${l},"id":"a","version":"1"}}`,
	]), only);
};

both('every kind of value', [
	'null', 'true', 'false', '0', '""', '{}', '[]', '"x"', '[[]]', '[{}]',
	'{"":{}}', '{"":""}', '[null,true,false,0,"",{},[]]',
	' \t\r[ 1 ,\t2 , { "a" : [ ] , "b" : { } } ]\r ',
], 'ok');
both('integer-like keys come first, ascending', [
	'{"b":1,"a":2,"1":3,"0":4}', '{"10":1,"9":2,"8":3}',
	'{"a":0,"4294967294":1,"4294967295":2,"4294967296":3,"0":4}',
	'{"4294967295":1,"4294967294":2}', '{"4294967294":1,"4294967293":2}',
	'{"01":1,"1":2,"00":3,"0":4}', '{"-0":1,"-1":2,"0":3}',
	'{"1.0":1,"1":2,"1e0":3," 1":4,"1 ":5,"+1":6}',
	'{"9999999999":1,"1":2}', '{"99999999999":1,"1":2}',
	'{"18446744073709551616":1,"1":2,"18446744073709551617":3}',
	'{"a":1,"\\u0031":2,"\\u0030":3}', '{"a":1,"1\\u0030":2,"\\u0039":3}',
	'{"0":1,"1":2,"2":3}', '{"0":1,"1":2,"a":3}', '{"0":1,"a":2,"1":3}',
	'{"x":{"b":1,"2":{"c":1,"1":1},"1":0},"3":{"1":0,"0":[{"1":0,"0":0}]}}',
	'[{"1":0,"0":0},{"0":0,"1":0},{"1":{"3":0,"2":0},"0":{"5":1,"4":2}}]',
	'{"١":1,"1":2,"１":3}', '{"2147483648":1,"2147483647":2,"7":3}',
	'{"4294967294":1,"a":2,"4294967294":3}',
], 'ok');
both('duplicate keys keep the first place and the last value', [
	'{"a":1,"a":2}', '{"a":1,"b":2,"a":3}', '{"a":1,"b":2,"a":3,"b":4,"c":5}',
	'{"a":{"x":1},"a":{"y":2}}', '{"a":{"x":1,"x":2},"b":[{"1":1,"0":0}],"a":{"z":1,"z":3}}',
	'{"1":1,"1":2}', '{"1":1,"0":2,"1":3}', '{"a":1,"1":2,"a":3,"1":4}',
	'{"":1,"":2}', '{"\\u0061":1,"a":2,"\\u0061":3}', '{"\\/":1,"/":2}',
	'{"\\ud83d\\ude00":1,"😀":2}', '{"\\n":1,"\\u000a":2}', '{"é":1,"\\u00e9":2,"e\u0301":3}',
	'{"a":[{"b":1,"b":2}],"a":[{"b":3,"b":4},{"1":1,"0":0}]}',
	'{"a":1,"a":2,"a":3,"a":4,"a":5,"a":6,"a":7,"a":8,"a":9,"a":10}',
	'{"a":{"a":{"a":1,"a":2},"a":3},"a":{"a":{"a":4,"a":5}}}',
], 'ok');
both('keys that mean something to an object are keys like any other', [
	'{"__proto__":1}', '{"__proto__":{"a":1},"b":2}', '{"b":1,"__proto__":null,"a":2}',
	'{"__proto__":1,"a":2,"__proto__":3}', '{"constructor":1,"toString":2,"hasOwnProperty":3}',
	'{"toJSON":1,"valueOf":2,"length":3,"__defineGetter__":4,"prototype":5}',
	'{"a":{"toJSON":{"a":1}}}',
], 'ok');
const chars = [];
for (let c = 0; c < 0x100; c++)
	chars.push(`\\u${c.toString(16).padStart(4, '0')}`,
		   `\\u${c.toString(16).padStart(4, '0').toUpperCase().replace('U', 'u')}`);
for (let c = 0x20; c < 0x100; c++)
	if (c !== 0x22 && c !== 0x5c)
		chars.push(String.fromCharCode(c));
chars.push('\\"', '\\\\', '\\/', '\\b', '\\f', '\\n', '\\r', '\\t',
	'\\u2028\\u2029', '\u2028\u2029', '\\uD83D\\uDE00', '\\ud83d\\ude00',
	'\\uD800\\uDC00', '\\uDBFF\\uDFFF', '\\uFFFF', '\\uFFFE', '\\uFEFF',
	'\\ud7ff', '\\ue000', '\\u07ff', '\\u0800', '\uffff', '\ufeff',
	'\u{10000}', '\u{10ffff}', '\u07ff\u0800', '中文', '\\u4e2D', '/', '\x7f');
value('every escape and every character below U+0100', chars.map(c => `"${c}"`), 'ok');
value('the same at every offset of eight bytes', chars.flatMap(c =>
	[0, 1, 3, 6, 7, 8].map(n => `["${'x'.repeat(n)}${c}${'y'.repeat(9 - n)}",{"${'k'.repeat(n)}${c}":1}]`)), 'ok');
both('lone surrogates are refused', [
	'"\\ud800"', '"\\udc00"', '"\\ud800x"', '"\\ud800\\n"', '"\\ud800\\u0041"',
	'"\\ud800\\ud800"', '"\\udc00\\ud800"', '"\\ud800\\ud800\\udc00"', '"\\uDFFF"',
	'"\\uD83D\\uDE00\\uDE00"', '{"\\ud800":1}', '{"a":1,"\\udfff":1}', '"\\ud800\\\\udc00"',
	'{"a":"\\ud800","a":1}',
], 'refused');
value('what is no UTF-8 is refused', [
	[0x80], [0xbf], [0xc0, 0x80], [0xc1, 0xbf], [0xc2], [0xc3, 0x28],
	[0xe0, 0x80, 0x80], [0xe0, 0x9f, 0xbf], [0xe2, 0x82], [0xe2, 0x28, 0xa1],
	[0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
	[0xf0, 0x80, 0x80, 0x80], [0xf0, 0x8f, 0xbf, 0xbf], [0xf0, 0x9f, 0x98],
	[0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80],
	[0xfe], [0xff], [0xff, 0xfe],
].flatMap(b => ['', 'abcdefg', '中文中'].flatMap(s => [
	Buffer.concat([Buffer.from(`"${s}`), Buffer.from(b), Buffer.from('"')]),
	Buffer.concat([Buffer.from(`"${s}`), Buffer.from(b), Buffer.from('zzzzzzzzz"')]),
	Buffer.concat([Buffer.from(`{"${s}`), Buffer.from(b), Buffer.from('":1}')]),
	Buffer.concat([Buffer.from(`[${s ? `"${s}",` : ''}`), Buffer.from(b), Buffer.from(']')]),
])), 'refused');
both('what JSON refuses is refused', [
	'', ' ', ',', ':', '{', '}', '[', ']', '"', '"a', '"a\\', '"a\\"', '"\\u', '"\\u1', '"\\u12', '"\\u123', '"\\u123"',
	'"\\ug000"', '"\\u000g"', '"\\x41"', '"\\0"', '"\\a"', '"\\v"', '"\\\'"', '"\\U0041"', "'a'", '"\t"', '"\r"', '"\0"', '"\x1f"',
	'"abcdefgh\x01"', '"abcdefg\x1f"', '[1,]', '[,1]', '[1 2]', '[1,,2]', '[1}', '{1}', '{"a"}', '{"a":}', '{"a":1,}', '{,}', '{"a" 1}', '{"a"::1}',
	'{a:1}', '{"a":1]', '{"a":1 "b":2}', '[1]]', '{}}', '{} {}', '1 2', 'nul', 'nulL', 'True', 'tru', 'truee', 'NaN', 'Infinity', '-Infinity', 'undefined',
	'fals', 'n', 't', 'f', '01', '00', '-', '-01', '+1', '.5', '1.', '1.e1', '-.5', '1e', '1e+', '1e-', '1E', '0x10', '1_000', '1e1.5', '--1', '1-', '0e', '-a', '1a', '0.', '0.e0',
	'\ufeff1', '\ufeff', '\v1', '\f1', '\xa01', '\u20281', '//1', '/**/1', '1//', '[1;2]', '{"a":1,"b"}', '"a"b', '"a""b"',
	'[', '[[', '[1', '[1,', '{"', '{"a', '{"a"', '{"a":', '{"a":1', '{"a":1,', '[{"a":[',
], 'refused');

const numbers = ['-0', '-0.0', '0.0', '0e0', '0e400', '-0e-400', '0.000e+9999999999999', '1.0', '1.50', '100', '1e2', '1E2', '1e+2', '1e-2',
	'1e20', '1e21', '1e22', '-1e21', '123456789012345680000', '12345678901234567890', '1234567890123456789012', '999999999999999900000', '999999999999999999999', '1e-6', '1e-7',
	'0.000001', '0.0000001', '1.5e-7', '123e-9', '0.00000123', '9007199254740991', '9007199254740992', '9007199254740993', '9007199254740994', '-9007199254740993',
	'9007199254740992.5', '9007199254740993.0000000000000000000000001', '0.1', '0.2', '0.30000000000000004', '0.1000000000000000055511151231257827', '3.141592653589793', '3.14159265358979323846',
	'2.2250738585072014e-308', '2.2250738585072011e-308', '2.225073858507201e-308', '4.9e-324', '5e-324', '2.4703282292062327e-324', '2.4703282292062328e-324', '2.5e-324', '3e-324', '7.4e-324', '7.5e-324',
	'1.7976931348623157e308', '1.7976931348623158e308', '1.7976931348623158079e308', '17976931348623157e292', '1e308', '9.999999999999999e307', '1e-400', '-1e-400', '1e-99999999999999999999', '0.' + '0'.repeat(400) + '1',
	'0.' + '0'.repeat(5000) + '1e5000', '1' + '0'.repeat(5000) + 'e-5000', '1' + '0'.repeat(300), '123456789'.repeat(34), '0.' + '123456789'.repeat(100), '9'.repeat(308), '1e0000000000000000000000000000000000001', '1e-0000000000000000000000000000000000001',
	'5.684341886080802e-14', '5.684341886080801e-14', '9.5367431640625e-7', '1.1920928955078125e-7', '8.98846567431158e307', '1e23', '9.999999999999999e22', '8.5e22', '1.8446744073709552e19', '4.35', '0.000035', '1.0e+05',
	'179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880177904174497791',
];
// the exact middle between 1 and its neighbour, a hair below and above, far out
const middle = '1.00000000000000011102230246251565404236316680908203125';
numbers.push(middle, middle.replace(/5$/, '4'), middle + '0'.repeat(900) + '1', middle + '0'.repeat(900), middle.replace(/5$/, '4' + '9'.repeat(900)),
	middle.replace('.', '') + 'e-53', '0.000' + middle.replace('.', '') + 'e4');
both('numbers people write, and some they should not', numbers, 'ok');
both('numbers beyond a double are refused', [
	'1e309', '1e400', '-1e400', '1.7976931348623159e308', '-1.7976931348623159e+308', '2e308', '1e99999999999999999999', '1e2147483648', '1e4294967296', '1e18446744073709551616', '1e9223372036854775807', '9'.repeat(309), '0.1e310',
	'1.797693134862315808e308', '0.' + '0'.repeat(5000) + '1e5400',
	'179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880177904174497792',
	'{"a":1e400,"a":1}',
], 'refused');
const float = new Float64Array(1);
const bits = new BigUint64Array(float.buffer);
const edges = [];
for (let e = -1074; e <= 1023; e++) {
	float[0] = 2 ** e;
	const b = bits[0];
	for (const d of [-2n, -1n, 0n, 1n, 2n]) {
		bits[0] = b + d < 0n ? 0n : b + d;
		const v = float[0];
		edges.push(String(v), v.toExponential(14), v.toExponential(15), v.toExponential(16), v.toExponential(25), v.toPrecision(100));
	}
}
value('all powers of two, their neighbours, and decimals around them', edges);
value('the exact decimal of every power of two below 1, and half of it', Array.from({length: 1075}, (_, e) =>
	`[${(5n ** BigInt(e)).toString()}e-${e},${(5n ** BigInt(e + 1)).toString()}e-${e + 1}]`), 'ok');
value('the exact middle of neighbours, and one digit more', Array.from({length: 1000}, (_, e) => {
	const m = (((1n << 52n) + BigInt(e * 7919)) * 2n + 1n) * 5n ** BigInt(e);
	return `[${m}e-${e},${m}1e-${e + 1},${m - 1n}e-${e},${m}${'0'.repeat(800)}1e-${e + 801}]`;
}), 'ok');
value('all powers of ten, and what is just beside them', Array.from({length: 660}, (_, i) => i - 345).flatMap(e =>
	['1', '9.999999999999999', '1.0000000000000002', '99999999999999999', '0.000123456789012345', '5', '-1.7976931348623157', '4.9406564584124654'].map(m => `${m}e${e}`)));
value('numbers with megabytes of digits', [
	'1' + '0'.repeat(3e6) + 'e-3000000', '0.' + '0'.repeat(3e6) + '1e3000001', '1e' + '0'.repeat(3e6) + '5', '0.' + '3'.repeat(3e6), '1.' + '0'.repeat(3e6) + '1',
], 'ok');
value('exponents with megabytes of digits', ['1e' + '9'.repeat(3e6), '1e-' + '9'.repeat(3e6), '0e' + '9'.repeat(3e6), '3'.repeat(3e6)]);

const nest = (n, inner, open = '[', close = ']') => open.repeat(n) + inner + close.repeat(n);
value('512 levels are read and 513 refused', [
	nest(511, ''), nest(512, ''), nest(513, ''), nest(512, '', '{"a":', '}').replace('{"a":}', '{}'), nest(512, '1', '{"a":', '}'), nest(513, '1', '{"a":', '}'),
	nest(512, '1', '{"b":0,"0":', '}'), nest(513, '1', '{"b":0,"0":', '}'), nest(512, '1', '{"b":0,"b":', '}'), nest(512, '1', '{"b":', ',"0":[]}'), nest(100000, ''), '['.repeat(100000),
]);
document('512 levels in M and in D, of either form', [510, 511, 512, 513].flatMap(n => [
	`{${man},"metadata":{"a":${nest(n, '')}}}`, `{${man},"a":${nest(n, '')}}`, `{"a":${nest(n, '')},${man}}`,
	`{"metadata":{"a":${nest(n, '')}},${man}}`, `{"manifest":{"id":"a","version":"1","a":${nest(n, '')}}}`,
	`{"manifest":{"id":"a","version":"1","a":${nest(n, '')}},"b":1}`,
	`{"b":1,"m":2,"manifest":{"id":"a","version":"1","a":${nest(n, '1', '{"b":1,"0":', '}')}}}`,
]));
document('shapes of a package', [
	`{${man}}`, `{${man},"metadata":{}}`, `{"metadata":{},${man}}`, `{${man},"objects":[]}`, `{"objects":[],${man}}`,
	`{"objects":[],${man},"views":[1,2]}`, `{${man},"objects":[],"views":[],"1":1,"0":0}`, `{"2":2,${man},"1":1}`,
	`{${man},"a":1,"a":2}`, `{"a":1,${man},"b":3,"a":2}`, `{${man},"__proto__":1,"constructor":2}`,
	`{"manifest":1,${man}}`, `{"manifest":{"id":"b"},"x":1,${man}}`, `{${man},"metadata":1,"metadata":{"b":1}}`,
	`{"metadata":[],${man},"metadata":{"b":1,"a":{"1":1,"0":0}}}`, `{"mani\\u0066est":{"id":"a","version":"1"},"\\u006detadata":{}}`,
	`{"manifest":{"id":1,"id":"a","version":"latest","version":"1"}}`, `{"manifest":{"version":"1","id":"a","7":1}}`,
	`{"manifest":{"id":"a","version":"1","metadata":{}},"manifests":1}`, ` { "manifest" : { "id" : "\\u0061" , "version" : "1" } } `,
	`{"manifest":{"id":"${'x'.repeat(214)}","version":"${'é'.repeat(64)}"}}`, `{"manifest":{"id":"${'\\u00e9'.repeat(107)}","version":"${'\\ud83d\\ude00'.repeat(32)}"}}`,
	`{"manifest":{"id":"\\"\\\\/","version":"LATEST"}}`, `{"manifest":{"id":"\xa0","version":" latest"}}`,
], 'ok');
document('shapes that are no package', [
	'null', '[]', '1', '"manifest"', '{}', '{"metadata":{}}', '{"objects":[]}', `[{${man}}]`, `{"manifest":[]}`, `{"manifest":null}`, `{"manifest":"x","metadata":{}}`,
	`{${man},"metadata":[]}`, `{${man},"metadata":null}`, `{${man},"metadata":1}`, `{${man},"metadata":{},"x":1}`, `{"x":1,${man},"metadata":{}}`, `{${man},"x":1,"metadata":{}}`, `{${man},"metadata":{},"":1}`,
	`{${man},"metadata":{},"__proto__":1}`, `{${man},"metadata":{},"metadata":[]}`, `{${man},"manifest":{}}`, `{${man},"manifest":{"id":"a"}}`, `{"manifest":{}}`, `{"manifest":{"id":"a"}}`, `{"manifest":{"version":"1"}}`,
	`{"manifest":{"id":1,"version":"1"}}`, `{"manifest":{"id":"a","version":1}}`, `{"manifest":{"id":"a","version":null}}`, `{"manifest":{"id":["a"],"version":"1"}}`, `{"manifest":{"x":{"id":"a","version":"1"}}}`, `{"manifest":[{"id":"a","version":"1"}]}`,
	`{"manifest":{"id":"","version":"1"}}`, `{"manifest":{"id":"a","version":""}}`, `{"manifest":{"id":"a","version":"latest"}}`, `{"manifest":{"id":"a","version":"l\\u0061test"}}`,
	`{"manifest":{"id":"${'x'.repeat(215)}","version":"1"}}`, `{"manifest":{"id":"a","version":"${'1'.repeat(129)}"}}`, `{"manifest":{"id":"a","version":"${'é'.repeat(65)}"}}`, `{"manifest":{"id":"${'\\u00e9'.repeat(108)}","version":"1"}}`,
	...['\\u0000', '\\n', '\\u001f', '\\u007f', '\x7f', '\\u0080', '\x80', '\\u009f', '\x9f'].flatMap(c => [`{"manifest":{"id":"a${c}","version":"1"}}`, `{"manifest":{"id":"a","version":"${c}1"}}`]),
	`{"manifest":{"id":"latest","version":"latest\\u0000"}}`,
], 'refused');
const many = (n, key) => `{${Array.from({length: n}, (_, i) => `${JSON.stringify(key(i))}:${i}`).join(',')}}`;
both('objects with many members', [7, 8, 9, 15, 16, 17, 63, 64, 65, 127, 128, 129, 130, 255, 1000, 20000].flatMap(n => [
	many(n, i => `key${i}`), many(n, i => `key${i % (n - 1)}`), many(n, i => `${n - i}`), many(n, i => i % 2 ? `${n - i}` : `k${i}`), many(n, i => `${i % 7}`), many(n, i => 'x'.repeat(i % 50) + i % 100),
]), 'ok');

// ---- random -----------------------------------------------------------------

let state = seed >>> 0;
function random() { // mulberry32
	state = (state + 0x6d2b79f5) >>> 0;
	let t = state;
	t = Math.imul(t ^ (t >>> 15), t | 1);
	t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
	return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const below = n => Math.floor(random() * n);
const pick = list => list[below(list.length)];
const space = () => random() < 0.7 ? '' : ' \t\r '.repeat(3).slice(0, below(12));
const pools = ['abcdefghijklmnopqrstuvwxyz', '0123456789', '"\\/\b\f\n\r\t\0\x1f\x7f', 'éß\x80\xff\u07ff', '中文\u0800\u2028\u2029\ufeff\uffff\ue000\ud7ff', '😀\u{10000}\u{10ffff}'].map(s => [...s]);
const named = {'"': '\\"', '\\': '\\\\', '/': '\\/', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t'};

function escape(c) {
	const hex = [...Array(c.length).keys()].map(i => {
		const h = c.charCodeAt(i).toString(16).padStart(4, '0');
		return `\\u${pick([h, h.toUpperCase()])}`;
	}).join('');
	if (c < ' ' || c === '"' || c === '\\')
		return named[c] && random() < 0.6 ? named[c] : hex;
	if (random() < 0.1)
		return hex;
	return c === '/' && random() < 0.5 ? named[c] : c;
}
function string() {
	const pool = random() < 0.6 ? pools[0] : pick(pools);
	let s = '';
	for (let n = below(random() < 0.1 ? 60 : 14); n > 0; n--)
		s += escape(pick(random() < 0.9 ? pool : pick(pools)));
	if (random() < 0.002)
		s += pick(['\\ud800', '\\udc00']);
	return `"${s}"`;
}
const keys = ['a', 'b', 'c', 'name', 'label', '__proto__', 'constructor', '0', '1', '2', '9', '10', '01', '-1', '4294967294', '4294967295', '', '\\u0061', '\\u0031', '1\\u0030'];
const key = () => random() < 0.5 ? `"${pick(keys)}"` : random() < 0.4 ? `"${below(30)}"` : string();
function number() {
	bits[0] = BigInt(below(2 ** 32)) << 32n | BigInt(below(2 ** 32));
	const v = Number.isFinite(float[0]) ? float[0] : 1.5;
	switch (below(9)) {
	case 0: return String(below(1000));
	case 1: return String(below(2 ** 32) - 2 ** 31);
	case 2: return (random() * 10 ** below(20)).toFixed(below(20));
	case 3: return JSON.stringify(v);
	case 4: return v.toExponential(below(30));
	case 5: return String(random() * 1000).slice(0, 2 + below(20)).replace(/\.$/, '');
	case 6: return `${pick(['-', ''])}${below(10)}${pick(['', '.0', '.5', '.000'])}${pick(['', 'e', 'E'])}`.replace(/[eE]$/, e => e + pick(['', '+', '-']) + below(random() < 0.1 ? 400 : 25));
	case 7: return `${1 + below(9)}${Array.from({length: below(40)}, () => below(10)).join('')}`;
	default: return String(v.toPrecision(1 + below(21))).replace(/\.$/, '');
	}
}
function object(depth, some = []) {
	const list = some.slice();
	for (let n = depth > 2 || random() < 0.95 ? below(6) : below(200); n > 0; n--)
		list.splice(below(list.length + 1), 0, `${key()}${space()}:${space()}${any(depth + 1)}`);
	return `{${space()}${list.join(`${space()},${space()}`)}${space()}}`;
}
function any(depth) {
	const r = random();
	if (depth < 7 && r < 0.3 / (depth || 1))
		return object(depth);
	if (depth < 7 && r < 0.45 / (depth || 1))
		return `[${space()}${Array.from({length: below(6)}, () => any(depth + 1)).join(`${space()},${space()}`)}${space()}]`;
	return r < 0.65 ? string() : r < 0.9 ? number() : pick(['true', 'false', 'null']);
}
function pack() {
	const m = `${space()}"manifest"${space()}:${space()}${object(2, ['"id":"com.acme.crm"', `"version":"${below(20)}.${below(20)}.0"`])}`;
	const list = [m];
	if (random() < 0.03)
		list.push(m);
	if (random() < 0.5)
		list.splice(below(2), 0, `"metadata":${space()}${object(2)}`);
	if (random() < 0.5)
		return object(1, list);
	return `${space()}{${list.join(`${space()},`)}${space()}}${space()}`;
}
// one or a few characters changed: both must draw the same line
function damage(text) {
	const list = [...text];
	for (let n = 1 + below(2); n > 0; n--) {
		const i = below(list.length);
		const c = pick([...'{}[]",:\\/utfn0123456789eE+-. \t\0é中😀']);
		switch (below(4)) {
		case 0: list.splice(i, 1); break;
		case 1: list.splice(i, 0, c); break;
		case 2: list[i] = c; break;
		default: list.length = random() < 0.3 ? i : list.length;
		}
	}
	return list.join('');
}
const some = (make, n) => Array.from({length: n}, make);
value(`${count} random values, seed ${seed}`, some(() => any(0), count));
value(`${count} random values, damaged`, some(() => damage(any(0) || ' '), count));
document(`${count} random documents`, some(pack, count));
document(`${count} random documents, damaged`, some(() => damage(pack()), count));
value('random numbers', some(() => `[${some(number, 20).join(',')}]`, count));

for (const file of files)
	tests.push({name: `every line of ${basename(file)}`, document: true, only: 'ok', get lines() {
		const run = spawnSync('zstd', ['-dc', file], {maxBuffer: 2 ** 31 - 1});
		if (run.status !== 0)
			throw new Error(`zstd -dc ${file}: ${run.error ?? run.stderr}`);
		const list = run.stdout.toString().split('\n');
		if (list.at(-1) === '')
			list.pop();
		return list;
	}});

let failed = 0;
console.log(`1..${tests.length}`);
tests.forEach((t, i) => {
	let wrong;
	try {
		wrong = check(t);
	} catch (e) {
		wrong = [e.message];
	}
	console.log(`${wrong.length ? 'not ok' : 'ok'} ${i + 1} - ${t.name}`);
	for (const line of wrong.slice(0, 9))
		console.log(`# ${JSON.stringify(line)}`);
	failed += wrong.length > 0;
});
process.exit(failed ? 1 : 0);
