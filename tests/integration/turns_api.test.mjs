// Turns through the API: what happened in one, those that wait for an answer from outside, and the workflow that they run.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertProblem, everything } from './lib/api.mjs';
import { parseEvents } from './lib/events.mjs';
import { Installation } from './lib/files.mjs';
import { Server, runProgram, withServer } from './lib/server.mjs';
import { execute, isPostgres, urlOf } from './lib/store.mjs';
import { connectToWorkers } from './lib/workers.mjs';

const installation = new Installation();
// Somebody has to agree before an escalation goes out.
installation.editWorkflow('timeout: 20s\n', 'timeout: 20s\ndurability: node\n');
installation.editWorkflow(
	/ {2}escalate: {2}\{agent: escalation, .*\}\n/,
	`  escalate:
    agent: escalation
    options: {prompt: ../prompts/summary.md}
    interrupt: {before: true, show: [message, escalation_reason], answer: answered_by}
`,
);
const plain = new Installation();
let server;
before(async () => (server = await Server.start({ installation })));
after(() => server.stop());

const known = 'How do I reset my password?';
const angry = 'I HATE this!!! I was charged twice AGAIN, this is a ridiculous rip-off and I am furious!!!';
const nowhere = 'turn_01234567-89ab-7cde-8f01-23456789abcd';

async function get(route, from = server) {
	const reply = await from.request(`/api/v1/turns${route}`);
	assert.equal(reply.status, 200, reply.text);
	return reply.json;
}

function resume(id, answers, from = server) {
	return from.request(`/api/v1/turns/${id}/resume`, { method: 'POST', body: { answers } });
}

// A question that waits.
async function waiting(user_id, more = {}) {
	const reply = await server.query({ message: angry, user_id, ...more });
	assert.equal(reply.status, 202, reply.text);
	return reply.json;
}

test('a question that waits for an answer from outside is accepted, stored and listed', async () => {
	const asked = await waiting('waits');
	assert.deepEqual(Object.keys(asked).sort(), ['conversation_id', 'interrupts', 'status', 'turn_id']);
	assert.equal(asked.status, 'interrupted');
	const [{ id, node, when, payload }] = asked.interrupts;
	assert.match(id, /^[0-9a-f]{16}$/);
	assert.deepEqual([node, when, payload.message], ['escalate', 'before', angry]);
	const { items } = await get('?state=interrupted&user_id=waits');
	assert.equal(items.length, 1);
	assert.deepEqual(
		[items[0].id, items[0].status, items[0].user_id, items[0].conversation_id],
		[asked.turn_id, 'interrupted', 'waits', asked.conversation_id],
	);
	const turn = await get(`/${asked.turn_id}`);
	assert.equal(turn.status, 'interrupted');
	assert.deepEqual(turn.interrupts, asked.interrupts);
	assert.equal(turn.state.sentiment, 'Angry');
	assert.equal(turn.input.message, angry);
});

test('a command that goes on with a question stores its answer in the conversation, as the API does', async () => {
	const asked = await waiting('by_command');
	const command = (...more) =>
		runProgram(['turns', 'resume', asked.turn_id, ...more, '--config', installation.config], {
			cwd: installation.folder,
			env: { ...installation.env, DATABASE_URL: urlOf(server.database) },
		});
	const open = await command('--json');
	assert.equal(open.code, 3, open.stderr);
	assert.deepEqual([open.code, JSON.parse(open.stdout).interrupts], [3, asked.interrupts], open.stderr);
	for (const [given, sentence] of [[['-a', 'kim'], /is not JSON/], [['-a', '7'], /answered_by/], [['-a', '0123456789abcdef="kim"'], /none of the answers/], [['-a', '"kim"', '-a', '"ann"'], /there are 2 answers, and the turn waits for 1/]]) {
		const wrong = await command(...given);
		assert.equal(wrong.code, 1);
		assert.match(wrong.stderr, sentence);
	}
	assert.match((await command('--stream', '-a', '"kim"')).stderr, /leave out --stream/);
	const done = await command('-a', `${asked.interrupts[0].id}="kim"`, '--json');
	assert.equal(done.code, 0, done.stderr);
	const reply = JSON.parse(done.stdout);
	assert.deepEqual([reply.conversation_id, reply.metadata.turn_id], [asked.conversation_id, asked.turn_id]);
	const { messages } = (await server.request(`/api/v1/conversations/${asked.conversation_id}`)).json;
	assert.deepEqual(messages.map(({ role, content }) => [role, content]), [['user', angry], ['assistant', reply.response]]);
	assert.equal((await get(`/${asked.turn_id}`)).status, 'done');
	const again = await command('-a', '"kim"');
	assert.equal(again.code, 1);
	assert.match(again.stderr, /the question is answered/);
});

test('its answer is given once, and the turn goes on to its reply', async () => {
	const asked = await waiting('resumed');
	const [{ id }] = asked.interrupts;
	assertProblem(await resume(asked.turn_id, { '0123456789abcdef': 'x' }), 422, /none of the answers/);
	assertProblem(await resume(asked.turn_id, { [id]: 7 }), 422, /answered_by/);
	const reply = await resume(asked.turn_id, { [id]: 'kim' });
	assert.equal(reply.status, 200, reply.text);
	assert.equal(reply.json.conversation_id, asked.conversation_id);
	assert.equal(reply.json.metadata.turn_id, asked.turn_id);
	assert.equal(reply.json.metadata.escalated, true);
	const conversation = await server.request(`/api/v1/conversations/${asked.conversation_id}`);
	assert.deepEqual(
		[conversation.json.status, ...conversation.json.messages.map(({ content }) => content)],
		['escalated', angry, reply.json.response],
	);
	assertProblem(await resume(asked.turn_id, { [id]: 'kim' }), 409, /the turn is done/);
	assert.equal((await get(`/${asked.turn_id}`)).status, 'done');
	const events = await server.request(`/api/v1/events?conversation_id=${asked.conversation_id}`);
	assert.deepEqual(events.json.items.map(({ type }) => type).sort(), ['query.created', 'query.escalated']);
});

test('one of many who answer at the same time goes on with it', async () => {
	const asked = await waiting('raced');
	const [{ id }] = asked.interrupts;
	const replies = await Promise.all(Array.from({ length: 6 }, (_, i) => resume(asked.turn_id, { [id]: `human ${i}` })));
	assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 409, 409, 409, 409, 409]);
	const { json } = await server.request(`/api/v1/conversations/${asked.conversation_id}`);
	assert.equal(json.message_count, 2);
});

test('a stream is told that the question waits', async () => {
	const reply = await server.query({ message: angry, user_id: 'streams', stream: true });
	assert.equal(reply.status, 200);
	const events = parseEvents(reply.text);
	assert.equal(events.at(-1).name, 'waiting');
	assert.equal(events.at(-1).data.status, 'interrupted');
	assert.equal((await resume(events.at(-1).data.turn_id, { [events.at(-1).data.interrupts[0].id]: 'kim' })).status, 200);
});

test('a turn that waits goes on after a restart, with the workflow that it began with', async () => {
	const own = new Installation();
	own.write('config/workflows/support.yaml', installation.read('config/workflows/support.yaml'));
	let asked;
	let database;
	await withServer({ installation: own }, async (first) => {
		const reply = await first.query({ message: angry, user_id: 'later' });
		assert.equal(reply.status, 202, reply.text);
		asked = reply.json;
		database = first.database;
	});
	own.editWorkflow('  respond:   {agent: respond}\n', '  respond:   {agent: respond, timeout: 9s}\n');
	await withServer({ installation: own, database }, async (second) => {
		const turn = await get(`/${asked.turn_id}`, second);
		assert.deepEqual(turn.interrupts, asked.interrupts);
		const reply = await resume(asked.turn_id, { [asked.interrupts[0].id]: 'kim' }, second);
		assert.equal(reply.status, 200, reply.text);
		const stored = await second.request(`/api/v1/conversations/${asked.conversation_id}`);
		assert.equal(stored.json.messages[1].content, reply.json.response);
	});
});

test('a turn tells the nodes that ran, what they wrote, the edges taken and the nodes that were skipped', async () => {
	const { metadata } = await server.ask(known, { user_id: 'traced' });
	const turn = await get(`/${metadata.turn_id}`);
	assert.equal(turn.status, 'done');
	assert.deepEqual(turn.trace.map(({ node }) => node), metadata.route);
	for (const { node, duration_ms } of turn.trace) assert.ok(duration_ms > 0, `how long ${node} took`);
	const check = turn.trace.find(({ node }) => node === 'check');
	assert.deepEqual(check.status, 'done');
	assert.ok(check.writes.includes('escalated'));
	assert.equal(check.taken.length, 1);
	assert.match(check.taken[0].when, /category == /);
	assert.ok(turn.skipped.includes('escalate'));
	assert.ok(turn.skipped.every((name) => !metadata.route.includes(name)));
	assert.equal(turn.checkpoints.length, turn.trace.length);
	assert.deepEqual(turn.interrupts, []);
});

// Has the store take its time over the end of a journal.
const slowEnd = {
	sqlite: `CREATE TABLE slow (x INTEGER) STRICT;
		WITH RECURSIVE numbers (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM numbers WHERE x < 2000) INSERT INTO slow SELECT x FROM numbers;
		CREATE TRIGGER slow_end BEFORE UPDATE ON turns WHEN NEW.status = 'done' BEGIN SELECT count(*) FROM slow AS a, slow AS b; END;`,
	postgres: `CREATE FUNCTION slow_end() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.5); RETURN NEW; END';
		CREATE TRIGGER slow_end BEFORE UPDATE ON turns FOR EACH ROW WHEN (NEW.status = 'done') EXECUTE FUNCTION slow_end()`,
};

test('who has the answer of a turn that is kept finds its end, however long that takes to be stored', async () => {
	await withServer({ installation, workers: 2 }, async (slow) => {
		await execute(slow.database, isPostgres(slow.database) ? slowEnd.postgres : slowEnd.sqlite);
		// The worker that has answered comes to it after what it is storing; another one does not wait for that.
		const agents = [...(await connectToWorkers(slow)).values()];
		const [one, other] = agents;
		const { json, status, text } = await slow.query({ message: known, user_id: 'at_once' }, { agent: one });
		assert.equal(status, 200, text);
		const { metadata } = json;
		const { json: turn } = await slow.request(`/api/v1/turns/${metadata.turn_id}`, { agent: other });
		assert.equal(turn.status, 'done');
		assert.deepEqual(turn.trace.map(({ node }) => node), metadata.route);
		assert.equal(turn.checkpoints.length, turn.trace.length);
		for (const agent of agents) agent.destroy();
	});
});

test('of a turn without a journal it is told what is stored with its answer', async () => {
	await withServer({ installation: plain }, async (simple) => {
		const asked = await simple.ask(known, { user_id: 'plain' });
		const turn = await get(`/${asked.metadata.turn_id}`, simple);
		assert.deepEqual([turn.status, turn.question, turn.conversation_id], ['done', known, asked.conversation_id]);
		assert.equal(turn.answer.content, asked.response);
		assert.deepEqual(turn.answer.metadata.route, asked.metadata.route);
		assert.deepEqual(await get('', simple), { items: [], next_cursor: null });
		assertProblem(await resume(asked.metadata.turn_id, { a: 1 }, simple), 404, /./);
	});
});

test('without durability a question cannot wait', async () => {
	const loose = new Installation();
	loose.write('config/workflows/support.yaml', installation.read('config/workflows/support.yaml').replace('durability: node\n', ''));
	await withServer({ installation: loose }, async (other) => {
		const reply = await other.query({ message: angry });
		assertProblem(reply, 503, /./);
	});
});

test('turns are listed page by page while others come', async () => {
	const made = [];
	for (let i = 0; i < 5; i++) made.unshift((await server.ask('Hello', { user_id: 'lister' })).metadata.turn_id);
	const all = await everything(server, '/api/v1/turns?user_id=lister', 2);
	assert.deepEqual(all.map(({ id }) => id), made);
	const first = await get('?user_id=lister&limit=2');
	await server.ask('Hello', { user_id: 'lister' });
	const second = await get(`?user_id=lister&limit=2&cursor=${first.next_cursor}`);
	assert.deepEqual(second.items.map(({ id }) => id), made.slice(2, 4));
	assert.ok((await everything(server, '/api/v1/turns?state=done', 3)).every(({ status }) => status === 'done'));
	assert.deepEqual((await get('?state=failed')).items, []);
	assertProblem(await server.request('/api/v1/turns?state=lost'), 422, /state must be/);
	assertProblem(await server.request('/api/v1/turns?cursor=x'), 422, /cursor/);
	assertProblem(await server.request(`/api/v1/turns/${nowhere}`), 404, /./);
	assertProblem(await resume(nowhere, { a: 1 }), 404, /./);
	assertProblem(await resume(nowhere, []), 422, /answers must be an object/);
});

test('the workflow is given as JSON and drawn', async () => {
	const fetch = (query = '', headers = {}) => server.request(`/api/v1/workflow${query}`, { headers });
	const { json } = await fetch();
	assert.deepEqual([json.name, json.durability], ['customer-support', 'node']);
	assert.match(json.version, /^[0-9a-f]{64}$/);
	const check = json.nodes.find(({ name }) => name === 'check');
	assert.equal(check.agent, 'escalation_check');
	assert.equal(json.nodes.find(({ name }) => name === 'escalate').waits, true);
	const choice = json.edges.find(({ kind }) => kind === 'choose');
	assert.deepEqual(choice.from, ['check']);
	assert.deepEqual(choice.to[1], { to: 'escalate', when: 'escalated' });
	assert.deepEqual(choice.to.at(-1), { to: 'general' });
	assert.ok(json.state.some(({ name, type }) => name === 'priority' && type === 'int'));
	const mermaid = await fetch('?format=mermaid');
	assert.match(mermaid.headers['content-type'], /^text\/plain/);
	assert.match(mermaid.text, /^flowchart|^graph/m);
	for (const reply of [await fetch('?format=svg'), await fetch('', { Accept: 'image/svg+xml' })]) {
		assert.match(reply.headers['content-type'], /^image\/svg\+xml/);
		assert.match(reply.text, /id="node-check"/);
	}
	assert.match((await fetch('?format=dot')).text, /digraph/);
	assert.equal((await fetch('?format=json', { Accept: 'image/svg+xml' })).json.name, 'customer-support');
	assertProblem(await fetch('?format=pdf'), 422, /format must be/);
});
