// Publishes a package, twice, and reads both versions back.
// usage: node publish.mjs STORE
import { open } from 'pakhus';

const store = await open(process.argv[2], { create: true });

for (const version of ['1.0.0', '1.1.0']) {
	const record = await store.publish({
		manifest: { id: 'com.acme.crm', version, name: 'CRM' },
		metadata: { objects: [{ name: 'account' }] },
	}, { by: 'example' });
	console.log('published', record.version, record.hash);
}

const latest = await store.get('com.acme.crm');
console.log('latest is', latest.version, latest.metadata.objects[0].name);
for await (const entry of store.eachEntry('com.acme.crm'))
	console.log('log:', entry.seq, entry.op, entry.version, 'by', entry.by);

await store.close();
