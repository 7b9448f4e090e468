'use strict';
// Every package's latest version with its manifest, newest first.

const PAGE = 200; // of at most 64 KiB, what the index keeps of a manifest

// Where one cannot be read a page has none of its items: the damaged one is
// the newest that is live and listed below `before`.
async function damagedBelow(store, before) {
	for await (const entry of store.eachEntry(undefined, { before })) {
		if (entry.op !== 'publish')
			continue;
		const { items: [live] } = await store.versions(entry.id,
			{ limit: 1 });
		if (live?.place === entry.seq)
			return live;
	}
	return null;
}

// A page, smaller and smaller before what is damaged, which comes alone and
// with the error.
async function pageAt(store, before, limit = PAGE) {
	try {
		return await store.list({ before, limit });
	} catch (error) {
		if (error.code !== 'ECORRUPT')
			throw error;
		if (limit > 1)
			return pageAt(store, before, limit >> 1);
		const live = await damagedBelow(store, before);
		if (!live)
			throw error;
		return { items: [{ ...live, error }], next: live.place };
	}
}

// A version that is published while the pages are walked moves its package to
// the front, where the walk has been: what is new there is walked again, until
// nothing is. So one that came may come again, and none is left out.
async function* packages(store) {
	let seen = 0;
	for (;;) {
		let before = 0, first, last;
		do {
			const page = await pageAt(store, before);
			const items = page.items.filter(
				({ place }) => place >= seen);
			first ??= page.position;
			last = page.position ?? last;
			yield* items;
			before = items.length < page.items.length ? 0 :
				page.next;
		} while (before);
		if (last === first)
			return;
		seen = first;
	}
}

module.exports = { packages };
