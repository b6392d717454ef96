// What has happened, as a list and as a stream.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertProblem, everything, Stream } from './lib/api.mjs';
import { Installation } from './lib/files.mjs';
import { Server, withServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const installation = new Installation();
let server;
before(async () => (server = await Server.start({ installation })));
after(() => server.stop());

const known = 'How do I reset my password?';
const angry = 'I HATE this!!! I was charged twice AGAIN, this is a ridiculous rip-off and I am furious!!!';

async function list(query) {
	const reply = await server.request(`/api/v1/events?${query}`);
	assert.equal(reply.status, 200, reply.text);
	return reply.json.items;
}

function post(route, body) {
	return server.request(route, { method: 'POST', body });
}

test('a question, its escalation, feedback, replies and changes are events', async () => {
	const asked = await server.ask(angry, { user_id: 'story' });
	const { conversation_id, metadata } = asked;
	const id = `/api/v1/conversations/${conversation_id}`;
	assert.equal((await post('/api/v1/feedback', { turn_id: metadata.turn_id, rating: 2, was_helpful: false, comment: 'No.', issues: ['slow'] })).status, 204);
	const reply = await post(`${id}/reply`, { message: 'It is refunded.', author: 'Kim' });
	for (const action of ['resolve', 'resolve', 'reopen', 'close']) assert.equal((await post(`${id}/${action}`)).status, 200);
	const items = (await list(`conversation_id=${conversation_id}`)).reverse();
	for (const item of items) {
		assert.match(item.id, /^evt_/);
		assert.deepEqual([item.user_id, item.conversation_id], ['story', conversation_id]);
		assert.deepEqual([item.data.user_id, item.data.conversation_id], ['story', conversation_id]);
		assert.equal(item.data.timestamp, item.at);
	}
	const base = { conversation_id, user_id: 'story', category: asked.category, sentiment: asked.sentiment, priority: asked.priority };
	const turn = { ...base, turn_id: metadata.turn_id, message: angry, response: asked.response, escalated: true };
	const told = items.map(({ type, data: { timestamp, ...data } }) => [type, data]);
	assert.deepEqual(told, [
		['query.created', turn],
		['query.escalated', { ...turn, escalation_reason: metadata.escalation_reason }],
		['feedback.received', { conversation_id, user_id: 'story', turn_id: metadata.turn_id, rating: 2, was_helpful: false, comment: 'No.', issues: ['slow'] }],
		['conversation.replied', { ...base, status: 'escalated', message_id: reply.json.id, message: 'It is refunded.', author: 'Kim' }],
		['query.resolved', { ...base, status: 'resolved' }],
		['conversation.reopened', { ...base, status: 'active' }],
		['conversation.closed', { ...base, status: 'closed' }],
	]);
});

test('the list is filtered and read page by page', async () => {
	for (let i = 0; i < 5; i++) await server.ask('Hello', { user_id: 'many' });
	const [newest, , , , oldest] = await list('user_id=many');
	assert.ok(newest.at > oldest.at);
	const all = await everything(server, '/api/v1/events?user_id=many&type=query.created', 2);
	assert.equal(all.length, 5);
	assert.deepEqual(all, await list('user_id=many'));
	assert.deepEqual((await list(`user_id=many&from=${newest.at}`)).map(({ id }) => id), [newest.id]);
	assert.equal((await list(`user_id=many&to=${newest.at}`)).length, 4);
	assert.deepEqual(await list('user_id=many&type=query.escalated'), []);
	assertProblem(await server.request('/api/v1/events?type=query.deleted'), 422, /type must be/);
	assertProblem(await server.request('/api/v1/events?cursor=x'), 422, /./);
	const page = await server.request('/api/v1/events?user_id=many&limit=2');
	await server.ask('Hello', { user_id: 'many' });
	const next = await server.request(`/api/v1/events?user_id=many&limit=2&cursor=${page.json.next_cursor}`);
	assert.deepEqual(next.json.items, all.slice(2, 4));
});

test('a stream tells what comes, and goes on where it was for one who comes back', async () => {
	const stream = await Stream.open(server, '/api/v1/events');
	const filtered = await Stream.open(server, '/api/v1/events?type=query.escalated');
	const first = await server.ask(known, { user_id: 'stream' });
	const one = await stream.event(({ data }) => data.data?.turn_id === first.metadata.turn_id);
	assert.equal(one.name, 'query.created');
	assert.deepEqual(one.data, (await list('user_id=stream'))[0]);
	stream.close();
	assert.match(one.id, /\S/);
	const asked = [];
	for (let i = 0; i < 230; i++) asked.push((await server.ask('Hello', { user_id: 'stream' })).metadata.turn_id);
	const back = await Stream.open(server, '/api/v1/events?user_id=stream', { 'Last-Event-ID': one.id });
	await back.event(({ data }) => data.data?.turn_id === asked[229]);
	assert.deepEqual(back.events.map(({ data }) => data.data.turn_id), asked);
	const escalated = await server.ask(angry, { user_id: 'stream' });
	await back.event(({ name, data }) => name === 'query.escalated' && data.conversation_id === escalated.conversation_id);
	await filtered.event(({ data }) => data.conversation_id === escalated.conversation_id);
	assert.deepEqual(filtered.events.map(({ name }) => name), ['query.escalated']);
	back.close();
	filtered.close();
});

test('a place that is none is refused, and so is a range for a stream', async () => {
	const headers = { Accept: 'text/event-stream' };
	assertProblem(await server.request('/api/v1/events', { headers: { ...headers, 'Last-Event-ID': 'x' } }), 422, /./);
	assertProblem(await server.request('/api/v1/events?from=2026-01-01T00:00:00Z', { headers }), 422, /from and to/);
	const head = await server.request('/api/v1/events', { method: 'HEAD', headers });
	assert.deepEqual([head.status, head.text], [200, '']);
});

test('more streams than a worker has are told to come back', { timeout: 900000 }, async () => {
	await withServer({ installation, workers: 1 }, async (single) => {
		const streams = [];
		for (let i = 0; i < 256; i++) streams.push(await Stream.open(single, '/api/v1/events'));
		const full = await single.request('/api/v1/events', { headers: { Accept: 'text/event-stream' } });
		assertProblem(full, 503, /./);
		assert.ok(Number(full.headers['retry-after']) >= 1);
		await single.ask(known);
		await Promise.all(streams.map((stream) => stream.event(({ name }) => name === 'query.created')));
		streams.pop().close();
		await until('room for another stream', async () => {
			const again = await Stream.open(single, '/api/v1/events');
			again.close();
			return again.status === 200;
		});
		for (const stream of streams) stream.close();
	});
});
