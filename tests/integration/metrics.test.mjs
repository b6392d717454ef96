// GET /metrics: the figures of all workers, whichever is asked.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Installation } from './lib/files.mjs';
import { parseMetrics } from './lib/metrics.mjs';
import { withServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

// A connection of its own for each request: one that is kept stays with its worker.
const alone = { agent: false };

async function scrape(server) {
	const reply = await server.request('/metrics', alone);
	assert.equal(reply.status, 200, reply.text);
	assert.equal(reply.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
	return parseMetrics(reply.text);
}

const outcome = (name) => `smartsupport_questions_total{outcome="${name}"}`;

// Asks MESSAGES of one worker: the others stand still meanwhile.
async function askOnly(server, pid, messages) {
	const others = server.workers().filter((other) => other !== pid);
	for (const other of others) process.kill(other, 'SIGSTOP');
	try {
		for (const message of messages) await server.ask(message, {}, alone);
	} finally {
		for (const other of others) process.kill(other, 'SIGCONT');
	}
}

function assertFigures(values, expected) {
	const found = Object.fromEntries(Object.keys(expected).map((name) => [name, values.get(name)]));
	assert.deepEqual(found, expected);
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

test('any worker tells the figures of all, also of those that were killed or reloaded', { timeout: 180000 }, async () => {
	await withServer({ installation: new Installation() }, async (server) => {
		const [first, second] = server.workers();
		await until('both workers', async () => (await scrape(server)).get('smartsupport_workers') === 2);
		await askOnly(server, first, [known]);
		await askOnly(server, second, [known, unknown]);
		for (const pid of [first, second]) {
			let values;
			const other = pid === first ? second : first;
			process.kill(other, 'SIGSTOP');
			try {
				values = await scrape(server);
			} finally {
				process.kill(other, 'SIGCONT');
			}
			assertFigures(values, expected);
			assert.ok(values.get('smartsupport_embedder_cache_hits_total') >= 3, 'one text is asked for by several agents');
			assert.ok(values.get('smartsupport_question_duration_seconds_sum') > 0);
		}

		// What a worker counted stays when it is gone; what it kept does not.
		process.kill(second, 'SIGKILL');
		await until('another worker', async () => {
			const now = server.workers();
			return now.length === 2 && !now.includes(second) && (await scrape(server)).get('smartsupport_workers') === 2;
		});
		const counters = { ...expected, smartsupport_embedder_cache_entries: 1 };
		assertFigures(await scrape(server), counters);

		server.signal('SIGHUP');
		await server.untilLogged('the new configuration has taken over');
		await until('two workers', () => server.workers().length === 2);
		assertFigures(await scrape(server), { ...counters, smartsupport_embedder_cache_entries: 0 });
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
