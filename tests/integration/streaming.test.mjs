// A question whose answer comes as it is made: POST /api/v1/query as an event stream.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Installation } from './lib/files.mjs';
import { parseEvents, pieces } from './lib/events.mjs';
import { untilAlone } from './lib/metrics.mjs';
import { Server, withServer } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

let server;
before(async () => (server = await Server.start()));
after(() => server.stop());

const accept = { headers: { Accept: 'text/event-stream' } };

async function stream(body, options = accept) {
	const reply = await server.query(body, options);
	assert.equal(reply.status, 200, reply.text);
	assert.equal(reply.headers['content-type'], 'text/event-stream');
	return { ...reply, events: parseEvents(reply.text) };
}

test('the events are the decisions, the articles, the pieces and the reply', async () => {
	const { events, headers } = await stream({ message: 'How do I reset my password?' });
	assert.equal(headers['x-accel-buffering'], 'no');
	assert.equal(headers['cache-control'], 'no-store');
	assert.ok(headers['x-request-id']);
	const names = events.map((event) => event.name);
	assert.deepEqual(names.filter((name) => name !== 'token').sort(), ['analysis', 'articles', 'final']);
	assert.equal(names.at(-1), 'final');
	const [analysis] = events.filter((event) => event.name === 'analysis');
	assert.deepEqual(analysis.data, { category: 'Account', sentiment: 'Neutral', priority: 5 });
	assert.ok(names.indexOf('analysis') < names.indexOf('token'), `${names}`);
	const [articles] = events.filter((event) => event.name === 'articles');
	assert.equal(articles.data[0].id, 'reset-password');
	for (const article of articles.data)
		assert.deepEqual(Object.keys(article).sort(), ['category', 'id', 'score', 'title']);
	assert.ok(names.filter((name) => name === 'token').length > 1, 'the answer comes in pieces');
});

test('the reply is the same as without a stream, and the pieces are its response', async () => {
	const message = 'Where do I find my invoices?';
	const { events } = await stream({ message, user_id: 'streams' });
	const { data: final } = events.at(-1);
	const plain = await server.ask(message, { user_id: 'asks' });
	assert.equal(pieces(events), final.response);
	assert.deepEqual(Object.keys(final).sort(), Object.keys(plain).sort());
	assert.deepEqual(Object.keys(final.metadata).sort(), Object.keys(plain.metadata).sort());
	for (const member of ['response', 'category', 'sentiment', 'priority'])
		assert.deepEqual(final[member], plain[member]);
	assert.deepEqual(final.metadata.kb_results, plain.metadata.kb_results);
	const stored = await server.rows(
		`SELECT role, content FROM messages WHERE conversation_id = '${final.conversation_id}' ORDER BY seq`,
	);
	assert.deepEqual(stored, [
		{ role: 'user', content: message },
		{ role: 'assistant', content: final.response },
	]);
});

test('escalations, small talk and questions without an answer come as a stream as well', async () => {
	for (const message of ['I will call my lawyer!', 'Hello!', 'How high is the Eiffel tower?']) {
		const { events } = await stream({ message });
		assert.equal(events.at(-1).name, 'final', message);
		assert.equal(pieces(events), events.at(-1).data.response, message);
	}
});

test('the body says whether there is a stream, else the header Accept does', async () => {
	const message = 'Hello!';
	const by = async (body, options) => (await server.query({ message, ...body }, options)).headers['content-type'];
	assert.equal(await by({ stream: true }), 'text/event-stream');
	assert.equal(await by({ stream: false }, accept), 'application/json');
	assert.equal(await by({}), 'application/json');
	assert.equal(await by({}, { headers: { Accept: 'application/json, text/event-stream;q=0' } }), 'application/json');
	const wrong = await server.query({ message, stream: 'yes' });
	assert.equal(wrong.status, 422);
	assert.equal(wrong.json.errors[0].pointer, '/stream');
});

test('a conversation goes on in a stream', async () => {
	const first = (await stream({ message: 'Where do I find my invoices?', user_id: 'goes_on' })).events.at(-1).data;
	const second = await stream({
		message: 'And how do I reset my password?',
		user_id: 'goes_on',
		conversation_id: first.conversation_id,
	});
	assert.equal(second.events.at(-1).data.conversation_id, first.conversation_id);
	assert.equal(
		await server.value(`SELECT count(*) FROM messages WHERE conversation_id = '${first.conversation_id}'`),
		4,
	);
});

test('what is wrong before the first event is an ordinary problem', async () => {
	for (const [body, status] of [
		[{}, 422],
		['{', 400],
		[{ message: 'x', user_id: 'nobody', conversation_id: 'conv_01932f3e-5c5a-7cc1-9a4e-0d1c2b3a4f50' }, 404],
	]) {
		const reply = await server.query(body, accept);
		assert.equal(reply.status, status, reply.text);
		assert.equal(reply.headers['content-type'], 'application/problem+json');
	}
});

test('an error after the first event is an event', async () => {
	const installation = new Installation().dawdle({ more: ', timeout: 100ms' });
	await withServer({ installation }, async (own) => {
		const reply = await own.query({ message: 'How do I reset my password?' }, accept);
		assert.equal(reply.status, 200);
		const events = parseEvents(reply.text);
		assert.ok(events.some((event) => event.name === 'token'));
		const { name, data } = events.at(-1);
		assert.equal(name, 'error');
		assert.equal(data.status, 503);
		assert.equal(data.instance, `urn:request:${reply.headers['x-request-id']}`);
		assert.equal(await own.value('SELECT count(*) FROM messages'), 0);
	});
});

// A connection on which a stream has begun, whose turn waits until the installation is opened.
async function begin(own) {
	const body = JSON.stringify({ message: 'How do I reset my password?', stream: true });
	const connection = own.connect();
	connection.write(
		`POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
	);
	await connection.wait('a piece', () => connection.received.includes('event: token'));
	assert.ok(!connection.received.includes('event: final'));
	return connection;
}

test('a stream that is silent tells that it is alive', async () => {
	const installation = new Installation().dawdle();
	installation.edit('config/smartsupport.yaml', /heartbeat: \w+/, 'heartbeat: 50ms');
	await withServer({ installation }, async (own) => {
		const connection = await begin(own);
		await connection.wait('two signs', () => connection.received.toString().split('\n: still at work\n\n').length > 2);
		installation.open();
		await connection.wait('the end', () => connection.received.includes('\r\n0\r\n\r\n'));
		assert.ok(connection.received.includes('event: final'));
		connection.destroy();
	});
});

test('what was answered is stored when the client has gone away', async () => {
	const installation = new Installation().dawdle();
	await withServer({ installation }, async (own) => {
		const connection = await begin(own);
		connection.destroy();
		await untilAlone(own);
		installation.open();
		await until('the turn to be stored', async () => (await own.value('SELECT count(*) FROM messages')) === 2);
		await own.untilLogged('cut off after');
	});
});

test('a stream is let to its end when the server stops', async () => {
	const installation = new Installation().dawdle();
	const own = await Server.start({ installation });
	try {
		const connection = await begin(own);
		own.signal('SIGTERM');
		await own.untilLogged('stopping');
		installation.open();
		await connection.wait('the end', () => connection.received.includes('\r\n0\r\n\r\n'));
		assert.ok(connection.received.includes('event: final'));
		assert.deepEqual(await own.ended(), { code: 0, signal: null });
		connection.destroy();
		await own.close();
	} finally {
		own.killAll();
	}
});
