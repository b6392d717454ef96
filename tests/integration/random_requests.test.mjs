// Requests by chance for every operation, made from its schemas: good ones are taken, bad ones are refused, and whatever
// comes, the reply is one that the document has, and the server lives on and stops well.
//
// The same ones each time, unless SMARTSUPPORT_TEST_SEED names others; SMARTSUPPORT_TEST_REQUESTS says how many there are.
import assert from 'node:assert/strict';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Contract } from './lib/contract.mjs';
import { Installation, root } from './lib/files.mjs';
import { request } from './lib/http.mjs';
import { Values, generator } from './lib/random.mjs';
import { Server } from './lib/server.mjs';

const seed = Number(process.env.SMARTSUPPORT_TEST_SEED ?? 1);
const count = Number(process.env.SMARTSUPPORT_TEST_REQUESTS ?? 2000);
const random = generator(seed);
const agent = new http.Agent({ keepAlive: true });

let server;
let contract;
let values;
let operations; // whose replies end
before(async () => {
	const installation = new Installation();
	server = await Server.start({ installation, env: { DOCS_DIR: path.join(root, 'node_modules') } });
	contract = new Contract((await server.request('/openapi.json')).json);
	operations = contract.operations.filter((operation) => !contract.isEndless(operation));
	const { conversation_id, metadata } = await server.ask('How do I reset my password?', { user_id: 'user_123' });
	values = new Values(random, (schema) => contract.follow(schema), {
		'conversation-id': [conversation_id, 'conv_01933c5e-7a10-7c3b-9d2e-5f0a1b2c3d4e'],
		'turn-id': [metadata.turn_id, 'turn_01933c5e-7a10-7c3b-9d2e-5f0a1b2c3d4f'],
		'article-id': ['reset-password', 'no-such-article'],
		'date-time': ['2026-01-31T09:05:00Z', '2026-01-31T10:05:00.5+01:00'],
		email: ['ann@example.org'],
	});
});
after(async () => {
	agent.destroy();
	await server.stop();
});

const parametersOf = (operation) => (operation.parameters ?? []).map((one) => contract.follow(one));

// Cursors and other strings that mean something cannot be made up.
const opaque = ['cursor'];

// A path and a query; of PARAMETER, when there is one, with a value that is wrong.
function routeOf(operation, wrong) {
	const valueOf = (parameter) => {
		const value = parameter === wrong ? values.bad(parameter.schema) : values.good(parameter.schema);
		return encodeURIComponent(typeof value === 'object' ? JSON.stringify(value) : value);
	};
	const all = parametersOf(operation);
	const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name) => valueOf(all.find((one) => one.name === name)) || 'x');
	const given = all.filter((one) => one.in === 'query' && (one === wrong || one.required || (!opaque.includes(one.name) && random.chance(0.4))));
	const query = given.map((one) => `${one.name}=${valueOf(one)}`).join('&');
	return query ? `${path}?${query}` : path;
}

const mediaOf = (operation) => (operation.requestBody ? contract.follow(operation.requestBody).content['application/json'] : undefined);

function bodyOf(operation) {
	const media = mediaOf(operation);
	return media && values.good(media.schema);
}

// A request that the operation must take, or say that what it names is not there.
function good(operation) {
	const body = bodyOf(operation);
	// Bodies in OpenAI's form are checked by more than their schemas.
	return { kind: operation['x-body'] ? 'any' : 'good', route: routeOf(operation), body: body && JSON.stringify(body) };
}

// Bodies that are none, whatever the schema; the empty one only where one is required.
const garbage = [
	'{', 'null', '[]', '"x"', '{}x', '{"a":1,"a":2}', '\ufeff{}', `${'['.repeat(2000)}${']'.repeat(2000)}`,
	'{"a":'.repeat(500) + '1' + '}'.repeat(500), '{"message":"\\ud800"}', "{'message':'x'}", '{"message":NaN}', Buffer.from([0x7b, 0xff, 0x7d]),
	'{"message": 1e999999}', '\u0000',
];

const queries = ['no_such=1', 'limit', 'limit=1&limit=2', '%', '%zz=1', '%ff', 'a=%00', '&&', '=', 'x'.repeat(9000), 'limit[]=1', 'limit=1;cursor=2'];

// Ways to be wrong; each gives a request or undefined.
const ways = {
	body: (operation) => {
		const value = mediaOf(operation) && values.bad(mediaOf(operation).schema);
		return value === undefined ? undefined : { route: routeOf(operation), body: JSON.stringify(value), kind: operation['x-body'] ? 'any' : 'bad' };
	},
	garbage: (operation) => {
		const required = operation.requestBody && contract.follow(operation.requestBody).required;
		return mediaOf(operation) && { route: routeOf(operation), body: random.pick(required ? ['', ...garbage] : garbage), kind: 'bad' };
	},
	type: (operation) =>
		mediaOf(operation) && {
			route: routeOf(operation),
			body: JSON.stringify(bodyOf(operation)),
			headers: { 'Content-Type': random.pick(['text/plain', 'application/xml', 'application/json; charset=latin1', 'x', 'multipart/form-data']) },
			kind: operation['x-body'] ? 'any' : 'bad',
		},
	parameter: (operation) => {
		const all = parametersOf(operation).filter((one) => one.in === 'query');
		const wrong = all.filter((one) => one.schema && !opaque.includes(one.name));
		if (wrong.length === 0) return undefined;
		const body = bodyOf(operation);
		// In a query a number is a text as well, so not every wrong value is one there.
		return { route: routeOf(operation, random.pick(wrong)), body: body && JSON.stringify(body), kind: 'any' };
	},
	query: (operation) => {
		const query = random.pick(queries);
		const body = bodyOf(operation);
		const bad = !['&&', '='].includes(query) && !query.startsWith('limit');
		return { route: `${operation.path.replaceAll(/\{\w+\}/g, 'x')}?${query}`, body: body && JSON.stringify(body), kind: bad ? 'bad' : 'any' };
	},
	path: (operation) => ({ route: operation.path.replaceAll(/\{\w+\}/g, () => random.pick(['..', '.', '%2e%2e', '%00', '%ff', 'x'.repeat(3000), '%2F', '*'])), kind: 'any' }),
	method: (operation) => ({ route: operation.path.replaceAll(/\{\w+\}/g, 'x'), method: random.pick(['PUT', 'PATCH', 'DELETE', 'POST', 'OPTIONS', 'HEAD']), kind: 'any' }),
	headers: (operation) => ({
		...good(operation),
		headers: random.pick([{ Accept: 'x' }, { 'If-None-Match': '"' }, { 'If-Match': 'W/"' }, { Authorization: 'Bearer ' }, { 'Accept-Encoding': ';;,' }, { 'Content-Encoding': 'gzip' }, { Range: 'bytes=9-1' }]),
		kind: 'any',
	}),
};

// These wait for what others do, and say so when that takes long.
const patient = ['reindexArticles'];

// What gives the server much to do, or waits until it is done, comes seldom.
const slow = ['addArticle', 'putArticle', 'importArticles', ...patient];

function pick() {
	const operation = random.pick(operations);
	return slow.includes(operation.operationId) && random.chance(0.8) ? pick() : operation;
}

function make(operation) {
	if (random.chance(0.4)) return good(operation);
	for (;;) {
		const made = ways[random.pick(Object.keys(ways))](operation);
		if (made !== undefined) return made;
	}
}

// What is wrong with the reply to a request of KIND.
function complaint(kind, operation, reply) {
	if (reply.status === 503 && patient.includes(operation.operationId)) return reply.headers['retry-after'] ? null : 'lacks Retry-After';
	if (reply.status >= 500 && reply.status !== 501) return 'is the server\'s fault';
	if (kind === 'good' && reply.status >= 400 && ![404, 409].includes(reply.status)) return 'refuses what the schemas allow';
	if (kind === 'bad' && (reply.status < 400 || reply.status === 404)) return 'takes what the schemas do not allow';
	return null;
}

test(`requests by chance, SMARTSUPPORT_TEST_SEED=${seed}`, { timeout: 1800000 }, async (t) => {
	t.diagnostic(`seed ${seed}, ${count} requests`);
	const wrong = [];
	const statuses = {};
	for (let i = 0; i < count && wrong.length < 5; i++) {
		const operation = pick();
		const { kind, route, method = operation.method, ...options } = make(operation);
		const asked = `${kind} ${method} ${route.slice(0, 200)} ${JSON.stringify(options).slice(0, 200)}`;
		const reply = await request(server.url + route, { method, agent, ...options }).catch((error) => {
			throw new Error(`seed ${seed}, request ${i}: ${asked}: ${error.message}\n${server.stderr.slice(-2000)}`);
		});
		statuses[reply.status] = (statuses[reply.status] ?? 0) + 1;
		const found = contract.mistakes(method, route, reply);
		const fault = complaint(kind, operation, reply);
		if (fault !== null) found.push(fault);
		if (found.length > 0)
			wrong.push(`${asked}: ${reply.status} ${found.join('; ')}: ${reply.text.slice(0, 300)}`);
	}
	assert.equal(wrong.join('\n'), '', `seed ${seed}`);
	t.diagnostic(JSON.stringify(statuses));
	for (const status of [200, 400, 404, 405, 415, 422]) assert.ok(statuses[status] > 0, `${status} ${JSON.stringify(statuses)}`);
});
