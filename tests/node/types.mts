// types.mts - the types, as an ES module sees them: compiled, never run.
import Plugin, { hash, mirror, open, PackageServicePlugin, PakhusError, Store,
	type Package, type Page, type Source, type VersionRecord }
	from 'pakhus';

const store: Store = await open('store', { create: true, level: 3,
	onNotice: (text) => text.toUpperCase() });
const record: VersionRecord = await store.publish({ manifest: {} },
	{ by: 'me' });
await store.publish('{}');
await store.publish(new Uint8Array());
await store.publishAll([{}, '{}']);
await store.publishAll((async function* () {
	yield {};
})());
const found: Package | null = await store.get(record.id, record.version);
const text: string | undefined = (await store.getText('a'))?.document;
const page: Page<VersionRecord> = await store.versions('a', { limit: 1,
	before: 5 });
for await (const entry of store.eachEntry('a'))
	entry.op.length;
for await (const listed of store.eachPackage({ documents: true }))
	listed.metadata?.['objects'];
const source: Source = { fetch: async ({ names }) => void names.length };
(await mirror('to', source, { signal: new AbortController().signal }))
	.isNew.valueOf();
try {
	await store.close();
} catch (error) {
	if (error instanceof PakhusError && error.code === 'ENOTFOUND')
		error.status.toFixed();
}
await hash({});
const plugin: PackageServicePlugin = new Plugin();
plugin.name.length;
// @ts-expect-error there is no such option
await open('store', { readOnly: true });
// @ts-expect-error it may not be there
(await store.get('a')).manifest;
// @ts-expect-error a store is opened, not made
new Store();
// @ts-expect-error there is no such code
if (new PakhusError('', -1).code === 'EWHAT')
	throw new Error();
export { found, text, page };
