// Users: described by operators, or known since they asked; VIPs come first; and all that is known of one is handed over or
// erased.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertProblem, everything } from './lib/api.mjs';
import { Installation } from './lib/files.mjs';
import { Server } from './lib/server.mjs';

const installation = new Installation();
let server;
before(async () => (server = await Server.start({ installation })));
after(() => server.stop());

const known = 'How do I reset my password?';
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

function request(route, method = 'GET', body = undefined) {
	return server.request(`/api/v1/users${route}`, { method, body });
}

async function done(status, route, method, body) {
	const reply = await request(route, method, body);
	assert.equal(reply.status, status, reply.text);
	return reply.json;
}

test('a user is created, read and changed', async () => {
	const body = { id: 'ann/1 é?', name: 'Ann', email: 'ann@example.org', vip: true, metadata: { plan: 'team', seats: 3 } };
	const made = await request('', 'POST', body);
	assert.equal(made.status, 201, made.text);
	assert.equal(made.headers.location, `/api/v1/users/${encodeURIComponent(body.id)}`);
	const { created_at, updated_at, conversations, ...rest } = made.json;
	assert.deepEqual(rest, body);
	assert.equal(conversations, 0);
	assert.match(created_at, rfc3339);
	assert.equal(updated_at, created_at);
	const read = await server.request(made.headers.location);
	assert.deepEqual(read.json, made.json);

	const path = `/${encodeURIComponent(body.id)}`;
	const changed = await done(200, path, 'PATCH', { vip: false, email: null });
	assert.deepEqual([changed.name, changed.email, changed.vip, changed.metadata], ['Ann', undefined, false, body.metadata]);
	const other = await done(200, path, 'PATCH', { name: null, metadata: {} });
	assert.deepEqual([other.name, other.vip, other.metadata], [undefined, false, {}]);
	assertProblem(await request('', 'POST', body), 409, /there is a user with the id ann\/1 é\? already/);
});

test('who asks is a user, and a VIP\'s next question is more urgent', async () => {
	const before = await server.ask(known, { user_id: 'vip_to_be' });
	const user = await done(200, '/vip_to_be');
	assert.deepEqual([user.vip, user.conversations], [false, 1]);
	await done(200, '/vip_to_be', 'PATCH', { vip: true });
	const after = await server.ask('Where can I find my invoices?', { user_id: 'vip_to_be' });
	assert.equal(after.priority, before.priority + 2);
	assert.ok(after.metadata.priority_factors.some((factor) => /vip/i.test(JSON.stringify(factor))));
	await done(201, '', 'POST', { id: 'vip_born', vip: true });
	assert.equal((await server.ask('Where can I find my invoices?', { user_id: 'vip_born' })).priority, before.priority + 2);
});

test('users are listed by id, filtered, and page by page while others come', async () => {
	for (const id of ['list-c', 'list-a', 'list-b', 'list-e', 'list-d']) await done(201, '', 'POST', { id, vip: id > 'list-c' });
	const ids = async (query) => (await done(200, `?prefix=list-${query}`)).items.map(({ id }) => id);
	assert.deepEqual(await ids(''), ['list-a', 'list-b', 'list-c', 'list-d', 'list-e']);
	assert.deepEqual(await ids('&vip=true'), ['list-d', 'list-e']);
	assert.deepEqual(await ids('&vip=false'), ['list-a', 'list-b', 'list-c']);
	assert.deepEqual((await everything(server, '/api/v1/users?prefix=list-', 2)).map(({ id }) => id), await ids(''));
	const first = await done(200, '?prefix=list-&limit=2');
	await done(201, '', 'POST', { id: 'list-aa' });
	const second = await done(200, `?prefix=list-&limit=2&cursor=${encodeURIComponent(first.next_cursor)}`);
	assert.deepEqual(second.items.map(({ id }) => id), ['list-c', 'list-d']);
	const all = await everything(server, '/api/v1/users', 3);
	assert.ok(all.length >= 6);
	assert.deepEqual(all.map(({ id }) => id), all.map(({ id }) => id).sort());
});

test('all that is stored of a user is handed over as one document', async () => {
	await done(201, '', 'POST', { id: 'exported', name: 'Eve' });
	const asked = [];
	// Small talk is no attempt, so nothing is escalated.
	for (let i = 0; i < 3; i++) asked.push(await server.ask('Hello', { user_id: 'exported' }));
	await server.ask('And how do I pay them?', { user_id: 'exported', conversation_id: asked[0].conversation_id });
	await server.ask('Nobody else may see this', { user_id: 'other' });
	await server.request('/api/v1/feedback', { method: 'POST', body: { turn_id: asked[0].metadata.turn_id, rating: 4 } });
	const reply = await request('/exported/export');
	assert.equal(reply.status, 200, reply.text);
	assert.match(reply.headers['content-disposition'], /^attachment; filename=/);
	const { user, user_id, conversations, journals, events } = reply.json;
	assert.deepEqual([user_id, user.name, user.conversations], ['exported', 'Eve', 3]);
	assert.deepEqual(conversations.map(({ id }) => id).sort(), asked.map(({ conversation_id }) => conversation_id).sort());
	const first = conversations.find(({ id }) => id === asked[0].conversation_id);
	assert.equal(first.messages.length, 4);
	assert.equal(first.messages[1].feedback.rating, 4);
	assert.deepEqual(journals, []);
	assert.deepEqual(events.map(({ type }) => type).sort(), ['feedback.received', ...Array(4).fill('query.created')]);
	assert.doesNotMatch(reply.text, /Nobody else/);
});

test('all that is known of a user is erased', async () => {
	const { conversation_id, metadata } = await server.ask('A secret walrus', { user_id: 'erased' });
	await server.request('/api/v1/feedback', { method: 'POST', body: { turn_id: metadata.turn_id, comment: 'quokka' } });
	const stats = await server.stats();
	const erased = await done(200, '/erased', 'DELETE');
	assert.equal(erased.conversations, 1);
	assert.equal(erased.messages, 2);
	assert.equal(erased.events, 2);
	for (const route of ['/erased', '/erased/export']) assertProblem(await request(route), 404, /there is no user|no trace/);
	assertProblem(await request('/erased', 'DELETE'), 404, /./);
	assert.equal((await server.request(`/api/v1/conversations/${conversation_id}`)).status, 404);
	assert.deepEqual((await server.request('/api/v1/events?user_id=erased')).json.items, []);
	assert.equal((await server.stats()).total_queries, stats.total_queries);
});

test('what is wrong is told with its member', async () => {
	assertProblem(await request('/nobody'), 404, /there is no user with the id nobody/);
	assertProblem(await request('/nobody/export'), 404, /there is no user with the id nobody/);
	assertProblem(await request('/nobody', 'PATCH', { vip: true }), 404, /there is no user with the id nobody/);
	const wrong = await request('', 'POST', { name: '', email: 'nowhere', vip: 'yes', metadata: [], nickname: 'x' });
	assertProblem(wrong, 422, /./);
	assert.deepEqual(
		wrong.json.errors.map(({ pointer }) => pointer).sort(),
		['/email', '/id', '/metadata', '/name', '/nickname', '/vip'],
	);
	assertProblem(await request('/nobody', 'PATCH', {}), 422, /./);
	assertProblem(await request('?vip=perhaps'), 422, /vip/);
	assertProblem(await request('?cursor=x'), 422, /./);
	assertProblem(await request(`/${'x'.repeat(129)}`), 422, /129 characters/);
	assert.equal((await request('/nobody', 'PUT', {})).status, 405);
});
