// Publishes every document of a file of JSON lines in few steps.
// usage: node import.mjs STORE FILE
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { open } from 'pakhus';

const [path, file] = process.argv.slice(2);
const store = await open(path, { create: true, threads: 2 });
const lines = createInterface({ input: createReadStream(file) });
try {
	const { count } = await store.publishAll(lines);
	console.log(count, 'documents');
} catch (error) {
	console.error(error.index === undefined ? error.message
		: `${file}:${error.index + 1}: ${error.message}; ` +
			`${error.durable} documents before it are durable`);
	process.exitCode = 1;
} finally {
	await store.close();
}
