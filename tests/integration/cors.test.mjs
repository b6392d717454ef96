// Browsers: which pages may use the server, under which names it answers, and what its replies let a browser do.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Installation } from './lib/files.mjs';
import { Server, withServer } from './lib/server.mjs';

const page = 'https://www.example.com';
const installation = new Installation();
installation.edit(
	'config/smartsupport.yaml',
	'server:\n',
	`server:\n  hosts: [support.example.com]\n  cors: {origins: ['${page}']}\n`,
);
let server;
before(async () => (server = await Server.start({ installation, workers: 1 })));
after(() => server.stop());

const ask = (headers, own = server) => own.query({ message: 'How do I reset my password?' }, { headers });
const cors = (reply) => Object.keys(reply.headers).filter((name) => name.startsWith('access-control-'));

test('a page that is named may ask and see the reply', async () => {
	const reply = await ask({ Origin: page });
	assert.equal(reply.status, 200);
	assert.equal(reply.headers['access-control-allow-origin'], page);
	assert.match(reply.headers['access-control-expose-headers'], /Retry-After/);
	assert.equal(reply.headers['access-control-allow-credentials'], undefined);
	assert.match(reply.headers.vary, /Origin/);
	assert.equal((await server.request('/nowhere', { headers: { Origin: page } })).headers['access-control-allow-origin'], page);
});

test('a browser is told before what a page may send', async () => {
	const headers = { Origin: page, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization' };
	const reply = await server.request('/api/v1/query', { method: 'OPTIONS', headers });
	assert.equal(reply.status, 204);
	assert.equal(reply.headers['access-control-allow-origin'], page);
	assert.match(reply.headers['access-control-allow-methods'], /POST/);
	assert.match(reply.headers['access-control-allow-headers'], /Authorization.*Idempotency-Key/);
	const strange = await server.request('/api/v1/query', { method: 'OPTIONS', headers: { ...headers, Origin: 'https://evil.example' } });
	assert.equal(strange.status, 204);
	assert.deepEqual(cors(strange), []);
});

test('another page sees nothing and changes nothing', async () => {
	for (const origin of ['https://evil.example', 'null', `${page}.evil.example`, 'http://www.example.com', `${page}:8443`]) {
		const reply = await ask({ Origin: origin });
		assert.equal(reply.status, 403, origin);
		assert.match(reply.json.detail, /cors\.origins/);
		assert.deepEqual(cors(reply), []);
		const seen = await server.request('/api/v1/health', { headers: { Origin: origin } });
		assert.equal(seen.status, 200);
		assert.deepEqual(cors(seen), []);
	}
});

test('the pages of the server itself may use it', async () => {
	assert.equal((await ask({ Origin: server.url })).status, 200);
	assert.equal((await ask({ Origin: 'https://proxied.example', 'Sec-Fetch-Site': 'same-origin' })).status, 200);
	assert.equal((await ask({ Origin: server.url, 'Sec-Fetch-Site': 'cross-site' })).status, 403);
});

test('no page may use a server that names none', async () => {
	await withServer({ installation: new Installation(), workers: 1 }, async (own) => {
		const reply = await own.request('/api/v1/health', { headers: { Origin: page } });
		assert.deepEqual(cors(reply), []);
		assert.equal((await ask({ Origin: page }, own)).status, 403);
	});
});

test('a name that leads here and is none of the server is refused', async () => {
	const get = (host) => server.request('/api/v1/health', { headers: { Host: host } });
	for (const host of ['evil.example', `evil.example:${server.port}`, 'localhost.evil.example', '192.0.2.1', '[2001:db8::1]', '127.0.0.1.evil.example']) {
		const reply = await get(host);
		assert.equal(reply.status, 421, host);
		assert.match(reply.json.detail, /not reached under that name/);
	}
	for (const host of ['localhost', `LOCALHOST:${server.port}`, `127.0.0.1:${server.port}`, '[::1]:80', 'support.example.com', 'Support.Example.com:443'])
		assert.equal((await get(host)).status, 200, host);
	const [old] = await server.exchange('GET /api/v1/health HTTP/1.0\r\n\r\n');
	assert.equal(old.status, 200);
});

test('every reply tells browsers to make nothing else of it', async () => {
	const replies = [
		await server.request('/api/v1/health'),
		await server.request('/nowhere'),
		await ask({}),
		await server.request('/api/v1/query', { method: 'OPTIONS' }),
		await server.request('/api/v1/health', { headers: { Host: 'evil.example' } }),
		(await server.exchange('GET / HTTP/3.0\r\nHost: localhost\r\n\r\n'))[0],
	];
	for (const { headers, status } of replies) {
		assert.equal(headers['x-content-type-options'], 'nosniff', status);
		assert.equal(headers['x-frame-options'], 'DENY', status);
		assert.equal(headers['referrer-policy'], 'no-referrer', status);
		assert.equal(headers['cache-control'], 'no-store', status);
		assert.equal(headers.server, undefined);
	}
	for (const { headers } of replies.slice(0, 5)) {
		assert.match(headers['content-security-policy'], /default-src 'none'.*frame-ancestors 'none'/);
		assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
	}
});
