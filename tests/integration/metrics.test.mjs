// GET /metrics: the figures of all workers, whichever is asked.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { Installation } from './lib/files.mjs';
import { parseMetrics } from './lib/metrics.mjs';
import { withServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';
import { eachWorker } from './lib/workers.mjs';

async function scrape(server, agent = undefined) {
	const reply = await server.request('/metrics', { agent });
	assert.equal(reply.status, 200, reply.text);
	assert.equal(reply.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
	return parseMetrics(reply.text);
}

const outcome = (name) => `smartsupport_questions_total{outcome="${name}"}`;

function figures(values, names) {
	return Object.fromEntries(names.map((name) => [name, values.get(name)]));
}

function assertFigures(values, expected) {
	assert.deepEqual(figures(values, Object.keys(expected)), expected);
}

// Waits for what a worker is just doing by itself, as in the queue of the store, and for what is left of one that has ended.
async function untilFigures(server, expected, agent) {
	let values;
	const seen = async () => isDeepStrictEqual(figures((values = await scrape(server, agent)), Object.keys(expected)), expected);
	await until('the figures', seen).catch(() => assertFigures(values, expected));
	return values;
}

const known = 'How do I reset my password?';
const unknown = 'What is the best way to prune tomato plants in June?';

// Two workers have answered a question that has an answer, and one of them one that has none.
const expected = {
	smartsupport_workers: 2,
	[outcome('answered')]: 2,
	[outcome('abstained')]: 1,
	[outcome('escalated')]: 0,
	[outcome('failed')]: 0,
	smartsupport_question_duration_seconds_count: 3,
	'smartsupport_question_duration_seconds_bucket{le="+Inf"}': 3,
	smartsupport_knowledge_searches_total: 3,
	smartsupport_knowledge_searches_empty_total: 1,
	smartsupport_embedder_cache_misses_total: 3,
	smartsupport_embedder_texts_total: 3,
	smartsupport_embedder_cache_entries: 3,
	smartsupport_embedder_cache_evictions_total: 0,
	smartsupport_embedder_batch_size_count: 3,
	smartsupport_embedder_batch_size_sum: 3,
	'smartsupport_queue_length{queue="compute"}': 0,
	'smartsupport_queue_length{queue="store"}': 0,
};

test('any worker tells the figures of all, also of those that were killed or reloaded', { timeout: 900000 }, async () => {
	await withServer({ installation: new Installation() }, async (server) => {
		const questions = [[known], [known, unknown]];
		let second;
		await eachWorker(server, async (agent, pid) => {
			second = pid;
			for (const question of questions.shift()) await server.ask(question, {}, { agent });
		});
		await eachWorker(server, async (agent) => {
			const values = await untilFigures(server, expected, agent);
			assert.ok(values.get('smartsupport_embedder_cache_hits_total') >= 3, 'one text is asked for by several agents');
			assert.ok(values.get('smartsupport_question_duration_seconds_sum') > 0);
		});

		// What a worker counted stays when it is gone; what it kept does not.
		process.kill(second, 'SIGKILL');
		await until('another worker', async () => {
			const now = server.workers();
			return now.length === 2 && !now.includes(second) && (await scrape(server)).get('smartsupport_workers') === 2;
		});
		const counters = { ...expected, smartsupport_embedder_cache_entries: 1 };
		await untilFigures(server, counters);

		server.signal('SIGHUP');
		await server.untilLogged('the new configuration has taken over');
		await until('two workers', () => server.workers().length === 2);
		await untilFigures(server, { ...counters, smartsupport_embedder_cache_entries: 0 });
		await server.ask(known);
		assertFigures(await scrape(server), {
			smartsupport_workers: 2,
			[outcome('answered')]: 3,
			smartsupport_embedder_cache_misses_total: 4,
		});
	});
});

test('a text that is asked again is found in the cache, whatever its blanks', async () => {
	await withServer({ installation: new Installation(), workers: 1 }, async (server) => {
		await server.ask(known);
		const before = await scrape(server);
		await server.ask(`  ${known.replaceAll(' ', '\r\n ')} `);
		const after = await scrape(server);
		const hits = 'smartsupport_embedder_cache_hits_total';
		assertFigures(after, {
			smartsupport_embedder_texts_total: 1,
			smartsupport_embedder_cache_misses_total: 1,
			[hits]: before.get(hits) * 2 + 1,
		});
	});
});

function promtool(text) {
	const { status, stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
	assert.ifError(error);
	return { status, told: stdout + stderr };
}

test('Prometheus\' own check has nothing to say, before and after there is something to count', async () => {
	assert.notEqual(promtool('# TYPE wrong counter\nwrong 1\n').status, 0, 'the check finds what is wrong');
	await withServer({ installation: new Installation() }, async (server) => {
		const empty = await server.request('/metrics');
		assert.deepEqual(promtool(empty.text), { status: 0, told: '' });
		await server.ask(known);
		await server.request('/nothing');
		const full = await server.request('/metrics');
		assert.deepEqual(promtool(full.text), { status: 0, told: '' });
	});
});

const requests = (operation, method, status) =>
	`smartsupport_http_request_duration_seconds_count{operation="${operation}",method="${method}",status="${status}"}`;

// The buckets of a histogram with LABELS, in their order.
function buckets(values, name, labels) {
	return [...values].filter(([key]) => key.startsWith(`${name}_bucket{${labels}`)).map(([, count]) => count);
}

test('what many clients ask of two workers at once is counted exactly', { timeout: 900000 }, async () => {
	await withServer({ installation: new Installation() }, async (server) => {
		await until('both workers', async () => (await scrape(server)).get('smartsupport_workers') === 2);
		const counts = { live: 400, asked: 60, refused: 40, lost: 30 };
		const kinds = {
			live: () => server.request('/livez'),
			asked: (i) => server.ask(`How do I change my plan ${i}?`),
			refused: () => server.request('/api/v1/query', { method: 'POST', body: {} }),
			lost: () => server.request('/nothing', { method: 'DELETE' }),
		};
		await Promise.all(Object.entries(kinds).flatMap(([name, ask]) => Array.from({ length: counts[name] }, (_, i) => ask(i))));
		const [raw] = await server.exchange('NONSENSE\r\n\r\n');
		assert.equal(raw.status, 400);

		const values = await scrape(server);
		assertFigures(values, {
			smartsupport_workers: 2,
			[requests('getLiveness', 'GET', '2xx')]: counts.live,
			[requests('askQuestion', 'POST', '2xx')]: counts.asked,
			[requests('askQuestion', 'POST', '4xx')]: counts.refused,
			[requests('other', 'other', '4xx')]: counts.lost + 1,
			[requests('askQuestion', 'POST', '5xx')]: undefined,
			[outcome('failed')]: 0,
			smartsupport_question_duration_seconds_count: counts.asked,
			'smartsupport_node_duration_seconds_count{node="categorize"}': counts.asked,
			smartsupport_knowledge_search_duration_seconds_count: values.get('smartsupport_knowledge_searches_total'),
			smartsupport_embedder_batch_duration_seconds_count: values.get('smartsupport_embedder_batch_size_count'),
		});
		assert.ok(values.get('smartsupport_knowledge_searches_total') > 0);
		const reads = values.get('smartsupport_store_duration_seconds_count{operation="read"}');
		assert.ok(reads >= counts.asked, 'a question is one read, and workers look for turns that were left');
		const commits = values.get('smartsupport_store_duration_seconds_count{operation="commit"}');
		assert.ok(commits > 0 && commits <= counts.asked, 'those that wait are committed together');

		const labels = 'operation="getLiveness",method="GET",status="2xx"';
		const name = 'smartsupport_http_request_duration_seconds';
		const ladder = buckets(values, name, labels);
		assert.deepEqual(ladder, ladder.toSorted((a, b) => a - b), 'the buckets are cumulative');
		assert.equal(ladder.at(-1), counts.live);
		const sum = values.get(`${name}_sum{${labels}}`);
		assert.ok(sum > 0 && sum < counts.live * 60, 'seconds');
	});
});

test('each worker tells what it takes of the machine', async () => {
	await withServer({ installation: new Installation() }, async (server) => {
		const now = Date.now() / 1000;
		let values;
		await until('both workers', async () => (values = await scrape(server)).get('smartsupport_workers') === 2);
		const of = (name) => [...values].filter(([key]) => key.startsWith(`${name}{worker="`)).map(([, value]) => value);
		for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_open_fds', 'process_start_time_seconds']) {
			assert.equal(of(name).length, 2, name);
			assert.ok(of(name).every((value) => value > 0), name);
		}
		assert.ok(of('process_resident_memory_bytes').every((bytes) => bytes > 1e6));
		assert.ok(of('process_start_time_seconds').every((start) => start > now - 3600 && start < now + 60));
	});
});
