// What operators see of conversations and do with them, and what others are told of it as it happens.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertPage, assertProblem, everything, Stream } from './lib/api.mjs';
import { Installation } from './lib/files.mjs';
import { Server } from './lib/server.mjs';

const installation = new Installation();
let server;
before(async () => (server = await Server.start({ installation })));
after(() => server.stop());

const known = 'How do I reset my password?';
const angry = 'I HATE this!!! I was charged twice AGAIN, this is a ridiculous rip-off and I am furious!!!';
const nowhere = 'conv_01234567-89ab-7cde-8f01-23456789abcd';

async function get(route, status = 200) {
	const reply = await server.request(`/api/v1/conversations${route}`);
	assert.equal(reply.status, status, reply.text);
	return reply.json;
}

function post(route, body) {
	return server.request(`/api/v1/conversations${route}`, { method: 'POST', body });
}

async function changed(id, action) {
	const reply = await post(`/${id}/${action}`);
	assert.equal(reply.status, 200, reply.text);
	return reply.json;
}

test('a conversation is listed, and read with its messages', async () => {
	const first = await server.ask(known, { user_id: 'reader' });
	const second = await server.ask('And where can I find my invoices?', { user_id: 'reader', conversation_id: first.conversation_id });
	const { items } = await get('?user_id=reader');
	assert.equal(items.length, 1);
	const [one] = items;
	assert.deepEqual(
		[one.id, one.user_id, one.status, one.category, one.sentiment, one.priority, one.message_count, one.question],
		[first.conversation_id, 'reader', 'active', second.category, second.sentiment, second.priority, 4, known],
	);
	const whole = await get(`/${one.id}`);
	const { messages, messages_cursor, ...rest } = whole;
	assert.deepEqual(rest, one);
	assert.equal(messages_cursor, null);
	assert.deepEqual(
		messages.map(({ seq, role, content }) => [seq, role, content]),
		[
			[1, 'user', known],
			[2, 'assistant', first.response],
			[3, 'user', 'And where can I find my invoices?'],
			[4, 'assistant', second.response],
		],
	);
	const [, answer] = messages;
	assert.equal(answer.turn_id, first.metadata.turn_id);
	assert.deepEqual(answer.metadata, first.metadata);
	assert.ok(Math.abs(answer.processing_time - first.metadata.processing_time) < 0.001);
});

test('messages are read page by page', async () => {
	const { conversation_id } = await server.ask(known, { user_id: 'pager' });
	for (let i = 0; i < 4; i++) await server.ask(`Question number ${i}`, { user_id: 'pager', conversation_id });
	const part = await get(`/${conversation_id}?limit=3`);
	assert.equal(part.messages.length, 3);
	const rest = await get(`/${conversation_id}/messages?limit=100&cursor=${part.messages_cursor}`);
	assert.deepEqual(rest.items.map(({ seq }) => seq), [4, 5, 6, 7, 8, 9, 10]);
	const all = await everything(server, `/api/v1/conversations/${conversation_id}/messages`, 3);
	assert.deepEqual(all.map(({ seq }) => seq), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('the list is filtered by user, status, category, sentiment and time', async () => {
	const calm = await server.ask(known, { user_id: 'filter' });
	const cross = await server.ask(angry, { user_id: 'filter' });
	assert.equal(cross.metadata.escalated, true);
	const ids = async (query) => (await get(`?user_id=filter&${query}`)).items.map(({ id }) => id);
	assert.deepEqual(await ids(''), [cross.conversation_id, calm.conversation_id]);
	assert.deepEqual(await ids('status=escalated'), [cross.conversation_id]);
	assert.deepEqual(await ids('status=active'), [calm.conversation_id]);
	assert.deepEqual(await ids(`category=${calm.category}`), [calm.conversation_id]);
	assert.deepEqual(await ids(`sentiment=${cross.sentiment}`), [cross.conversation_id]);
	const { updated_at } = await get(`/${cross.conversation_id}`);
	assert.deepEqual(await ids(`from=${updated_at}`), [cross.conversation_id]);
	assert.deepEqual(await ids(`to=${updated_at}`), [calm.conversation_id]);
	const all = await everything(server, '/api/v1/conversations?status=escalated', 1);
	assert.ok(all.some(({ id }) => id === cross.conversation_id));
	assert.ok(all.every(({ status }) => status === 'escalated'));
});

test('pages stay as they are when conversations come between', async () => {
	const made = [];
	for (let i = 0; i < 6; i++) made.unshift((await server.ask(`Thing ${i}?`, { user_id: 'steady' })).conversation_id);
	const seen = [];
	for (let cursor = ''; cursor !== null; ) {
		const page = await get(`?user_id=steady&limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
		assertPage(page);
		seen.push(...page.items.map(({ id }) => id));
		cursor = page.next_cursor;
		await server.ask('Something else?', { user_id: 'steady' });
	}
	assert.deepEqual(seen, made);
});

test('a conversation is resolved, closed and reopened, and a question makes it active', async () => {
	const { conversation_id } = await server.ask(known, { user_id: 'life' });
	assert.equal((await changed(conversation_id, 'resolve')).status, 'resolved');
	assert.equal((await changed(conversation_id, 'resolve')).status, 'resolved');
	assert.equal((await changed(conversation_id, 'close')).status, 'closed');
	assert.equal((await changed(conversation_id, 'reopen')).status, 'active');
	await changed(conversation_id, 'close');
	await server.ask(known, { user_id: 'life', conversation_id });
	assert.equal((await get(`/${conversation_id}`)).status, 'active');
});

test('a human replies', async () => {
	const asked = await server.ask(angry, { user_id: 'served' });
	const { conversation_id } = asked;
	const reply = await post(`/${conversation_id}/reply`, { message: 'I have refunded it — sorry!', author: 'Kim' });
	assert.equal(reply.status, 201, reply.text);
	assert.equal(reply.headers.location, `/api/v1/conversations/${conversation_id}/messages`);
	assert.equal(reply.json.status, 'escalated');
	const { messages } = await get(`/${conversation_id}`);
	assert.deepEqual(
		messages.slice(2).map(({ id, role, content, author, seq }) => ({ id, role, content, author, seq })),
		[{ id: reply.json.id, role: 'human', content: 'I have refunded it — sorry!', author: 'Kim', seq: 3 }],
	);
	// The summary is for the human.
	assert.match(messages[1].metadata.handover_summary, /\S/);
	assert.equal(asked.metadata.handover_summary, undefined);
	const nameless = await post(`/${conversation_id}/reply`, { message: 'Anything else?' });
	assert.equal(nameless.status, 201);
	assert.equal(nameless.json.author, undefined);
});

test('a conversation that waits for a human is theirs until they give it back', async () => {
	const { conversation_id } = await server.ask(angry, { user_id: 'handed' });
	const more = { user_id: 'handed', conversation_id };
	const waits = await server.ask(known, more);
	assert.match(waits.response, /^A person of our team has this conversation/);
	assert.deepEqual([waits.metadata.escalated, waits.metadata.answered_by, waits.metadata.sources], [false, 'waiting', []]);
	await post(`/${conversation_id}/reply`, { message: 'I am on it.', author: 'Kim' });
	assert.equal((await server.ask('Hello', more)).response, waits.response);
	const { status, message_count } = await get(`/${conversation_id}`);
	assert.deepEqual([status, message_count], ['escalated', 7]);
	const unanswered = await server.request('/api/v1/kb/unanswered?limit=200');
	assert.ok(unanswered.json.items.every(({ question }) => question !== 'Hello'));
	await changed(conversation_id, 'resolve');
	const answered = await server.ask(known, more);
	assert.equal(answered.metadata.answered_by, 'extractive');
	assert.equal((await get(`/${conversation_id}`)).status, 'active');
});

test('a conversation is exported whole, as a file', async () => {
	const { conversation_id } = await server.ask(known, { user_id: 'keeper' });
	for (let i = 0; i < 60; i++) assert.equal((await post(`/${conversation_id}/reply`, { message: `${i} ${'x'.repeat(5000)}` })).status, 201);
	const reply = await server.request(`/api/v1/conversations/${conversation_id}/export`);
	assert.equal(reply.status, 200);
	assert.equal(reply.headers['content-disposition'], `attachment; filename="${conversation_id}.json"`);
	assert.match(reply.headers['content-type'], /^application\/json/);
	assert.equal(reply.json.conversation.id, conversation_id);
	assert.deepEqual(reply.json.messages.map(({ seq }) => seq), Array.from({ length: 62 }, (_, i) => i + 1));
	assert.equal(reply.json.messages[61].content, `59 ${'x'.repeat(5000)}`);
	assert.equal(reply.json.events.length, 61);
	assert.ok(reply.json.events.every(({ data }) => data.conversation_id === conversation_id));
	const head = await server.request(`/api/v1/conversations/${conversation_id}/export`, { method: 'HEAD' });
	assert.deepEqual([head.status, head.text], [200, '']);
});

test('a client that takes an export slowly gets all of it', async () => {
	const { conversation_id } = await server.ask(known, { user_id: 'slow' });
	for (let i = 0; i < 300; i++) assert.equal((await post(`/${conversation_id}/reply`, { message: 'y'.repeat(10000) })).status, 201);
	const connection = server.connect();
	try {
		connection.write(`GET /api/v1/conversations/${conversation_id}/export HTTP/1.1\r\nHost: ${new URL(server.url).host}\r\nConnection: close\r\n\r\n`);
		await connection.wait('the beginning', ({ received }) => received.length > 0);
		// It reads nothing until the server has other things done.
		connection.socket.pause();
		for (let i = 0; i < 5; i++) await server.ask(known);
		connection.socket.resume();
		await connection.wait('the end', ({ closed }) => closed);
		assert.match(connection.received.subarray(-20).toString(), /\r\n0\r\n\r\n$/);
		assert.ok(connection.received.length > 3000000);
	} finally {
		connection.destroy();
	}
});

test('a conversation is deleted with all that is of it', async () => {
	const { conversation_id, metadata } = await server.ask(known, { user_id: 'gone' });
	const reply = await server.request(`/api/v1/conversations/${conversation_id}`, { method: 'DELETE' });
	assert.deepEqual([reply.status, reply.text], [204, '']);
	assertProblem(await server.request(`/api/v1/conversations/${conversation_id}`), 404, /there is no conversation/);
	assert.deepEqual((await get('?user_id=gone')).items, []);
	const feedback = await server.request('/api/v1/feedback', { method: 'POST', body: { turn_id: metadata.turn_id, rating: 1 } });
	assert.equal(feedback.status, 404);
	assertProblem(await server.request(`/api/v1/conversations/${conversation_id}`, { method: 'DELETE' }), 404, /there is no conversation/);
	const events = await server.request(`/api/v1/events?conversation_id=${conversation_id}`);
	assert.deepEqual(events.json.items, []);
});

test('what there is not, and what is wrong, is told', async () => {
	for (const route of ['', '/messages', '/export', '/events'])
		assertProblem(await server.request(`/api/v1/conversations/${nowhere}${route}`), 404, /there is no conversation/);
	for (const action of ['resolve', 'close', 'reopen']) assertProblem(await post(`/${nowhere}/${action}`), 404, /there is no conversation/);
	assertProblem(await post(`/${nowhere}/reply`, { message: 'Hello' }), 404, /there is no conversation/);
	assertProblem(await server.request('/api/v1/conversations/conv_x'), 422, /id must be an id/);
	assertProblem(await server.request('/api/v1/conversations?status=open'), 422, /status must be .*escalated/);
	assertProblem(await server.request('/api/v1/conversations?from=yesterday'), 422, /from must be a time/);
	const cursor = await server.request('/api/v1/conversations?cursor=x');
	assertProblem(cursor, 422, /./);
	assert.equal(cursor.json.errors[0].parameter, 'cursor');
	const { conversation_id } = await server.ask(known);
	assertProblem(await post(`/${conversation_id}/reply`, {}), 422, /message is required/);
	assertProblem(await post(`/${conversation_id}/reply`, { message: ' ' }), 422, /message must not be blank/);
	assertProblem(await server.request(`/api/v1/conversations/${conversation_id}/messages?cursor=nothing`), 422, /./);
	const wrong = await server.request(`/api/v1/conversations/${conversation_id}/resolve`);
	assert.equal(wrong.status, 405);
	assert.match(wrong.headers.allow, /POST/);
});

function follow(id, query = '', headers = {}) {
	return Stream.open(server, `/api/v1/conversations/${id}/events${query}`, headers);
}

test('who follows a conversation gets what is said in it and what becomes of it', async () => {
	const { conversation_id } = await server.ask(angry, { user_id: 'page' });
	const streams = await Promise.all([1, 2, 3, 4].map(() => follow(conversation_id)));
	try {
		for (const stream of streams) {
			assert.equal(stream.status, 200);
			assert.match(stream.headers['content-type'], /^text\/event-stream/);
			await stream.event(({ name, data }) => name === 'status' && data.status === 'escalated');
		}
		const reply = await post(`/${conversation_id}/reply`, { message: 'Hello from a human', author: 'Kim' });
		await changed(conversation_id, 'resolve');
		for (const stream of streams) {
			const message = await stream.event(({ name }) => name === 'message');
			assert.deepEqual(
				[message.id, message.data.id, message.data.role, message.data.content, message.data.author],
				['3', reply.json.id, 'human', 'Hello from a human', 'Kim'],
			);
			await stream.event(({ name, data }) => name === 'status' && data.status === 'resolved');
		}
		const { response } = await server.ask(known, { user_id: 'page', conversation_id });
		for (const stream of streams) {
			await stream.event(({ name, data }) => name === 'message' && data.content === response);
			assert.deepEqual(stream.events.filter(({ name }) => name === 'message').map(({ id }) => id), ['3', '4', '5']);
		}
	} finally {
		for (const stream of streams) stream.close();
	}
});

test('who comes back gets what was said meanwhile, and nothing twice', async () => {
	const { conversation_id } = await server.ask(angry, { user_id: 'back' });
	for (let i = 0; i < 120; i++) await post(`/${conversation_id}/reply`, { message: `Reply ${i}` });
	const ids = (stream) => stream.events.filter(({ name }) => name === 'message').map(({ id }) => Number(id));
	const whole = await follow(conversation_id, '?after=0');
	await whole.event(({ id }) => id === '122');
	assert.deepEqual(ids(whole), Array.from({ length: 122 }, (_, i) => i + 1));
	assert.ok(whole.events.filter(({ data }) => data.metadata).every(({ data }) => data.metadata.handover_summary === undefined));
	whole.close();
	const back = await follow(conversation_id, '?after=0', { 'Last-Event-ID': '119' });
	await back.event(({ id }) => id === '122');
	await post(`/${conversation_id}/reply`, { message: 'One more' });
	await back.event(({ id }) => id === '123');
	assert.deepEqual(ids(back), [120, 121, 122, 123]);
	back.close();
	for (const wrong of ['x', '-1', '1x', '99999999999999999999'])
		assertProblem(await server.request(`/api/v1/conversations/${conversation_id}/events`, { headers: { 'Last-Event-ID': wrong } }), 422, /Last-Event-ID/);
	const head = await server.request(`/api/v1/conversations/${conversation_id}/events`, { method: 'HEAD' });
	assert.deepEqual([head.status, head.text], [200, '']);
});

test('who follows a conversation is told that it was deleted, by whomever, and the stream ends', async () => {
	const installed = new Installation();
	installed.edit('config/smartsupport.yaml', /heartbeat: \w+/, 'heartbeat: 200ms');
	const [here, there] = await Promise.all([0, 1].map(() => Server.start({ installation: installed, workers: 1, database: server.database })));
	const asked = await Promise.all(['deleted_1', 'deleted_2'].map((user_id) => here.ask('How do I reset my password?', { user_id })));
	const ids = asked.map(({ conversation_id: id }) => id);
	const streams = await Promise.all([here, there].flatMap((one) => ids.map((id) => Stream.open(one, `/api/v1/conversations/${id}/events?after=0`))));
	await Promise.all(streams.map((stream) => stream.event(({ name }) => name === 'status')));
	assert.equal((await here.request(`/api/v1/conversations/${ids[0]}`, { method: 'DELETE' })).status, 204);
	assert.equal((await here.request('/api/v1/users/deleted_2', { method: 'DELETE' })).status, 200);
	for (const [i, stream] of streams.entries()) {
		await stream.until('the end', ({ ended }) => ended);
		const last = stream.events.at(-1);
		assert.deepEqual([last.name, last.data], ['deleted', { conversation_id: ids[i % 2] }]);
		assert.equal(stream.events.filter(({ name }) => name === 'message').length, 2);
	}
	assert.equal((await there.request(`/api/v1/conversations/${ids[0]}/events`)).status, 404);
	await Promise.all([here, there].map((one) => one.stop()));
});

test('what another server stores is told as well, and a server that stops ends its streams', async () => {
	const { conversation_id } = await server.ask(angry, { user_id: 'elsewhere' });
	const other = await Server.start({ installation, database: server.database });
	const stream = await Stream.open(other, `/api/v1/conversations/${conversation_id}/events`);
	const events = await Stream.open(other, '/api/v1/events');
	await stream.event(({ name }) => name === 'status');
	await post(`/${conversation_id}/reply`, { message: 'From the first server' });
	await stream.event(({ name, data }) => name === 'message' && data.content === 'From the first server');
	await events.event(({ name, data }) => name === 'conversation.replied' && data.conversation_id === conversation_id);
	await other.stop();
	await stream.until('the end', ({ ended }) => ended);
	await events.until('the end', ({ ended }) => ended);
	assert.match(stream.text, /^retry: \d+$/m);
});
