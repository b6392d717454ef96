// Figures over time.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertProblem } from './lib/api.mjs';
import { Installation } from './lib/files.mjs';
import { Server } from './lib/server.mjs';

const installation = new Installation();
let server;
before(async () => (server = await Server.start({ installation })));
after(() => server.stop());

const hour = 3600000;
const known = 'How do I reset my password?';
const angry = 'I HATE this!!! I was charged twice AGAIN, this is a ridiculous rip-off and I am furious!!!';

async function series(query = '') {
	const reply = await server.request(`/api/v1/analytics${query}`);
	assert.equal(reply.status, 200, reply.text);
	return reply.json;
}

function sum(items, name) {
	return items.reduce((total, item) => total + item[name], 0);
}

const nothing = {
	queries: 0,
	escalated: 0,
	resolved: 0,
	response_time: null,
	categories: {},
	sentiments: {},
	ratings: { count: 0, average: null },
};

test('hours in which nothing happened are there as well', async () => {
	const { items, step, from, to } = await series();
	assert.equal(step, 'hour');
	assert.equal(items.length, 24);
	assert.equal(Date.parse(to) - Date.parse(from), 24 * hour);
	items.forEach(({ at, ...rest }, i) => {
		assert.equal(Date.parse(at), Date.parse(from) + i * hour);
		assert.deepEqual(rest, nothing);
	});
	assert.ok(Date.parse(to) >= Date.now() - hour);
});

test('questions, escalations, resolutions, times and ratings are counted by the hour and the day', async () => {
	const calm = await server.ask(known, { user_id: 'ann' });
	const cross = await server.ask(angry, { user_id: 'bob' });
	for (const [reply, rating] of [[calm, 5], [cross, 2]])
		await server.request('/api/v1/feedback', { method: 'POST', body: { turn_id: reply.metadata.turn_id, rating } });
	await server.request(`/api/v1/conversations/${cross.conversation_id}/resolve`, { method: 'POST' });
	const stats = await server.stats();
	for (const query of ['', '?step=day']) {
		const { items } = await series(query);
		assert.equal(items.length, query === '' ? 24 : 30);
		// The test may run over the end of an hour.
		assert.deepEqual([sum(items, 'queries'), sum(items, 'escalated'), sum(items, 'resolved')], [2, 1, 1]);
		const rated = items.filter(({ ratings }) => ratings.count > 0);
		assert.equal(rated.reduce((total, { ratings }) => total + ratings.count * ratings.average, 0), 7);
		const categories = {};
		for (const item of items) for (const [name, count] of Object.entries(item.categories)) categories[name] = (categories[name] ?? 0) + count;
		assert.deepEqual(categories, stats.categories);
		const busy = items.filter(({ queries }) => queries > 0);
		const time = busy.reduce((total, item) => total + item.queries * item.response_time, 0) / 2;
		assert.ok(Math.abs(time - stats.avg_response_time) < 1e-6);
	}
});

test('the range is what was asked for, in whole steps of UTC', async () => {
	const { from, to, items } = await series('?from=2026-01-31T09:05:00Z&to=2026-01-31T13:00:01%2B01:00');
	assert.deepEqual([from, to, items.length], ['2026-01-31T09:00:00.000000Z', '2026-01-31T13:00:00.000000Z', 4]);
	const days = await series('?step=day&from=2026-01-30T23:00:00Z&to=2026-02-02T00:00:00Z');
	assert.deepEqual(
		days.items.map(({ at }) => at),
		['2026-01-30T00:00:00.000000Z', '2026-01-31T00:00:00.000000Z', '2026-02-01T00:00:00.000000Z'],
	);
	assert.deepEqual((({ at, ...rest }) => rest)(days.items[0]), nothing);
	const long = await series('?from=2020-01-01T00:00:00Z');
	assert.deepEqual([long.items.length, long.items[0].at], [10000, '2020-01-01T00:00:00.000000Z']);
	const all = await series('?step=day&from=2020-01-01T00:00:00Z');
	assert.equal(sum(all.items, 'queries'), 2);
});

test('what cannot be told is refused', async () => {
	const refused = async (query, detail) => assertProblem(await server.request(`/api/v1/analytics${query}`), 422, detail);
	await refused('?step=week', /step must be/);
	await refused('?from=2026', /from must be a time/);
	await refused('?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z', /from must be before to/);
	await refused('?from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z', /more than 10000 steps/);
	await refused('?from=1970-01-01T00:00:00Z&to=9999-12-31T23:59:59Z&step=day', /to must be a time|more than 10000 steps/);
});
