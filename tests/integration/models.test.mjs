// A model behind an OpenAI-compatible API, seen from outside: what is asked of it, and what becomes of each thing
// that such an API can do wrong.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { Installation } from './lib/files.mjs';
import { Authority, ModelServer, answer, chunk, completion, event, failure, pieces } from './lib/model_server.mjs';
import { runProgram, withServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const key = 'sk-test-7f3a9c0d1e5b2846';
const question = 'How do I reset my password?';

let model;
let installed;
let authority;

before(async () => {
	authority = await Authority.make();
	model = await ModelServer.start();
	installed = new Installation();
});

after(() => model.close());

// Lets the installation ask the model at a URL, with these options of the plugin.
function configure(options) {
	// Durations are written without quotes.
	const all = JSON.stringify({ base_url: model.url, model: 'scripted', ...options }).replace(/"(\d+m?s)"/g, '$1');
	installed.edit('config/smartsupport.yaml', /^llm:\n(?: .*\n)*/m, `llm:\n  plugin: openai\n  options: ${all}\n`);
}

// Asks once, in a process of its own.
async function ask(options = {}, env = {}) {
	configure(options);
	return runProgram(['ask', '--json', '--config', installed.config, question], { env: { ...installed.env, ...env } });
}

async function answered(options, env) {
	const result = await ask(options, env);
	assert.equal(result.code, 0, result.stderr);
	return JSON.parse(result.stdout).reply.response;
}

// What the model does each time that it is asked, and what is said of it.
async function refused(step, sentence, options, env) {
	model.otherwise = step;
	const result = await ask(options, env);
	assert.notEqual(result.code, 0, result.stdout);
	assert.match(result.stderr, sentence);
	assert.ok(!(result.stdout + result.stderr).includes(key), 'the key is not told');
}

test('the answer is the model\'s own, with its citations in order', async () => {
	model.otherwise = pieces(['Open the page [reset-', 'password]. Then click [made-up', '-article].']);
	const response = await answered({ api_key: key });
	assert.match(response, /Open the page \[1\]\. Then click\./);
	assert.match(response, /Source: How do I reset my password\?/);
	const request = model.asked.at(-1);
	assert.equal(request.headers.authorization, `Bearer ${key}`);
	assert.equal(request.json.stream, true);
	assert.match(request.json.messages[0].content, /<article id="reset-password"/);
	assert.equal(request.json.messages.at(-1).content, question);
});

test('an answer that does not stream is the same', async () => {
	model.otherwise = answer('Open the page [reset-password].');
	assert.match(await answered({ stream: false }), /Open the page \[1\]\./);
	assert.equal(model.asked.at(-1).json.stream, undefined);
});

test('a server that does not know of streams is understood', async () => {
	model.otherwise = answer('Open the page.', { streamed: false });
	assert.match(await answered(), /Open the page\./);
});

test('a stream may be cut anywhere', async () => {
	const bytes = Buffer.from([chunk({ content: 'Öffne ' }), chunk({ content: 'es → so.' }), chunk({}, 'stop')].map(event).join('') + event('[DONE]'));
	const single = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
	model.otherwise = { headers: { 'Content-Type': 'text/event-stream' }, body: single };
	assert.match(await answered(), /Öffne es → so\./);
});

test('a model that finds no answer in the articles makes the agent abstain', async () => {
	model.otherwise = pieces(['NO_', 'ANSWER']);
	const response = await answered();
	assert.doesNotMatch(response, /NO_|Source/);
	assert.match(response, /human agent/);
});

test('429 and 5xx are handed on with what the server says', async () => {
	await refused(failure(429, 'slow down', { 'Retry-After': '0' }), /custom\/scripted answers with 429: slow down/);
	await refused(failure(503, 'busy', { 'Retry-After': new Date().toUTCString() }), /answers with 503: busy/);
	await refused({ status: 502, headers: { 'Content-Type': 'text/html' }, body: '<html>bad gateway</html>' }, /answers with 502/);
});

test('a refused key is told without the key', async () => {
	await refused(failure(401, `the key ${key} is unknown`), /answers with 401: the key \*+ is unknown; is the key right/, { api_key: key });
});

test('no piece of the key is told, wherever the server puts it', async () => {
	const start = key.slice(0, 8);
	for (const step of [
		// The message is cut behind 200 bytes, in the middle of the key.
		failure(401, `${'x'.repeat(190)}${key}`),
		{ headers: { 'Content-Type': `text/${key}` }, body: 'x' },
		{ status: 307, headers: { Location: `http://x.example/?${'x'.repeat(170)}${key}` }, body: '' },
		{ refusal: `${'x'.repeat(190)}${key}` },
	]) {
		model.otherwise = step;
		const result = await ask({ api_key: key });
		assert.notEqual(result.code, 0, result.stdout);
		assert.ok(!(result.stdout + result.stderr).includes(start), result.stderr);
	}
});

test('a reply that is cut off, empty, of another type or no JSON is told apart', async () => {
	await refused({ body: '{"choices": [{"message": {"content": "Op', streamed: false }, /sends a reply that cannot be read/);
	await refused({ body: event('{"choices": [{"del'), headers: { 'Content-Type': 'text/event-stream' } }, /sends a reply that cannot be read/);
	await refused({ body: event(chunk({ content: 'Open' })), headers: { 'Content-Type': 'text/event-stream' } }, /ends its reply before it is whole/);
	await refused({ body: '<html>', headers: { 'Content-Type': 'text/html' } }, /answers with the type "text\/html", not with JSON; is the base URL right\?/);
	await refused({ body: JSON.stringify({ ...completion({ content: 'x' }), choices: [] }) }, /sends a reply without any choice/);
	await refused(pieces(['']), /gives an empty answer/);
});

test('a refusal is no answer', async () => {
	await refused({ refusal: 'I must not.' }, /refuses to answer: I must not\./);
	await refused(pieces('Half an answer', { finish: 'content_filter' }), /refuses to answer: its content filter objects/);
});

test('what is refused to one customer does not keep the model from others', async () => {
	installed.edit(
		'config/smartsupport.yaml',
		/^llm:\n(?: .*\n)*/m,
		`llm:\n  models:\n    - plugin: openai\n      breaker: {calls: 2, open: 1h}\n      options: {base_url: '${model.url}', model: scripted}\n    - plugin: extractive\n`,
	);
	await withServer({ installation: installed, workers: 1 }, async (server) => {
		for (const step of [{ refusal: 'I must not.' }, pieces('Half an answer', { finish: 'content_filter' })]) {
			model.otherwise = step;
			for (let i = 0; i < 3; i++) {
				const { metadata } = await server.ask(question, { user_id: `refused ${model.asked.length}` });
				assert.equal(metadata.models[0].status, 'failed');
				assert.equal(metadata.models[0].error, 'it refused what it was asked');
			}
		}
		model.otherwise = answer('Open the page.');
		assert.match((await server.ask(question, { user_id: 'other' })).response, /Open the page\./);
	});
});

test('a reply of 10 MB is not read to its end', async () => {
	let sent = 0;
	const parts = function* () {
		for (; sent < 10 * 1024 * 1024; sent += 65536) yield ' '.repeat(65536);
	};
	const long = () => ({ body: ((sent = 0), parts()) });
	await refused(long, /the reply is longer than 1048576 bytes/, { max_reply_kib: 1024 });
	assert.ok(sent < 10 * 1024 * 1024, 'the connection was closed before');
});

test('a head of a reply that is too long is told as such', async () => {
	const line = { 'X-Long': 'x'.repeat(200 * 1024) };
	await refused(answer('Open the page.', { headers: line }), /custom\/scripted: http:\/\/127\.0\.0\.1:\d+: the head of the reply is too long/);
	const lines = Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`X-Long-${i}`, 'x'.repeat(8 * 1024)]));
	await refused(answer('Open the page.', { headers: lines }), /custom\/scripted: http:\/\/127\.0\.0\.1:\d+: the head of the reply is too long/);
});

test('a redirect is not followed', async () => {
	const before_it = model.asked.length;
	await refused({ status: 307, headers: { Location: `${model.url}/elsewhere` }, body: '' }, /answers with 307, a redirect to ".*elsewhere", which is not followed/);
	assert.ok(model.requests.slice(before_it).every(({ path }) => path.endsWith('/chat/completions')));
});

test('a connection that is reset before or in the reply is told', async () => {
	await refused(answer('x', { cut: -1 }), /custom\/scripted: http:\/\/127\.0\.0\.1:\d+: /);
	await refused(pieces('Open the page now.', { cut: 3 }), /the reply broke off/);
});

test('each wait has an end', async () => {
	await refused({ silent: true }, /nothing came back within 0\.2 s/, { first_token_timeout: '200ms' });
	// A server that shows that it lives, and gives a role, has not begun to answer.
	const signs = [event(chunk({ role: 'assistant', content: '' })), ...Array(400).fill(': ping\n\n')];
	await refused(
		{ headers: { 'Content-Type': 'text/event-stream' }, body: signs, pause: 20 },
		/the answer has not begun within 4 s/,
		{ first_token_timeout: '4s' },
	);
	await refused(pieces('Open the page now.', { stall: 2 }), /nothing more came within 0\.2 s/, { idle_timeout: '200ms' });
	const drip = Array.from(event(chunk({ content: 'Open the page now.' })));
	await refused({ headers: { 'Content-Type': 'text/event-stream' }, body: drip, pause: 20 }, /the request was not over within 0\.5 s/, { timeout: '500ms' });
});

test('where nothing listens, or a name has no address, the sentence says so', async () => {
	const gone = await ModelServer.start();
	await gone.close();
	await refused(answer('x'), new RegExp(`127\\.0\\.0\\.1:${gone.port}: .*onnect`), { base_url: gone.url });
	// A label of more than 63 characters is none, which needs no name server.
	await refused(answer('x'), /no address is known for this name/, { base_url: `http://${'a'.repeat(70)}.example/v1` });
});

test('a certificate is verified, against the file that SSL_CERT_FILE names as well', async () => {
	const secure = await ModelServer.start({ certificate: await authority.certificate(), otherwise: answer('Open the page.') });
	const other = await ModelServer.start({ certificate: await authority.certificate({ name: 'other', names: 'DNS:other.example' }) });
	try {
		assert.match(await answered({ base_url: secure.url }, { SSL_CERT_FILE: authority.file }), /Open the page\./);
		await refused(answer('x'), /certificate/, { base_url: secure.url });
		await refused(answer('x'), /its certificate is not trusted: .*127\.0\.0\.1/, { base_url: other.url }, { SSL_CERT_FILE: authority.file });
		assert.equal(other.requests.length, 0);
	} finally {
		await secure.close();
		await other.close();
	}
});

test('connections are kept, and HTTP/2 is spoken where it is offered', async () => {
	const secure = await ModelServer.start({ certificate: await authority.certificate(), http2: true, otherwise: pieces('Open the page.') });
	try {
		configure({ base_url: secure.url, api_key: key });
		await withServer({ installation: installed, workers: 1, env: { SSL_CERT_FILE: authority.file } }, async (server) => {
			for (let i = 0; i < 3; i++) assert.match((await server.ask(question, { user_id: `user ${i}` })).response, /Open the page\./);
			await Promise.all([0, 1, 2, 3].map((i) => server.ask(question, { user_id: `side ${i}` })));
		});
		assert.deepEqual([...new Set(secure.asked.map(({ version }) => version))], ['2.0']);
		assert.equal(secure.connections, 1);
	} finally {
		await secure.close();
	}
});

test('no question waits until another one is answered', async () => {
	const secure = await ModelServer.start({ certificate: await authority.certificate() });
	try {
		for (const server of [model, secure]) {
			let answerAll;
			const wait = new Promise((resolve) => (answerAll = resolve));
			server.otherwise = pieces('Open the page.', { wait });
			server.forget();
			configure({ base_url: server.url });
			await withServer({ installation: installed, workers: 1, env: { SSL_CERT_FILE: authority.file } }, async (own) => {
				const asked = [0, 1, 2, 3].map((i) => own.ask(question, { user_id: `user ${i}` }));
				await server.untilAsked(4);
				answerAll();
				for (const reply of await Promise.all(asked)) assert.deepEqual(reply.metadata.models.map(({ attempts }) => attempts), [1]);
			});
		}
	} finally {
		await secure.close();
	}
});

test('the environment names the API, and what it is asked by', async () => {
	model.otherwise = answer('Open the page.');
	installed.edit('config/smartsupport.yaml', /^llm:\n(?: .*\n)*/m, 'llm:\n  plugin: openai\n');
	const run = (env) => runProgram(['ask', '--json', '--config', installed.config, question], { env: { ...installed.env, ...env } });
	const result = await run({ LLM_BASE_URL: new URL(model.url).origin, LLM_MODEL: 'own', OPENAI_API_KEY: key });
	assert.equal(result.code, 0, result.stderr);
	assert.equal(model.asked.at(-1).json.model, 'own');
	assert.equal(model.asked.at(-1).headers.authorization, `Bearer ${key}`);
	const nameless = await run({ LLM_BASE_URL: model.url });
	assert.notEqual(nameless.code, 0);
	assert.match(nameless.stderr, /smartsupport\.yaml:\d+:\d+: .* has no default model; name one with the option model or LLM_MODEL/);
});

test('a base URL that cannot work is found before anybody asks', async () => {
	const check = async (url) => {
		configure({ base_url: url });
		return runProgram(['check', '--config', installed.config], { env: installed.env });
	};
	for (const url of ['http://', 'http:///v1', 'http://127.0.0.1:port', 'http://127.0.0.1:99999/v1', 'http://[::1/v1', 'ftp://127.0.0.1']) {
		const { code, stderr, stdout } = await check(url);
		assert.equal(code, 1, `${url}: ${stdout}`);
		assert.match(stdout + stderr, /smartsupport\.yaml:\d+:\d+: the base URL /);
	}
	for (const url of ['http://user:password@host/v1', 'ftp://user:password@host/v1', 'https://host/v1?key=password']) {
		const { code, stderr, stdout } = await check(url);
		assert.equal(code, 1, stdout);
		assert.ok(!(stdout + stderr).includes('password'), stdout + stderr);
	}
	for (const url of ['HTTP://127.0.0.1:9000', 'http://[::1]:9000/v1', 'https://host.example/a/b/']) assert.equal((await check(url)).code, 0, url);
});

// The memory of PID that a core file would have: all that can be written, but what is marked as not to be dumped.
function dumped(pid) {
	const parts = [];
	const memory = fs.openSync(`/proc/${pid}/mem`);
	try {
		for (const area of fs.readFileSync(`/proc/${pid}/smaps`, 'latin1').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
			const [, from, to, rights] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(area);
			const [flags] = /^VmFlags:.*$/m.exec(area) ?? [''];
			const size = Number(BigInt(`0x${to}`) - BigInt(`0x${from}`));
			const resident = Number(/^Rss: +(\d+)/m.exec(area)?.[1] ?? 0);
			if (!rights.startsWith('rw') || flags.includes(' dd') || resident === 0 || size > 2 ** 30) continue;
			const bytes = Buffer.alloc(size);
			try {
				fs.readSync(memory, bytes, 0, size, BigInt(`0x${from}`));
				parts.push(bytes);
			} catch {
				// Not to be read at all, as the kernel's own areas.
			}
		}
	} finally {
		fs.closeSync(memory);
	}
	return parts;
}

test('a worker\'s memory shows no key to a core file, and its environment has none', async () => {
	model.otherwise = pieces('Open the page.');
	// By its own variable, and by the configuration.
	for (const options of ['{}', '{api_key: "${OPENAI_API_KEY}"}']) {
		installed.edit('config/smartsupport.yaml', /^llm:\n(?: .*\n)*/m, `llm:\n  plugin: openai\n  options: ${options}\n`);
		await showsNoKey({ OPENAI_API_KEY: key });
	}
	// By a header of the configuration.
	const options = '{headers: {Authorization: "Bearer ${GATEWAY_API_KEY}"}}';
	installed.edit('config/smartsupport.yaml', /^llm:\n(?: .*\n)*/m, `llm:\n  plugin: openai\n  options: ${options}\n`);
	await showsNoKey({ GATEWAY_API_KEY: key });
});

test('the values of headers are told nowhere', async () => {
	const header = `Basic ${key}`;
	const headers = { Authorization: header, 'X-Team': key };
	await refused(failure(401, `${header} is unknown, as is ${key}`), /answers with 401: Basic \*+ is unknown, as is \*+; /, { headers });
	assert.equal(model.asked.at(-1).headers.authorization, header);
	assert.equal(model.asked.at(-1).headers['x-team'], key);
	for (const broken of [key, [key], { [`X Team`]: key }, { 'X-Team': [key] }, { 'X-Team': `${key}\n` }]) {
		const result = await ask({ headers: broken });
		assert.notEqual(result.code, 0, result.stdout);
		assert.match(result.stderr, /smartsupport\.yaml:\d+:\d+: /);
		assert.ok(!(result.stdout + result.stderr).includes(key.slice(0, 8)), result.stderr);
	}
});

async function showsNoKey(keys) {
	const env = { LLM_BASE_URL: model.url, LLM_MODEL: 'scripted', ...keys };
	await withServer({ installation: installed, workers: 1, env }, async (server) => {
		await server.ask(question);
		assert.equal(model.asked.at(-1).headers.authorization, `Bearer ${key}`);
		const [worker] = server.workers();
		assert.ok(!fs.readFileSync(`/proc/${worker}/environ`, 'latin1').includes(key));
		// The sanitizers keep a copy of the environment that the process began with; of the program's own, above.
		const parts = dumped(worker);
		assert.ok(parts.some((bytes) => bytes.includes('smartsupport')), 'the memory was read');
		assert.equal(parts.map((bytes) => bytes.toString('latin1').replaceAll(new RegExp(`[A-Z]+_API_KEY=${key}`, 'g'), '')).filter((text) => text.includes(key)).length, 0);
		// The next set of workers still has it.
		server.signal('SIGHUP');
		await until('the new worker', () => server.workers().length === 1 && server.workers()[0] !== worker);
		await server.ask(question, { user_id: 'other' });
		assert.equal(model.asked.at(-1).headers.authorization, `Bearer ${key}`);
		assert.ok(!server.stderr.includes(key));
	});
}
