// serve_storm.mjs URL SECRET CLIENTS: publishes as fast as it can, each time
// another version, until the server is gone; prints each that was
// acknowledged, a line each.
import http from 'node:http';

const [url, secret, clients] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true });

function publish(version) {
	const body = JSON.stringify({
		manifest: { id: 'org.example.storm', version, name: 'storm',
			type: 'app' },
		metadata: { note: version.repeat(20) },
	});
	return new Promise((resolve, reject) => {
		const request = http.request(`${url}/api/v1/registry/packages`, {
			agent, method: 'POST',
			headers: {
				'content-type': 'application/json',
				'content-length': Buffer.byteLength(body),
				authorization: `Bearer ${secret}`,
			},
		}, reply => {
			reply.resume();
			reply.on('end', () => resolve(reply.statusCode));
			reply.on('error', reject);
		});
		request.on('error', reject);
		request.end(body);
	});
}

const run = process.pid;
let gone = false;
async function client(n) {
	for (let i = 0; !gone; i++) {
		const version = `${run}.${n}.${i}`;
		let status;
		try {
			status = await publish(version);
		} catch {
			gone = true;
			return;
		}
		if (status === 200 || status === 201)
			process.stdout.write(version + '\n');
		else if (status !== 429 && status !== 503)
			throw new Error(`status ${status}`);
	}
}
await Promise.all(Array.from({ length: Number(clients) },
	(_, n) => client(n)));
agent.destroy();
