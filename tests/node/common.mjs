// What the suites share: stores in a directory that goes away.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { open } from 'pakhus';

const top = mkdtempSync(join(tmpdir(), 'pakhus-node-'));
let last = 0;
after(() => rmSync(top, { recursive: true, force: true }));

export const place = () => join(top, String(++last));

export const doc = (id, version, more = {}, metadata = {}) =>
	({ manifest: { id, version, ...more }, metadata });

// A store that the test closes, or that goes with the process.
export async function store(options) {
	const path = place();
	return { path, store: await open(path, { create: true, ...options }) };
}

export const texts = async (iterable) => {
	const all = [];
	for await (const item of iterable)
		all.push(item);
	return all;
};
