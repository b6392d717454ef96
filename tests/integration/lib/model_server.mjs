// A server on loopback that speaks as an OpenAI-compatible API does, and does what a test's script says, also
// what no good server does. What it was asked is kept in `requests`.
//
//     const model = await ModelServer.start();
//     model.script(failure(503, 'busy', { 'Retry-After': '1' }), answer('Click it [reset-password].'));
//     … a server under test with LLM_BASE_URL=model.url …
//     await model.close();
//
// Each request to /v1/chat/completions takes the next step of the script; when none is left, `otherwise`. A step is
// made by one of the functions below, is an object with the same members, or a function that gets the request
// ({method, path, headers, json, text, version}) and gives a step, at once or later (a promise that the test holds
// keeps the reply back). /v1/embeddings has a script of its own, embeddingScript(), and otherwise gives vectors.
//
// A step's members, all of them optional:
//     status, headers        of the reply; 200 and what fits the body by default
//     text                   of the model, as a completion or as a stream, whichever was asked for
//     pieces                 the same, cut as the list says; a stream has one chunk for each
//     finish                 the finish_reason, "stop" by default
//     refusal                what the model refuses with, in place of a text
//     usage                  {prompt_tokens, completion_tokens}; null: tells none
//     streamed               true or false: a stream or none, whatever was asked for
//     body                   text or bytes in place of all this, or an iterable of parts, which may be asynchronous
//     wait                   a promise; the status is sent once it is kept
//     pause                  milliseconds before each part of the body
//     gate                   async function(index), which is waited for before each part of the body
//     cut                    how many parts of the body are sent before the connection is reset; 0: none, but the
//                            status; -1: not even that
//     silent                 nothing is sent, ever; the connection stays until the client goes
//     stall                  how many parts are sent before nothing follows and the connection stays
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import path from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from './files.mjs';
import { pause, until } from './wait.mjs';

const run = promisify(execFile);

export function answer(text, more = {}) {
	return { text, ...more };
}

// A stream of the pieces of LIST, or of the words of a text.
export function pieces(list, more = {}) {
	return { pieces: typeof list === 'string' ? list.match(/\S+\s*|\s+/g) : list, ...more };
}

export function failure(status, message, headers = {}, more = {}) {
	const body = JSON.stringify({ error: { message, type: 'test', param: null, code: null } });
	return { status, headers: { 'Content-Type': 'application/json', ...headers }, body, ...more };
}

// One event of a stream, as text; for a step's `body`.
export function event(data) {
	return `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
}

const head = { id: 'chatcmpl-test', created: 1700000000 };

export function chunk(delta, finish = null, more = {}) {
	return { ...head, object: 'chat.completion.chunk', model: 'scripted', choices: [{ index: 0, delta, finish_reason: finish }], ...more };
}

export function completion(message, finish = 'stop', more = {}) {
	const choices = [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }];
	return { ...head, object: 'chat.completion', model: 'scripted', choices, ...more };
}

const defaultUsage = { prompt_tokens: 100, completion_tokens: 20 };

function usageOf(step) {
	if (step.usage === null) return null;
	const usage = step.usage ?? defaultUsage;
	return { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens };
}

function streamOf(step, asked) {
	const { finish = 'stop', refusal } = step;
	const usage = usageOf(step);
	const texts = step.pieces ?? (step.text === undefined ? [] : [step.text]);
	const parts = [chunk({ role: 'assistant', content: '' }), ...texts.map((content) => chunk({ content }))];
	if (refusal !== undefined) parts.push(chunk({ refusal }));
	parts.push(chunk({}, finish));
	if (usage && asked?.stream_options?.include_usage) parts.push({ ...chunk({}), choices: [], usage });
	return [...parts.map(event), event('[DONE]')];
}

function completionOf(step) {
	const content = step.text ?? step.pieces?.join('') ?? null;
	const message = step.refusal === undefined ? { content } : { content: null, refusal: step.refusal };
	const usage = usageOf(step);
	return [JSON.stringify(completion(message, step.finish ?? 'stop', usage ? { usage } : {}))];
}

// A vector of words: texts with words in common are near each other. Of length 1 unless SCALE says otherwise.
export function wordVector(text, dimension, scale = 1) {
	const vector = new Array(dimension).fill(0);
	for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? ['']) {
		let hash = 2166136261;
		for (const byte of Buffer.from(word)) hash = Math.imul(hash ^ byte, 16777619) >>> 0;
		vector[hash % dimension] += 1;
		vector[(hash >>> 16) % dimension] += 0.5;
	}
	const length = Math.hypot(...vector);
	return vector.map((value) => (value / length) * scale);
}

// A certificate authority and certificates by it, as files. NAMES as in subjectAltName, "IP:127.0.0.1".
export class Authority {
	static async make() {
		const authority = new Authority();
		authority.folder = temporaryFolder();
		authority.file = authority.path('ca.pem');
		await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=test authority',
			'-addext', 'basicConstraints=critical,CA:TRUE', '-keyout', authority.path('ca.key'), '-out', authority.file]);
		return authority;
	}

	path(name) {
		return path.join(this.folder, name);
	}

	async certificate({ name = 'server', names = 'IP:127.0.0.1,DNS:localhost', days = 2 } = {}) {
		const [key, request, certificate] = ['key', 'csr', 'pem'].map((type) => this.path(`${name}.${type}`));
		fs.writeFileSync(this.path(`${name}.ext`), `subjectAltName=${names}\n`);
		await run('openssl', ['req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=test server', '-keyout', key, '-out', request]);
		await run('openssl', ['x509', '-req', '-in', request, '-CA', this.file, '-CAkey', this.path('ca.key'), '-CAcreateserial',
			'-days', String(days), '-extfile', this.path(`${name}.ext`), '-out', certificate]);
		return { key: fs.readFileSync(key), cert: fs.readFileSync(certificate) };
	}
}

export class ModelServer {
	#script = [];
	#embeddings = [];
	#sockets = new Set();

	// Options: certificate (as Authority.certificate() gives it: HTTPS), http2 (with a certificate: HTTP/2 is offered
	// as well), dimension (of vectors), otherwise (a step), port.
	static async start(options = {}) {
		const model = new ModelServer();
		model.dimension = options.dimension ?? 8;
		model.otherwise = options.otherwise ?? answer('An answer.');
		model.requests = [];
		model.connections = 0; // that were ever made
		model.underWay = 0; // requests whose reply is not over
		const listener = (request, reply) => void model.#serve(request, reply);
		const { certificate } = options;
		if (!certificate) model.server = http.createServer(listener);
		else if (options.http2) model.server = http2.createSecureServer({ ...certificate, allowHTTP1: true }, listener);
		else model.server = https.createServer(certificate, listener);
		model.server.on('connection', (socket) => {
			model.connections++;
			model.#sockets.add(socket);
			socket.on('error', () => {});
			socket.on('close', () => model.#sockets.delete(socket));
		});
		model.server.on('sessionError', () => {});
		model.server.on('tlsClientError', () => {});
		await new Promise((resolve, reject) => {
			model.server.on('error', reject);
			model.server.listen(options.port ?? 0, '127.0.0.1', resolve);
		});
		model.server.unref(); // a test that fails must not keep its process
		model.port = model.server.address().port;
		model.url = `${certificate ? 'https' : 'http'}://127.0.0.1:${model.port}/v1`;
		return model;
	}

	script(...steps) {
		this.#script.push(...steps);
	}

	embeddingScript(...steps) {
		this.#embeddings.push(...steps);
	}

	// Drops what is left of the scripts, and what was asked.
	forget() {
		this.#script.length = this.#embeddings.length = this.requests.length = 0;
	}

	// The steps that no request has taken yet.
	get left() {
		return this.#script.length + this.#embeddings.length;
	}

	// Requests for completions, without those for anything else.
	get asked() {
		return this.requests.filter((request) => request.path.endsWith('/chat/completions'));
	}

	async untilAsked(count, limit) {
		await until(`${count} requests to the model`, () => this.asked.length >= count, limit);
		return this.asked[count - 1];
	}

	async untilIdle(limit) {
		await until('the end of all requests to the model', () => this.underWay === 0, limit);
	}

	async close() {
		const closed = new Promise((resolve) => this.server.close(resolve));
		for (const socket of this.#sockets) socket.destroy();
		await closed;
	}

	async #serve(incoming, reply) {
		const bytes = [];
		this.underWay++;
		reply.once('close', () => this.underWay--);
		incoming.on('error', () => {});
		reply.on('error', () => {});
		for await (const part of incoming) bytes.push(part);
		const text = Buffer.concat(bytes).toString();
		const request = { method: incoming.method, path: incoming.url, headers: incoming.headers, text, version: incoming.httpVersion };
		try {
			request.json = JSON.parse(text);
		} catch {
			// Kept as text only.
		}
		this.requests.push(request);
		try {
			await this.#reply(request, reply);
		} catch (error) {
			// A client that is gone, or a mistake in a test's script, which the test shall see.
			if (!reply.destroyed && !reply.headersSent) reply.writeHead(599, { 'Content-Type': 'text/plain' }).end(String(error));
			else reset(reply);
		}
	}

	async #step(request) {
		if (request.path.endsWith('/embeddings')) return (await called(this.#embeddings.shift(), request)) ?? this.#vectors(request);
		if (request.path.endsWith('/chat/completions')) return called(this.#script.shift() ?? this.otherwise, request);
		return failure(404, `there is no ${request.method} ${request.path}`);
	}

	#vectors({ json }) {
		const input = [json?.input].flat();
		const data = input.map((text, index) => ({ object: 'embedding', index, embedding: wordVector(text, this.dimension) }));
		const usage = { prompt_tokens: input.length, total_tokens: input.length };
		return { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ object: 'list', model: json?.model, data, usage }) };
	}

	async #reply(request, reply) {
		const step = await this.#step(request);
		const streamed = step.streamed ?? request.json?.stream === true;
		const type = streamed && step.body === undefined ? 'text/event-stream' : 'application/json';
		const whole = typeof step.body === 'string' || Buffer.isBuffer(step.body);
		const parts = step.body === undefined ? (streamed ? streamOf(step, request.json) : completionOf(step)) : whole ? [step.body] : step.body;
		if (step.silent) return;
		await step.wait;
		if (step.cut === -1) return reset(reply);
		reply.writeHead(step.status ?? 200, { 'Content-Type': type, ...step.headers });
		reply.flushHeaders?.();
		let index = 0;
		for await (const part of parts) {
			if (step.stall === index) return;
			if (step.pause) await pause(step.pause);
			await step.gate?.(index);
			if (reply.destroyed) return;
			if (step.cut === index) return cut(reply);
			index++;
			await written(reply, part);
		}
		if (step.cut !== undefined) return cut(reply);
		if (step.stall === undefined) reply.end();
	}
}

async function called(step, request) {
	return typeof step === 'function' ? step(request) : step;
}

// A part that the client does not take is waited for: a large reply must not lie in memory here.
function written(reply, part) {
	if (reply.write(part)) return undefined;
	return new Promise((resolve) => {
		const over = () => {
			reply.off('drain', over).off('close', over);
			resolve();
		};
		reply.on('drain', over).on('close', over);
	});
}

// What was written is on its way first.
async function cut(reply) {
	await pause(0);
	reset(reply);
}

function reset(reply) {
	if (reply.stream?.close) reply.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
	else reply.socket?.resetAndDestroy?.();
}
