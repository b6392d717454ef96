// Streams whose answers a language model makes: what comes when, and what becomes of it when the model breaks off or
// the client leaves.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { parseEvents, pieces as shown } from './lib/events.mjs';
import { Installation } from './lib/files.mjs';
import { ModelServer, answer, chunk, event, pieces } from './lib/model_server.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const message = 'How do I reset my password?';

let model;
let server;

function installationOf(asked) {
	const installation = new Installation();
	installation.edit(
		'config/smartsupport.yaml',
		/^llm:\n(?:[ #].*\n|\n)*/m,
		`llm:\n  models:\n    - plugin: openai\n      backoff: 1ms\n      options: {provider: custom, base_url: '${asked.url}', model: scripted}\n` +
			'    - plugin: extractive\n',
	);
	return installation;
}

before(async () => {
	model = await ModelServer.start();
	server = await Server.start({ installation: installationOf(model) });
});
after(async () => {
	await server.stop();
	await model.close();
});

// A gate for the pieces of an answer: open(n) lets the first N parts of the reply go.
class Gate {
	constructor() {
		this.opened = 0;
		this.waiting = [];
		this.pass = (index) =>
			new Promise((resolve) => {
				this.waiting.push({ index, resolve });
				this.#look();
			});
	}

	open(count) {
		this.opened = count;
		this.#look();
	}

	#look() {
		for (const { index, resolve } of this.waiting) if (index < this.opened) resolve();
	}
}

// A connection on which a question was asked, the BODY of which goes to PATH.
function post(path, body, own = server) {
	const text = JSON.stringify(body);
	const connection = own.connect();
	connection.write(
		`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
	);
	return connection;
}

function ask(more = {}, own = server) {
	return post('/api/v1/query', { message, stream: true, ...more }, own);
}

function chat(user, own = server) {
	return post('/v1/chat/completions', { model: 'smartsupport', user, stream: true, messages: [{ role: 'user', content: message }] }, own);
}

async function stream(more = {}) {
	const reply = await server.query({ message, stream: true, ...more });
	assert.equal(reply.status, 200, reply.text);
	return parseEvents(reply.text);
}

// What USER was answered, once it is stored.
async function storedAnswer(user, own = server) {
	const sql = `SELECT content FROM messages JOIN conversations ON conversations.id = conversation_id
		WHERE user_id = '${user}' AND role = 'assistant'`;
	const [row] = await until('the turn to be stored', async () => {
		const rows = await own.rows(sql);
		return rows.length > 0 && rows;
	});
	return row.content;
}

test('the pieces come while the model makes them', async () => {
	const gate = new Gate();
	model.script(pieces(['Aaa ', 'bbb ', 'ccc.'], { gate: gate.pass }));
	const connection = ask();
	await model.untilAsked(1);
	// The first part of a reply has the role alone.
	gate.open(2);
	await connection.wait('the first piece', () => connection.received.includes('Aaa'));
	assert.ok(!connection.received.includes('bbb'));
	gate.open(3);
	await connection.wait('the second piece', () => connection.received.includes('bbb'));
	assert.ok(!connection.received.includes('ccc.'));
	gate.open(10);
	await connection.wait('the end', () => connection.received.includes('\r\n0\r\n\r\n'));
	assert.ok(connection.received.includes('event: final'));
	connection.destroy();
});

test('what a model thinks is neither told nor stored', async () => {
	model.script(pieces(['\n<th', 'ink>Who ', 'asks?</', 'think>\n\nOpen ', 'the page.']));
	const events = await stream({ user_id: 'thinks' });
	assert.ok(!JSON.stringify(events).includes('asks?'), JSON.stringify(events));
	assert.match(shown(events), /^Open the page\./);
	assert.match(await storedAnswer('thinks'), /^Open the page\./);
	// Thoughts that never end are no answer.
	model.script(pieces(['<think>Who ', 'asks?'], { finish: 'length' }));
	const unanswered = await stream({ user_id: 'only_thinks' });
	assert.ok(!JSON.stringify(unanswered).includes('asks?'), JSON.stringify(unanswered));
	const { models, answered_by } = unanswered.at(-1).data.metadata;
	assert.equal(answered_by, 'extractive');
	assert.deepEqual(models.map(({ model: name, status }) => [name, status]), [['custom/scripted', 'failed'], ['extractive', 'answered']]);
	assert.equal(models[0].error, 'it refused what it was asked');
	await server.untilLogged('has not begun its answer within max_tokens');
});

test('what a model said before it broke off is replaced', async () => {
	model.script(pieces(['Half of ', 'an answer'], { cut: 3 }), answer('A whole answer.'));
	const events = await stream();
	const names = events.map(({ name }) => name);
	assert.ok(names.includes('replace'), `${names}`);
	const before = events.slice(0, names.indexOf('replace'));
	assert.match(shown(before), /Half of an answer/);
	const { response, metadata } = events.at(-1).data;
	assert.equal(shown(events), response);
	assert.match(response, /A whole answer\./);
	assert.doesNotMatch(response, /Half of/);
	assert.equal(metadata.answered_by, 'custom/scripted');
});

test('a client of OpenAI gets an empty line and the new answer, and goes on in its conversation', async () => {
	const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'any', maxRetries: 0 });
	const create = (messages) =>
		openai.chat.completions.create({
			model: 'smartsupport',
			user: 'breaks_off',
			messages,
			stream: true,
			stream_options: { include_usage: true },
		});
	const collect = async (chunks) => {
		const all = [];
		for await (const chunk of chunks) all.push(chunk);
		return { all, content: all.map(({ choices }) => choices[0]?.delta.content ?? '').join('') };
	};
	model.script(pieces(['Half of ', 'an answer'], { cut: 3 }), answer('A whole answer.'));
	const first = await collect(await create([{ role: 'user', content: message }]));
	const last = first.all.at(-2);
	const stored = await server.value(
		`SELECT content FROM messages WHERE role = 'assistant' AND conversation_id = '${last.conversation_id}'`,
	);
	assert.ok(first.content.endsWith(`\n\n${stored}`), first.content);
	assert.ok(first.content.includes('Half of an answer'), first.content);
	assert.ok(first.all.at(-1).usage.completion_tokens > 0, 'the tokens are counted');
	const second = await collect(
		await create([
			{ role: 'user', content: message },
			{ role: 'assistant', content: first.content },
			{ role: 'user', content: 'Where do I find my invoices?' },
		]),
	);
	assert.equal(second.all.at(-2).conversation_id, last.conversation_id);
	const earlier = model.asked.at(-1).json.messages.filter(({ role }) => role !== 'system');
	assert.ok(earlier.some(({ role, content }) => role === 'assistant' && content.includes('Half of')));
});

test('a reply that is said to be done is over, though its connection stays', async () => {
	const gate = new Gate();
	const body = [event(chunk({ content: 'Aaa bbb.' })), event(chunk({}, 'stop')), event('[DONE]'), ': and no end\n\n'];
	model.script({ headers: { 'Content-Type': 'text/event-stream' }, body, gate: gate.pass });
	const connection = ask({ user_id: 'stays' });
	gate.open(3);
	await connection.wait('the end', () => connection.received.includes('event: final'));
	assert.ok(model.underWay > 0);
	assert.match(await storedAnswer('stays'), /Aaa bbb\./);
	gate.open(4);
	await model.untilIdle();
	connection.destroy();
});

test('a client that leaves stops the model, and what was said is stored', async () => {
	const gate = new Gate();
	const asked = model.asked.length;
	model.script(pieces(['Open the page. ', 'Never said.'], { gate: gate.pass }));
	const connection = ask({ user_id: 'leaves' });
	await model.untilAsked(asked + 1);
	gate.open(2);
	await connection.wait('the first piece', () => connection.received.includes('Open the page.'));
	connection.destroy();
	await model.untilIdle();
	const content = await storedAnswer('leaves');
	assert.match(content, /Open the page\./);
	assert.doesNotMatch(content, /Never said/);
});

test('a client of OpenAI that leaves gets stored what was said', async () => {
	const gate = new Gate();
	const asked = model.asked.length;
	model.script(pieces(['Open the page. ', 'Never said.'], { gate: gate.pass }));
	const connection = chat('chat_leaves');
	await model.untilAsked(asked + 1);
	gate.open(2);
	await connection.wait('the first piece', () => connection.received.includes('Open the page.'));
	connection.destroy();
	await model.untilIdle();
	const content = await storedAnswer('chat_leaves');
	assert.match(content, /^Open the page\./);
	assert.doesNotMatch(content, /Never said/);
});

test('a server that ends stops its models in time, tells their clients the end and stores what was said', async () => {
	const installation = installationOf(model);
	installation.edit('config/smartsupport.yaml', /drain_timeout: \w+/, 'drain_timeout: 1s');
	const own = await Server.start({ installation, workers: 1 });
	const gate = new Gate();
	const asked = model.asked.length;
	for (let i = 0; i < 4; i++) model.script(pieces(['Open the page. ', 'Never said.'], { gate: gate.pass }));
	const connections = [ask({ user_id: 'streams' }, own), chat('chats', own), ask({ user_id: 'waits', stream: false }, own), ask({ user_id: 'goes' }, own)];
	await model.untilAsked(asked + 4);
	gate.open(2);
	const [streams, chats, waits, goes] = connections;
	for (const connection of [streams, chats, goes]) await connection.wait('the first piece', () => connection.received.includes('Open the page.'));
	own.signal('SIGTERM');
	await own.untilLogged('stopping');
	goes.destroy();
	assert.deepEqual(await own.ended(), { code: 0, signal: null }, own.stderr);
	for (const connection of [streams, chats, waits]) await connection.wait('the end', () => connection.closed);
	await model.untilIdle();
	for (const user of ['streams', 'chats', 'waits', 'goes']) {
		const content = await storedAnswer(user, own);
		assert.match(content, /^Open the page\./, user);
		assert.doesNotMatch(content, /Never said/, user);
	}
	const text = streams.received.toString();
	assert.match(text, /event: final\r?\ndata: .*"cut":true/);
	assert.match(text, /\r\n0\r\n\r\n$/, 'the stream ends as one that is whole');
	assert.match(chats.received.toString(), /data: \[DONE\]/);
	assert.match(waits.received.toString(), /^HTTP\/1\.1 200 /);
	await own.close();
});

test('a server that ends before the model has said anything gives the articles, and stores that', async () => {
	const installation = installationOf(model);
	installation.edit('config/smartsupport.yaml', /drain_timeout: \w+/, 'drain_timeout: 200ms');
	const own = await Server.start({ installation, workers: 1 });
	const asked = model.asked.length;
	model.script({ silent: true });
	const connection = ask({ user_id: 'too_early' }, own);
	await model.untilAsked(asked + 1);
	own.signal('SIGTERM');
	assert.deepEqual(await own.ended(), { code: 0, signal: null }, own.stderr);
	await connection.wait('the end', () => connection.closed);
	assert.match(connection.received.toString(), /event: final/);
	assert.match(await storedAnswer('too_early', own), /Forgot password/);
	await own.close();
});

test('a client that leaves before the model has said anything gets the articles stored', async () => {
	const asked = model.asked.length;
	model.script({ silent: true });
	const connection = ask({ user_id: 'leaves_early' });
	await model.untilAsked(asked + 1);
	connection.destroy();
	await model.untilIdle();
	assert.match(await storedAnswer('leaves_early'), /Forgot password/);
});

test('many streams at once are kept apart', async () => {
	const count = 20;
	const gates = [];
	const asked = model.asked.length;
	for (let i = 0; i < count; i++) {
		const gate = new Gate();
		gates.push(gate);
		model.script((request) => {
			const [who] = /customer number \d+/.exec(request.text);
			return pieces([`For ${who}: `, 'first, ', 'second, ', 'third.'], { gate: gate.pass });
		});
	}
	const replies = Array.from({ length: count }, (_, i) =>
		stream({ message: `${message} I am customer number ${i}.`, user_id: `many_${i}` }),
	);
	await model.untilAsked(asked + count);
	for (let part = 1; part <= 10; part++) for (const gate of gates) gate.open(part);
	for (const [i, reply] of replies.entries()) {
		const events = await reply;
		assert.equal(shown(events), events.at(-1).data.response);
		assert.ok(shown(events).includes(`For customer number ${i}: first, second, third.`), shown(events));
	}
});
