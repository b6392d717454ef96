// Each operation of the OpenAPI document does what it says: all its examples, and every status that can be had from outside.
//
// Examples name things by the ids that are in `known`; here they get those of a turn that was made for them.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Contract } from './lib/contract.mjs';
import { Installation, root } from './lib/files.mjs';
import { Server } from './lib/server.mjs';

const installation = new Installation();
let server;
let contract;
before(async () => {
	server = await Server.start({ installation, env: { DOCS_DIR: path.join(root, 'node_modules') } });
	contract = new Contract((await server.request('/openapi.json')).json);
});
after(() => server.stop());

const known = {
	conversation: 'conv_01933c5e-7a10-7c3b-9d2e-5f0a1b2c3d4e',
	turn: 'turn_01933c5e-7a10-7c3b-9d2e-5f0a1b2c3d4f',
	user: 'user_123',
};

// What cannot be had here, and why.
const elsewhere = {
	401: 'a server without keys asks for none',
	421: 'the tests ask under a name of the server; cors.test.mjs asks under others',
	429: 'so much is not asked here; limits.test.mjs has small limits',
	...Object.fromEntries(
		['askQuestion', 'giveFeedback', 'addArticle', 'importArticles', 'replyToConversation', 'createChatCompletion'].map((operation) => [
			`${operation} 409`,
			'two must ask with one Idempotency-Key at once; idempotency.test.mjs does',
		]),
	),
	'reload 202': 'a reload must take minutes',
	'reload 409': 'the configuration must have a mistake; reload.test.mjs has many',
	408: 'a request must take half a minute; tests/unit/http/limits_test.c has less patience',
	403: 'a server without keys lets everybody do everything',
	500: 'something must be wrong in the server',
	503: 'the server must have too much to do, or lack its store or its files',
	...Object.fromEntries(
		['askQuestion 202', 'resumeTurn 200', 'resumeTurn 202', 'resumeTurn 409'].map((name) => [
			name,
			'a workflow must wait for an answer; turns_api.test.mjs has one',
		]),
	),
};

// Examples that this server, whose workflow waits for nothing, cannot do anything with.
const unready = ['resumeTurn'];

async function assertKept(method, route, options) {
	const reply = await server.request(route, { method, ...options });
	assert.deepEqual(contract.mistakes(method, route, reply), [], `${method} ${route} ${JSON.stringify(options)}\n${reply.text}`);
	return reply;
}

// The same of a head that no client sends.
async function assertKeptRaw(operation, { query = '', headers = [], version = 'HTTP/1.1' }) {
	const route = contract.pathOf(operation);
	const head = [`${operation.method} ${route}${query} ${version}`, `Host: 127.0.0.1:${server.port}`, ...headers];
	const [reply] = await server.exchange(`${head.join('\r\n')}\r\n\r\n`);
	assert.deepEqual(contract.mistakes(operation.method, route, reply), [], reply.text);
	return reply;
}

// VALUE, of an example of OPERATION, with ids that exist; what is created gets one that does not.
async function real(value, operation) {
	const { conversation_id, metadata } = await server.ask('How do I reset my password?', { user_id: known.user });
	let text = JSON.stringify(value).replaceAll(known.conversation, conversation_id).replaceAll(known.turn, metadata.turn_id);
	if (operation.operationId.startsWith('create')) text = text.replaceAll(known.user, 'user_new');
	return JSON.parse(text);
}

test('every request example is answered as the document says', async () => {
	// What removes things comes last.
	const operations = contract.operations
		.filter((operation) => !contract.isEndless(operation))
		.toSorted((a, b) => (a.method === 'DELETE') - (b.method === 'DELETE'));
	for (const operation of operations) {
		const bodies = contract.bodiesOf(operation);
		if (operation.requestBody) assert.ok(bodies.length > 0, `${operation.operationId} has no example`);
		for (const { type, body } of bodies.length > 0 ? bodies : [{}]) {
			const { route, sent } = await real({ route: contract.pathOf(operation), sent: body }, operation);
			const headers = type ? { 'Content-Type': type } : {};
			const reply = await assertKept(operation.method, route, { body: sent, headers });
			assert.ok(reply.status < 300 || unready.includes(operation.operationId), `${operation.operationId}: ${reply.status} ${reply.text}`);
		}
	}
});

// Replies that nobody needs an example of: the pages, and the document itself.
const shown = ['getDocs', 'getReference', 'getErrorDocs', 'getPageFile', 'getOpenApi'];

test('every reply with a body has examples, and they fit their schemas', () => {
	let count = 0;
	for (const operation of contract.operations) {
		for (const [status, response] of Object.entries(operation.responses)) {
			for (const [type, media] of Object.entries(contract.follow(response).content ?? {})) {
				const examples = contract.examplesOf(media);
				if (status[0] !== '2' || !shown.includes(operation.operationId))
					assert.ok(examples.length > 0, `${operation.operationId} ${status} ${type} has no example`);
				for (const example of examples) {
					const fits = contract.validator(media.schema);
					assert.ok(fits(example), `${operation.operationId} ${status}: ${JSON.stringify(fits.errors)}`);
					if (media.example?.type?.startsWith('/')) assert.equal(String(example.status), status);
					count++;
				}
			}
		}
	}
	assert.ok(count > 50, `${count}`);
});

// Each schema within SCHEMA, with where it is.
function* schemasIn(schema, at) {
	if (schema === null || typeof schema !== 'object') return;
	if (schema.type !== undefined) yield { schema, at };
	for (const [key, value] of Object.entries(schema.properties ?? {})) yield* schemasIn(value, `${at}.${key}`);
	for (const key of ['items', 'additionalProperties']) yield* schemasIn(schema[key], `${at}.${key}`);
	for (const value of schema.anyOf ?? []) yield* schemasIn(value, at);
}

// To generated clients an object of which nothing is said is one that has no members, and nobody can read or give any.
test('every object says which members it has, or that it may have any', () => {
	const named = Object.entries(contract.document.components.schemas);
	const inline = contract.operations.flatMap((operation) =>
		Object.values(operation.responses).flatMap((response) =>
			Object.values(contract.follow(response).content ?? {}).map((media) => [operation.operationId, media.schema]),
		),
	);
	for (const [name, whole] of [...named, ...inline])
		for (const { schema, at } of schemasIn(whole, name))
			if ([schema.type].flat().includes('object')) assert.ok(schema.properties ?? schema.additionalProperties !== undefined, at);
});

// How each status is provoked in any operation, or in one.
const provocations = {
	'putArticle 201': (operation) => {
		const [{ body }] = contract.bodiesOf(operation);
		return assertKept('PUT', contract.pathOf(operation, { id: 'a-new-one' }), { body });
	},
	409: async (operation) => {
		const [{ body }] = contract.bodiesOf(operation);
		const twice = { body: operation.operationId === 'addArticle' ? { ...body, id: 'twice' } : body };
		await assertKept(operation.method, contract.pathOf(operation), twice);
		return assertKept(operation.method, contract.pathOf(operation), twice);
	},
	406: (operation) => assertKept(operation.method, contract.pathOf(operation), { headers: { Accept: 'application/x-none' } }),
	412: (operation) => {
		const [{ body } = {}] = contract.bodiesOf(operation);
		return assertKept(operation.method, contract.pathOf(operation), { body, headers: { 'If-Match': '"0"' } });
	},
	304: async (operation) => {
		if (operation.operationId === 'getArticle') await provocations['putArticle 201']({ ...contract.operations.find((one) => one.operationId === 'putArticle'), path: contract.pathOf(operation) });
		const { route } = await real({ route: contract.pathOf(operation) }, operation);
		// Each worker lists the articles that it serves: it may be asked while another one has a change already.
		assert.equal((await server.request('/api/v1/kb/reindex', { method: 'POST' })).status, 200);
		const { headers } = await server.request(route);
		return assertKept('GET', route, { headers: { 'If-None-Match': headers.etag } });
	},
	400: (operation) => assertKept(operation.method, `${contract.pathOf(operation)}?x=%FF`),
	404: async (operation) => {
		const none = { conversation: known.conversation.replace(/.$/, '0'), turn: known.turn.replace(/.$/, '0') };
		const names = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
		// Ids of another form do not exist either.
		const values = Object.fromEntries(names.map((name) => [name, contract.pathOf(operation).match(/(conv|turn)_/) ? undefined : 'there-is-none']));
		const swap = (value) => JSON.parse(JSON.stringify(value).replaceAll(known.conversation, none.conversation).replaceAll(known.turn, none.turn));
		const [{ body, type } = {}] = contract.bodiesOf(operation);
		const sent = operation.operationId === 'askQuestion' ? { ...body, conversation_id: known.conversation } : body;
		const model = sent?.model && operation.path.startsWith('/v1/') ? { ...sent, model: 'another' } : sent;
		return assertKept(operation.method, swap(contract.pathOf(operation, values)), {
			body: model === undefined ? undefined : swap(model),
			headers: type ? { 'Content-Type': type } : {},
		});
	},
	413: (operation) => assertKeptRaw(operation, { headers: ['Content-Type: application/json', 'Content-Length: 99999999999'] }),
	414: (operation) => assertKeptRaw(operation, { query: `?x=${'x'.repeat(20000)}` }),
	417: (operation) => assertKeptRaw(operation, { headers: ['Expect: the-best', 'Content-Length: 2'] }),
	431: (operation) => assertKeptRaw(operation, { headers: [`X-Long: ${'x'.repeat(20000)}`] }),
	501: (operation) => assertKeptRaw(operation, { headers: ['Transfer-Encoding: gzip'] }),
	505: (operation) => assertKeptRaw(operation, { version: 'HTTP/3.0' }),
	415: (operation) => assertKept(operation.method, contract.pathOf(operation), { body: 'x', headers: { 'Content-Type': 'text/plain' } }),
	422: (operation) => assertKept(operation.method, `${contract.pathOf(operation)}?no_such_parameter=1`),
};

test('every status of an operation is seen, or there is a reason why not', async () => {
	const unseen = [];
	for (const operation of contract.operations) {
		for (const status of Object.keys(operation.responses)) {
			const name = `${operation.operationId} ${status}`;
			if (contract.isEndless(operation) && status === '200') continue; // the tests of these operations follow them
			if (contract.seen.has(name) || elsewhere[status] || elsewhere[name]) continue;
			const reply = await (provocations[name] ?? provocations[status])?.(operation);
			if (!contract.seen.has(name)) unseen.push(`${name}: ${reply?.status} ${reply?.text.slice(0, 200)}`);
		}
	}
	assert.deepEqual(unseen, []);
});
