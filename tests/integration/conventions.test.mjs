// What holds for every operation of the OpenAPI document: how it is asked for, in which form it replies, and how it refuses.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import zlib from 'node:zlib';
import { assertProblem } from './lib/api.mjs';
import { Contract } from './lib/contract.mjs';
import { Installation, root } from './lib/files.mjs';
import { RawConnection } from './lib/http.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/wait.mjs';

const origin = 'https://pages.example.com';
const installation = new Installation();
installation.edit('config/smartsupport.yaml', 'server:\n', `server:\n  cors: {origins: ['${origin}']}\n`);

let server;
let contract;
let operations;
const known = {};
before(async () => {
	server = await Server.start({ installation, env: { DOCS_DIR: path.join(root, 'node_modules') } });
	contract = new Contract((await server.request('/openapi.json')).json);
	operations = contract.operations;
	// Enough for lists that are worth compressing.
	const answers = [];
	for (let i = 0; i < 4; i++) answers.push(await server.ask('How do I reset my password?', { user_id: 'user_123' }));
	known.ConversationId = answers[0].conversation_id;
	known.TurnId = answers[0].metadata.turn_id;
});
after(() => server.stop());

// A path of OPERATION that leads to something.
function routeOf(operation) {
	const [schema] = contract.parametersOf(operation, 'path').map((one) => one.schema.$ref?.split('/').at(-1));
	return contract.pathOf(operation, { id: known[schema] });
}

function bodyOf(operation) {
	const [example] = contract.bodiesOf(operation);
	return example && { body: example.body, headers: { 'Content-Type': example.type } };
}

const isRead = (operation) => operation.method === 'GET';
const gets = () => operations.filter(isRead);
const streams = (operation) => contract.isEndless(operation);

// Calls CHECK with each of LIST, and names the one that it fails for.
async function each(list, check) {
	assert.ok(list.length > 0);
	for (const operation of list) {
		try {
			await check(operation, routeOf(operation));
		} catch (error) {
			error.message = `${operation.operationId}: ${error.message}`;
			throw error;
		}
	}
}

function count(table) {
	return server.value(`SELECT count(*) FROM ${table}`);
}

test('HEAD is the headers of GET, of every operation that reads', async () => {
	// They tell how it is at the moment.
	const changing = new Set(['getHealth', 'getMetrics', 'exportUser', 'exportConversation', 'getAnalytics']);
	await each(gets(), async (operation, route) => {
		const head = await server.request(route, { method: 'HEAD' });
		assert.equal(head.text, '');
		assert.equal(head.status, 200);
		if (streams(operation)) return;
		const get = await server.request(route);
		for (const name of ['content-type', 'etag', 'vary', 'cache-control', 'content-security-policy']) assert.equal(head.headers[name], get.headers[name], name);
		if (!changing.has(operation.operationId)) assert.equal(head.headers['content-length'], get.headers['content-length']);
	});
});

test('HEAD of a stream that a client asks for ends at once', async () => {
	const reply = await server.request('/api/v1/events', { method: 'HEAD', headers: { Accept: 'text/event-stream' } });
	assert.deepEqual([reply.status, reply.text, reply.headers['content-type']], [200, '', 'text/event-stream']);
});

test('a connection goes on after the HEAD of a stream', async () => {
	const connection = server.connect();
	for (const route of [routeOf(operations.find(streams)), '/api/v1/events'])
		connection.write(`HEAD ${route} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n`);
	connection.write('GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
	await connection.wait('the third reply', ({ received }) => received.includes('{"status":"alive"}'));
	connection.destroy();
});

test('OPTIONS tells the methods, and a page that is named what it may send', async () => {
	await each(operations, async (operation, route) => {
		const methods = Object.keys(contract.document.paths[operation.path]).map((name) => name.toUpperCase());
		const expected = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].filter(
			(name) => methods.includes(name === 'HEAD' ? 'GET' : name) || name === 'OPTIONS',
		);
		const plain = await server.request(route, { method: 'OPTIONS' });
		assert.deepEqual([plain.status, plain.text, plain.headers.allow], [204, '', expected.join(', ')]);
		assert.equal(plain.headers['access-control-allow-origin'], undefined);
		const asks = { Origin: origin, 'Access-Control-Request-Method': operation.method };
		const preflight = await server.request(route, { method: 'OPTIONS', headers: asks });
		assert.equal(preflight.status, 204);
		assert.equal(preflight.headers['access-control-allow-origin'], origin);
		assert.equal(preflight.headers['access-control-allow-methods'], expected.join(', '));
		for (const { name } of contract.parametersOf(operation, 'header'))
			assert.ok(preflight.headers['access-control-allow-headers'].split(', ').includes(name), name);
		const other = await server.request(route, { method: 'OPTIONS', headers: { ...asks, Origin: 'https://other.example.com' } });
		assert.equal(other.headers['access-control-allow-origin'], undefined);
	});
});

test('what other pages may see of a reply depends on the origin, beside all else', async () => {
	const reply = await server.request('/openapi.json', { headers: { Origin: origin, 'Accept-Encoding': 'gzip' } });
	assert.deepEqual(reply.headers.vary.split(', ').sort(), ['Accept-Encoding', 'Origin']);
	const drawn = await server.request('/api/v1/workflow', { headers: { Origin: origin } });
	assert.deepEqual(drawn.headers.vary.split(', ').sort(), ['Accept', 'Accept-Encoding', 'Origin']);
	const exposed = reply.headers['access-control-expose-headers'].split(', ');
	for (const name of ['ETag', 'Location', 'Retry-After', 'X-Request-ID', 'Idempotency-Replayed', 'Content-Disposition']) assert.ok(exposed.includes(name), name);
});

test('a method that a path does not have is refused, with those that it has', async () => {
	await each(operations, async (operation, route) => {
		const methods = Object.keys(contract.document.paths[operation.path]).map((name) => name.toUpperCase());
		for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((name) => !methods.includes(name))) {
			const reply = await server.request(route, { method });
			assertProblem(reply, 405, /does not take that method/);
			assert.ok(methods.every((name) => reply.headers.allow.split(', ').includes(name)), reply.headers.allow);
			assert.ok(!reply.headers.allow.split(', ').includes(method));
		}
	});
});

test('a path with a slash at its end is another path', async () => {
	await each(operations, async (operation, route) => {
		for (const [method, at] of [[operation.method, `${route}/`], ['OPTIONS', `${route}/`], [operation.method, route.replace('/', '//')], [operation.method, route.toUpperCase().replace(/^\/([A-Z])/, '/$1x')]]) {
			const reply = await server.request(at, { method });
			assert.ok([404, 400].includes(reply.status), `${method} ${at}: ${reply.status}`);
			if (reply.json) assert.match(reply.headers['content-type'], /problem\+json/);
		}
	});
});

test('a path may be percent-encoded', async () => {
	const encode = (text) => [...text].map((c) => (c === '/' ? c : `%${c.charCodeAt(0).toString(16)}`)).join('');
	await each(gets().filter((operation) => !streams(operation)), async (operation, route) => {
		const [plain, encoded] = [await server.request(route), await server.request(encode(decodeURIComponent(route)))];
		assert.deepEqual([encoded.status, encoded.headers['content-type']], [plain.status, plain.headers['content-type']]);
	});
	for (const wrong of ['/api/v1/users/%', '/api/v1/users/%zz']) assertProblem(await server.request(wrong), 400, /two hexadecimal digits/);
	for (const wrong of ['/api/v1/users/%ff', '/api/v1/users/a%00', '/api/v1/users/..', '/api/v1/users/%2e%2e', '/api/v1/users/']) assertProblem(await server.request(wrong), 404, /nothing at this path/);
	assertProblem(await server.request('/api/v1/users/a%2Fb'), 404, /there is no user with the id a\/b/);
});

test('a parameter that an operation does not have is refused, and named', async () => {
	await each(operations, async (operation, route) => {
		const reply = await server.request(`${route}?no_such=1`, { method: operation.method, ...bodyOf(operation) });
		assertProblem(reply, 422, /there is no parameter "no_such"/);
		assert.equal(reply.json.errors[0].parameter, 'no_such');
	});
	const near = await server.request('/api/v1/users?limits=1');
	assert.match(near.json.detail, /did you mean "limit"\?/);
	const far = await server.request('/api/v1/users?x=1');
	assert.equal(far.json.detail, 'there is no parameter "x"; there are vip, prefix, limit and cursor');
});

test('a parameter that is given twice is refused, and named', async () => {
	await each(operations, async (operation, route) => {
		const [{ name } = { name: 'limit' }] = contract.parametersOf(operation, 'query');
		assertProblem(await server.request(`${route}?${name}=1&${name}=1`, { method: operation.method, ...bodyOf(operation) }), 400, new RegExp(`the query parameter ${name} is given more than once`));
	});
});

test('a limit is 1 to 200', async () => {
	const limited = operations.filter((operation) => contract.parametersOf(operation, 'query').some((one) => one.name === 'limit'));
	assert.ok(limited.length >= 8);
	await each(limited, async (operation, route) => {
		for (const wrong of ['0', '201', '-1', 'abc', '', '1.5', '1e9', '99999999999999999999', ' 5']) {
			const reply = await server.request(`${route}?limit=${encodeURIComponent(wrong)}`);
			assertProblem(reply, 422, /limit/);
			assert.equal(reply.json.errors[0].parameter, 'limit', wrong);
		}
		for (const right of ['1', '200']) assert.equal((await server.request(`${route}?limit=${right}`)).status, 200, right);
	});
});

test('a cursor that no list has given is refused', async () => {
	const paged = operations.filter((operation) => contract.parametersOf(operation, 'query').some((one) => one.name === 'cursor'));
	assert.ok(paged.length >= 7);
	await each(paged, async (operation, route) => {
		// Those of articles are their ids, which may be anything.
		for (const wrong of ['', 'x'.repeat(301), ...(operation.operationId === 'listArticles' ? [] : ["'", '\u00e9'])]) {
			const reply = await server.request(`${route}?cursor=${encodeURIComponent(wrong)}`);
			assertProblem(reply, 422, /cursor|place/);
			assert.equal(reply.json.errors[0].parameter, 'cursor', wrong);
		}
	});
});

test('a request has an id, the client\'s or a new one, also when it is refused', async () => {
	await each(operations.filter((operation) => !streams(operation)), async (operation, route) => {
		const ask = (id) => server.request(`${route}?no_such=1`, { method: operation.method, ...bodyOf(operation), headers: { 'X-Request-ID': id } });
		const own = await ask('Own.id_1-x');
		assert.equal(own.headers['x-request-id'], 'Own.id_1-x');
		assert.equal(own.json.instance, 'urn:request:Own.id_1-x');
		for (const wrong of ['', 'a b', 'a/b', 'x'.repeat(65), '\u00e4']) {
			const other = await ask(wrong);
			assert.match(other.headers['x-request-id'], /^[0-9a-f-]{36}$/, wrong);
			assert.equal(other.json.instance, `urn:request:${other.headers['x-request-id']}`);
		}
	});
});

test('what no client takes is refused before anything is done', async () => {
	const tables = ['messages', 'users', 'knowledge_base', 'feedback'];
	const before = await Promise.all(tables.map(count));
	const typed = operations.filter((operation) => operation.responses[406]);
	assert.ok(typed.length > 30);
	await each(typed, async (operation, route) => {
		const types = Object.entries(operation.responses).filter(([status]) => status[0] === '2').flatMap(([, response]) => Object.keys(contract.follow(response).content ?? {}));
		for (const accept of ['application/x-none', `${types.map((type) => `${type};q=0`).join(', ')}, audio/*`]) {
			const reply = await server.request(route, { method: operation.method, ...bodyOf(operation), headers: { ...bodyOf(operation)?.headers, Accept: accept } });
			assertProblem(reply, 406, /takes none of the media types/);
			for (const type of types) assert.ok(reply.json.detail.includes(type), type);
		}
	});
	assert.deepEqual(await Promise.all(tables.map(count)), before);
	assert.deepEqual(operations.filter((operation) => !operation.responses[406]).map(({ operationId }) => operationId).sort(), ['deleteConversation', 'giveFeedback', 'removeArticle']);
});

test('what a client takes is given, in whichever words it says so', async () => {
	await each(gets().filter((operation) => !streams(operation)), async (operation, route) => {
		const { headers } = await server.request(route);
		const type = headers['content-type'].split(';')[0];
		for (const accept of [type, type.toUpperCase(), `${type.split('/')[0]}/*`, '*/*;q=0.1', `x/y, ${type};charset=utf-8;q=0.3`, 'nonsense', '']) {
			const reply = await server.request(route, { headers: { Accept: accept } });
			assert.deepEqual([reply.status, reply.headers['content-type']], [200, headers['content-type']], accept);
		}
	});
	const form = async (accept) => (await server.request('/api/v1/workflow', { headers: { Accept: accept } })).headers['content-type'];
	assert.equal(await form('image/avif,image/svg+xml,image/*'), 'image/svg+xml');
	assert.equal(await form('application/json;q=0.4, text/plain;q=0.6'), 'text/plain; charset=utf-8');
	assert.equal(await form('text/*, application/json'), 'application/json');
});

test('a body that is none of the kind that an operation takes is refused', async () => {
	await each(operations.filter((operation) => operation.requestBody), async (operation, route) => {
		const send = (headers, body = 'x') => server.request(route, { method: operation.method, body, headers });
		for (const type of ['application/xml', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'x']) assert.equal((await send({ 'Content-Type': type })).status, 415, type);
		if (operation.operationId !== 'importArticles') {
			assert.equal((await send({ 'Content-Type': 'application/json; charset=latin1' }, '{}')).status, 415);
			assert.equal((await send({ 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }, '{}')).status, 415);
			assert.equal((await send({ 'Content-Type': 'application/json' }, '{')).status, 400);
		}
		const none = (await send({ 'Content-Type': 'application/json', 'Content-Length': 0 }, '')).status;
		if (contract.follow(operation.requestBody).required) assert.equal(none, 400);
		else assert.ok([200, 404].includes(none), `${none}`);
	});
});

test('a body that is too large is refused, also where none is taken', async () => {
	await each(operations, async (operation, route) => {
		const [reply] = await server.exchange(`${operation.method} ${route} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n`);
		assertProblem(reply, 413, operation.requestBody ? /larger than \d+ bytes/ : /no body is taken here/);
	});
});

test('longer replies are compressed for clients that take it', async () => {
	let packed = 0;
	// Pages, which are short, and what is read from the store while it is sent.
	const whole = new Set(['getDocs', 'getReference', 'getErrorDocs', 'exportUser', 'exportConversation']);
	const moving = new Set(['getMetrics', 'getHealth', 'getReadiness', 'getAnalytics', 'exportUser', 'exportConversation', 'getStats']);
	await each(gets().filter((operation) => !streams(operation) && operation.operationId !== 'getPageFile'), async (operation, route) => {
		const plain = await server.request(route);
		assert.equal(plain.headers['content-encoding'], undefined);
		const reply = await binary(route, { 'Accept-Encoding': 'br;q=1, gzip;q=0.2' });
		assert.equal(reply.headers['content-type'], plain.headers['content-type']);
		if (plain.text.length < 1024) {
			assert.equal(reply.headers['content-encoding'], undefined);
			return;
		}
		packed++;
		assert.equal(reply.headers['content-encoding'], whole.has(operation.operationId) ? undefined : 'gzip');
		if (!reply.headers['content-encoding']) return;
		assert.ok(reply.headers.vary.split(', ').includes('Accept-Encoding'));
		assert.ok(plain.headers.vary.split(', ').includes('Accept-Encoding'));
		assert.equal(Number(reply.headers['content-length']), reply.bytes.length);
		assert.ok(reply.bytes.length < plain.text.length);
		const text = zlib.gunzipSync(reply.bytes).toString();
		if (!moving.has(operation.operationId)) assert.equal(text, plain.text);
		for (const none of ['gzip;q=0', 'identity', '*;q=0', 'gzip;q=0.000, *']) assert.equal((await server.request(route, { headers: { 'Accept-Encoding': none } })).headers['content-encoding'], undefined, none);
	});
	assert.ok(packed >= 10, `${packed}`);
});

// The reply of a GET as bytes.
async function binary(route, headers) {
	const connection = new RawConnection(server.port);
	const lines = Object.entries({ Host: '127.0.0.1', Connection: 'close', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
	connection.write(`GET ${route} HTTP/1.1\r\n${lines.join('')}\r\n`);
	await connection.wait('the end of the reply', ({ closed }) => closed);
	const end = connection.received.indexOf('\r\n\r\n');
	const found = connection.received.subarray(0, end).toString('latin1').split('\r\n').slice(1);
	connection.destroy();
	return {
		headers: Object.fromEntries(found.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)])),
		bytes: connection.received.subarray(end + 4),
	};
}

test('a reply that the client has is not sent again, and one that has changed is', async () => {
	const conditional = operations.filter((operation) => operation['x-conditional']);
	assert.ok(conditional.length >= 15);
	assert.deepEqual(conditional, operations.filter((operation) => operation.responses[304]));
	await each(conditional, async (operation, route) => {
		const first = await server.request(route);
		const { etag } = first.headers;
		assert.match(etag, /^"[!-~]+"$/);
		for (const held of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
			const again = await server.request(route, { headers: { 'If-None-Match': held } });
			assert.deepEqual([again.status, again.text, again.headers.etag, again.headers['content-length']], [304, '', etag, undefined], held);
			assert.equal(again.headers.vary, first.headers.vary);
			assert.equal((await server.request(route, { method: 'HEAD', headers: { 'If-None-Match': held } })).status, 304);
		}
		for (const other of ['"x"', etag.slice(1, -1), 'x', '']) assert.equal((await server.request(route, { headers: { 'If-None-Match': other } })).status, 200, other);
		if (first.text.length < 1024) return;
		const packed = await server.request(route, { method: 'HEAD', headers: { 'Accept-Encoding': 'gzip' } });
		if (packed.headers['content-encoding']) assert.notEqual(packed.headers.etag, etag);
		const held = { 'Accept-Encoding': 'gzip', 'If-None-Match': packed.headers.etag };
		assert.equal((await server.request(route, { headers: held })).status, 304);
	});
});

test('a list and what is in it have another ETag when they have changed', async () => {
	const user = 'etag_1';
	assert.equal((await server.request('/api/v1/users', { method: 'POST', body: { id: user } })).status, 201);
	const routes = ['/api/v1/users', `/api/v1/users/${user}`];
	const tags = async () => Promise.all(routes.map(async (route) => (await server.request(route)).headers.etag));
	const before = await tags();
	assert.deepEqual(await tags(), before);
	assert.equal((await server.request(`/api/v1/users/${user}`, { method: 'PATCH', body: { name: 'Ann' } })).status, 200);
	const named = await tags();
	assert.ok(named.every((tag, i) => tag !== before[i]));
	await server.ask('How do I reset my password?', { user_id: user });
	await until('another ETag', async () => (await tags())[1] !== named[1]);
});

test('of two who change the same user one is told so', async () => {
	const user = '/api/v1/users/etag_2';
	const change = (name, tag) => server.request(user, { method: 'PATCH', body: { name }, headers: { 'If-Match': tag } });
	const made = await server.request('/api/v1/users', { method: 'POST', body: { id: 'etag_2', name: 'Ann' } });
	assert.equal(made.headers.etag, (await server.request(user)).headers.etag);
	const replies = await Promise.all(['Bea', 'Cat', 'Dot'].map((name) => change(name, made.headers.etag)));
	assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 412, 412]);
	assertProblem(replies.find(({ status }) => status === 412), 412, /was changed by somebody else meanwhile/);
	const won = replies.find(({ status }) => status === 200);
	assert.deepEqual((await server.request(user)).json, won.json);
	assert.equal((await change('Eve', won.headers.etag)).status, 200);
	assert.equal((await change('Fay', '*')).status, 200);
	// A question is no change of what is known of the user.
	const read = await server.request(user, { headers: { 'Accept-Encoding': 'gzip' } });
	await server.ask('How do I reset my password?', { user_id: 'etag_2' });
	assert.equal((await change('Gus', read.headers.etag)).status, 200);
	for (const wrong of ['x', '"x"', `W/${read.headers.etag}`, '"0-1"', '"99999999999999999999-1"', '""', '', '"1']) assert.equal((await change('Hal', wrong)).status, 412, wrong);
	assert.equal((await server.request('/api/v1/users/nobody', { method: 'PATCH', body: { name: 'Ida' }, headers: { 'If-Match': '*' } })).status, 412);
	assert.equal((await server.request(user)).json.name, 'Gus');
});

test('an article of a file, and one that was read compressed, are changed as they were read', async () => {
	const route = '/api/v1/kb/articles/reset-password';
	const text = { title: 'How do I reset my password?', content: 'Ask. '.repeat(300), category: 'Account' };
	const put = (tag) => server.request(route, { method: 'PUT', body: text, headers: { 'If-Match': tag } });
	const file = await server.request(route);
	assert.match(file.headers.etag, /^"0-[0-9a-f]{16}"$/);
	assertProblem(await put('"0-0123456789abcdef"'), 412, /the article of the file is not the one/);
	assert.equal((await put(file.headers.etag)).status, 200);
	const packed = await binary(route, { 'Accept-Encoding': 'gzip' });
	assert.match(packed.headers.etag, /^"\d+-gzip"$/);
	assertProblem(await put(file.headers.etag), 412, /is not the one of version 0 any more/);
	assert.equal((await put(packed.headers.etag)).status, 200);
});
