// All that is stored of a user, as one document, and gone.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Installation, temporaryFolder } from './lib/files.mjs';
import { runProgram, withServer } from './lib/server.mjs';
import { isPostgres, newDatabase, query, storage, urlOf } from './lib/store.mjs';

const questions = [
	'How do I reset my password? Zebrafish quill',
	'Where are my invoices? Xylophone "marble"\nsecond line',
	'My application keeps crashing: Quokka lantern ünïcode ☃',
];
// What no article answers, what a human replies, and what is asked by a key.
const unanswered = 'Do albatrosses like Wolframite biscuits?';
const reply = 'I look after it myself: Periwinkle';
const words = ['Zebrafish', 'quill', 'Xylophone', 'marble', 'Quokka', 'lantern', 'ünïcode', 'Walrus', 'Wolframite', 'Periwinkle', 'Cormorant'];

// A database in which ann and ben have asked something.
class Place {
	constructor() {
		this.folder = temporaryFolder();
		this.database = newDatabase(path.join(this.folder, 'support.db'));
		this.env = { DATABASE_URL: urlOf(this.database) };
	}

	run(...args) {
		return runProgram(['user', ...args], { env: this.env });
	}

	async fill() {
		this.received = [];
		await withServer({ installation: new Installation(), database: this.database }, async (server) => {
			const first = await server.ask(questions[0], { user_id: 'ann' });
			this.received.push(first);
			this.received.push(await server.ask(questions[1], { user_id: 'ann', conversation_id: first.conversation_id }));
			this.received.push(await server.ask(questions[2], { user_id: 'ann' }));
			await server.ask('How do I reset my password? Hedgehog', { user_id: 'ben' });
			const feedback = await server.request('/api/v1/feedback', {
				method: 'POST',
				body: { turn_id: first.metadata.turn_id, was_helpful: true, comment: 'Walrus' },
			});
			assert.equal(feedback.status, 204, feedback.text);
			await server.ask(unanswered, { user_id: 'ann' });
			await this.once(server, `/api/v1/conversations/${first.conversation_id}/reply`, { message: reply });
			await this.once(server, '/api/v1/query', { message: 'Where are my invoices? Cormorant', user_id: 'ann' });
		});
	}

	// Asks what is done once, and by what is kept of it.
	async once(server, route, body) {
		const send = () => server.request(route, { method: 'POST', body, headers: { 'Idempotency-Key': key } });
		const key = randomUUID();
		const first = await send();
		assert.ok(first.status === 200 || first.status === 201, first.text);
		assert.equal((await send()).text, first.text);
		return first.json;
	}

	async tables() {
		const sql = storage.postgres
			? `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace`
			: `SELECT name FROM sqlite_schema WHERE type = 'table'`;
		const names = (await query(this.database, sql)).map((row) => row.name);
		const rows = await Promise.all(names.map((name) => query(this.database, `SELECT * FROM ${name}`)));
		return JSON.stringify(Object.fromEntries(names.map((name, i) => [name, rows[i]])));
	}
}

test('export has every word that the user said and was told, and nothing of others', async () => {
	const place = new Place();
	await place.fill();
	const { code, stdout, stderr } = await place.run('export', 'ann');
	assert.deepEqual([code, stderr], [0, '']);
	const all = JSON.parse(stdout);
	assert.equal(all.user_id, 'ann');
	assert.equal(all.user.id, 'ann');
	assert.ok(Date.parse(all.exported_at) > 0);
	assert.equal(all.conversations.length, 4);
	const messages = all.conversations.flatMap((conversation) => conversation.messages);
	const said = messages.filter(({ role }) => role === 'user').map(({ content }) => content);
	assert.deepEqual(said.sort(), [...questions, unanswered, 'Where are my invoices? Cormorant'].sort());
	assert.deepEqual(messages.filter(({ role }) => role === 'human').map(({ content }) => content), [reply]);
	for (const reply of place.received) {
		const answer = messages.find((message) => message.turn_id === reply.metadata.turn_id);
		assert.equal(answer.content, reply.response);
		assert.equal(answer.category, reply.category);
	}
	assert.deepEqual(messages.filter(({ feedback }) => feedback).map(({ feedback }) => feedback.comment), ['Walrus']);
	assert.ok(Array.isArray(all.journals));
	assert.ok(all.events.length > 0);
	const ids = all.conversations.map(({ id }) => id);
	for (const { data } of all.events) assert.ok(ids.includes(data.conversation_id), JSON.stringify(data));
	assert.ok(all.questions.some(({ question }) => question === unanswered));
	for (const { question } of all.questions) assert.ok(said.includes(question), question);
	const kept = all.requests.map(({ answer }) => JSON.parse(JSON.parse(answer).body));
	assert.equal(kept.find(({ role }) => role === 'human').content, reply);
	assert.ok(kept.some(({ category, response }) => category && messages.some(({ content }) => content === response)));
	assert.equal(kept.length, 2);
	for (const word of words) assert.ok(stdout.includes(word), word);
	assert.doesNotMatch(stdout, /Hedgehog/);
});

test('export reads page by page what is more than one page', { timeout: 900000 }, async () => {
	const place = new Place();
	const count = 130;
	await withServer({ installation: new Installation(), database: place.database }, async (server) => {
		const { conversation_id } = await server.ask('Question number 0 of many', { user_id: 'ann' });
		for (let i = 1; i < count; i++) await server.ask(`Question number ${i} of many`, { user_id: 'ann', conversation_id });
		await Promise.all(Array.from({ length: count }, (_, i) => server.ask(`Other ${i}`, { user_id: 'ann' })));
	});
	const { code, stdout, stderr } = await place.run('export', 'ann');
	assert.deepEqual([code, stderr], [0, '']);
	const { conversations } = JSON.parse(stdout);
	assert.equal(conversations.length, count + 1);
	assert.equal(new Set(conversations.map(({ id }) => id)).size, count + 1);
	const long = conversations.find(({ message_count }) => message_count > 2);
	assert.deepEqual(
		long.messages.map(({ seq }) => seq),
		Array.from({ length: 2 * count }, (_, i) => i + 1),
	);
});

test('export writes a new file for its owner, or nothing', async () => {
	const place = new Place();
	await place.fill();
	const file = path.join(place.folder, 'ann.json');
	const { code, stdout, stderr } = await place.run('export', 'ann', '--output', file);
	assert.deepEqual([code, stdout, stderr], [0, '', '']);
	assert.equal(JSON.parse(fs.readFileSync(file, 'utf8')).conversations.length, 4);
	assert.equal(fs.statSync(file).mode & 0o777, 0o600);
	const again = await place.run('export', 'ben', '--output', file);
	assert.equal(again.code, 1);
	assert.match(again.stderr, /ann\.json: cannot be written: File exists/);
	assert.equal(JSON.parse(fs.readFileSync(file, 'utf8')).user_id, 'ann');
	const nobody = await place.run('export', 'nobody', '--output', path.join(place.folder, 'nobody.json'));
	assert.equal(nobody.code, 1);
	assert.match(nobody.stderr, /nothing is stored of the user nobody/);
	const full = await runProgram(['user', 'export', 'ann'], { env: place.env, stdout: fs.openSync('/dev/full', 'w') });
	assert.equal(full.code, 1);
	assert.match(full.stderr, /the output could not be written: No space left on device/);
	assert.deepEqual(fs.readdirSync(place.folder).filter((name) => name.includes('json')), ['ann.json']);
});

test('what is erased is in no export, no table and no file any more', async () => {
	const place = new Place();
	await place.fill();
	const before = await place.tables();
	for (const word of words) assert.ok(before.includes(word), `${word} was there`);
	const { code, stdout, stderr } = await place.run('erase', 'ann', '--yes', '--json');
	assert.deepEqual([code, stderr], [0, '']);
	const erased = JSON.parse(stdout);
	assert.equal(erased.conversations, 4);
	assert.equal(erased.messages, 11);
	assert.equal(erased.requests, 2);
	assert.ok(erased.questions >= 1);
	const after = await place.tables();
	for (const word of [...words, 'ann"']) assert.ok(!after.includes(word), `${word} is in a table`);
	assert.ok(after.includes('Hedgehog'), 'what others said is still there');
	if (!isPostgres(place.database)) {
		for (const name of fs.readdirSync(place.folder)) {
			const bytes = fs.readFileSync(path.join(place.folder, name));
			for (const word of words) assert.ok(!bytes.includes(word), `${word} is in ${name}`);
		}
	}
	const gone = await place.run('export', 'ann');
	assert.deepEqual([gone.code, gone.stdout], [1, '']);
	assert.match(gone.stderr, /nothing is stored of the user ann/);
	const again = await place.run('erase', 'ann', '--yes');
	assert.deepEqual([again.code, again.stdout], [1, '']);
	const sound = await runProgram(['verify'], { env: place.env });
	assert.equal(sound.stdout, 'All that is stored is sound.\n');
	const ben = await place.run('export', 'ben');
	assert.match(ben.stdout, /Hedgehog/);
});

test('what is kept of requests goes with the conversation that they are about, also of who gave no name', async () => {
	const place = new Place();
	await withServer({ installation: new Installation(), database: place.database }, async (server) => {
		const asked = await place.once(server, '/api/v1/query', { message: 'Where are my invoices? Toucan' });
		const route = `/api/v1/conversations/${asked.conversation_id}`;
		await place.once(server, `${route}/reply`, { message: 'I look: Flamingo' });
		await place.once(server, '/api/v1/query', { message: 'And then? Pelican', conversation_id: asked.conversation_id });
		const other = await place.once(server, '/api/v1/query', { message: 'How do I reset my password? Ostrich' });
		const { requests } = JSON.parse((await place.run('export', 'web_user')).stdout);
		const about = requests.map(({ conversation_id }) => conversation_id).sort();
		assert.deepEqual(about, [...Array(3).fill(asked.conversation_id), other.conversation_id].sort());
		const gone = await server.request(route, { method: 'DELETE' });
		assert.equal(gone.status, 204, gone.text);
		const left = await query(place.database, 'SELECT conversation_id, answer FROM requests');
		assert.deepEqual(left.map(({ conversation_id }) => conversation_id), [other.conversation_id]);
	});
	const { requests } = JSON.parse((await place.run('erase', 'web_user', '--yes', '--json')).stdout);
	assert.equal(requests, 1);
	assert.deepEqual(await query(place.database, 'SELECT key FROM requests'), []);
});

test('export reads requests and questions page by page, and so does that of the API', async () => {
	const place = new Place();
	const count = 130;
	let reply;
	await withServer({ installation: new Installation(), database: place.database }, async (server) => {
		await Promise.all(Array.from({ length: count }, (_, i) => place.once(server, '/api/v1/query', { message: `Question number ${i}`, user_id: 'ann' })));
		await place.once(server, '/api/v1/query', { message: 'Not hers', user_id: 'ben' });
		reply = await server.request('/api/v1/users/ann/export');
		assert.equal(reply.status, 200, reply.text);
	});
	const { requests, questions } = JSON.parse((await place.run('export', 'ann')).stdout);
	assert.equal(requests.length, count);
	assert.deepEqual(reply.json.requests, requests);
	assert.deepEqual(reply.json.questions, questions);
	assert.ok(questions.length > 0);
	assert.equal(new Set(requests.map(({ key }) => key)).size, count);
});

// Runs `user erase ann` and answers TEXT.
function answer(place, text) {
	return runProgram(['user', 'erase', 'ann'], { env: place.env, input: text });
}

test('erase asks before it does', async () => {
	const place = new Place();
	await place.fill();
	for (const text of ['', 'no\n', 'y\n', 'yes, but later\n']) {
		const { code, stdout, stderr } = await answer(place, text);
		assert.deepEqual([code, stdout], [1, '']);
		assert.match(stderr, /^Everything that is stored of the user ann is deleted for good\. Go on\?/);
		assert.match(stderr, /nothing was erased/);
	}
	assert.equal((await place.run('export', 'ann')).code, 0);
	const { code, stdout } = await answer(place, 'yes\n');
	assert.equal(code, 0);
	assert.match(stdout, /^All that was stored of the user ann is erased: 4 conversations, /);
	assert.equal((await place.run('export', 'ann')).code, 1);
});

for (const args of [[], ['export'], ['erase', 'ann', 'ben'], ['list', 'ann'], ['export', 'ann', '--colour']]) {
	test(`smartsupport user ${args.join(' ')} is refused with 2`, async () => {
		const { code, stdout, stderr } = await runProgram(['user', ...args]);
		assert.deepEqual([code, stdout], [2, '']);
		assert.match(stderr, /Usage: smartsupport user export ID/);
	});
}
