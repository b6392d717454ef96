// API keys: who gets in, as what, and to whose conversations.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Installation, temporaryFolder } from './lib/files.mjs';
import { createKey, runKeys } from './lib/keys.mjs';
import { Server, runProgram, withServer } from './lib/server.mjs';
import { newDatabase } from './lib/store.mjs';
import { until } from './lib/wait.mjs';
import { eachWorker } from './lib/workers.mjs';

const installation = new Installation();
const question = 'How do I reset my password?';
let server, admin, operator, shop, forum;
before(async () => {
	server = await Server.start({ installation });
	[admin, operator, shop, forum] = await Promise.all(
		['admin', 'operator', 'chat', 'chat'].map((role) => createKey(installation, server.database, role)),
	);
	for (const { headers } of [admin, operator, shop, forum]) await known(headers);
	await settled({}, 401);
});
after(() => server.stop());

// Waits until every worker answers with STATUS to who sends HEADERS.
function settled(headers, status, own = server) {
	return eachWorker(own, (agent) =>
		until(`${status} for the key`, async () => (await own.request('/v1/models', { headers, agent })).status === status),
	);
}
const known = (headers) => settled(headers, 200);

function assertProblem(reply, status, detail) {
	assert.equal(reply.status, status, reply.text);
	assert.match(reply.headers['content-type'], /^application\/problem\+json/);
	assert.match(reply.json.detail, detail);
}

test('as soon as there is a key, whoever has none gets 401', async () => {
	const reply = await server.query({ message: question });
	assertProblem(reply, 401, /needs an API key/);
	assert.equal(reply.headers['www-authenticate'], 'Bearer realm="smartsupport"');
	assert.equal((await server.request('/api/v1/health')).status, 200);
	assert.equal((await server.request('/openapi.json')).status, 200);
});

test('what is no key gets 401, however near it is', async () => {
	const wrong = [
		'Bearer',
		'Bearer nonsense',
		`Basic ${Buffer.from('a:b').toString('base64')}`,
		`Bearer ${admin.key.slice(0, -1)}`,
		`Bearer ${admin.key}A`,
		`Bearer ${admin.key.slice(0, -1)}${admin.key.endsWith('A') ? 'B' : 'A'}`,
		`Bearer ssk_${shop.id.slice(4)}_${admin.key.slice(-43)}`,
	];
	for (const header of wrong) {
		const reply = await server.query({ message: question }, { headers: { Authorization: header } });
		assertProblem(reply, 401, /there is no such API key|needs an API key/);
		assert.match(reply.headers['www-authenticate'], /^Bearer realm="smartsupport"/);
		assert.ok(!reply.text.includes(admin.key.slice(-43)));
	}
});

test('a role may do what those below it may, and 403 names both', async () => {
	for (const key of [admin, operator]) {
		assert.equal((await server.request('/api/v1/stats', { headers: key.headers })).status, 200);
		assert.equal((await server.query({ message: question }, { headers: key.headers })).status, 200);
	}
	const reply = await server.request('/api/v1/stats', { headers: shop.headers });
	assertProblem(reply, 403, /needs a key with the role operator; this one has the role chat/);
});

test('the version is for operators', async () => {
	assert.equal((await server.request('/api/v1/health')).json.version, undefined);
	assert.equal((await server.request('/api/v1/health', { headers: shop.headers })).json.version, undefined);
	assert.match((await server.request('/api/v1/health', { headers: operator.headers })).json.version, /^\d/);
});

test('a chat key reaches only what belongs to its users', async () => {
	const first = await server.ask(question, { user_id: 'alice' }, { headers: shop.headers });
	const id = first.conversation_id;
	const again = { message: question, user_id: 'alice', conversation_id: id };
	assertProblem(await server.query(again, { headers: forum.headers }), 404, /does not exist or belongs to another user/);
	assertProblem(
		await server.query({ ...again, user_id: `${shop.id}:alice` }, { headers: forum.headers }),
		404,
		/does not exist or belongs to another user/,
	);
	assert.equal((await server.query(again, { headers: shop.headers })).status, 200);
	// An operator calls the user as the store does.
	assert.equal((await server.query({ ...again, user_id: `${shop.id}:alice` }, { headers: operator.headers })).status, 200);
	assertProblem(await server.query(again, { headers: operator.headers }), 404, /does not exist/);
});

test('a chat key rates only answers to its users', async () => {
	const { metadata } = await server.ask(question, {}, { headers: shop.headers });
	const vote = { turn_id: metadata.turn_id, was_helpful: true };
	const give = (key, body) => server.request('/api/v1/feedback', { method: 'POST', body, headers: key.headers });
	const strange = await give(forum, vote);
	const missing = await give(forum, { ...vote, turn_id: `turn_${'0'.repeat(8)}-0000-7000-8000-${'0'.repeat(12)}` });
	assertProblem(strange, 404, /there is no stored turn/);
	assert.equal(strange.json.detail.replace(metadata.turn_id, ''), missing.json.detail.replace(/turn_\S+/, ''));
	assert.equal((await give(shop, vote)).status, 204);
	assert.equal((await give(operator, { ...vote, rating: 5 })).status, 204);
});

test('clients of the OpenAI API reach only conversations of their key', async () => {
	const ask = (key, messages) =>
		server.request('/v1/chat/completions', { method: 'POST', headers: key.headers, body: { model: 'smartsupport', user: 'bob', messages } });
	const first = (await ask(shop, [{ role: 'user', content: question }])).json;
	const thread = [
		{ role: 'user', content: question },
		{ role: 'assistant', content: first.choices[0].message.content },
		{ role: 'user', content: 'And where are my invoices?' },
	];
	assert.notEqual((await ask(forum, thread)).json.conversation_id, first.conversation_id);
	assert.equal((await ask(shop, thread)).json.conversation_id, first.conversation_id);
});

test('a key can take the place of another one by its space', async () => {
	const heir = await createKey(installation, server.database, 'chat', '--space', shop.id);
	await known(heir.headers);
	const first = await server.ask(question, { user_id: 'carol' }, { headers: shop.headers });
	const next = await server.ask(question, { user_id: 'carol', conversation_id: first.conversation_id }, { headers: heir.headers });
	assert.equal(next.conversation_id, first.conversation_id);
});

test('a key that is revoked is of no use to any worker a moment later', async () => {
	const key = await createKey(installation, server.database, 'operator');
	await known(key.headers);
	assert.equal((await runKeys(installation, server.database, 'revoke', key.id)).code, 0);
	await settled(key.headers, 401);
	assertProblem(await server.request('/api/v1/stats', { headers: key.headers }), 401, /the API key key_\S+ is revoked/);
});

test('a key expires', async () => {
	const key = await createKey(installation, server.database, 'operator', '--expires', '1s');
	// A worker that does not know the key yet refuses it as well, and would let it in when it does.
	const over = async (agent) => (await server.request('/v1/models', { headers: key.headers, agent })).text.includes('has expired');
	await eachWorker(server, (agent) => until('a key that has expired', () => over(agent)));
	assertProblem(await server.request('/api/v1/stats', { headers: key.headers }), 401, /has expired/);
});

test('keys are listed without what lets in, and the store has none of it', async () => {
	const { stdout } = await runKeys(installation, server.database, 'list', '--json');
	const found = JSON.parse(stdout).find(({ id }) => id === shop.id);
	assert.deepEqual(
		{ ...found, created_at: '' },
		{ id: shop.id, name: 'a chat', role: 'chat', space: shop.id, last: shop.key.slice(-4), state: 'valid', expires_at: null, created_at: '' },
	);
	const plain = await runKeys(installation, server.database, 'list');
	assert.match(plain.stdout, new RegExp(`^${shop.id} +chat +valid .* a chat\\s*$`, 'm'));
	const rows = JSON.stringify(await server.rows('SELECT * FROM api_keys'));
	for (const { key } of [admin, operator, shop, forum]) assert.ok(!rows.includes(key.slice(-43)), rows);
	assert.ok(!server.stderr.includes('ssk_'));
});

test('a key that is valid cannot be removed; when the last one is gone, who is on this machine needs none', async () => {
	await withServer({ installation }, async (own) => {
		const key = await createKey(installation, own.database, 'admin');
		await settled({}, 401, own);
		const early = await runKeys(installation, own.database, 'remove', key.id);
		assert.equal(early.code, 1);
		assert.match(early.stderr, /is valid; revoke it first/);
		await runKeys(installation, own.database, 'revoke', key.id);
		assert.equal((await own.request('/api/v1/stats')).status, 401);
		assert.equal((await runKeys(installation, own.database, 'remove', key.id)).code, 0);
		await settled({}, 200, own);
	});
});

test('a server that others can reach does not start without a key, unless the configuration says so', async () => {
	const database = newDatabase(path.join(temporaryFolder(), 'open.db'));
	const open = { installation, env: { HOST: '0.0.0.0' }, workers: 1, database };
	const refused = new Server(open);
	assert.deepEqual(await refused.ended(), { code: 1, signal: null });
	assert.match(refused.stderr, /other machines can reach 0\.0\.0\.0, and there is no API key/);
	await refused.close();

	const worded = new Installation();
	worded.edit('config/smartsupport.yaml', 'server:\n', 'server:\n  open_to_everybody: true\n');
	await withServer({ ...open, installation: worded }, async (own) => {
		assert.equal((await own.request('/api/v1/stats')).status, 200);
	});

	const key = await createKey(installation, database, 'operator');
	await withServer(open, async (own) => {
		assert.equal((await own.request('/api/v1/stats')).status, 401);
		assert.equal((await own.request('/api/v1/stats', { headers: key.headers })).status, 200);
	});
});

test('the command refuses what makes no key', async () => {
	const run = (...args) => runProgram(['keys', ...args, '--config', installation.config], { cwd: temporaryFolder() });
	for (const [args, sentence] of [
		[['create', '--role', 'king', '--name', 'a'], /--role is chat, operator or admin/],
		[['create', '--role', 'chat'], /a key needs a --role and a --name/],
		[['create', '--role', 'chat', '--name', ' '], /--name is 1 to 100 characters/],
		[['create', '--role', 'chat', '--name', 'a', '--expires', 'soon'], /--expires is a time/],
		[['create', '--role', 'chat', '--name', 'a', '--expires', '0s'], /--expires is a time/],
		[['create', '--role', 'admin', '--name', 'a', '--space', 'b'], /only a key of the role chat/],
		[['create', '--role', 'chat', '--name', 'a', '--space', 'b:c'], /--space is 1 to 40/],
		[['revoke'], /Usage/],
		[['forget', 'all'], /Usage/],
	]) {
		const { code, stderr, stdout } = await run(...args);
		assert.equal(code, 2, stderr);
		assert.match(stderr, sentence);
		assert.equal(stdout, '');
	}
	const missing = await runKeys(installation, server.database, 'revoke', 'key_0000000000000000');
	assert.equal(missing.code, 1);
	assert.match(missing.stderr, /there is no key key_0000000000000000/);
});
