// What an operator learns: the questions without an answer, how often articles are shown, and what customers say.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Installation } from './lib/files.mjs';
import { parseMetrics } from './lib/metrics.mjs';
import { Server, runProgram, withServer } from './lib/server.mjs';
import { urlOf } from './lib/store.mjs';

const installation = new Installation();
let server;
before(async () => (server = await Server.start({ installation })));
after(() => server.stop());

const known = 'How do I reset my password?';
const unknown = 'What is the best way to prune tomato plants in June?';
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

function assertProblem(reply, status, detail) {
	assert.equal(reply.status, status, reply.text);
	assert.match(reply.headers['content-type'], /^application\/problem\+json/);
	assert.match(reply.json.detail, detail);
}

async function get(route, from = server) {
	const reply = await from.request(route);
	assert.equal(reply.status, 200, reply.text);
	return reply.json;
}

function give(body, options = {}) {
	return server.request('/api/v1/feedback', { method: 'POST', body, ...options });
}

async function given(body) {
	const reply = await give(body);
	assert.equal(reply.status, 204, reply.text);
	assert.equal(reply.text, '');
}

async function counts(id) {
	const { items } = await get('/api/v1/kb/articles');
	const { views, helpful, not_helpful } = items.find((item) => item.id === id);
	return { views, helpful, not_helpful };
}

test('a question without an answer is listed once, however it is written, and counted', async () => {
	for (const message of [unknown, ` ${unknown.toUpperCase()}`, unknown.replace('?', ' ?!')]) await server.ask(message);
	await server.ask('Which sauce goes with gnocchi?');
	await server.ask(known);
	const { items, next_cursor } = await get('/api/v1/kb/unanswered');
	assert.equal(next_cursor, null);
	assert.deepEqual(
		items.map(({ question, count }) => [question, count]),
		[
			['Which sauce goes with gnocchi?', 1],
			[unknown.replace('?', ' ?!'), 3],
		],
	);
	for (const item of items) {
		assert.ok(['Technical', 'Billing', 'Account', 'General'].includes(item.category), item.category);
		assert.match(item.first_at, rfc3339);
		assert.match(item.last_at, rfc3339);
	}
	assert.ok(items[1].first_at < items[1].last_at);

	const most = await get('/api/v1/kb/unanswered?order=most_asked&limit=1');
	assert.deepEqual(most.items, [items[1]]);
	const rest = await get(`/api/v1/kb/unanswered?order=most_asked&limit=1&cursor=${most.next_cursor}`);
	assert.deepEqual(rest, { items: [items[0]], next_cursor: null });

	const metrics = parseMetrics((await server.request('/metrics')).text);
	assert.equal(metrics.get('smartsupport_questions_unanswered_total'), 4);
	assert.equal(metrics.get('smartsupport_questions_total{outcome="abstained"}'), 4);
});

test('who asks for a human leaves no gap; who is angry about what no article tells does', async () => {
	const count = async () => (await get('/api/v1/kb/unanswered?limit=200')).items.length;
	const start = await count();
	const human = await server.ask('Xyzzy! Let me speak to a person, plugh.');
	assert.equal(human.metadata.escalated, true);
	assert.equal(await count(), start);
	const angry = await server.ask('I HATE this!!! My gnocchi are burned AGAIN, this is a ridiculous rip-off and I am furious!!!');
	assert.equal(angry.metadata.escalated, true);
	assert.deepEqual(angry.metadata.kb_results, []);
	assert.equal(await count(), start + 1);
});

test('a wrong order, limit or cursor is told', async () => {
	for (const limit of ['0', '201', '-1', '+5', '1.5', 'x', '', '99999999999999999999'])
		for (const route of ['unanswered', 'articles'])
			assertProblem(await server.request(`/api/v1/kb/${route}?limit=${encodeURIComponent(limit)}`), 422, /limit (is|must be) .*/);
	assertProblem(await server.request('/api/v1/kb/articles?limit=201'), 422, /limit is 201; it must be from 1 to 200/);
	assertProblem(await server.request('/api/v1/kb/articles?limits=5'), 422, /there is no parameter "limits" \(did you mean "limit"\?\)/);
	assertProblem(await server.request('/api/v1/kb/unanswered?order=oldest'), 422, /"newest" or "most_asked"/);
	for (const cursor of ['', 'x', '1.2', '1.2.3.4'])
		assertProblem(await server.request(`/api/v1/kb/unanswered?cursor=${cursor}`), 422, /cursor/);
});

test('articles are listed with how often replies showed them, page by page', async () => {
	const start = await counts('find-invoices');
	const reply = await server.ask('Where can I find my invoices?');
	assert.deepEqual(reply.metadata.sources.map((source) => source.id), ['find-invoices']);
	assert.deepEqual(await counts('find-invoices'), { ...start, views: start.views + 1 });

	const whole = await get('/api/v1/kb/articles');
	assert.equal(whole.next_cursor, null);
	assert.deepEqual(
		whole.items.map((item) => item.id),
		['app-crashes-on-export', 'charged-twice', 'find-invoices', 'reset-password'],
	);
	assert.deepEqual(Object.keys(whole.items[0]).sort(), ['category', 'helpful', 'id', 'not_helpful', 'source', 'title', 'views']);
	const paged = [];
	for (let cursor = ''; cursor !== null; ) {
		const page = await get(`/api/v1/kb/articles?limit=3${cursor && `&cursor=${cursor}`}`);
		assert.ok(page.items.length > 0 && page.items.length <= 3);
		paged.push(...page.items);
		cursor = page.next_cursor;
	}
	assert.deepEqual(paged, whole.items);
	assert.deepEqual(await get('/api/v1/kb/articles?cursor=zzz'), { items: [], next_cursor: null });
});

test('a vote counts for the article that the reply shows, and a later one takes its place', async () => {
	const { metadata } = await server.ask(known);
	const { turn_id } = metadata;
	const start = await counts('reset-password');
	await given({ turn_id, was_helpful: true });
	assert.deepEqual(await counts('reset-password'), { ...start, helpful: start.helpful + 1 });
	await given({ turn_id, was_helpful: true });
	await given({ turn_id, was_helpful: false });
	assert.deepEqual(await counts('reset-password'), { ...start, not_helpful: start.not_helpful + 1 });
});

test('rating, comment and issues are stored, and what is given later is added', async () => {
	const { metadata } = await server.ask(known);
	const { turn_id } = metadata;
	await given({ turn_id, rating: 4, comment: 'Worked — danke "sehr"' });
	await given({ turn_id, was_helpful: true, issues: ['slow', 'hard to "find"'] });
	const [row] = await server.rows(
		`SELECT was_helpful, rating, comment, issues FROM feedback JOIN messages ON id = message_id WHERE turn_id = '${turn_id}'`,
	);
	assert.deepEqual(
		{ ...row, issues: JSON.parse(row.issues) },
		{ was_helpful: 1, rating: 4, comment: 'Worked — danke "sehr"', issues: ['slow', 'hard to "find"'] },
	);
});

test('feedback on a turn that is none is not found', async () => {
	const reply = await give({ turn_id: 'turn_01234567-89ab-7cde-8f01-23456789abcd', was_helpful: true });
	assertProblem(reply, 404, /no stored turn/);
	assert.equal(reply.json.errors[0].pointer, '/turn_id');
});

test('feedback that is wrong is refused, and the member is named', async () => {
	const turn_id = 'turn_01234567-89ab-7cde-8f01-23456789abcd';
	for (const [body, pointer] of [
		[{ was_helpful: true }, '/turn_id'],
		[{ turn_id: 'conv_01234567-89ab-7cde-8f01-23456789abcd', was_helpful: true }, '/turn_id'],
		[{ turn_id: 7, was_helpful: true }, '/turn_id'],
		[{ turn_id }, ''],
		[{ turn_id, was_helpful: 'yes' }, '/was_helpful'],
		[{ turn_id, was_helpful: null }, '/was_helpful'],
		[{ turn_id, rating: 0 }, '/rating'],
		[{ turn_id, rating: 6 }, '/rating'],
		[{ turn_id, rating: 4.5 }, '/rating'],
		[{ turn_id, comment: ' ' }, '/comment'],
		[{ turn_id, comment: 'x'.repeat(4001) }, '/comment'],
		[{ turn_id, issues: 'slow' }, '/issues'],
		[{ turn_id, issues: Array(21).fill('slow') }, '/issues'],
		[{ turn_id, was_helpfull: true }, '/was_helpfull'],
	]) {
		const reply = await give(body);
		assertProblem(reply, 422, /./);
		assert.equal(reply.json.errors[0].pointer, pointer, reply.text);
	}
	assertProblem(await give('{'), 400, /JSON/);
	assertProblem(await give('x', { headers: { 'Content-Type': 'text/plain' } }), 415, /JSON/);
	assertProblem(await server.request('/api/v1/feedback'), 405, /./);
});

test('many votes at once all count', async () => {
	const start = await counts('charged-twice');
	const replies = await Promise.all(
		Array.from({ length: 20 }, () => server.ask('Why was I charged twice this month?')),
	);
	const shown = replies.filter((reply) => reply.metadata.sources.some((source) => source.id === 'charged-twice'));
	assert.equal(shown.length, replies.length);
	await Promise.all(replies.map(({ metadata }, i) => given({ turn_id: metadata.turn_id, was_helpful: i % 4 !== 0 })));
	assert.deepEqual(await counts('charged-twice'), {
		views: start.views + 20,
		helpful: start.helpful + 15,
		not_helpful: start.not_helpful + 5,
	});
});

test('the command lists what the API lists', async () => {
	const own = new Installation();
	await withServer({ installation: own }, async (one) => {
		await one.ask('Which sauce goes with gnocchi?');
		await one.ask(unknown);
		await one.ask('which sauce goes with\ngnocchi');
		const env = { ...own.env, DATABASE_URL: urlOf(one.database) };
		const run = (...args) => runProgram(['unanswered', ...args, '--config', own.config], { env });

		const plain = await run('--most-asked');
		assert.equal(plain.code, 0, plain.stderr);
		assert.match(plain.stdout, /^ +2 {2}\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}\w+ +which sauce goes with gnocchi\n +1 .*prune tomato plants in June\?\n$/);
		const json = await run('--json', '--limit', '1');
		assert.deepEqual(JSON.parse(json.stdout), (await get('/api/v1/kb/unanswered?limit=1', one)).items);
		const wrong = await run('--limit', '0');
		assert.equal(wrong.code, 2);
		assert.match(wrong.stderr, /--limit takes a whole number from 1, not "0"/);
		assert.equal((await run('more')).code, 2);
	});
});

test('a search that fails is no gap in the articles', async () => {
	const own = new Installation();
	own.editWorkflow(/agent: kb_retriever\n    options:\n(      .*\n)+/, "agent: assign\n    fields: {answer: kb_results}\n    options: {set: {kb_results: '[]', retrieval: '{}'}, fail: '\"no index\"'}\n");
	await withServer({ installation: own, workers: 1 }, async (one) => {
		const reply = await one.ask(unknown);
		assert.deepEqual(reply.metadata.kb_results, []);
		assert.deepEqual((await get('/api/v1/kb/unanswered', one)).items, []);
	});
});
