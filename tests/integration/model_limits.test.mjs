// What bounds the server's use of a model: time to connect, tokens a minute, calls at once, the breaker; and what bounds
// a client's use of a stream.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { Installation } from './lib/files.mjs';
import { parseMetrics } from './lib/metrics.mjs';
import { ModelServer, answer, chunk, event, pieces } from './lib/model_server.mjs';
import { runProgram, withServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const question = 'How do I reset my password?';
const name = 'custom/scripted';

let model;
before(async () => (model = await ModelServer.start()));
afterEach(() => model.forget());
after(() => model.close());

// An installation whose model is at a URL, with these OPTIONS, and these lines of POLICY in its entry; then the local one.
function installationOf({ url = model.url, options = '', policy = '', local = true } = {}) {
	const installation = new Installation();
	installation.edit(
		'config/smartsupport.yaml',
		/^llm:\n(?:[ #].*\n|\n)*/m,
		`llm:\n  models:\n    - plugin: openai\n      options: {provider: custom, base_url: '${url}', model: scripted${options}}\n${policy}` +
			(local ? '    - plugin: extractive\n' : ''),
	);
	return installation;
}

async function metric(server, metricName) {
	const { text } = await server.request('/metrics', { agent: false });
	return parseMetrics(text).get(`${metricName}{gen_ai_operation_name="chat",gen_ai_provider_name="custom",gen_ai_request_model="scripted"}`);
}

// How many connections wait to be accepted at PORT.
function waiting(port) {
	const place = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
	const rows = fs.readFileSync('/proc/net/tcp', 'utf8').split('\n').map((line) => line.trim().split(/\s+/));
	const row = rows.find(([, local, , state]) => local?.endsWith(place) && state === '0A');
	return Number.parseInt(row[4].split(':')[1], 16);
}

// An address on loopback that takes no connection: a process listens there that is stopped, and its backlog is full.
// Gives {url, end}.
async function deafServer() {
	const program = "require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () { console.log(this.address().port); })";
	const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
	const sockets = [];
	const end = () => {
		child.kill('SIGKILL');
		for (const socket of sockets) socket.destroy();
	};
	try {
		let output = '';
		child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
		await until('the port', () => output.includes('\n'));
		child.kill('SIGSTOP');
		await until('the stop', () => fs.readFileSync(`/proc/${child.pid}/stat`, 'latin1').includes(') T '));
		const port = Number(output);
		for (let i = 0; i < 4; i++) sockets.push(net.connect({ port, host: '127.0.0.1' }).on('error', () => {}));
		await until('a full backlog', () => waiting(port) > 1);
		return { url: `http://127.0.0.1:${port}/v1`, end };
	} catch (error) {
		end();
		throw error;
	}
}

test('a connection that is not made has an end', async () => {
	const deaf = await deafServer();
	try {
		const installation = installationOf({ url: deaf.url, options: ', connect_timeout: 200ms', policy: '      attempts: 1\n', local: false });
		const { code, stderr, stdout } = await runProgram(['ask', '--json', '--config', installation.config, question], { env: installation.env });
		assert.notEqual(code, 0, stdout);
		assert.match(stderr, /custom\/scripted: http:\/\/127\.0\.0\.1:\d+: there was no connection within 0\.2 s/);
	} finally {
		deaf.end();
	}
});

test('a client that does not read its stream is cut off, the model is stopped, and what was said is stored', async () => {
	const limit = 256 * 1024 * 1024;
	let sent = 0;
	const words = 'Open the page. '.repeat(4096);
	const body = function* () {
		for (; sent < limit; sent += words.length) yield event(chunk({ content: words }));
	};
	model.script({ headers: { 'Content-Type': 'text/event-stream' }, body: body() });
	const installation = installationOf({ options: ', max_reply_kib: 1048576' });
	// What the kernel takes for the client counts in the answer.
	installation.edit('config/workflows/support.yaml', /^version: 1\n/m, 'version: 1\nmax_state_kib: 1048576\n');
	await withServer({ installation, workers: 1 }, async (server) => {
		const text = JSON.stringify({ message: question, user_id: 'deaf', stream: true });
		const connection = server.connect();
		connection.socket.pause();
		connection.write(`POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
		await server.untilLogged('cut off after');
		await model.untilIdle();
		assert.ok(sent < limit, 'the model is not read to its end');
		const rows = await until('the turn', async () => {
			const found = await server.rows(
				"SELECT substr(content, 1, 30) AS start FROM messages JOIN conversations ON conversations.id = conversation_id WHERE user_id = 'deaf' AND role = 'assistant'",
			);
			return found.length > 0 && found;
		});
		assert.deepEqual(rows, [{ start: 'Open the page. Open the page. ' }]);
		// Others are answered.
		model.script(answer('Open the page.'));
		assert.match((await server.ask(question, { user_id: 'other' })).response, /^Open the page\./);
		connection.destroy();
	});
});

test('a model whose tokens of a minute are used up is not asked by any worker', async () => {
	// So much is owed then that no minute is enough.
	model.otherwise = answer('Open the page.', { usage: { prompt_tokens: 1000000, completion_tokens: 20 } });
	const installation = installationOf({ policy: '      tokens_per_minute: 10000\n' });
	await withServer({ installation, workers: 2 }, async (server) => {
		const first = await server.ask(question, { user_id: 'first' });
		assert.equal(first.metadata.answered_by, name);
		for (let i = 0; i < 12; i++) {
			const { metadata } = await server.ask(question, { user_id: `later ${i}` }, { agent: false });
			assert.equal(metadata.answered_by, 'extractive');
			assert.equal(metadata.models[0].status, 'skipped');
			assert.equal(metadata.models[0].error, 'its budget of 10000 tokens a minute is used up');
		}
		assert.equal(model.asked.length, 1);
	});
});

test('as many calls as may be are under way, as many questions as may be wait, and the next one is answered locally', async () => {
	let answerAll;
	const wait = new Promise((resolve) => (answerAll = resolve));
	let [now, most] = [0, 0];
	model.otherwise = async () => {
		most = Math.max(most, ++now);
		await wait;
		now--;
		return answer('Open the page.');
	};
	const installation = installationOf({ policy: '      in_flight: 2\n      queue: 3\n' });
	await withServer({ installation, workers: 1 }, async (server) => {
		const ask = (user) => server.ask(question, { user_id: user });
		const asked = [ask('a'), ask('b')];
		await model.untilAsked(2);
		for (const [i, user] of ['c', 'd', 'e'].entries()) {
			asked.push(ask(user));
			await until('the question to wait', async () => (await metric(server, 'smartsupport_model_queue_length')) === i + 1);
		}
		assert.equal(await metric(server, 'smartsupport_model_in_flight'), 2);
		const { metadata } = await ask('f');
		assert.equal(metadata.answered_by, 'extractive');
		assert.equal(metadata.models[0].status, 'skipped');
		assert.equal(metadata.models[0].error, '2 calls of it are under way and 3 wait, and no more may');
		assert.equal(model.asked.length, 2);
		answerAll();
		for (const reply of await Promise.all(asked)) assert.equal(reply.metadata.answered_by, name);
		assert.equal(model.asked.length, 5);
		assert.ok(most <= 2, `${most} at once`);
		assert.equal(await metric(server, 'smartsupport_model_queue_length'), 0);
	});
});

test('with an API that is dead every question is answered locally, and nothing reaches it once the breaker is open', async () => {
	// Each connection is reset as soon as a request has come.
	model.otherwise = pieces('', { cut: -1 });
	const installation = installationOf({ policy: '      backoff: 1ms\n      breaker: {calls: 3, open: 1h}\n' });
	await withServer({ installation, workers: 1 }, async (server) => {
		const ask = async (i) => {
			const { response, metadata } = await server.ask(question, { user_id: `user ${i}` });
			assert.match(response, /Forgot password\?/);
			assert.equal(metadata.answered_by, 'extractive');
			const [api, local] = metadata.models;
			assert.equal(api.model, name);
			assert.deepEqual([local.model, local.status], ['extractive', 'answered']);
			return api;
		};
		for (let i = 0; (await metric(server, 'smartsupport_model_breaker_open')) !== 1; i++) {
			assert.ok(i < 3, 'the breaker opens');
			const { status, error } = await ask(i);
			assert.equal(status, 'failed');
			assert.ok(error.length > 0);
		}
		await server.untilLogged('the model custom/scripted keeps failing and is not asked for 3600 s');
		const [requests, connections] = [model.requests.length, model.connections];
		assert.equal(requests, 3);
		for (const api of await Promise.all(Array.from({ length: 40 }, (_, i) => ask(`later ${i}`)))) {
			assert.equal(api.status, 'skipped');
			assert.equal(api.error, 'it kept failing and is not asked for now');
			assert.ok(!('attempts' in api));
		}
		assert.deepEqual([model.requests.length, model.connections], [requests, connections]);
	});
});
