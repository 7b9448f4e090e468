// boot.mjs - a runtime's start, as far as packages go: a registry, and the
// package service that fills it.
//
// usage: node boot.mjs ours STORE
//        node boot.mjs original DATABASE
//
// Prints one line of JSON: how many packages are installed, in how many
// milliseconds, and the largest resident set, in megabytes.
import { Registry, ours, published, sqlite, start } from './plugin.mjs';

const [which, path] = process.argv.slice(2);
const registry = new Registry();
const { PackageServicePlugin } = which === 'original' ?
	await published('@objectstack/service-package') :
	await ours('plugin.mjs');
const database = which === 'original' ? await sqlite(path) : {};
const before = process.hrtime.bigint();
const { log, stop } = await start(PackageServicePlugin, { path },
	{ registry, execute: database.execute });
const ms = Number(process.hrtime.bigint() - before) / 1e6;
await stop();
for (const line of log.of('error').concat(log.of('warn')))
	console.error(line);
console.log(JSON.stringify({ installed: registry.installed.size,
	ms: Math.round(ms),
	rss: Math.round(process.resourceUsage().maxRSS / 1024) }));
