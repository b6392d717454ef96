// HTTP around the questions: routes, methods, request ids, connections, health and statistics.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { Installation } from './lib/files.mjs';
import { Server, withServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

let server;
before(async () => (server = await Server.start({ installation: new Installation() })));
after(() => server.stop());

function assertProblem(reply, status) {
	assert.equal(reply.status, status, reply.text);
	assert.match(reply.headers['content-type'], /^application\/problem\+json/);
	assert.equal(reply.json.status, status);
}

const question = (message) => {
	const body = JSON.stringify({ message });
	return `POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
};

test('an unknown route is not found', async () => {
	for (const route of ['/', '/api/v1/nothing', '/api/v1/query/', '/api/v1/query/extra', '/api/v2/query', '/%00', '/..%2f..%2fetc/passwd'])
		assertProblem(await server.request(route), 404);
});

test('a wrong method is refused and told the right ones', async () => {
	const reply = await server.request('/api/v1/query');
	assertProblem(reply, 405);
	const allowed = reply.headers.allow.split(/,\s*/);
	assert.ok(allowed.includes('POST') && !allowed.includes('GET'), reply.headers.allow);
	const health = await server.request('/api/v1/health', { method: 'POST', body: {} });
	assertProblem(health, 405);
	assert.ok(health.headers.allow.split(/,\s*/).includes('GET'), health.headers.allow);
	assertProblem(await server.request('/api/v1/stats', { method: 'DELETE' }), 405);
	assertProblem(await server.request('/api/v1/query', { method: 'PUT', body: {} }), 405);
});

test('HEAD gives the headers of GET and no body', async () => {
	const connection = server.connect();
	connection.write('HEAD /api/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
	await connection.wait('the reply', () => connection.closed);
	const [head, body] = connection.received.toString().split('\r\n\r\n');
	assert.match(head, /^HTTP\/1\.1 200 /);
	assert.match(head, /content-type: application\/json/i);
	assert.equal(body, '');
	connection.destroy();
});

test('OPTIONS tells the methods of a route', async () => {
	const reply = await server.request('/api/v1/query', { method: 'OPTIONS' });
	assert.ok(reply.status === 204 || reply.status === 200, String(reply.status));
	const allowed = reply.headers.allow.split(/,\s*/);
	assert.ok(allowed.includes('POST') && allowed.includes('OPTIONS'), reply.headers.allow);
	assertProblem(await server.request('/api/v1/nothing', { method: 'OPTIONS' }), 404);
});

test("the client's request id is in the reply and in every line of its log", async () => {
	const id = `test.${process.pid}-${Date.now()}`;
	const reply = await server.query({ message: 'How do I reset my password?' }, { headers: { 'X-Request-ID': id } });
	assert.equal(reply.headers['x-request-id'], id);
	const about = () => server.log.filter((line) => Object.values(line).includes(reply.json.conversation_id));
	await until('the log', () => about().length > 0);
	for (const line of about()) assert.ok(Object.values(line).includes(id), JSON.stringify(line));
});

test('a request without an id, or with one that is none, gets a new one', async () => {
	const seen = new Set();
	for (const id of [undefined, '', 'a b', 'x'.repeat(65), 'quote"', 'message=injected', 'ünï', '{}']) {
		const headers = id === undefined ? {} : { 'X-Request-ID': Buffer.from(id).toString('latin1') };
		const reply = await server.request('/api/v1/health', { headers });
		const given = reply.headers['x-request-id'];
		assert.match(given, /^[A-Za-z0-9._-]{8,64}$/);
		assert.ok(!seen.has(given));
		seen.add(given);
	}
});

test('an error carries a request id as well', async () => {
	const reply = await server.request('/api/v1/nothing', { headers: { 'X-Request-ID': 'lost-1' } });
	assert.equal(reply.headers['x-request-id'], 'lost-1');
});

test('a connection is kept for further requests', async () => {
	const connection = server.connect();
	for (let i = 1; i <= 5; i++) {
		connection.write(question(`How do I reset my password? ${i}`));
		const replies = await connection.replies(i);
		assert.equal(replies.length, i);
		assert.equal(replies[i - 1].status, 200, replies[i - 1].text);
		assert.equal(connection.closed, false);
	}
	connection.destroy();
});

test('a request that asks to close is answered and closed', async () => {
	const connection = server.connect();
	connection.write('GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
	await connection.wait('the end', () => connection.closed);
	assert.equal((await connection.replies())[0].status, 200);
	connection.destroy();
});

test('requests that are sent before the replies are answered in order', async () => {
	const connection = server.connect();
	const get = (route) => `GET ${route} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
	connection.write(
		question('How do I reset my password?') + get('/api/v1/nothing') + question('Where can I find my invoices?') + get('/api/v1/health'),
	);
	const replies = await connection.replies(4);
	assert.deepEqual(
		replies.map((reply) => reply.status),
		[200, 404, 200, 200],
	);
	assert.equal(replies[0].json.category, 'Account');
	assert.equal(replies[2].json.category, 'Billing');
	connection.destroy();
});

test('a body that comes in pieces is put together', async () => {
	const connection = server.connect();
	const bytes = Buffer.from(question('How do I reset my password? 👩‍👩‍👧'));
	for (let at = 0; at < bytes.length; at += 7) {
		await new Promise((resolve) => connection.socket.write(bytes.subarray(at, at + 7), resolve));
	}
	assert.equal((await connection.replies())[0].status, 200);
	connection.destroy();
});

test('a chunked body is read', async () => {
	const body = JSON.stringify({ message: 'How do I reset my password?' });
	const replies = await server.exchange(
		'POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n' +
			`5\r\n${body.slice(0, 5)}\r\n${(body.length - 5).toString(16)}\r\n${body.slice(5)}\r\n0\r\n\r\n`,
	);
	assert.equal(replies[0].status, 200, replies[0].text);
});

test('a client of HTTP/1.0 is answered', async () => {
	const replies = await server.exchange('GET /api/v1/health HTTP/1.0\r\n\r\n');
	assert.equal(replies[0].status, 200);
});

test('a client that waits for 100 Continue is told to go on', async () => {
	const connection = server.connect();
	const body = JSON.stringify({ message: 'How do I reset my password?' });
	connection.write(
		`POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`,
	);
	await connection.wait('100 Continue', () => connection.received.toString().startsWith('HTTP/1.1 100'));
	connection.write(body);
	assert.equal((await connection.replies())[0].status, 200);
	connection.destroy();
});

test('health says that the server is well', async () => {
	const reply = await server.request('/api/v1/health');
	assert.equal(reply.status, 200);
	assert.match(reply.headers['content-type'], /^application\/json/);
	assert.equal(typeof reply.json.status, 'string');
});

test('the statistics of an empty store are zero', async () => {
	await withServer({ installation: new Installation() }, async (empty) => {
		const stats = await empty.stats();
		assert.equal(stats.total_queries, 0);
		assert.equal(stats.avg_response_time, 0);
		assert.equal(stats.active_conversations, 0);
		assert.equal(stats.escalation_rate, 0);
	});
});

test('200 requests at once are all answered, and the statistics add up to them', { timeout: 900000 }, async () => {
	const agent = new http.Agent({ keepAlive: true, maxSockets: 200 });
	const before = await server.stats();
	const texts = [
		'How do I reset my password?',
		'My application keeps crashing when I try to export data',
		'Where can I find my invoices?',
		'I love this product, thank you so much! Which languages does it speak?',
		'This is UNACCEPTABLE!!! I want my money back NOW, you thieves!!!',
	];
	const replies = await Promise.all(
		Array.from({ length: 200 }, (_, i) => server.query({ message: `${texts[i % texts.length]} (${i})`, user_id: `user_${i % 17}` }, { agent })),
	);
	agent.destroy();
	for (const reply of replies) assert.equal(reply.status, 200, reply.text);
	assert.equal(new Set(replies.map((reply) => reply.json.conversation_id)).size, 200);
	assert.equal(new Set(replies.map((reply) => reply.json.metadata.turn_id)).size, 200);
	const stats = await server.stats();
	assert.equal(stats.total_queries, before.total_queries + 200);
	for (const [member, of] of [['categories', 'category'], ['sentiments', 'sentiment']]) {
		const expected = { ...before[member] };
		for (const { json } of replies) expected[json[of]] = (expected[json[of]] ?? 0) + 1;
		const count = (counts) => Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0));
		assert.deepEqual(count(stats[member]), count(expected));
	}
	const escalated = replies.filter((reply) => reply.json.metadata.escalated).length;
	const escalatedBefore = Math.round(before.escalation_rate * before.total_queries);
	assert.equal(Math.round(stats.escalation_rate * stats.total_queries), escalatedBefore + escalated);
	assert.ok(stats.avg_response_time > 0);
});

test('the statistics and the messages in the store agree', async () => {
	const stats = await server.stats();
	assert.equal(stats.total_queries, await server.value("SELECT count(*) FROM messages WHERE role = 'assistant'"));
	assert.equal(stats.total_queries, await server.value("SELECT count(*) FROM messages WHERE role = 'user'"));
});

test('both workers answer', async () => {
	const answered = new Set();
	await until('answers of both workers', async () => {
		await Promise.all(Array.from({ length: 8 }, (_, i) => server.ask(`How do I reset my password? ${i}`)));
		for (const line of server.log) if (line.message?.startsWith('answered')) answered.add(line.pid);
		return answered.size === 2;
	});
});

test('health tells when nothing can be stored, and when it can again', async () => {
	await withServer({ installation: new Installation() }, async (own) => {
		assert.equal((await own.request('/api/v1/health')).status, 200);
		fs.renameSync(own.database, `${own.database}.away`);
		const reply = await own.request('/api/v1/health');
		assert.deepEqual([reply.status, reply.json.status, reply.json.store], [503, 'unhealthy', 'unavailable']);
		assert.match(reply.json.detail, /cannot be stored/);
		assert.equal((await own.query({ message: 'How do I reset my password?' })).status, 503);
		fs.renameSync(`${own.database}.away`, own.database);
		assert.equal((await own.request('/api/v1/health')).status, 200);
		await own.ask('How do I reset my password?');
	});
});

test('a compressed body is refused, as it is not read', async () => {
	const body = JSON.stringify({ message: 'How do I reset my password?' });
	const headers = { 'Content-Type': 'application/json' };
	for (const [encoding, status] of [['gzip', 415], ['br', 415], ['identity', 200]]) {
		const reply = await server.request('/api/v1/query', { method: 'POST', body, headers: { ...headers, 'Content-Encoding': encoding } });
		assert.equal(reply.status, status, encoding);
	}
});
