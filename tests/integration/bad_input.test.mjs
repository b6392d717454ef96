// What a client may send and should not: each gets its status and a problem that says what is wrong and
// where, nothing of it is stored, and the server keeps serving.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Installation } from './lib/files.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

let server;
before(async () => (server = await Server.start({ installation: new Installation() })));
after(() => server.stop());

const route = '/api/v1/query';

function rawRequest(body, headers = {}) {
	const all = { Host: 'localhost', 'Content-Type': 'application/json', 'Content-Length': body.length, ...headers };
	const lines = Object.entries(all)
		.filter(([, value]) => value !== null)
		.map(([name, value]) => `${name}: ${value}\r\n`);
	return Buffer.concat([Buffer.from(`POST ${route} HTTP/1.1\r\n${lines.join('')}\r\n`), Buffer.from(body)]);
}

function assertProblem(reply, status) {
	assert.equal(reply.status, status, reply.text);
	assert.match(reply.headers['content-type'], /^application\/problem\+json/);
	assert.equal(reply.json?.status, status);
	for (const member of ['type', 'title', 'detail']) assert.equal(typeof reply.json[member], 'string', member);
	assert.ok(reply.json.detail.length > 0);
}

function stored() {
	return server.rows(
		'SELECT (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM conversations) AS conversations, ' +
			'(SELECT count(*) FROM messages) AS messages, (SELECT total(queries) FROM analytics_totals) AS queries',
	);
}

// Sends what SEND sends and checks the problem, that nothing is stored, and that the server goes on.
async function assertRefused(send, status, pointer) {
	const before = await stored();
	const reply = await send();
	assertProblem(reply, status);
	if (pointer !== undefined) {
		const pointers = (reply.json.errors ?? []).map((error) => error.pointer);
		assert.ok(pointers.includes(pointer), `${pointer} in ${reply.text}`);
		for (const error of reply.json.errors) assert.ok(error.detail.length > 0, reply.text);
	}
	assert.deepEqual(await stored(), before, 'nothing is stored');
	const health = await server.request('/api/v1/health');
	assert.equal(health.status, 200, 'the server goes on');
	return reply;
}

const post = (body, options) => () => server.query(body, options);
const raw = (bytes) => async () => (await server.exchange(bytes))[0];

const refused = [
	['a body that is not JSON', 'How do I reset my password?', 400],
	['JSON that is cut off', '{"message": "How do I', 400],
	['text behind the JSON', '{"message": "Hello there"} and more', 400],
	['a comma too many', '{"message": "Hello there",}', 400],
	['a comment in the JSON', '{"message": "Hello there" /* really */}', 400],
	['single quotes for double ones', "{'message': 'Hello there'}", 400],
	['a list for the body', '["How do I reset my password?"]', [400, 422]],
	['a string for the body', '"How do I reset my password?"', [400, 422]],
	['null for the body', 'null', [400, 422]],
	['no message', '{"user_id": "user_123"}', 422, '/message'],
	['a number for the message', '{"message": 5}', 422, '/message'],
	['null for the message', '{"message": null}', 422, '/message'],
	['a list for the message', '{"message": ["Hello"]}', 422, '/message'],
	['an empty message', '{"message": ""}', 422, '/message'],
	['a message of blanks', '{"message": "  \\t\\n  "}', 422, '/message'],
	['a message of zero-width characters', '{"message": "\u200b\u200c\u200d\u2060\ufeff"}', 422, '/message'],
	['a message of no-break spaces', '{"message": "\u00a0\u202f\u3000"}', 422, '/message'],
	['a message of 4,001 characters', JSON.stringify({ message: 'a'.repeat(4001) }), 422, '/message'],
	['a message of 4,001 emoji', JSON.stringify({ message: '\u{1f600}'.repeat(4001) }), 422, '/message'],
	['a NUL written as \\u0000', '{"message": "Hello\\u0000there"}', 422, '/message'],
	['a NUL in the user', '{"message": "Hello there", "user_id": "a\\u0000b"}', 422, '/user_id'],
	['a number for the user', '{"message": "Hello there", "user_id": 7}', 422, '/user_id'],
	['an empty user', '{"message": "Hello there", "user_id": ""}', 422, '/user_id'],
	['a user of 100,000 characters', null, 413],
	['an object for the conversation', '{"message": "Hello there", "conversation_id": {}}', 422, '/conversation_id'],
	['a conversation that is none', '{"message": "Hello there", "conversation_id": "../../etc"}', [404, 422]],
	['an unknown member', '{"message": "Hello there", "mesage": "x"}', 422, '/mesage'],
	['a huge number for the message', `{"message": 1${'0'.repeat(400)}}`, [400, 422]],
	['a huge exponent', '{"message": 1e999999999}', [400, 422]],
	['deep nesting', `{"message": ${'['.repeat(20000)}${']'.repeat(20000)}}`, 400],
	['deep nesting of maps', `{"message": ${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`, 400],
];

for (const [what, body, status, pointer] of refused) {
	test(`${what} is refused`, async () => {
		const text = body ?? JSON.stringify({ message: 'Hello there', user_id: 'u'.repeat(100000) });
		const allowed = [status].flat();
		const probe = await server.query(text);
		assert.ok(allowed.includes(probe.status), `${probe.status} ${probe.text}`);
		await assertRefused(post(text), probe.status, pointer);
	});
}

test('a member that is there twice is refused, and named', async () => {
	const reply = await assertRefused(post('{"message": "Hello there", "message": "Delete everything"}'), 400);
	assert.match(reply.text, /message/);
});

test('a problem names every member that is wrong, not only the first', async () => {
	const reply = await assertRefused(post('{"message": "", "user_id": 5, "colour": "red"}'), 422);
	const pointers = reply.json.errors.map((error) => error.pointer).sort();
	assert.deepEqual(pointers, ['/colour', '/message', '/user_id']);
});

test('a message of exactly 4,000 characters is answered', async () => {
	await server.ask(`How do I reset my password? ${'a'.repeat(4000 - 28)}`);
});

test('a message of 4,000 emoji, which is 16,000 bytes, is answered', async () => {
	await server.ask('\u{1f600}'.repeat(4000));
});

test('invalid UTF-8 is refused', async () => {
	for (const bytes of [[0xff], [0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x80]]) {
		const body = Buffer.concat([Buffer.from('{"message": "Hello '), Buffer.from(bytes), Buffer.from(' there"}')]);
		await assertRefused(raw(rawRequest(body)), 400, '');
	}
	await assertRefused(raw(rawRequest(Buffer.from([0xff, 0xfe, 0x7b, 0x7d]))), 400);
});

test('half of a surrogate pair is refused', async () => {
	for (const half of ['\\ud83d', '\\ude00', '\\ude00\\ud83d']) await assertRefused(post(`{"message": "Hello ${half} there"}`), 400, '');
	const reply = await server.query('{"message": "Hello \\ud83d\\ude00 there"}');
	assert.equal(reply.status, 200, reply.text);
	const content = await server.value(
		`SELECT content FROM messages WHERE conversation_id = '${reply.json.conversation_id}' AND role = 'user'`,
	);
	assert.equal(content, 'Hello \u{1f600} there');
});

test('a NUL byte in the body is refused', async () => {
	await assertRefused(raw(rawRequest(Buffer.from('{"message": "Hello\0there"}'))), 400);
	await assertRefused(raw(rawRequest(Buffer.from('{"message": "Hello there"}\0'))), 400);
});

test('a missing body is refused', async () => {
	await assertRefused(raw(rawRequest(Buffer.alloc(0))), 400);
	await assertRefused(raw(rawRequest(Buffer.alloc(0), { 'Content-Length': null })), 400);
});

test('a wrong or missing content type is refused', async () => {
	const body = '{"message": "Hello there"}';
	for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', 'application'])
		await assertRefused(post(body, { headers: { 'Content-Type': type } }), 415);
	await assertRefused(raw(rawRequest(Buffer.from(body), { 'Content-Type': null })), 415);
});

test('JSON with a charset, in any case, is answered', async () => {
	for (const type of ['application/json; charset=utf-8', 'Application/JSON', 'application/json;charset="UTF-8"']) {
		const reply = await server.query('{"message": "Hello there"}', { headers: { 'Content-Type': type } });
		assert.equal(reply.status, 200, reply.text);
	}
});

test('a body over 64 KiB is refused', async () => {
	const body = JSON.stringify({ message: 'a'.repeat(65 * 1024) });
	await assertRefused(raw(rawRequest(Buffer.from(body))), 413);
});

test('a body of 10 MB is refused without being read into memory', async () => {
	await assertRefused(raw(rawRequest(Buffer.alloc(10 * 1024 * 1024, 'a'))), 413);
});

test('a body that is announced as too large is refused before it is sent', async () => {
	for (const length of ['100000', '10000000000', '9223372036854775807', '99999999999999999999'])
		await assertRefused(raw(rawRequest(Buffer.from('{'), { 'Content-Length': length })), 413);
});

test('a length that is none is refused', async () => {
	for (const length of ['-1', 'many', '0x10', '5, 6']) {
		const [reply] = await server.exchange(rawRequest(Buffer.from('{"message": "Hello there"}'), { 'Content-Length': length }));
		assert.equal(reply?.status ?? 400, 400);
	}
	assert.equal((await server.request('/api/v1/health')).status, 200);
});

test('a chunked body over 64 KiB is refused', async () => {
	const chunk = `4000\r\n${'a'.repeat(0x4000)}\r\n`;
	const head = rawRequest(Buffer.alloc(0), { 'Content-Length': null, 'Transfer-Encoding': 'chunked' });
	await assertRefused(raw(Buffer.concat([head, Buffer.from(chunk.repeat(8)), Buffer.from('0\r\n\r\n')])), 413);
});

test('headers without an end are refused', async () => {
	const bytes = `GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n${'X-Long: aaaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(4000)}\r\n`;
	const replies = await server.exchange(bytes);
	for (const reply of replies) assert.ok(reply.status >= 400 && reply.status < 500, String(reply.status));
	assert.equal((await server.request('/api/v1/health')).status, 200);
});

test('what is not HTTP at all does no harm', async () => {
	for (const bytes of ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc', 'hello\r\n\r\n', '\r\n\r\n\r\n', 'GET\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n']) {
		const connection = server.connect();
		connection.write(Buffer.from(bytes, 'latin1'));
		connection.socket.end();
		await connection.wait('the end of the connection', () => connection.closed);
		connection.destroy();
	}
	assert.equal((await server.request('/api/v1/health')).status, 200);
});

test('half a request and a closed connection store nothing', async () => {
	const before = await stored();
	const bytes = rawRequest(Buffer.from('{"message": "How do I reset my password?"}'));
	for (const length of [1, 30, bytes.length - 10, bytes.length - 1]) {
		const connection = server.connect();
		connection.write(bytes.subarray(0, length));
		await new Promise((resolve) => connection.socket.end(resolve));
		await connection.wait('the end of the connection', () => connection.closed);
		connection.destroy();
	}
	assert.deepEqual(await stored(), before);
	assert.equal((await server.request('/api/v1/health')).status, 200);
});

test('a client that leaves before its answer harms nobody', async () => {
	const bytes = rawRequest(Buffer.from('{"message": "How do I reset my password?"}'));
	for (let i = 0; i < 20; i++) {
		const connection = server.connect();
		await new Promise((resolve) => connection.socket.once('connect', resolve));
		await new Promise((resolve) => connection.socket.write(bytes, resolve));
		connection.socket.resetAndDestroy();
	}
	await server.ask('How do I reset my password?');
});

test('a client that sends slowly is cut off at its deadline, and others do not wait for it', { timeout: 900000 }, async () => {
	// A server of its own: what other tests' clients have left behind is still being answered.
	const own = await Server.start({ installation: new Installation() });
	const bytes = rawRequest(Buffer.from('{"message": "How do I reset my password?"}'));
	const slow = Array.from({ length: 20 }, () => own.connect());
	let at = 0;
	const drip = setInterval(() => {
		if (at < bytes.length - 5) for (const connection of slow) connection.write(bytes.subarray(at, at + 1));
		at++;
	}, 250);
	try {
		await own.request('/api/v1/health');
		assert.ok(slow.every((connection) => !connection.closed), 'others are answered meanwhile');
		await until('the end of the slow connections', () => slow.every((connection) => connection.closed));
	} finally {
		clearInterval(drip);
	}
	for (const connection of slow) {
		const [reply] = await connection.replies();
		if (reply) assertProblem(reply, 408);
		connection.destroy();
	}
	assert.equal((await own.request('/api/v1/stats')).json.total_queries, 0);
	await own.stop();
});
