// packages.mjs - made packages: a seed, an id and a version always give the
// same document. A version changes a few fields of the one before, as real
// ones do; manifests have about 1 KB.
const WORDS = ('account active address agent amount approval asset balance ' +
	'batch billing board branch budget calendar campaign carrier case ' +
	'category channel claim client code comment company contact contract ' +
	'country credit currency customer date deal default delivery device ' +
	'discount document email employee estimate event expense field forecast ' +
	'goal group holiday image industry invoice issue item journal label ' +
	'language lead ledger level license limit line location machine manager ' +
	'margin market material meeting member milestone model month network ' +
	'note notice number offer office order owner partner payment period ' +
	'phase phone plan policy position price priority process product project')
	.split(' ');
const TYPES = ['text', 'number', 'select', 'lookup', 'date', 'boolean',
	'currency', 'textarea'];
const FIELDS = 15; // of an object

// mulberry32
function random(seed) {
	return (below) => {
		seed = (seed + 0x6d2b79f5) | 0;
		let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) % below;
	};
}

function field(p, unit, drawn) {
	const next = random(p * 1000003 + unit * 8191 + drawn);
	const words = (n) => Array.from({ length: n },
		() => WORDS[next(WORDS.length)]);
	return { name: words(2).join('_'), label: words(3).join(' '),
		type: TYPES[next(TYPES.length)], required: next(3) === 0,
		unique: false, readonly: false, hidden: false,
		searchable: next(2) === 0, maxLength: 1 << next(9),
		description: words(12).join(' '),
		helpText: words(6).join(' ') };
}

// Version v of package p; size is about so many bytes.
export function made(p, v, size = 75000) {
	const objects = Math.max(1, Math.round(size / (FIELDS * 330)));
	const units = objects * FIELDS;
	// how often each was drawn anew up to v: five a version
	const drawn = new Uint16Array(units);
	const next = random(p + 1);
	for (let i = 0; i < 5 * v; i++)
		drawn[next(units)]++;
	const id = `com.example.p${p}`;
	return {
		manifest: { id, name: `Package ${p}`, version: `1.${v}.0`,
			type: 'app', namespace: `p${p}`,
			engines: { protocol: '^17' },
			description: field(p, units, 0).description.repeat(8),
			permissions: Array.from({ length: 4 }, (_, i) =>
				`${WORDS[(p + i) % WORDS.length]}.read`) },
		metadata: { objects: Array.from({ length: objects }, (_, o) => ({
			name: `${WORDS[o % WORDS.length]}_${o}`,
			label: WORDS[(o * 7) % WORDS.length],
			fields: Array.from({ length: FIELDS }, (_, f) =>
				field(p, o * FIELDS + f, drawn[o * FIELDS + f])),
		})) },
	};
}
