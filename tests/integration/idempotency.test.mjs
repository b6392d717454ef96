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
	assert.deepEqual(other.json.errors, [{ parameter: 'Idempotency-Key', detail: other.json.detail }]);
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

test('keys that are none are refused', async () => {
	for (const key of ['a b', 'x'.repeat(256), 'ä'.normalize()]) assert.equal((await ask(key)).status, 400, key);
});

// What each operation that makes something is sent, with another body, and how much of it is in the store.
let count = 0;
const asked = (user) => `SELECT count(*) FROM messages WHERE role = 'user' AND conversation_id IN (SELECT id FROM conversations WHERE user_id = '${user}')`;
const article = (title) => ({ title, content: 'We are there from nine to five.', category: 'General' });
const chat = (user, more) => ({ model: 'smartsupport', user, messages: [{ role: 'user', content: question.message }], ...more });
const makers = {
	askQuestion: async (user) => ({ body: { ...question, user_id: user }, sql: asked(user) }),
	'askQuestion as a stream': async (user) => ({ body: { ...question, user_id: user, stream: true }, sql: asked(user) }),
	createChatCompletion: async (user) => ({ body: chat(user), sql: asked(user) }),
	'createChatCompletion as a stream': async (user) => ({ body: chat(user, { stream: true, stream_options: { include_usage: true } }), sql: asked(user) }),
	createUser: async (user) => ({
		body: { id: user, name: 'Dora', metadata: { plan: 'team' } },
		other: { id: user, name: 'Eve' },
		sql: `SELECT count(*) FROM users WHERE id = '${user}'`,
	}),
	replyToConversation: async (user) => {
		const { conversation_id: id } = await server.ask(question.message, { user_id: user });
		return { id, body: { message: 'I look after it.' }, sql: `SELECT count(*) FROM messages WHERE role = 'human' AND conversation_id = '${id}'` };
	},
	giveFeedback: async (user) => {
		const { conversation_id: id, metadata } = await server.ask(question.message, { user_id: user });
		return {
			body: { turn_id: metadata.turn_id, rating: 2 },
			other: { turn_id: metadata.turn_id, rating: 3 },
			sql: `SELECT count(*) FROM feedback JOIN messages ON messages.id = feedback.message_id WHERE messages.turn_id = '${metadata.turn_id}'`,
			events: `SELECT count(*) FROM events WHERE type = 'feedback.received' AND conversation_id = '${id}'`,
		};
	},
	addArticle: async (user) => ({ body: article(`Hours of ${user}`), sql: `SELECT count(*) FROM knowledge_base WHERE data LIKE '%Hours of ${user}"%'` }),
	'addArticle of a title without letters': async (user) => {
		const title = `ώ${'ω'.repeat(++count)}`;
		return { body: article(title), sql: `SELECT count(*) FROM knowledge_base WHERE data LIKE '%"${title}"%'` };
	},
	importArticles: async (user) => ({
		body: [article(`Import of ${user}`), article(`ά${'α'.repeat(++count)}`)],
		sql: `SELECT count(*) FROM knowledge_base WHERE data LIKE '%Import of ${user}"%' OR data LIKE '%"ά${'α'.repeat(count)}"%'`,
		made: 2,
	}),
};

// Gives {send, made, ...} of the maker NAME: send(body) posts it with a key of its own.
async function making(name) {
	const document = (await server.request('/openapi.json')).json;
	const [route] = Object.entries(document.paths).find(([, item]) => item.post?.operationId === name.split(' ')[0]);
	const user = `maker_${++count}`;
	const maker = await makers[name](user);
	const key = randomUUID();
	const send = (body = maker.body) => server.request(route.replace('{id}', maker.id), { method: 'POST', body, headers: { 'Idempotency-Key': key } });
	const lose = (lease) =>
		execute(server.database, `UPDATE requests SET owner = 'gone', lease_until = ${lease}, code = NULL, answer = NULL WHERE key = '${key}'`);
	const other = maker.other ?? (Array.isArray(maker.body) ? [article('Other')] : { ...maker.body, ...(maker.body.messages ? { messages: [{ role: 'user', content: 'Hello' }] } : { message: 'Other', title: undefined }) });
	if (maker.body.title) Object.assign(other, article('Other'), { message: undefined });
	return { made: 1, ...maker, other, send, lose, key };
}

// What a client reads from REPLY: of a stream the whole answer and the ids.
function said(reply) {
	if (!reply.headers['content-type']?.startsWith('text/event-stream')) return reply.text;
	const data = reply.text.split('\n').filter((line) => line.startsWith('data: {')).map((line) => JSON.parse(line.slice(6)));
	const final = data.find((part) => part.conversation_id);
	if (final.response) return final;
	return {
		content: data.map((part) => part.choices[0]?.delta.content ?? '').join(''),
		ids: new Set(data.map(({ id }) => id)),
		turn: final.turn_id,
		conversation: final.conversation_id,
		usage: data.at(-1).usage,
	};
}

test('each operation that makes something takes a key, and no other does', async () => {
	const document = (await server.request('/openapi.json')).json;
	const posts = Object.values(document.paths).flatMap((item) => (item.post ? [item.post] : []));
	const taking = posts.filter((post) => post.parameters?.some(({ $ref }) => $ref?.endsWith('/IdempotencyKey')));
	assert.deepEqual(taking.map((post) => post.operationId).sort(), [...new Set(Object.keys(makers).map((name) => name.split(' ')[0]))].sort());
	assert.deepEqual(taking, posts.filter((post) => post['x-idempotent']));
	// These change a state or make nothing: sent again they do nothing more.
	assert.deepEqual(
		posts.filter((post) => !taking.includes(post)).map((post) => post.operationId).sort(),
		['closeConversation', 'createEmbeddings', 'reindexArticles', 'reload', 'reopenConversation', 'resolveConversation', 'resumeTurn', 'searchArticles'],
	);
});

for (const name of Object.keys(makers)) {
	test(`${name}: sent again it is done once and says the same`, async () => {
		const { send, sql, made, events } = await making(name);
		const first = await send();
		assert.ok(first.status < 300, first.text);
		for (let i = 0; i < 3; i++) {
			const again = await send();
			assert.equal(again.status, first.status, again.text);
			assert.deepEqual(said(again), said(first));
			assert.equal(again.headers['idempotency-replayed'], 'true');
			for (const header of ['content-type', 'location', 'etag']) assert.equal(again.headers[header], first.headers[header], header);
		}
		assert.equal(await server.value(sql), made);
		if (events) assert.equal(await server.value(events), 1);
	});

	test(`${name}: the key of another body is refused, and one that is being answered waits`, async () => {
		const { send, other, lose, sql, made } = await making(name);
		assert.ok((await send()).status < 300);
		const refused = await send(other);
		assert.equal(refused.status, 422, refused.text);
		assert.match(refused.json.detail, /used for another request/);
		await lose('9000000000000000000');
		const waiting = await send();
		assert.equal(waiting.status, 409, waiting.text);
		assert.equal(waiting.headers['retry-after'], '1');
		assert.equal(await server.value(sql), made);
	});

	test(`${name}: two at once are one`, async () => {
		const { send, sql, made } = await making(name);
		const replies = await Promise.all([send(), send(), send(), send()]);
		assert.ok(replies.every(({ status }) => status < 300 || status === 409), replies.map(({ text }) => text).join());
		assert.equal(replies.filter(({ status, headers }) => status < 300 && !headers['idempotency-replayed']).length, 1);
		assert.equal(await server.value(sql), made);
	});

	test(`${name}: when the server dies before it replies, it is there once`, async () => {
		const { send, sql, made, lose } = await making(name);
		const first = await send();
		await lose(1);
		const again = await send();
		assert.equal(again.status, first.status, again.text);
		assert.equal(again.headers['idempotency-replayed'], undefined);
		if (!name.startsWith('replyTo')) assert.deepEqual(said(again).turn, said(first).turn);
		assert.equal(await server.value(sql), made);
		assert.deepEqual(said(await send()), said(again));
	});
}

test('a user who is there as somebody else described them is not taken for the one of a lost attempt', async () => {
	const { send, lose, body } = await making('createUser');
	await send();
	assert.equal((await server.request(`/api/v1/users/${body.id}`, { method: 'PATCH', body: { name: 'Fay' } })).status, 200);
	await lose(1);
	assert.equal((await send()).status, 409);
});

test('a question with a key is answered in full although its client leaves', async () => {
	const body = JSON.stringify({ ...question, user_id: 'leaver', stream: true });
	const key = randomUUID();
	const connection = server.connect();
	connection.write(`POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: ${key}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
	await until('the question in the store', async () => (await server.value(`SELECT count(*) FROM requests WHERE key = '${key}'`)) === 1);
	connection.socket.destroy();
	let reply;
	await until('the answer', async () => (reply = await server.request('/api/v1/query', { method: 'POST', body: JSON.parse(body), headers: { 'Idempotency-Key': key } })).status === 200);
	assert.match(said(reply).response, /reset/i);
	assert.equal(await server.value(asked('leaver')), 1);
});

test('who erases a user erases what is kept of a chat as well', async () => {
	const { send, key, body } = await making('createChatCompletion');
	await send();
	assert.equal(await server.value(`SELECT count(*) FROM requests WHERE key = '${key}'`), 1);
	assert.equal((await server.request(`/api/v1/users/${body.user}`, { method: 'DELETE' })).status, 200);
	assert.equal(await server.value(`SELECT count(*) FROM requests WHERE key = '${key}'`), 0);
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
