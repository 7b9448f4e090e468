// Makes a mirror, or brings it up to date, and shows what it holds.
// usage: node mirror.mjs SOURCE DIRECTORY [KEY]
import { mirror, open } from 'pakhus';

const [source, path, key] = process.argv.slice(2);
const { before, entries } = await mirror(path, source, { key,
	onNotice: (text) => console.error(text) });
console.log(`${before} entries before, ${entries} now`);

const store = await open(path);
for await (const { id, version } of store.eachPackage())
	console.log(`${id}@${version}`);
await store.close();
