// How much may be asked for: by address, by key and by user, whichever worker is asked.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Installation } from './lib/files.mjs';
import { createKey } from './lib/keys.mjs';
import { Server, withServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';
import { eachWorker } from './lib/workers.mjs';

// Buckets that fill so slowly that no test sees it.
const installation = new Installation();
installation.edit(
	'config/smartsupport.yaml',
	'server:\n',
	'server:\n  trusted_proxies: [127.0.0.1]\n  limits: {address: 10/d, key: 20/d, user: 3/d}\n',
);
let server;
before(async () => (server = await Server.start({ installation, workers: 2 })));
after(() => server.stop());

const from = (address) => ({ headers: { 'X-Forwarded-For': address } });
const list = (headers) => server.request('/v1/models', { headers });

// How many of COUNT requests at once are let through; the others must be refused as they should.
async function passing(count, send) {
	const replies = await Promise.all(Array.from({ length: count }, send));
	const passed = replies.filter(({ status }) => status === 200).length;
	for (const reply of replies.filter(({ status }) => status !== 200)) {
		assert.equal(reply.status, 429, reply.text);
		assert.match(reply.headers['content-type'], /^application\/problem\+json/);
		assert.match(reply.json.detail, /too many requests/);
		assert.ok(Number(reply.headers['retry-after']) >= 1);
	}
	return passed;
}

test('an address may ask so often, of all workers together', async () => {
	assert.equal(await passing(30, () => server.request('/v1/models', from('192.0.2.1'))), 10);
	assert.equal(await passing(5, () => server.request('/v1/models', from('192.0.2.2'))), 5);
});

test('replies tell how the limit stands', async () => {
	const first = await server.request('/v1/models', from('192.0.2.3'));
	assert.equal(first.headers['ratelimit-policy'], '"address";q=10;w=86400');
	assert.equal(first.headers.ratelimit, '"address";r=9;t=8640');
	for (let i = 0; i < 9; i++) await server.request('/v1/models', from('192.0.2.3'));
	const over = await server.request('/v1/models', from('192.0.2.3'));
	assert.equal(over.status, 429);
	assert.match(over.headers.ratelimit, /^"address";r=0;t=\d+$/);
	assert.ok(Number(over.headers['retry-after']) <= 8640);
});

test('the networks of 64 bits of IPv6 count as one address', async () => {
	let at = 0;
	assert.equal(await passing(15, () => server.request('/v1/models', from(`2001:db8::${++at}`))), 10);
	assert.equal((await server.request('/v1/models', from('2001:db8:0:1::1'))).status, 200);
});

test('what a client says of where it comes from counts for nothing', async () => {
	let at = 0;
	assert.equal(await passing(15, () => server.request('/v1/models', from(`203.0.113.${++at}, 192.0.2.4`))), 10);
	// Two headers are one list, and what is no address ends it.
	const [reply] = await server.exchange(
		'GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 192.0.2.4\r\n\r\n',
	);
	assert.equal(reply.status, 429);
});

test('nobody but a trusted proxy is believed', async () => {
	const alone = new Installation();
	alone.edit('config/smartsupport.yaml', 'server:\n', 'server:\n  limits: {address: 2/d}\n');
	await withServer({ installation: alone, workers: 1 }, async (own) => {
		for (let i = 0; i < 5; i++) {
			const reply = await own.request('/v1/models', from('192.0.2.1'));
			assert.equal(reply.status, 200);
			assert.equal(reply.headers.ratelimit, undefined);
		}
	});
});

test('what is public, and the figures, can be asked for always', async () => {
	for (let i = 0; i < 12; i++) {
		for (const route of ['/api/v1/health', '/metrics', '/openapi.json']) {
			const reply = await server.request(route, from('192.0.2.5'));
			assert.equal(reply.status, 200, route);
			assert.equal(reply.headers.ratelimit, undefined);
		}
	}
});

test('keys and users have limits of their own', async () => {
	const [key, other] = [await createKey(installation, server.database, 'chat'), await createKey(installation, server.database, 'chat')];
	// Until all workers know them: one that knows of no key lets everybody in. A reply that knows a key has taken one.
	for (const [headers, status] of [[{}, 401], [key.headers, 200], [other.headers, 200]])
		await eachWorker(server, (agent) =>
			until(`${status} for the key`, async () => (await server.request('/v1/models', { headers, agent })).status === status),
		);
	const ask = (user_id, { headers }) => server.query({ message: 'How do I reset my password?', user_id }, { headers });
	assert.equal(await passing(6, () => ask('alice', key)), 3);
	assert.equal((await ask('bob', key)).status, 200);
	assert.equal((await ask('alice', other)).status, 200, 'alice of another key is somebody else');
	const reply = await ask('bob', key);
	assert.match(reply.headers['ratelimit-policy'], /^"key";q=20;w=86400, "user";q=3;w=86400$/);
	let passed = 0;
	await until('the end of the key', async () => {
		const { status } = await list(key.headers);
		passed += status === 200;
		return status === 429;
	});
	assert.ok(passed < 20);
	assert.equal((await list(other.headers)).status, 200);
});
