// Articles in the store: an operator adds, changes, hides, removes and imports them, and every worker answers with them at once.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Installation, temporaryFolder } from './lib/files.mjs';
import { Server, isStopped, withServer } from './lib/server.mjs';
import { execute, newDatabase } from './lib/store.mjs';
import { until } from './lib/wait.mjs';
import { eachWorker } from './lib/workers.mjs';

const installation = new Installation();
const database = newDatabase(path.join(temporaryFolder(), 'shared.db'));
let servers;
before(async () => {
	servers = [await Server.start({ installation, database }), await Server.start({ installation, database })];
});
after(async () => {
	for (const server of servers) await server.stop();
});

const route = '/api/v1/kb/articles';
const walrus = {
	title: 'How do I invite a walrus to my board?',
	content: 'Open **Members**, choose *Invite a walrus* and type its name. The walrus gets a fish-shaped link.',
	category: 'Account',
	questions: ['walrus invitation'],
};

const post = (server, body, where = route) => server.request(where, { method: 'POST', body });
const put = (server, id, body, headers = {}) =>
	server.request(`${route}/${encodeURIComponent(id)}`, { method: 'PUT', body, headers });
const remove = (server, id, query = '') =>
	server.request(`${route}/${encodeURIComponent(id)}${query}`, { method: 'DELETE' });
const read = (server, id) => server.request(`${route}/${encodeURIComponent(id)}`);
const send = (server, type, body) =>
	server.request('/api/v1/kb/import', { method: 'POST', body, headers: { 'Content-Type': type } });

async function search(server, query, more = {}, agent = undefined) {
	const reply = await server.request('/api/v1/kb/search', { method: 'POST', body: { query, ...more }, agent });
	assert.equal(reply.status, 200, reply.text);
	return reply.json.items;
}

// Waits until SEEN says true to what QUERY finds, on every worker of every server.
async function everywhere(t, what, query, seen, among = servers) {
	const start = performance.now();
	for (const server of among)
		await eachWorker(server, (agent) => until(what, async () => seen(await search(server, query, {}, agent))));
	t.diagnostic(`${what}: ${Math.round(performance.now() - start)} ms`);
}

const first = (id) => (items) => items[0]?.id === id;
const without = (id) => (items) => items.every((item) => item.id !== id);

function assertProblem(reply, status, pointer, detail) {
	assert.equal(reply.status, status, reply.text);
	assert.match(reply.headers['content-type'], /^application\/problem\+json/);
	if (pointer !== undefined) assert.equal(reply.json.errors[0].pointer, pointer, reply.text);
	if (detail !== undefined) assert.match(reply.text, detail);
}

test('an article that is added on one server answers questions on every worker of both', async (t) => {
	const reply = await post(servers[0], walrus);
	assert.equal(reply.status, 201, reply.text);
	const { id, version, source, title, created_at } = reply.json;
	assert.equal(id, 'how-do-i-invite-a-walrus-to-my-board');
	assert.equal(reply.headers.location, `${route}/${id}`);
	assert.equal(reply.headers.etag, `"${version}"`);
	assert.deepEqual([source, title], ['store', walrus.title]);
	assert.match(created_at, /^\d{4}-/);
	await everywhere(t, 'added', walrus.title, first(id));
	for (const server of servers) {
		const answer = await server.ask(walrus.title);
		assert.equal(answer.metadata.kb_results[0].id, id);
		assert.match(answer.response, /fish-shaped link/);
		assert.deepEqual((await read(server, id)).json, reply.json);
		const { items } = (await server.request(route)).json;
		assert.equal(items.find((item) => item.id === id).source, 'store');
		assert.equal(items.find((item) => item.id === 'reset-password').source, 'file');
	}
});

test('a changed article answers with its new words, and a removed one no more', async (t) => {
	const { id } = (await post(servers[0], { ...walrus, id: 'bats/1 &é' })).json;
	assert.equal(id, 'bats/1 &é');
	const changed = { title: 'Why do bats hang in my calendar?', content: 'Bats hang upside down. Turn the calendar.' };
	const reply = await put(servers[1], id, changed);
	assert.equal(reply.status, 200, reply.text);
	await everywhere(t, 'changed', 'bats hang in the calendar', (items) => items[0]?.content === changed.content);
	assert.deepEqual((await read(servers[0], id)).json, reply.json);
	assert.equal((await remove(servers[0], id)).status, 204);
	await everywhere(t, 'removed', 'bats hang in the calendar', without(id));
	assertProblem(await read(servers[1], id), 404);
	assertProblem(await remove(servers[1], id), 404);
});

test('a file\'s article is replaced, hidden and given back', async (t) => {
	const id = 'reset-password';
	const question = 'How do I reset my password?';
	const file = await read(servers[0], id);
	assert.deepEqual([file.json.source, file.json.version], ['file', 0]);
	assert.match(file.headers.etag, /^"0-[0-9a-f]{16}"$/);
	assertProblem(await post(servers[0], { ...walrus, id }), 409, '/id');
	const own = { title: question, content: 'Ask the walrus for a new password.', category: 'Account' };
	assert.equal((await put(servers[0], id, own, { 'If-Match': '"0"' })).status, 200);
	await everywhere(t, 'replaced', question, (items) => items[0]?.content === own.content);
	assert.equal((await remove(servers[1], id)).status, 204);
	await everywhere(t, 'hidden', question, without(id));
	assertProblem(await read(servers[0], id), 404);
	assert.ok((await servers[0].request(route)).json.items.every((item) => item.id !== id));
	assert.equal((await remove(servers[0], id, '?revert=true')).status, 204);
	await everywhere(t, 'given back', question, (items) => items[0]?.content === file.json.content);
	assert.deepEqual((await read(servers[1], id)).json, file.json);
	assertProblem(await remove(servers[0], id, '?revert=true'), 404);
	assertProblem(await remove(servers[0], id, '?revert=perhaps'), 422);
});

test('the list is filtered by category and by where articles come from, and read page by page', async (t) => {
	const list = async (query) => (await servers[0].request(`${route}?${query}`)).json;
	const ids = async (query) => (await list(query)).items.map(({ id }) => id);
	for (const [id, category] of [['filtered-a', 'Billing'], ['filtered-b', 'Account'], ['filtered-c', 'Billing']])
		assert.equal((await post(servers[0], { ...walrus, title: `Which ${id}?`, id, category })).status, 201);
	await everywhere(t, 'the last of them', 'Which filtered-c?', (items) => items.some(({ id }) => id === 'filtered-c'));
	const all = (await list('limit=200')).items;
	for (const category of ['Account', 'Billing', 'Technical'])
		assert.deepEqual(await ids(`category=${category}&limit=200`), all.filter((one) => one.category === category).map(({ id }) => id));
	for (const source of ['file', 'store'])
		assert.deepEqual(await ids(`source=${source}&limit=200`), all.filter((one) => one.source === source).map(({ id }) => id));
	const mine = all.filter((one) => one.category === 'Billing' && one.source === 'store').map(({ id }) => id);
	assert.ok(mine.length >= 2);
	const page = await list('category=Billing&source=store&limit=1');
	assert.deepEqual([page.items[0].id, page.next_cursor], [mine[0], mine[0]]);
	assert.deepEqual(await ids(`category=Billing&source=store&cursor=${page.next_cursor}`), mine.slice(1));
	assert.deepEqual(await list('category=Nothing'), { items: [], next_cursor: null });
	assertProblem(await servers[0].request(`${route}?source=web`), 422, undefined, /source must be \\"store\\" or \\"file\\"/);
	for (const id of ['filtered-a', 'filtered-b', 'filtered-c']) assert.equal((await remove(servers[0], id)).status, 204);
});

test('of two who change the same version one is told so', async () => {
	const { id, version } = (await post(servers[0], { title: 'Who wins?', content: 'The first.' })).json;
	const etag = { 'If-Match': `"${version}"` };
	const replies = await Promise.all(
		servers.map((server, i) => put(server, id, { title: 'Who wins?', content: `Server ${i}.` }, etag)),
	);
	assert.deepEqual(replies.map((reply) => reply.status).sort(), [200, 412]);
	const won = replies.find((reply) => reply.status === 200);
	assert.deepEqual((await read(servers[0], id)).json, won.json);
	assertProblem(await put(servers[0], id, walrus, { 'If-Match': 'x' }), 412);
	assertProblem(await put(servers[0], 'nobody', walrus, { 'If-Match': '*' }), 412);
	assertProblem(
		await servers[0].request(`${route}/${id}`, { method: 'DELETE', headers: etag }),
		412,
	);
	assert.equal((await put(servers[0], id, walrus, { 'If-Match': '*' })).status, 200);
	assert.equal((await remove(servers[0], id)).status, 204);
	assert.equal((await put(servers[0], id, walrus)).status, 201);
	assert.equal((await remove(servers[0], id)).status, 204);
});

test('titles that make the same id get one each', async () => {
	const ids = [];
	for (let i = 0; i < 3; i++) ids.push((await post(servers[i % 2], { title: 'Same title!', content: 'x y z.' })).json.id);
	assert.deepEqual(ids, ['same-title', 'same-title-2', 'same-title-3']);
	const greek = (await post(servers[0], { title: 'Πώς;', content: 'Έτσι.' })).json.id;
	assert.match(greek, /^article-[0-9a-f]{32}$/);
	for (const id of [...ids, greek]) assert.equal((await remove(servers[0], id)).status, 204);
});

test('what is no article is refused and names the field', async () => {
	for (const [body, pointer] of [
		[{ content: 'x' }, '/title'],
		[{ title: 'x' }, '/content'],
		[{ title: 'x', content: ' ' }, '/content'],
		[{ title: 'x'.repeat(301), content: 'x' }, '/title'],
		[{ title: 'x', content: 'ä'.repeat(65537) }, '/content'],
		[{ title: 'x', content: 'x', questions: [''] }, '/questions/0'],
		[{ title: 'x', content: 'x', category: 7 }, '/category'],
		[{ title: 'x', content: 'x', id: 'y'.repeat(201) }, '/id'],
		[{ title: 'x', content: 'x', colour: 'red' }, '/colour'],
	])
		assertProblem(await post(servers[0], body), 422, pointer);
	assertProblem(await put(servers[0], 'a', { title: 'x', content: 'x', id: 'b' }), 422, '/id');
	assertProblem(await post(servers[0], { query: 'x', top_k: 0 }, '/api/v1/kb/search'), 422, '/top_k');
	assertProblem(await post(servers[0], { query: 'x', min_score: 1.5 }, '/api/v1/kb/search'), 422, '/min_score');
	assertProblem(await post(servers[0], {}, '/api/v1/kb/search'), 422, '/query');
});

test('a search gives scores, as many as it is asked for, with at least the score', async () => {
	const items = await search(servers[0], 'How do I reset my password?', { top_k: 2, category: 'Account' });
	assert.equal(items.length, 2);
	assert.equal(items[0].id, 'reset-password');
	assert.ok(items[0].score >= items[1].score && items[0].confidence > 0.9, JSON.stringify(items[0].scores));
	assert.deepEqual(await search(servers[0], 'How do I reset my password?', { min_score: 1 }), []);
});

test('articles are imported in four formats, all or none', async (t) => {
	const good = [
		['application/json', JSON.stringify([{ title: 'What is a json yak?', content: 'It gives json milk.' }]), 'what-is-a-json-yak'],
		['application/yaml', '- title: What is a yaml yak?\n  content: |\n    ${HOME} gives yaml milk.\n  questions: [yaml yak]\n', 'what-is-a-yaml-yak'],
		['text/csv; charset=utf-8', 'id,title,content,questions\ncsv-yak,What is a csv yak?,"It gives\ncsv milk.",csv yak | yak of commas\n', 'csv-yak'],
		['text/markdown', '---\nid: md-yak\ntitle: What is a markdown yak?\n---\nIt gives markdown milk.\n', 'md-yak'],
	];
	for (const [type, body, id] of good) {
		const reply = await send(servers[0], type, body);
		assert.deepEqual([reply.status, reply.json], [200, { imported: 1 }], reply.text);
		assert.match((await read(servers[1], id)).json.content, /milk/);
	}
	assert.match((await read(servers[1], 'what-is-a-yaml-yak')).json.content, /^\$\{HOME\} gives/, 'nothing comes from the environment');
	assert.deepEqual((await read(servers[1], 'csv-yak')).json.questions, ['csv yak', 'yak of commas']);
	for (const [type, , id] of good)
		await everywhere(t, `imported as ${type}`, `What is a ${/([a-z]+)(;|$)/.exec(type)[1]} yak?`, first(id));

	const bad = [
		['application/json', '[\n {"title": "ok [{", "content": "fine"},\n {"title": "", "content": "x"},\n\n {"title": "t"}\n]', [3, 5]],
		['application/yaml', '- title: ok\n  content: fine\n- title: t\n  colour: red\n  content: x\n', [3]],
		['text/csv', 'title,content\nok,fine\n,x\nok,again\nonly one\n', [3, 4, 5]],
		['text/csv', 'title,words\na,b\n', [1, 1]],
		['text/markdown', '---\nid: a\ntitle: b\n---\n', [5]],
		['application/json', '{"title": "t"}', [1]],
		['application/json', '[{]', [undefined]],
	];
	const { items } = (await servers[0].request(`${route}?limit=200`)).json;
	for (const [type, body, lines] of bad) {
		const reply = await send(servers[0], type, body);
		assert.equal(reply.status, 422, reply.text);
		assert.deepEqual(reply.json.errors.map((error) => error.line), lines, reply.text);
	}
	assertProblem(await send(servers[0], 'text/plain', 'x'), 415);
	assertProblem(await send(servers[0], 'text/csv', ''), 400);
	await servers[0].request('/api/v1/kb/reindex', { method: 'POST' });
	assert.deepEqual((await servers[0].request(`${route}?limit=200`)).json.items, items);
});

test('reindex waits until all workers serve what is stored', async () => {
	const articles = Array.from({ length: 20 }, (_, i) => ({
		id: `bulk-${i}`,
		title: `What does the lamp number ${i} mean?`,
		content: `The lamp number ${i} means that the kettle ${i} boils.`,
	}));
	assert.equal((await send(servers[0], 'application/json', JSON.stringify(articles))).status, 200);
	const { version } = (await read(servers[0], 'bulk-19')).json;
	for (const server of servers) {
		const reply = await server.request('/api/v1/kb/reindex', { method: 'POST' });
		assert.equal(reply.status, 200, reply.text);
		assert.ok(reply.json.version >= version, `${reply.json.version} is not before ${version}`);
		await eachWorker(server, async (agent) => assert.equal((await search(server, articles[19].title, {}, agent))[0].id, 'bulk-19'));
	}
	for (const { id } of articles) assert.equal((await remove(servers[1], id)).status, 204);
});

test('reindex keeps no server from stopping', async () => {
	const patient = new Installation();
	patient.edit('config/smartsupport.yaml', /hang_timeout: \w+/, 'hang_timeout: 1h');
	const server = await Server.start({ installation: patient, database: newDatabase(path.join(temporaryFolder(), 'own.db')) });
	const [stuck] = server.workers();
	process.kill(stuck, 'SIGSTOP');
	try {
		await until('a worker that stands still', () => isStopped(stuck));
		assert.equal((await send(server, 'application/json', JSON.stringify([walrus]))).status, 200);
		const waiting = server.request('/api/v1/kb/reindex', { method: 'POST' });
		// This connection comes behind the other one, so that one is served as well.
		assert.equal((await send(server, 'application/json', JSON.stringify([walrus]))).status, 200);
		server.signal('SIGTERM');
		const reply = await waiting;
		assertProblem(reply, 503);
		assert.equal(reply.headers['retry-after'], '5');
	} finally {
		process.kill(stuck, 'SIGCONT');
	}
	assert.deepEqual(await server.ended(), { code: 0, signal: null }, server.stderr);
	await server.close();
});

test('a document that somebody damaged is left out with a warning, and can be stored again', async (t) => {
	const { id } = (await post(servers[0], { title: 'Which crane lifts the parrot?', content: 'The blue crane does.' })).json;
	await everywhere(t, 'added', 'crane lifts parrot', first(id));
	await execute(database, `UPDATE knowledge_base SET data = '{"title": "no content"}' WHERE id = '${id}'`);
	await withServer({ installation, database }, async (server) => {
		assert.ok(server.logged(`the article "${id}" in the store`), 'the log names it');
		assert.ok((await search(server, 'crane lifts parrot')).every((item) => item.id !== id));
		assert.equal((await read(server, id)).status, 500);
		assert.equal((await put(server, id, { title: 'Which crane lifts the parrot?', content: 'The red one.' })).status, 200);
		await everywhere(t, 'repaired', 'crane lifts parrot', (items) => items[0]?.content === 'The red one.', [server, ...servers]);
	});
	assert.equal((await remove(servers[0], id)).status, 204);
});

test('an article that was acknowledged outlives kill -9 and a restart', async (t) => {
	const own = newDatabase(path.join(temporaryFolder(), 'own.db'));
	const server = await Server.start({ installation, database: own });
	const reply = await post(server, walrus);
	server.killAll();
	assert.equal(reply.status, 201);
	await server.allGone();
	await server.close();
	for (let i = 0; i < 2; i++) {
		await withServer({ installation, database: own }, async (again) => {
			assert.equal((await search(again, walrus.title))[0].id, reply.json.id, 'from the first question on');
			assert.deepEqual((await read(again, reply.json.id)).json, reply.json);
		});
	}
});
