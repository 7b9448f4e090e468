// host.mjs - a runtime as small as the marketplace plugins of
// @objectstack/cloud-connection let it be: they are the published ones, and
// what they read, install and keep is what they do in a real one.
//
// usage: node host.mjs STORAGE   (in the environment: where the plugins read)
//
// Prints its port. GET /registered is what the plugins registered with the
// kernel. Who sends the cookie session=operator may install; who signs in as
// operator@example.org with the password secret is given it.
import http from 'node:http';
import {
	MarketplaceInstallLocalPlugin, MarketplaceProxyPlugin,
} from '@objectstack/cloud-connection';

const registered = [];
const routes = [];
const ready = [];

const rows = {
	sys_user: [{ id: 'operator', email: 'operator@example.org' }],
	sys_user_permission_set: [
		{ id: 'ups', user_id: 'operator', permission_set_id: 'ps' },
	],
	sys_permission_set: [{
		id: 'ps', name: 'operators',
		system_permissions: ['manage_metadata'],
	}],
};
const services = {
	manifest: { register: async (manifest) => registered.push(manifest) },
	objectql: {
		find: async (object) => rows[object] ?? [],
		syncSchemas: async () => {},
	},
	auth: {
		api: {
			getSession: async ({ headers }) =>
				/\bsession=operator\b/.test(headers.get('cookie') ?? '')
					? { user: { id: 'operator' }, session: {} } : null,
		},
	},
	'http.server': {
		getRawApp: () => Object.fromEntries(
			['all', 'get', 'post', 'delete'].map((method) => [
				method,
				(pattern, handler) => routes.push({ method, pattern, handler }),
			])),
	},
};
const quiet = () => {};
const ctx = {
	hook: (name, fn) => name === 'kernel:ready' && ready.push(fn),
	getService: (name) => {
		if (!services[name]) throw new Error(`service ${name} not found`);
		return services[name];
	},
	registerService: (name, service) => { services[name] = service; },
	getKernel: () => undefined,
	logger: {
		debug: quiet, info: quiet, warn: console.error, error: console.error,
	},
};

// The parameters of a path that a pattern fits, or null.
function fit(pattern, path) {
	const params = {};
	const parts = path.split('/');
	const wanted = pattern.split('/');
	const rest = wanted.at(-1) === '*';

	if (rest ? parts.length < wanted.length : parts.length !== wanted.length)
		return null;
	for (const [i, want] of wanted.entries()) {
		if (rest && i === wanted.length - 1) break;
		if (want.startsWith(':'))
			params[want.slice(1)] = decodeURIComponent(parts[i]);
		else if (want !== parts[i])
			return null;
	}
	return params;
}

function sign_in({ email, password }) {
	return email === rows.sys_user[0].email && password === 'secret'
		? Response.json({ user: rows.sys_user[0] },
			{ headers: { 'Set-Cookie': 'session=operator; HttpOnly' } })
		: Response.json({ success: false }, { status: 401 });
}

async function answer(request) {
	const url = new URL(request.url);
	const method = request.method.toLowerCase();

	if (url.pathname === '/registered')
		return Response.json(registered);
	if (url.pathname === '/api/v1/auth/sign-in/email')
		return sign_in(await request.json());
	for (const route of routes) {
		const params = fit(route.pattern, url.pathname);
		let passed = false;

		if (!params || (route.method !== 'all' && route.method !== method))
			continue;
		const reply = await route.handler({
			req: {
				raw: request, url: request.url, method: request.method,
				header: (name) => request.headers.get(name) ?? undefined,
				param: (name) => params[name],
				json: () => request.json(),
			},
			json: (body, status = 200) => Response.json(body, { status }),
		}, () => { passed = true; });
		if (!passed) return reply;
	}
	return Response.json({ success: false }, { status: 404 });
}

const server = http.createServer(async (req, res) => {
	const chunks = [];

	for await (const chunk of req) chunks.push(chunk);
	const reply = await answer(new Request(`http://host${req.url}`, {
		method: req.method, headers: req.headers,
		body: chunks.length ? Buffer.concat(chunks) : undefined,
	}));
	res.writeHead(reply.status, Object.fromEntries(reply.headers));
	res.end(Buffer.from(await reply.arrayBuffer()));
});

for (const plugin of [
	new MarketplaceInstallLocalPlugin({ storageDir: process.argv[2] }),
	new MarketplaceProxyPlugin(),
]) {
	await plugin.init(ctx);
	await plugin.start(ctx);
}
for (const fn of ready) await fn();
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
