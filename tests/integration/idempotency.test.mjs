// Requests that are sent again: done once, and answered as the first time.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Installation } from './lib/files.mjs';
import { Server } from './lib/server.mjs';
import { execute } from './lib/store.mjs';
import { until } from './lib/wait.mjs';

const installation = new Installation();
installation.edit('config/smartsupport.yaml', 'server:\n', 'server:\n  idempotency: {lease: 1h}\n');
let server;
before(async () => (server = await Server.start({ installation, workers: 2 })));
after(() => server.stop());

const question = { message: 'How do I reset my password?', user_id: 'alice' };
const ask = (key, body = question, headers = {}) => server.query(body, { headers: { 'Idempotency-Key': key, ...headers } });
const turns = () => server.value("SELECT count(*) FROM messages WHERE role = 'user'");

test('a question that is sent again gets the answer of the first time, and is stored once', async () => {
	const key = randomUUID();
	const first = await ask(key);
	assert.equal(first.status, 200, first.text);
	assert.equal(first.headers['idempotency-replayed'], undefined);
	const before = await turns();
	for (let i = 0; i < 10; i++) {
		const again = await ask(key);
		assert.equal(again.status, 200);
		assert.equal(again.text, first.text);
		assert.equal(again.headers['content-type'], first.headers['content-type']);
		assert.equal(again.headers['idempotency-replayed'], 'true');
	}
	assert.equal(await turns(), before);
});

test('of many at once one is done, and the others are told so', async () => {
	const key = randomUUID();
	const before = await turns();
	const replies = await Promise.all(Array.from({ length: 20 }, () => ask(key)));
	const texts = new Set(replies.filter(({ status }) => status === 200).map(({ text }) => text));
	assert.equal(texts.size, 1);
	for (const reply of replies.filter(({ status }) => status !== 200)) {
		assert.equal(reply.status, 409, reply.text);
		assert.equal(reply.headers['retry-after'], '1');
	}
	assert.equal(await turns(), before + 1);
});

test('another request by the same key is refused', async () => {
	const key = randomUUID();
	assert.equal((await ask(key)).status, 200);
	const other = await ask(key, { ...question, message: 'Where are my invoices?' });
	assert.equal(other.status, 422);
	assert.match(other.json.detail, /used for another request/);
	const article = await server.request('/api/v1/kb/articles', { method: 'POST', headers: { 'Idempotency-Key': key }, body: { title: 'A', content: 'B', category: 'General' } });
	assert.equal(article.status, 422);
});

test('what was refused is done when it is sent again', async () => {
	const key = randomUUID();
	const body = { ...question, conversation_id: `conv_${randomUUID().replace(/^(.{14})./, '$17').replace(/^(.{19})./, '$18')}` };
	for (let i = 0; i < 2; i++) {
		const reply = await ask(key, body);
		assert.equal(reply.status, 404, reply.text);
		assert.equal(reply.headers['idempotency-replayed'], undefined);
	}
});

test('an article that is added twice is there once', async () => {
	const send = (key) =>
		server.request('/api/v1/kb/articles', {
			method: 'POST',
			headers: { 'Idempotency-Key': key },
			body: { title: 'Opening hours', content: 'We are there from nine to five.', category: 'General' },
		});
	const key = randomUUID();
	const first = await send(key);
	assert.equal(first.status, 201, first.text);
	const again = await send(key);
	assert.equal(again.status, 201);
	assert.equal(again.text, first.text);
	assert.equal(again.headers.location, first.headers.location);
	assert.equal(again.headers.etag, first.headers.etag);
});

test('a user is made and a reply is given once, and erasing the user erases what is kept of that', async () => {
	const post = (route, key, body) => server.request(route, { method: 'POST', body, headers: { 'Idempotency-Key': key } });
	const [userKey, replyKey] = [randomUUID(), randomUUID()];
	const made = [];
	for (let i = 0; i < 2; i++) made.push(await post('/api/v1/users', userKey, { id: 'dora', name: 'Dora' }));
	assert.deepEqual(made.map(({ status }) => status), [201, 201], made[1].text);
	assert.equal(made[1].text, made[0].text);
	const { conversation_id } = await server.ask(question.message, { user_id: 'dora' });
	const route = `/api/v1/conversations/${conversation_id}/reply`;
	const replies = [await post(route, replyKey, { message: 'I look after it.' })];
	// The server that gave it died before it could keep what it replied.
	await execute(server.database, `UPDATE requests SET owner = 'gone', lease_until = 1, code = NULL, answer = NULL WHERE key = '${replyKey}'`);
	for (let i = 0; i < 2; i++) replies.push(await post(route, replyKey, { message: 'I look after it.' }));
	assert.deepEqual(replies.map(({ status }) => status), [201, 201, 201], replies[1].text);
	assert.equal(await server.value("SELECT count(*) FROM messages WHERE role = 'human'"), 1);
	assert.equal((await server.request('/api/v1/users/dora', { method: 'DELETE' })).status < 300, true);
	assert.equal(await server.value(`SELECT count(*) FROM requests WHERE key = '${userKey}'`), 0);
});

test('keys that are none, and streams, are refused', async () => {
	for (const key of ['a b', 'x'.repeat(256), 'ä'.normalize()]) assert.equal((await ask(key)).status, 400, key);
	const key = randomUUID();
	const stream = await ask(key, { ...question, stream: true });
	assert.equal(stream.status, 422);
	assert.match(stream.json.detail, /cannot be given again/);
	assert.equal((await ask(key, question, { Accept: 'text/event-stream' })).status, 422);
});

test('a question that a worker died over is answered once, by whoever is asked next', async () => {
	const key = randomUUID();
	const before = await turns();
	// An attempt that took the key and came to nothing, as its server died: what it would have made is in the store.
	const lost = await ask(key);
	const { turn_id } = lost.json.metadata;

	await execute(
		server.database,
		`UPDATE requests SET owner = 'gone', lease_until = 1, code = NULL, answer = NULL WHERE key = '${key}'`,
	);
	const again = await ask(key);
	assert.equal(again.status, 200, again.text);
	assert.equal(again.json.metadata.turn_id, turn_id);
	assert.equal(again.json.response, lost.json.response);
	assert.equal(again.json.conversation_id, lost.json.conversation_id);
	assert.equal(await turns(), before + 1);
	const third = await ask(key);
	assert.equal(third.headers['idempotency-replayed'], 'true');
	assert.equal(third.text, again.text);
});

test('workers that are killed while they answer double nothing', async () => {
	const keys = Array.from({ length: 40 }, () => randomUUID());
	const before = await turns();
	const attempts = keys.map((key) => ask(key).catch(() => null));
	for (const pid of server.workers()) process.kill(pid, 'SIGKILL');
	await Promise.all(attempts);
	for (const key of keys)
		await until('an answer', async () => (await ask(key).catch(() => null))?.status === 200);
	assert.equal(await turns(), before + keys.length);
});
