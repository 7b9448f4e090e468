// types.cts - the same for CommonJS.
import pakhus = require('pakhus');

async function main(): Promise<void> {
	const store: pakhus.Store = await pakhus.open('store');
	const text: string = (await store.getAt(1))?.manifest['id'] as string;
	const hash: string = await pakhus.hash(text);
	hash.length;
	// @ts-expect-error it is a promise
	pakhus.hash('').length;
}
main().catch((error: unknown) => {
	if (error instanceof pakhus.PakhusError)
		error.sys?.length;
});
