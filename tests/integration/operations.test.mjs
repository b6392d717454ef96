// What those who run the server look at: whether it lives and is ready, and which log lines and traces belong together.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { Installation } from './lib/files.mjs';
import { ModelServer, answer, failure } from './lib/model_server.mjs';
import { withServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const question = 'How do I reset my password?';
const invoices = 'Where can I find my invoices?';
const pattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-(0[01])$/;

// An installation that asks the model at URL, once for each question.
function askingModel(url, more = '') {
	const installed = new Installation();
	installed.edit(
		'config/smartsupport.yaml',
		/^llm:\n(?: .*\n)*/m,
		`llm:\n  attempts: 1\n${more}  plugin: openai\n  options: {base_url: "${url}", model: scripted}\n`,
	);
	return installed;
}

test('a server that lives says so, and one that is ready tells the state of each part', async () => {
	await withServer({ installation: new Installation() }, async (server) => {
		const live = await server.request('/livez');
		assert.deepEqual([live.status, live.json], [200, { status: 'alive' }]);
		const ready = await server.request('/readyz');
		assert.equal(ready.status, 200, ready.text);
		const { status, store, models, knowledge_base: base, workflow, nodes, configuration, ...rest } = ready.json;
		assert.deepEqual([status, store, models, base.state, rest], ['ready', { state: 'ok' }, [{ model: 'extractive', state: 'ok' }], 'ok', {}]);
		assert.ok(base.articles > 0);
		assert.deepEqual(nodes, { state: 'ok', quarantined: [] });
		assert.deepEqual(configuration, { state: 'ok', generation: 1 });
		assert.match(workflow.generation, /^[0-9a-f]{64}$/);
		assert.ok(Date.parse(workflow.since) <= Date.now());
		assert.ok(!ready.text.includes('/'), 'no path is told');
	});
});

test('another workflow is another generation', async () => {
	const installed = new Installation();
	await withServer({ installation: installed }, async (server) => {
		const before = (await server.request('/readyz', { agent: false })).json.workflow;
		installed.editWorkflow(/$/, '# Another one.\n');
		server.signal('SIGHUP');
		await server.untilLogged('the new configuration has taken over');
		await until('two workers', () => server.workers().length === 2);
		const after = (await server.request('/readyz', { agent: false })).json.workflow;
		assert.notEqual(after.generation, before.generation);
		assert.ok(after.since >= before.since);
	});
});

test('a server that cannot store lives, and is not ready', async () => {
	await withServer({ installation: new Installation() }, async (server) => {
		fs.renameSync(server.database, `${server.database}.away`);
		const { status, json, text } = await server.request('/readyz');
		assert.deepEqual([status, json.status, json.store.state, json.workflow.state], [503, 'not_ready', 'unavailable', 'ok']);
		assert.match(json.store.detail, /cannot be stored/);
		assert.match(json.detail, /cannot be stored/);
		assert.ok(!text.includes('/'), 'no path is told');
		assert.equal((await server.request('/livez')).status, 200);
		fs.renameSync(`${server.database}.away`, server.database);
		// Who has tried in vain meanwhile by itself tries again once a second.
		await until('a server that is ready', async () => (await server.request('/readyz')).status === 200);
	});
});

test('a server whose model rests while another one answers is degraded, and ready', async () => {
	const model = await ModelServer.start();
	try {
		model.otherwise = failure(500, 'broken');
		const installed = new Installation();
		installed.edit(
			'config/smartsupport.yaml',
			/^llm:\n(?: .*\n)*/m,
			`llm:\n  models:\n    - {plugin: openai, attempts: 1, breaker: {calls: 1, failures: 0.5, open: 2s}, options: {base_url: "${model.url}", model: scripted}}\n    - {plugin: extractive}\n`,
		);
		await withServer({ installation: installed, workers: 1 }, async (server) => {
			const first = (await server.request('/readyz')).json;
			assert.deepEqual([first.status, first.models.map(({ state }) => state)], ['ready', ['ok', 'ok']]);
			const { status, json } = await until('a model that rests', async () => {
				assert.equal((await server.query({ message: question })).status, 200);
				const reply = await server.request('/readyz');
				return reply.json.status === 'degraded' && reply;
			});
			assert.deepEqual([status, json.models.map(({ state }) => state)], [200, ['resting', 'ok']]);
			assert.match(json.models[0].detail, /keeps failing/);
			assert.match(json.detail, /a model rests/);
			model.otherwise = answer('Open the page.');
			await until('a model that answers', async () => {
				await server.query({ message: question });
				return (await server.request('/readyz')).json.status === 'ready';
			});
		});
	} finally {
		await model.close();
	}
});

test('a server whose only model rests is not ready until it answers again', async () => {
	const model = await ModelServer.start();
	try {
		model.otherwise = failure(500, 'broken');
		const installed = askingModel(model.url, '  breaker: {calls: 1, failures: 0.5, open: 2s}\n');
		await withServer({ installation: installed, workers: 1 }, async (server) => {
			const { json } = await until('a model that rests', async () => {
				await server.query({ message: question });
				const reply = await server.request('/readyz');
				return reply.status === 503 && reply;
			});
			assert.equal(json.models[0].state, 'resting');
			assert.ok(json.models[0].seconds > 0 && json.models[0].seconds <= 2);
			assert.match(json.detail, /no model can be asked/);
			model.otherwise = answer('Open the page.');
			await until('a model that answers', async () => (await server.request('/readyz')).status === 200);
		});
	} finally {
		await model.close();
	}
});

test('the trace of a caller is in the log, in the reply, and in what models are asked', async () => {
	const model = await ModelServer.start();
	try {
		model.otherwise = answer('Open the page.');
		await withServer({ installation: askingModel(model.url), workers: 1 }, async (server) => {
			const [id, parent] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
			const state = 'vendor=opaque,other=t61rcWkgMzE';
			const headers = { traceparent: `00-${id}-${parent}-01`, tracestate: state, 'x-request-id': 'traced' };
			const reply = await server.query({ message: question }, { headers });
			assert.equal(reply.status, 200, reply.text);
			const [, given, span, flags] = pattern.exec(reply.headers.traceparent);
			assert.deepEqual([given, flags], [id, '01']);
			assert.notEqual(span, parent);

			const asked = model.asked.map(({ headers: sent }) => pattern.exec(sent.traceparent));
			assert.ok(asked.length > 0);
			for (const [, passed, called] of asked) {
				assert.equal(passed, id);
				assert.ok(![parent, span].includes(called), 'a call has a span of its own');
			}
			assert.ok(model.asked.every(({ headers: sent }) => sent.tracestate === state));

			await until('the line of the request', () => server.log.some((line) => line.request_id === 'traced' && / 200, /.test(line.message)));
			const lines = server.log.filter((line) => line.request_id === 'traced');
			assert.ok(lines.length >= 2 && lines.every((line) => line.trace_id === id), JSON.stringify(lines));
			assert.ok(lines.every((line) => line.span_id === span && line.parent_id === parent), JSON.stringify(lines));
			const answered = lines.find(({ message }) => message.startsWith('answered: '));
			assert.equal(answered.conversation_id, reply.json.conversation_id);

			const before = model.asked.length;
			await server.query({ message: invoices }, { headers: { tracestate: state, traceparent: 'none' } });
			const later = model.asked.slice(before);
			assert.ok(later.length > 0 && later.every(({ headers: sent }) => sent.tracestate === undefined), 'a state without its trace is none');
		});
	} finally {
		await model.close();
	}
});

test('what plugins log, and whom they ask, belongs to the question that they work for', async () => {
	const model = await ModelServer.start();
	try {
		model.otherwise = { status: 500 };
		const installed = askingModel(model.url);
		installed.edit('config/smartsupport.yaml', /^ {2}level: .*$/m, '  level: debug');
		await withServer({ installation: installed, workers: 1 }, async (server) => {
			const ask = (id) => server.query({ message: 'I will call my lawyer!', user_id: id }, { headers: { 'x-request-id': id } });
			const ids = Array.from({ length: 8 }, (_, i) => `asked_${i}`);
			const replies = await Promise.all(ids.map(ask));
			for (const [i, reply] of replies.entries()) {
				const lines = () => server.log.filter((line) => line.request_id === ids[i]);
				await until('a line of the plugin', () => lines().some((line) => line.plugin === 'escalate'));
				const own = lines().filter((line) => line.plugin !== undefined);
				assert.ok(own.every((line) => line.conversation_id === reply.json.conversation_id), JSON.stringify(own));
				assert.ok(lines().some(({ message }) => /^a request to http:\/\/127.*, traceparent: 00-/.test(message)));
			}
		});
	} finally {
		await model.close();
	}
});

test('the line of a request tells its conversation', async () => {
	await withServer({ installation: new Installation(), workers: 1 }, async (server) => {
		let number = 0;
		const line = async (route, options) => {
			const id = `line_${++number}`;
			const reply = await server.request(route, { ...options, headers: { ...options?.headers, 'x-request-id': id } });
			assert.ok(reply.status < 400, reply.text);
			const own = () => server.log.find((one) => one.request_id === id && /^[A-Z]+ \//.test(one.message));
			await until('the line', own);
			return { reply, logged: own().conversation_id };
		};
		const post = (body) => ({ method: 'POST', body });
		const first = await line('/api/v1/query', post({ message: question }));
		const { conversation_id: id, metadata } = first.reply.json;
		assert.equal(first.logged, id);
		const route = `/api/v1/conversations/${id}`;
		for (const [path, options] of [
			['/api/v1/query', post({ message: question, conversation_id: id })],
			['/api/v1/query', post({ message: question, conversation_id: id, stream: true })],
			['/v1/chat/completions', post({ model: 'smartsupport', messages: [{ role: 'user', content: question }], conversation_id: id })],
			['/api/v1/feedback', post({ turn_id: metadata.turn_id, was_helpful: true })],
			[`/api/v1/events?conversation_id=${id}`],
			[route],
			[`${route}/messages`],
			[`${route}/export`],
			[`${route}/reply`, post({ message: 'Hello' })],
			[`${route}/close`, post()],
			[route, { method: 'DELETE' }],
		])
			assert.equal((await line(path, options)).logged, id, path);
		const stream = await line('/v1/chat/completions', post({ model: 'smartsupport', stream: true, messages: [{ role: 'user', content: question }] }));
		assert.ok(stream.reply.text.includes(stream.logged));
		assert.equal((await line('/api/v1/users')).logged, undefined);
	});
});

test('a request without a trace, or with one that is not valid, gets a new one; refusals as well', async () => {
	await withServer({ installation: new Installation(), workers: 1 }, async (server) => {
		const seen = new Set();
		for (const traceparent of [undefined, '00-0-0-00', `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`, 'x'.repeat(200)]) {
			const reply = await server.request('/livez', { headers: traceparent === undefined ? {} : { traceparent } });
			seen.add(pattern.exec(reply.headers.traceparent)[1]);
		}
		const [refused] = await server.exchange('POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n');
		seen.add(pattern.exec(refused.headers.traceparent)[1]);
		assert.equal(seen.size, 5);
		for (const id of seen) await until(`${id} in the log`, () => server.log.some((line) => line.trace_id === id));
	});
});

test('of requests that go well a share is logged, of others all are', async () => {
	const installed = new Installation();
	installed.edit('config/smartsupport.yaml', /^ {2}# access: 0\.1.*$/m, '  access: 0.25');
	await withServer({ installation: installed, workers: 1 }, async (server) => {
		for (let i = 0; i < 40; i++) {
			await server.request('/livez');
			assert.equal((await server.request('/nothing')).status, 404);
		}
		await server.request('/nothing', { headers: { 'x-request-id': 'last' } });
		await until('the last line', () => server.log.some((line) => line.request_id === 'last'));
		const lines = (start) => server.log.filter((line) => line.message?.startsWith(start)).length;
		assert.deepEqual([lines('GET /livez 200,'), lines('GET /nothing 404,')], [10, 41]);
	});
});

test('a log in JSON has one object a line, with the same fields', async () => {
	const installed = new Installation();
	await withServer({ installation: installed, workers: 1 }, async (server) => {
		installed.edit('config/smartsupport.yaml', /^ {2}format: .*$/m, '  format: json');
		server.signal('SIGHUP');
		await until('the new configuration', () => server.stderr.includes('the new configuration has taken over'));
		await until('one worker', () => server.workers().length === 1);
		const { json } = await server.query({ message: question }, { agent: false, headers: { 'x-request-id': 'as-json' } });
		const lines = () =>
			server.stderr
				.split('\n')
				.filter((line) => line.startsWith('{') && line.includes('"as-json"'))
				.map((line) => JSON.parse(line));
		await until('the line of the request', () => lines().some(({ message }) => / 200, /.test(message)));
		for (const line of lines()) assert.match(line.trace_id, /^[0-9a-f]{32}$/);
		assert.ok(lines().some((line) => line.conversation_id === json.conversation_id));
	});
});
