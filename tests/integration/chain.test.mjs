// The chain of models, with a model (tests/fixtures/models/moody.c) whose moods are in a file.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { Installation, plugins, program } from './lib/files.mjs';
import { parseMetrics } from './lib/metrics.mjs';
import { runProgram, withServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const question = 'How do I reset my password?';
const name = 'moody/one';

// An installation with that model in front of the local one. POLICY are further lines of its entry.
class Chain extends Installation {
	constructor(policy = '', key = 'k') {
		super();
		this.edit(
			'config/smartsupport.yaml',
			/^llm:\n(?:[ #].*\n|\n)*/m,
			`llm:\n  models:\n    - plugin: moody\n      options: {mood: mood.txt, key: '${key}'}\n      backoff: 1ms\n` +
				`${policy}    - plugin: extractive\n  prices: {${name}: {input: 2, output: 10}}\n`,
		);
		const folders = [path.join(path.dirname(program), 'tests/plugins'), plugins];
		this.write('config/smartsupport.yaml', `${this.read('config/smartsupport.yaml')}\nplugins: [${folders}]\n`);
		this.be('answer', 'Use the link on the sign-in page.');
	}

	be(mood, text = '') {
		this.write('config/mood.txt', `${mood}\n${text}`);
	}
}

// The models of a reply, without times.
function modelsOf(reply) {
	return reply.metadata.models?.map((model) => {
		const { duration_ms: duration, first_token_ms: first, ...rest } = model;
		assert.equal(duration === undefined, model.status === 'skipped');
		assert.ok(first === undefined || (first >= 0 && first <= duration));
		return rest;
	});
}

const label = `gen_ai_operation_name="chat",gen_ai_provider_name="moody",gen_ai_request_model="one"`;

async function scrape(server) {
	const reply = await server.request('/metrics', { agent: false });
	return parseMetrics(reply.text);
}

test('the reply, the figures and the terminal tell who answered and what it took', async () => {
	const installation = new Chain();
	await withServer({ installation, workers: 2 }, async (server) => {
		assert.ok(server.logged('questions are answered by moody/one, then extractive'));
		const reply = await server.ask(question);
		assert.ok(reply.response.includes('Use the link on the sign-in page.'), reply.response);
		assert.equal(reply.metadata.answered_by, name);
		const [model] = modelsOf(reply);
		assert.deepEqual(model, {
			model: name,
			node: 'account',
			status: 'answered',
			attempts: 1,
			input_tokens: 100,
			output_tokens: 20,
			cost: 0.0004,
		});

		const values = await scrape(server);
		assert.equal(values.get(`smartsupport_model_calls_total{${label},outcome="answered"}`), 1);
		assert.equal(values.get(`gen_ai_client_token_usage_sum{${label},gen_ai_token_type="input"}`), 100);
		assert.equal(values.get(`gen_ai_client_operation_duration_seconds_count{${label}}`), 1);
		assert.equal(values.get(`gen_ai_server_time_to_first_token_seconds_count{${label}}`), 1);
		assert.ok(Math.abs(values.get(`smartsupport_model_cost_total{${label}}`) - 0.0004) < 1e-9);
		const stats = (await server.stats()).models.find((entry) => entry.model === name);
		const { avg_first_token: first, avg_duration: duration, ...counts } = stats;
		assert.deepEqual(counts, { model: name, calls: 1, failed: 0, input_tokens: 100, output_tokens: 20, cost: 0.0004 });
		assert.ok(first >= 0 && first <= duration);
	});
	const { stdout, code } = await runProgram(['ask', '--config', installation.config, question], { env: installation.env });
	assert.equal(code, 0);
	assert.match(stdout, /^Models {6}moody\/one answered \(100 \+ 20 tokens, [\d.]+ ms\)$/m);
});

test('what fails is answered locally, the reply says why, and after a while the model is not asked', async () => {
	const installation = new Chain('      breaker: {calls: 4, open: 1h}\n');
	await withServer({ installation, workers: 1 }, async (server) => {
		installation.be('unavailable', 'http://10.0.0.7:8001/v1 is down');
		const failed = await server.ask(question);
		assert.ok(failed.response.includes('Forgot password?'), failed.response);
		assert.equal(failed.metadata.answered_by, 'extractive');
		assert.deepEqual(modelsOf(failed), [
			{ model: name, node: 'account', status: 'failed', attempts: 2, input_tokens: 200, cost: 0.0004, error: 'it could not be reached, or does not work now' },
			{ model: 'extractive', node: 'account', status: 'answered', attempts: 1 },
		]);
		await server.untilLogged('the model moody/one did not answer: http://10.0.0.7:8001/v1 is down');
		await server.ask(question);
		await server.untilLogged('the model moody/one keeps failing and is not asked for 3600 s');
		const skipped = await server.ask(question);
		assert.ok(skipped.response.includes('Forgot password?'));
		assert.deepEqual(modelsOf(skipped)[0], {
			model: name,
			node: 'account',
			status: 'skipped',
			error: 'it kept failing and is not asked for now',
		});
		const values = await scrape(server);
		assert.equal(values.get(`smartsupport_model_calls_total{${label},outcome="failed"}`), 4);
		assert.equal(values.get(`smartsupport_model_calls_total{${label},outcome="skipped"}`), 1);
		assert.equal(values.get(`smartsupport_model_breaker_open{${label}}`), 1);
	});
});

test('a 503 says for how long no model can be asked', async () => {
	const installation = new Chain('      attempts: 1\n      breaker: {calls: 1, open: 10m}\n');
	installation.edit('config/smartsupport.yaml', '    - plugin: extractive\n', '');
	installation.be('unavailable', 'the endpoint is down');
	await withServer({ installation, workers: 1 }, async (server) => {
		const chat = () => server.request('/v1/chat/completions', { method: 'POST', body: { model: 'smartsupport', messages: [{ role: 'user', content: question }] } });
		const seconds = [];
		// The first one opens the breaker, the others find it open.
		for (const ask of [() => server.query({ message: question }), () => server.query({ message: question }), chat]) {
			const reply = await ask();
			assert.equal(reply.status, 503, reply.text);
			assert.match(reply.headers['retry-after'], /^\d+$/);
			seconds.push(Number(reply.headers['retry-after']));
		}
		for (const wait of seconds) assert.ok(wait > 60 && wait <= 600, `${seconds}`);
		assert.deepEqual(seconds, seconds.toSorted((a, b) => b - a), 'it is the rest of that time');
	});
	// A breaker that never opens.
	installation.edit('config/smartsupport.yaml', 'calls: 1, open: 10m', 'calls: 0');
	await withServer({ installation, workers: 1 }, async (server) => {
		assert.equal((await server.query({ message: question })).headers['retry-after'], '1');
	});
});

test('a model that works again is asked again', async () => {
	const installation = new Chain('      attempts: 1\n      breaker: {calls: 1, open: 10ms}\n');
	await withServer({ installation, workers: 1 }, async (server) => {
		installation.be('refuse', 'no connection');
		assert.equal((await server.ask(question)).metadata.answered_by, 'extractive');
		installation.be('answer', 'Here again.');
		await until('an answer of the model', async () => (await server.ask(question)).metadata.answered_by === name);
		await server.untilLogged('the model moody/one answers again');
		assert.equal((await scrape(server)).get(`smartsupport_model_breaker_open{${label}}`), 0);
	});
});

test('a model that hangs is stopped in time, and its words do not count', async () => {
	const installation = new Chain('      timeout: 100ms\n');
	await withServer({ installation, workers: 1 }, async (server) => {
		installation.be('hang', 'Well, let me');
		const reply = await server.ask(question);
		assert.ok(!reply.response.includes('Well, let me'));
		assert.equal(reply.metadata.answered_by, 'extractive');
		assert.equal(modelsOf(reply)[0].error, 'it took too long');
		await server.untilLogged('it took longer than 0.1 s (its timeout)');
		await server.untilLogged('stopped');
		await until('nothing under way', async () => (await scrape(server)).get(`smartsupport_model_in_flight{${label}}`) === 0);
	});
});

test('an answer that the articles do not have is no failure', async () => {
	const installation = new Chain();
	await withServer({ installation, workers: 1 }, async (server) => {
		installation.be('not_found', 'the articles have no answer');
		const reply = await server.ask(question);
		assert.equal(reply.metadata.answered, false);
		assert.equal(modelsOf(reply)[0].status, 'no_answer');
		assert.equal(modelsOf(reply).length, 1);
	});
});

test('without what it needs a model is left out, and nothing tells of it', async () => {
	const installation = new Chain('', '');
	await withServer({ installation, workers: 1 }, async (server) => {
		const reply = await server.ask(question);
		assert.equal(reply.metadata.answered_by, 'extractive');
		assert.equal('models' in reply.metadata, false);
		assert.ok(![...(await scrape(server)).keys()].some((key) => key.includes('moody')));
	});
	installation.edit('config/smartsupport.yaml', '    - plugin: extractive\n', '');
	const line = installation.read('config/smartsupport.yaml').split('\n').indexOf('llm:') + 2;
	const { code, stdout, stderr } = await runProgram(['check', '--config', installation.config], { env: installation.env });
	assert.equal(code, 1);
	assert.ok((stdout + stderr).includes(`smartsupport.yaml:${line}:3: none of the models can be asked`), stdout + stderr);
});

test('no client is told a plugin\'s own words, which the log and the terminal tell', async () => {
	const words = 'http://gateway.internal:8001/v1?key=sk-1: /etc/ssl/own.pem';
	const installation = new Chain('      attempts: 1\n      breaker: {calls: 0}\n');
	installation.edit('config/smartsupport.yaml', '    - plugin: extractive\n', '');
	const all = [];
	await withServer({ installation, workers: 1 }, async (server) => {
		const chat = (more) => server.request('/v1/chat/completions', { method: 'POST', body: { model: 'smartsupport', messages: [{ role: 'user', content: question }], ...more } });
		for (const mood of ['unavailable', 'limit', 'invalid']) {
			installation.be(mood, words);
			for (const ask of [server.query({ message: question }), server.query({ message: question, stream: true }), chat({}), chat({ stream: true })]) all.push(await ask);
		}
		await server.untilLogged(words);
	});
	assert.deepEqual([...new Set(all.map(({ status }) => status))].sort(), [200, 500, 503]);
	for (const { text } of all) for (const part of ['gateway', 'sk-1', 'own.pem', 'http:']) assert.ok(!text.includes(part), text);
	installation.be('unavailable', words);
	const { code, stderr } = await runProgram(['ask', '--config', installation.config, question], { env: installation.env });
	assert.notEqual(code, 0);
	assert.ok(stderr.includes(words), stderr);
});

test('a mistake in the list of models is found at its place', async () => {
	const installation = new Chain('      attempts: 0\n');
	const line = installation.read('config/smartsupport.yaml').split('\n').indexOf('      attempts: 0') + 1;
	const { code, stdout, stderr } = await runProgram(['check', '--config', installation.config], { env: installation.env });
	assert.equal(code, 1);
	assert.ok((stdout + stderr).includes(`smartsupport.yaml:${line}:17: attempts must be from 1 to 10, not 0`), stdout + stderr);
});
