// The routes under /v1 as a client of OpenAI's API uses them: with OpenAI's own client, and by hand where that one
// would not send what is wrong.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { parseEvents } from './lib/events.mjs';
import { Installation } from './lib/files.mjs';
import { parseMetrics, untilAlone } from './lib/metrics.mjs';
import { Server, withServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const model = 'smartsupport';
const password = 'How do I reset my password?';
const invoices = 'Where do I find my invoices?';

let server;
let openai;
before(async () => {
	server = await Server.start();
	openai = clientOf(server);
});
after(() => server.stop());

function clientOf(own) {
	return new OpenAI({ baseURL: `${own.url}/v1`, apiKey: 'not-looked-at', maxRetries: 0 });
}

function say(role, content) {
	return { role, content };
}

function complete(messages, more = {}, options = {}) {
	return openai.chat.completions.create({ model, messages, ...more }, options);
}

async function refusal(promise) {
	try {
		await promise;
	} catch (error) {
		return error;
	}
	throw new Error('it was not refused');
}

// What a client makes of a stream: {content, chunks}.
async function collect(stream) {
	const chunks = [];
	for await (const chunk of stream) chunks.push(chunk);
	return { chunks, content: chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('') };
}

test('a question is answered as on the own API, with what was decided', async () => {
	const seconds = () => Math.floor(Date.now() / 1000);
	const before = seconds();
	const completion = await complete([say('user', password)], { user: 'facade_1' });
	assert.ok(completion.created >= before && completion.created <= seconds(), `${completion.created}`);
	const own = await server.ask(password, { user_id: 'own_1' });
	assert.match(completion.id, /^chatcmpl-[0-9a-f-]{36}$/);
	assert.equal(completion.object, 'chat.completion');
	assert.equal(completion.model, model);
	assert.deepEqual(completion.choices, [
		{
			index: 0,
			message: { role: 'assistant', content: own.response, refusal: null },
			logprobs: null,
			finish_reason: 'stop',
		},
	]);
	assert.deepEqual(completion.usage, { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 });
	for (const member of ['category', 'sentiment', 'priority']) assert.deepEqual(completion[member], own[member]);
	assert.equal(completion.escalated, false);
	assert.deepEqual(completion.sources, own.metadata.sources);
	assert.match(completion.conversation_id, /^conv_/);
	const [row] = await server.rows(`SELECT user_id FROM conversations WHERE id = '${completion.conversation_id}'`);
	assert.equal(row.user_id, 'facade_1');
	assert.equal(
		await server.value(`SELECT content FROM messages WHERE turn_id = '${completion.turn_id}'`),
		own.response,
	);
});

test('an escalation is told', async () => {
	const completion = await complete([say('user', 'I will call my lawyer!')], { user: 'facade_2' });
	assert.equal(completion.escalated, true);
});

test('the conversation follows the messages', async () => {
	const messages = [say('system', 'You are helpful.'), say('user', invoices)];
	const first = await complete(messages, { user: 'facade_3' });
	messages.push(first.choices[0].message, say('user', password));
	const second = await complete(messages, { user: 'facade_3' });
	assert.equal(second.conversation_id, first.conversation_id);
	messages.push(say('assistant', ` ${second.choices[0].message.content}\n\n`), say('user', invoices));
	const third = await complete(messages, { user: 'facade_3' });
	assert.equal(third.conversation_id, first.conversation_id, 'white space does not count');
	const stored = await server.rows(
		`SELECT role, content FROM messages WHERE conversation_id = '${first.conversation_id}' ORDER BY seq`,
	);
	assert.deepEqual(
		stored.filter(({ role }) => role === 'user').map(({ content }) => content),
		[invoices, password, invoices],
	);
	const other = await complete(messages, { user: 'facade_4' });
	assert.notEqual(other.conversation_id, first.conversation_id, 'another user has another conversation');
	messages[1] = say('user', 'Something else?');
	const changed = await complete(messages, { user: 'facade_3' });
	assert.notEqual(changed.conversation_id, first.conversation_id, 'other messages are another conversation');
});

test('who gives no user goes on in a conversation as well', async () => {
	const first = await complete([say('user', 'What is a sheet?')]);
	const second = await complete([say('user', 'What is a sheet?'), first.choices[0].message, say('user', password)]);
	assert.equal(second.conversation_id, first.conversation_id);
});

test('earlier messages are what the workflow sees as the history', async () => {
	const earlier = [];
	for (let i = 0; i < 2; i++) earlier.push(say('user', password), say('assistant', 'Click there.'));
	const completion = await complete([...earlier, say('user', password)], { user: 'facade_5' });
	assert.equal(completion.escalated, true, 'the third attempt goes to a human');
	const fresh = await complete([say('user', password)], { user: 'facade_6' });
	assert.equal(fresh.escalated, false);
});

test('earlier messages that are stored are not embedded again, also by another server', async () => {
	const messages = [say('user', invoices)];
	const goOn = async (running) => {
		const completion = await clientOf(running).chat.completions.create({ model, messages });
		messages.push(completion.choices[0].message, say('user', password));
	};
	let database;
	await withServer({}, async (first) => {
		database = first.database;
		await goOn(first);
	});
	await withServer({ database }, async (second) => {
		await goOn(second);
		const metrics = await second.request('/metrics');
		assert.equal(parseMetrics(metrics.text).get('smartsupport_embedder_texts_total'), 1);
	});
});

test('a conversation_id wins over the messages', async () => {
	const first = await complete([say('user', invoices)], { user: 'facade_7' });
	const { conversation_id } = first;
	const second = await complete([say('user', password)], { user: 'facade_7', conversation_id });
	assert.equal(second.conversation_id, conversation_id);
	const error = await refusal(complete([say('user', password)], { user: 'facade_8', conversation_id }));
	assert.equal(error.status, 404);
	assert.equal(error.param, 'conversation_id');
});

test('content may come in parts', async () => {
	const parts = [
		{ type: 'text', text: 'How do I reset ' },
		{ type: 'text', text: 'my password?' },
	];
	const completion = await complete([say('user', parts)], { user: 'facade_9' });
	assert.equal(completion.sources[0].id, 'reset-password');
	assert.equal(
		await server.value(
			`SELECT content FROM messages WHERE role = 'user' AND conversation_id = '${completion.conversation_id}'`,
		),
		password,
	);
});

test('what other models understand and this one does not need is passed over', async () => {
	const completion = await complete([say('developer', 'x'), say('user', password)], {
		temperature: 0.2,
		max_completion_tokens: 100,
		n: 1,
		tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }],
		metadata: { a: 'b' },
	});
	assert.equal(completion.sources[0].id, 'reset-password');
});

test('a stream comes in pieces that together are the answer', async () => {
	const { chunks, content } = await collect(await complete([say('user', password)], { user: 'facade_10', stream: true }));
	const own = await server.ask(password, { user_id: 'own_2' });
	assert.equal(content, own.response);
	assert.ok(chunks.length > 3);
	assert.equal(new Set(chunks.map(({ id }) => id)).size, 1);
	for (const chunk of chunks) {
		assert.equal(chunk.object, 'chat.completion.chunk');
		assert.equal(chunk.model, model);
		assert.ok(!('usage' in chunk));
	}
	assert.equal(chunks[0].choices[0].delta.role, 'assistant');
	assert.equal(chunks[0].category, 'Account');
	assert.deepEqual(
		chunks.map(({ choices }) => choices[0].finish_reason),
		[...chunks.slice(1).map(() => null), 'stop'],
	);
	const last = chunks.at(-1);
	assert.deepEqual(last.choices[0].delta, {});
	assert.equal(last.priority, 5);
	assert.equal(last.sources[0].id, 'reset-password');
	const stored = `SELECT content FROM messages WHERE role = 'assistant' AND conversation_id = '${last.conversation_id}'`;
	assert.equal(await server.value(stored), own.response);
	const next = await complete([say('user', password), say('assistant', content), say('user', invoices)], {
		user: 'facade_10',
		stream: true,
	});
	assert.equal((await collect(next)).chunks.at(-1).conversation_id, last.conversation_id);
});

test('a stream ends with its usage when that is asked for, and with [DONE]', async () => {
	const more = { stream: true, stream_options: { include_usage: true } };
	const { chunks } = await collect(await complete([say('user', password)], more));
	assert.deepEqual(chunks.at(-1).choices, []);
	assert.deepEqual(chunks.at(-1).usage, { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 });
	for (const chunk of chunks.slice(0, -1)) assert.equal(chunk.usage, null);
	const raw = await server.request('/v1/chat/completions', {
		method: 'POST',
		body: { model, messages: [say('user', password)], ...more },
	});
	assert.equal(raw.headers['content-type'], 'text/event-stream');
	assert.equal(parseEvents(raw.text).at(-1).data, '[DONE]');
});

test('the models are listed', async () => {
	const listed = [];
	for await (const each of openai.models.list()) listed.push(each);
	assert.deepEqual(
		listed.map(({ id, object, owned_by }) => ({ id, object, owned_by })),
		[{ id: model, object: 'model', owned_by: model }],
	);
	assert.ok(listed[0].created <= Date.now() / 1000 && listed[0].created > Date.now() / 1000 - 3600);
	assert.deepEqual(await openai.models.retrieve(model), listed[0]);
	const error = await refusal(openai.models.retrieve('gpt-4o'));
	assert.equal(error.status, 404);
	assert.equal(error.code, 'model_not_found');
});

function cosine(a, b) {
	return a.reduce((sum, each, i) => sum + each * b[i], 0);
}

test('texts are embedded, as numbers and as bytes', async () => {
	const input = [password, 'I forgot my password', 'Where do I find my invoices?'];
	const floats = await openai.embeddings.create({ model, input, encoding_format: 'float' });
	assert.equal(floats.object, 'list');
	assert.deepEqual(floats.data.map(({ index }) => index), [0, 1, 2]);
	const [reset, forgot, bill] = floats.data.map(({ embedding }) => embedding);
	assert.equal(reset.length, 384);
	assert.ok(Math.abs(cosine(reset, reset) - 1) < 1e-3);
	assert.ok(cosine(reset, forgot) > cosine(reset, bill) + 0.2);
	// The client asks for bytes when it is not told otherwise.
	const bytes = await openai.embeddings.create({ model, input });
	assert.deepEqual(
		bytes.data.map(({ embedding }) => [...Float32Array.from(embedding)]),
		floats.data.map(({ embedding }) => [...Float32Array.from(embedding)]),
	);
	const one = await openai.embeddings.create({ model, input: password, dimensions: 384, encoding_format: 'float' });
	assert.equal(one.data.length, 1);
	assert.ok(cosine(one.data[0].embedding, reset) > 0.999);
});

test('many texts are embedded in their order', async () => {
	const input = Array.from({ length: 30 }, (_, i) => (i % 3 === 0 ? password : `text number ${i}`));
	const { data } = await openai.embeddings.create({ model, input, encoding_format: 'float' });
	assert.deepEqual(data.map(({ index }) => index), input.map((_, i) => i));
	for (let i = 0; i < 30; i += 3) assert.ok(cosine(data[0].embedding, data[i].embedding) > 0.999, `${i}`);
	assert.ok(cosine(data[0].embedding, data[1].embedding) < 0.9);
});

test('what cannot be embedded is refused with its place', async () => {
	const refused = async (body) => refusal(openai.embeddings.create({ model, encoding_format: 'float', ...body }));
	for (const [body, param] of [
		[{ input: [] }, 'input'],
		[{ input: '' }, 'input'],
		[{ input: [password, ' '] }, 'input[1]'],
		[{ input: [[1, 2, 3]] }, 'input[0]'],
		[{ input: [1, 2] }, 'input[0]'],
		[{ input: 'x'.repeat(40000) }, 'input'],
		[{ input: Array.from({ length: 513 }, () => 'x') }, 'input'],
		[{ input: password, dimensions: 100 }, 'dimensions'],
		[{ input: password, dimensions: 'many' }, 'dimensions'],
		[{ input: password, encoding_format: 'hex' }, 'encoding_format'],
		[{}, 'input'],
	]) {
		const error = await refused(body);
		assert.equal(error.status, 400, JSON.stringify(body).slice(0, 100));
		assert.equal(error.param, param, error.message);
		assert.equal(error.type, 'invalid_request_error');
	}
	assert.equal((await refused({ model: 'text-embedding-3-small', input: 'x' })).code, 'model_not_found');
});

test('what is wrong with a question is refused with its place', async () => {
	const good = [say('user', password)];
	for (const [body, param, status = 400] of [
		[{ model: 'gpt-4o', messages: good }, 'model', 404],
		[{ messages: good }, 'model'],
		[{ model }, 'messages'],
		[{ model, messages: [] }, 'messages'],
		[{ model, messages: 'hello' }, 'messages'],
		[{ model, messages: [say('assistant', 'hello')] }, 'messages'],
		[{ model, messages: [say('system', 'hello')] }, 'messages'],
		[{ model, messages: [say('user', '  ')] }, 'messages'],
		[{ model, messages: [say('user', 'x'.repeat(4001))] }, 'messages'],
		[{ model, messages: ['hello'] }, 'messages[0].role'],
		[{ model, messages: [...good, say('robot', 'hello')] }, 'messages[1].role'],
		[{ model, messages: [say('user', 7)] }, 'messages[0].content'],
		[{ model, messages: [say('user', 'a\0b')] }, 'messages[0].content'],
		[{ model, messages: [say('user', [{ type: 'image_url', image_url: { url: 'x' } }])] }, 'messages[0].content[0]'],
		[{ model, messages: [say('user', [{ type: 'text' }])] }, 'messages[0].content[0]'],
		[{ model, messages: good, user: 7 }, 'user'],
		[{ model, messages: good, user: 'x'.repeat(129) }, 'user'],
		[{ model, messages: good, conversation_id: 'conv_1' }, 'conversation_id'],
		[{ model, messages: good, stream: 'yes' }, 'stream'],
		[{ model, messages: good, stream: true, stream_options: { include_usage: 1 } }, 'stream_options.include_usage'],
		[{ model, messages: good, stream: true, stream_options: 5 }, 'stream_options'],
		[{ model, messages: good, stream: true, stream_options: [] }, 'stream_options'],
		[{ model, messages: good, n: 2 }, 'n'],
	]) {
		const { status: got, json } = await server.request('/v1/chat/completions', { method: 'POST', body });
		assert.equal(got, status, JSON.stringify(body).slice(0, 100));
		assert.deepEqual(Object.keys(json), ['error']);
		assert.equal(json.error.param, param, json.error.message);
		assert.equal(json.error.type, 'invalid_request_error');
		assert.ok(json.error.message.length > 10);
	}
	for (const [body, headers, status] of [
		['{', {}, 400],
		['[]', {}, 400],
		['', {}, 400],
		['{}', { 'Content-Type': 'text/plain' }, 415],
	]) {
		const reply = await server.request('/v1/chat/completions', { method: 'POST', body, headers });
		assert.equal(reply.status, status);
		assert.equal(reply.json.error.type, 'invalid_request_error');
		assert.equal(reply.json.error.param, null);
	}
	const error = await refusal(complete([say('user', '')]));
	assert.ok(error instanceof OpenAI.BadRequestError);
	assert.match(error.message, /the last message must be the user's/);
});

test('a long chat is taken', async () => {
	const messages = [];
	for (let i = 0; i < 100; i++) messages.push(say('user', `question ${i}`), say('assistant', 'x'.repeat(4000)));
	const completion = await complete([...messages, say('user', password)], { user: 'facade_11' });
	assert.equal(completion.sources[0].id, 'reset-password');
});

test('a turn that fails is an error of the server, in a stream as well', async () => {
	const installation = new Installation().dawdle();
	installation.editWorkflow('timeout: 300s', 'timeout: 1s');
	await withServer({ installation }, async (own) => {
		const client = clientOf(own);
		const ask = (more) => client.chat.completions.create({ model, messages: [say('user', password)], ...more });
		const plain = await refusal(ask({}));
		assert.equal(plain.status, 503);
		assert.equal(plain.type, 'server_error');
		assert.equal(plain.headers.get('retry-after'), '1');
		const streamed = await refusal(ask({ stream: true }).then(collect));
		assert.equal(streamed.type, 'server_error');
	});
});

test('a client that stops a stream is noticed, and the turn is stored', async () => {
	const installation = new Installation().dawdle();
	await withServer({ installation }, async (own) => {
		const stream = await clientOf(own).chat.completions.create({
			model,
			messages: [say('user', password)],
			stream: true,
		});
		for await (const chunk of stream) {
			assert.equal(chunk.object, 'chat.completion.chunk');
			if (chunk.choices[0].delta.content) break;
		}
		stream.controller.abort();
		await untilAlone(own);
		installation.open();
		await until('the turn to be stored', async () => (await own.value('SELECT count(*) FROM messages')) === 2);
		await own.untilLogged('cut off after');
	});
});
