// wire.mjs - how many bytes a copy of a store takes on the wire: all of it,
// nothing new, ten new versions. Each way of copying goes through a relay that
// counts both directions.
//
//	node wire.mjs PAKHUS DIR VERSIONS
//
// Peers copy the same tree from the same rsync daemon: rsync -a of all of it,
// and the order of ostree's repositories, objects first and refs last, where
// what is there is not looked at again.
import { spawn } from 'node:child_process'
import { createServer, connect } from 'node:net'
import { mkdirSync, rmSync, writeFileSync, openSync } from 'node:fs'
import { join } from 'node:path'

const [, , pakhus, dir, count] = process.argv
const versions = Number(count)
const store = join(dir, 'store')
const running = []

function run(program, args, input) {
	return new Promise((resolve, reject) => {
		const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'inherit'] })
		child.on('error', reject)
		child.on('exit', (code) =>
			code ? reject(new Error(`${program} ${args.join(' ')}: ${code}`)) : resolve())
		child.stdin.on('error', () => {})
		if (!input) return child.stdin.end()
		void (async () => {
			for (const line of input)
				if (!child.stdin.write(line))
					await new Promise((done) => child.stdin.once('drain', done))
			child.stdin.end()
		})()
	})
}

function daemon(program, args) {
	const log = openSync(join(dir, `${program}.log`), 'a')
	running.push(spawn(program, args, { stdio: ['ignore', log, log] }))
}

// A relay to a port, and what went through it since the last look.
async function relay(to) {
	let bytes = 0
	const server = createServer((a) => {
		const b = connect(to, '127.0.0.1')
		for (const [from, into] of [[a, b], [b, a]]) {
			from.on('data', (part) => { bytes += part.length })
			from.on('error', () => into.destroy())
			from.pipe(into)
		}
	})
	await new Promise((done) => server.listen(0, '127.0.0.1', done))
	return { port: server.address().port, close: () => server.close(),
		take: () => { const n = bytes; bytes = 0; return n } }
}

async function freePort() {
	const r = await relay(0)
	r.close()
	return r.port
}

async function answers(port) {
	for (let i = 0; i < 100; i++) {
		const ok = await new Promise((done) => {
			const s = connect(port, '127.0.0.1', () => { s.destroy(); done(true) })
			s.on('error', () => done(false))
		})
		if (ok) return
		await new Promise((done) => setTimeout(done, 100))
	}
	throw new Error(`nothing answers on port ${port}`)
}

async function serve() {
	const rsync = await freePort(), http = await freePort()
	writeFileSync(join(dir, 'rsyncd.conf'),
		`use chroot = no\n[store]\npath = ${store}\nexclude = /local\n`)
	daemon('rsync', ['--daemon', '--no-detach', '--address=127.0.0.1',
		`--port=${rsync}`, `--config=${join(dir, 'rsyncd.conf')}`])
	const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
		.map((t) => `${t}_temp_path ${dir}/${t};`).join(' ')
	writeFileSync(join(dir, 'nginx.conf'), `daemon off; master_process off;
		pid ${dir}/nginx.pid; error_log ${dir}/nginx.err; events { }
		http { access_log off; ${temporary} keepalive_requests 1000000;
		server { listen 127.0.0.1:${http}; root ${store}; } }`)
	daemon('nginx', ['-p', dir, '-c', join(dir, 'nginx.conf'), '-e', join(dir, 'nginx.err')])
	await answers(rsync)
	await answers(http)
	return { rsync: await relay(rsync), http: await relay(http) }
}

function* documents(from, to) {
	for (let i = from; i < to; i++) {
		const id = `org.example.p${i % Math.ceil(versions / 20)}`
		const objects = []
		for (let k = 0; k < 8; k++)
			objects.push({ name: `object_${k}`, label: `Object ${k} of ${id}`,
				fields: { name: { type: 'text' }, size: { type: 'number', scale: k } } })
		objects[i % 8].label = `Changed by ${i}`
		yield JSON.stringify({
			manifest: { id, name: id, type: 'app', version: `1.0.${i}` },
			metadata: { objects } }) + '\n'
	}
}

const publish = (from, to) =>
	run(pakhus, ['-C', store, 'import', '-'], documents(from, to))

const ways = [
	['pakhus mirror, rsync', 'rsync', (port, to) =>
		run(pakhus, ['mirror', `rsync://127.0.0.1:${port}/store`, to])],
	['pakhus mirror, HTTP', 'http', (port, to) =>
		run(pakhus, ['mirror', `http://127.0.0.1:${port}`, to])],
	['rsync -a', 'rsync', (port, to) =>
		run('rsync', ['-a', `rsync://127.0.0.1:${port}/store/`, to])],
	["rsync in ostree's order", 'rsync', async (port, to) => {
		const from = `rsync://127.0.0.1:${port}/store`
		mkdirSync(join(to, 'log'), { recursive: true })
		await run('rsync', ['-a', '--ignore-existing', `${from}/objects`, to])
		await run('rsync', ['-a', '--ignore-existing', `${from}/log/tile`, join(to, 'log')])
		await run('rsync', ['-a', `${from}/FORMAT`, `${from}/keys`, to])
		await run('rsync', ['-a', `${from}/log/checkpoint`, join(to, 'log')])
	}],
]

async function main() {
	rmSync(dir, { recursive: true, force: true })
	mkdirSync(dir, { recursive: true })
	await run(pakhus, ['-C', store, 'init'])
	const relays = await serve()
	await publish(0, versions)
	const table = ways.map(([name]) => [name])
	const copy = async () => {
		for (const [i, [, kind, how]] of ways.entries()) {
			const to = join(dir, `copy-${i}`)
			mkdirSync(to, { recursive: true })
			relays[kind].take()
			await how(relays[kind].port, to)
			table[i].push(relays[kind].take())
		}
	}
	await copy()
	await copy()
	await publish(versions, versions + 10)
	await copy()
	console.log(`bytes on the wire, both ways, ${versions} versions\n`)
	console.log('| copied by | all | nothing new | ten new versions |')
	console.log('|---|---:|---:|---:|')
	for (const row of table)
		console.log(`| ${row.map((c) => c.toLocaleString('en-US')).join(' | ')} |`)
	for (const r of Object.values(relays)) r.close()
}

process.exitCode = 1
main().then(() => { process.exitCode = 0 }, (e) => console.error(e))
	.finally(() => {
		for (const p of running) p.kill()
		rmSync(dir, { recursive: true, force: true })
	})
