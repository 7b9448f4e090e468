// worker.mjs - a worker of workers.mjs: publishes, and tells what was
// acknowledged.
import { parentPort, workerData } from 'node:worker_threads';
import { mirror, open } from 'pakhus';

const { path, name, how } = workerData;

if (how === 'mirror') {
	await mirror(`${path}-mirror`, {
		fetch() {
			parentPort.postMessage('fetching');
			return new Promise(() => {});
		},
	});
}
const store = await open(path);
const publish = async (i) => {
	await store.publish({ manifest: { id: name, version: String(i) },
		metadata: { text: 'x'.repeat(1000) } });
	parentPort.postMessage(String(i));
};
if (how === 'bundle') {
	store.bundleCreate(() => {
		parentPort.postMessage('writing');
		return new Promise(() => {});
	});
	store.close();
	await new Promise(() => setInterval(() => {}, 1000));
}
if (how === 'forever') {
	for (let i = 0; ; i += 8)
		await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map((n) =>
			publish(i + n)));
}
await Promise.all(Array.from({ length: 20 }, (_, i) => publish(i)));
if (how === 'close')
	await store.close();
