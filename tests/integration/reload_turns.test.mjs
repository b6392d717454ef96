// A reload while turns are under way: those that wait for a human, long streams, and nodes that do not return.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { parseEvents } from './lib/events.mjs';
import { Installation } from './lib/files.mjs';
import { lives, withServer } from './lib/server.mjs';
import { keepAsking } from './lib/load.mjs';
import { until } from './lib/wait.mjs';

const limit = { timeout: 300000 };
const angry = 'I HATE this!!! I was charged twice AGAIN, this is a ridiculous rip-off and I am furious!!!';

async function reload(server) {
	const reply = await server.request('/api/v1/reload', { method: 'POST' });
	assert.equal(reply.status, 200, reply.text);
	return reply.json;
}

// An installation whose workers get TIME to finish when they are told to leave.
function draining(time) {
	const installation = new Installation();
	installation.edit('config/smartsupport.yaml', /drain_timeout: \w+/, `drain_timeout: ${time}`);
	return installation;
}

test('turns that wait for a human are gone on with by the new generation, with the workflow that they began with', limit, async () => {
	const installation = new Installation();
	installation.editWorkflow('timeout: 20s\n', 'timeout: 20s\ndurability: node\n');
	installation.editWorkflow(
		/ {2}escalate: {2}\{agent: escalation, .*\}\n/,
		`  escalate:
    agent: escalation
    options: {prompt: ../prompts/summary.md}
    interrupt: {before: true, show: [message], answer: answered_by}
`,
	);
	await withServer({ installation }, async (server) => {
		const before = server.workers();
		const waiting = await Promise.all(Array.from({ length: 4 }, (_, i) => server.query({ message: angry, user_id: `waits ${i}` })));
		for (const reply of waiting) assert.equal(reply.status, 202, reply.text);
		const [workflow] = new Set((await server.rows('SELECT DISTINCT workflow FROM turns')).map((row) => row.workflow));
		const asking = keepAsking(server);
		installation.editWorkflow('Negative: 2', 'Negative: 1');
		await reload(server);
		await until('the end of the old generation', () => before.every((pid) => !lives(pid)));
		for (const { json } of waiting) {
			const route = `/api/v1/turns/${json.turn_id}`;
			assert.equal((await server.request(route)).json.status, 'interrupted');
			const answers = { [json.interrupts[0].id]: 'kim' };
			const reply = await server.request(`${route}/resume`, { method: 'POST', body: { answers } });
			assert.equal(reply.status, 200, reply.text);
			assert.equal(reply.json.metadata.escalated, true);
			assert.equal(await server.value(`SELECT workflow FROM turns WHERE id = '${json.turn_id}'`), workflow);
			assert.equal(await server.value(`SELECT count(*) FROM messages WHERE turn_id = '${json.turn_id}' AND role = 'assistant'`), 1);
		}
		await asking.end();
	});
});

test('streams that are open go on in their old workers to their end, while the new generation answers others', limit, async () => {
	const installation = draining('1h').dawdle();
	await withServer({ installation }, async (server) => {
		const before = server.workers();
		const body = { message: 'How do I reset my password?', stream: true };
		const ended = [];
		const streams = Array.from({ length: 6 }, async (_, i) => {
			const reply = await server.query({ ...body, user_id: `streams ${i}` });
			ended.push(i);
			return reply;
		});
		const begun = () => server.request('/metrics').then(({ text }) => Number(/^smartsupport_connections (\d+)/m.exec(text)[1]));
		await until('all streams', async () => (await begun()) > 6);
		installation.editWorkflow(/ {2}- \{from: dawdle, to: gaps\}\n/, '  - {from: dawdle, to: gaps}\n'); // the same, so that it is another file
		await reload(server);
		for (let i = 0; i < 3; i++) {
			const { status, json } = await server.request('/readyz');
			assert.deepEqual([status, json.configuration.generation], [200, 2]);
		}
		assert.deepEqual(ended, []);
		assert.ok(before.some((pid) => lives(pid)), 'a worker of the old generation has streams still');
		installation.open();
		for (const reply of await Promise.all(streams)) {
			const events = parseEvents(reply.text);
			assert.equal(reply.status, 200);
			assert.equal(events.at(-1).name, 'final', reply.text);
			assert.equal(await server.value(`SELECT count(*) FROM messages WHERE turn_id = '${events.at(-1).data.metadata.turn_id}' AND role = 'assistant'`), 1);
		}
		await until('the end of the old generation', () => before.every((pid) => !lives(pid)));
	});
});

// Asks as a client does that wants an answer: again, with the same key, as long as it is cut off or told to wait.
async function insist(server, body, headers) {
	let reply;
	await until(`an answer to "${body.message}"`, async () => {
		reply = await server.query(body, { headers }).catch(() => null);
		return reply !== null && ![409, 503].includes(reply.status);
	});
	assert.equal(reply.status, 200, reply.text);
	return reply.json;
}

// Cuts a turn whose node, of INSTALLATION's workflow, does not return: the old generation must not keep it for longer than its time. MEND
// is called before the reload, RELEASE when the old generation is gone. Gives the answer that the client gets by its key.
async function cutAtTheDeadline(server, installation, message, { mend = () => {}, release = () => {} }) {
	const before = server.workers();
	const headers = { 'Idempotency-Key': randomUUID() };
	const body = { message, user_id: 'patient' };
	const first = server.query(body, { headers }).catch(() => null);
	await until('its turn', async () => (await server.value("SELECT count(*) FROM turns WHERE status = 'running'")) === 1);
	mend();
	server.signal('SIGHUP');
	await server.untilLogged('the new configuration has taken over');
	await until('the end of the old generation', () => before.every((pid) => !lives(pid)));
	release();
	const cut = await first;
	assert.ok(cut === null || cut.status >= 500, cut?.text);
	const answer = await insist(server, body, headers);
	assert.equal(await server.value('SELECT count(*) FROM turns'), 1);
	assert.equal(await server.value("SELECT count(*) FROM messages WHERE role = 'assistant'"), 1);
	return answer;
}

function lasting(installation) {
	installation.editWorkflow(/max_steps: 50\ntimeout: \d+s/, 'max_steps: 50\ntimeout: 300s\ndurability: node');
	installation.edit('config/smartsupport.yaml', '  heartbeat:', '  idempotency: {lease: 1s}\n  heartbeat:');
	return installation;
}

test('a node that waits for what does not come is cut at the drain deadline, and the new generation goes on with its turn', limit, async () => {
	const installation = lasting(draining('1s').dawdle());
	await withServer({ installation }, async (server) => {
		const message = 'How do I reset my password?';
		const answer = await cutAtTheDeadline(server, installation, message, { release: () => installation.open() });
		assert.deepEqual([answer.category, answer.metadata.escalated], ['Account', false]);
		assert.equal(await server.value('SELECT fence FROM turns'), 2);
	});
});

test('a node that never gives its loop back is killed at the drain deadline, and its turn ends elsewhere', limit, async () => {
	const installation = draining('1s');
	installation.addFixtures();
	installation.edit('config/smartsupport.yaml', /hang_timeout: \S+/, 'hang_timeout: 1h');
	installation.editWorkflow('\nedges:', '\n  misdeed: {agent: sleeping, on_error: {set: {response: "The fallback answers."}}}\n\nedges:');
	installation.editWorkflow('{from: [respond, chat], any: true, to: gaps}', '{from: [respond, chat], any: true, to: misdeed}');
	installation.editWorkflow('- {from: gaps, to: END}', '- {from: misdeed, to: gaps}\n  - {from: gaps, to: END}');
	await withServer({ installation: lasting(installation), dies: true }, async (server) => {
		// The new generation, which runs the same workflow for it, need not wait for so long.
		const mend = () => installation.edit('config/smartsupport.yaml', /hang_timeout: \S+/, 'hang_timeout: 2s');
		const answer = await cutAtTheDeadline(server, installation, 'How do I reset my password? And now: sleeping.', { mend });
		assert.equal(answer.response, 'The fallback answers.');
	});
});
