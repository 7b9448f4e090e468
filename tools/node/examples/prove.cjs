'use strict';
// Proves that a version was published, to who has the log's key and no store.
// usage: node prove.cjs STORE ID
const { checkProof, open } = require('pakhus');

async function main([path, id]) {
	const store = await open(path);
	const { key } = await store.stat();
	const proof = await store.prove(id);
	await store.close();

	const { entry } = await checkProof(proof, key);
	console.log(`${entry.id}@${entry.version} was published at ` +
		`${entry.time} with the hash ${entry.hash}`);
}

main(process.argv.slice(2)).catch((error) => {
	console.error(`${error.code}: ${error.message}`);
	process.exitCode = 1;
});
