// Agents that do what a plugin must not: others are answered meanwhile, the question is answered or goes to a human, the worker
// is replaced, the operator sees who it was, and a node that does it twice is called no more.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { test } from 'node:test';
import { Installation, program } from './lib/files.mjs';
import { lives, withServer } from './lib/server.mjs';
import { pause, until } from './lib/wait.mjs';

const limit = { timeout: 180000 };
const sanitized = fs.readFileSync(program).includes('__asan_init');
const usual = { message: 'How do I reset my password?', user_id: 'usual' };
const fallback = 'The fallback answers.';
const onError = `, on_error: {set: {response: "${fallback}"}}`;
const handedOver = /^Something went wrong here .* A person of our team has it now/;

// Those that hang are given up soon; a worker that only has a busy machine must not be taken for one that hangs.
const hanging = ['spinning', 'sleeping', 'holding'];

// Its questions are kept, and come to the agent AGENT as their last node but one. MORE belongs to the node.
function misbehaving(agent, more = '') {
	const installation = new Installation();
	installation.addFixtures();
	const limit = hanging.includes(agent) ? '2s' : '60s';
	installation.edit('config/smartsupport.yaml', /hang_timeout: \S+/, `hang_timeout: ${limit}\n  idempotency: {lease: 1s}`);
	installation.editWorkflow('max_steps: 50\ntimeout: 20s', 'max_steps: 50\ntimeout: 20s\ndurability: node');
	installation.editWorkflow('\nedges:', `\n  misdeed: {agent: ${agent}${more}}\n\nedges:`);
	installation.editWorkflow('{from: [respond, chat], any: true, to: gaps}', '{from: [respond, chat], any: true, to: misdeed}');
	installation.editWorkflow('- {from: gaps, to: END}', '- {from: misdeed, to: gaps}\n  - {from: gaps, to: END}');
	return installation;
}

const bad = (agent) => ({ message: `How do I reset my password? And now: ${agent}.`, user_id: 'bad' });

// Asks as a client does that wants an answer: again, with the same key, as long as it is cut off or told to wait.
async function insist(server, body) {
	const headers = { 'Idempotency-Key': randomUUID() };
	let reply;
	await until(`an answer to "${body.message}"`, async () => {
		// A connection for each, so that a worker that hangs keeps nobody but who has come to it.
		reply = await server.query(body, { headers, agent: false }).catch(() => null);
		return reply !== null && ![409, 503].includes(reply.status);
	});
	assert.equal(reply.status, 200, reply.text);
	return reply.json;
}

// Asks the usual question over and over, with a short rest. Gives a function that ends it and tells how many were answered.
function keepAsking(server) {
	let [ends, answered] = [false, 0];
	const asking = (async () => {
		while (!ends) {
			assert.equal((await insist(server, usual)).category, 'Account');
			answered++;
			await pause(50);
		}
		return answered;
	})();
	asking.catch(() => {}); // who ends it sees it
	return async () => {
		const sofar = answered;
		await Promise.race([asking, until('another answer', () => answered > sofar + 1)]);
		ends = true;
		return asking;
	};
}

const messages = (server) => server.log.map(({ message }) => message ?? '');
const logged = (server, pattern) => messages(server).some((message) => pattern.test(message));
// What a process says comes another way than what it answers.
const untilLogged = (server, pattern) => until(`${pattern} in the log`, () => logged(server, pattern));
const figure = async (server, name) => {
	const { text } = await server.request('/metrics', { agent: false });
	return Number(new RegExp(`^${name.replace(/[{}"]/g, '\\$&')} (\\S+)$`, 'm').exec(text)[1]);
};

async function assertQuarantined(server, agent, cause) {
	// The master says so after its workers know.
	const says = new RegExp(`2 workers have died over the node misdeed .* by the agent ${agent} \\(/.*/${agent}-[0-9a-f]{16}\\.so\\): it is in quarantine`);
	await until('the quarantine', async () => logged(server, says) && (await figure(server, 'smartsupport_quarantined_nodes')) === 1);
	const { status, json } = await server.request('/readyz', { agent: false });
	assert.deepEqual([status, json.status, json.nodes.state], [200, 'degraded', 'degraded']);
	assert.deepEqual(json.nodes.quarantined.map(({ node, agent: its, workflow, deaths }) => [workflow, node, its, deaths]), [
		['customer-support', 'misdeed', agent, 2],
	]);
	assert.ok(Date.parse(json.nodes.quarantined[0].since) <= Date.now());
	assert.equal(await figure(server, `smartsupport_worker_deaths_total{cause="${cause}"}`), 2);
}

// What kills its worker: by what the log says of it, which function was at it, and what the deaths are counted as.
const deadly = [
	{ agent: 'segfault', says: /crashed by signal 11 \(Segmentation fault\)/, at: 'read_nowhere', cause: 'signal' },
	{ agent: 'overflow', says: /crashed by signal 11 \(Segmentation fault\)/, at: 'call_deeper', cause: 'signal' },
	{ agent: 'aborting', says: /crashed by signal 6 \(Aborted\)/, at: 'give_up', cause: 'signal' },
	{ agent: 'throwing', says: /crashed by signal 6 \(Aborted\)/, at: 'throw_something', cause: 'signal' },
	{ agent: 'exiting', says: /ended since exit\(\) was called/, at: 'end_program', cause: 'exit' },
	{ agent: 'vanishing', says: /worker \d+ ended with code 3/, cause: 'exit' },
	{ agent: 'spinning', says: /hung, and was ended/, at: 'count_on', cause: 'hang' },
	{ agent: 'sleeping', says: /hung, and was ended/, at: 'sleep_on', cause: 'hang' },
];

for (const { agent, says, at, cause } of deadly) {
	test(`an agent that is ${agent} kills two workers, and is called no more`, limit, async () => {
		await withServer({ installation: misbehaving(agent, onError), workers: 2, dies: true }, async (server) => {
			const stopAsking = keepAsking(server);
			const { response, metadata } = await insist(server, bad(agent));
			assert.equal(response, fallback);
			assert.equal(metadata.escalated, false);
			assert.ok((await stopAsking()) > 0);
			await untilLogged(server, says);
			if (at !== undefined) {
				await untilLogged(server, new RegExp(` in run\\(\\) of the agent ${agent} \\(/.*/${agent}-[0-9a-f]{16}\\.so\\) of the node misdeed of the workflow customer-support;`));
				await untilLogged(server, new RegExp(`^#\\d+ ${at}\\+0x[0-9a-f]+ in /.*/${agent}-[0-9a-f]{16}\\.so \\(\\+0x`));
			}
			await assertQuarantined(server, agent, cause);
			assert.equal((await server.ask(bad(agent).message)).response, fallback);
			await until('both workers', () => server.workers().length === 2);
			await assertQuarantined(server, agent, cause);
		});
	});
}

// Asks until COUNT workers have died over AGENT, whose misdeed shows after its answer.
async function askUntilDead(server, agent, count) {
	for (let died = 1; died <= count; died++) {
		await insist(server, bad(agent));
		const counted = died === 1 ? 'a worker has died over' : `${died} workers have died over`;
		await until(`death ${died}`, () => logged(server, new RegExp(`^${counted} the node misdeed`)));
		await until('both workers', () => server.workers().length === 2);
	}
}

test('an agent that blocks its own thread for ever is waited for no longer than its time; then its worker is replaced', limit, async () => {
	await withServer({ installation: misbehaving('holding', `, timeout: 1s${onError}`), dies: true }, async (server) => {
		const stopAsking = keepAsking(server);
		assert.equal((await insist(server, bad('holding'))).response, fallback);
		await askUntilDead(server, 'holding', 2);
		await stopAsking();
		await untilLogged(server, /the agent holding of the node misdeed still blocks, 2 s after its time was up/);
		await untilLogged(server, /hung, and was ended on the thread agents, in run\(\) of the agent holding/);
		await untilLogged(server, /^#\d+ sleep_on\+0x[0-9a-f]+ in \/.*\/holding-[0-9a-f]{16}\.so/);
		await assertQuarantined(server, 'holding', 'hang');
		assert.equal((await server.ask(bad('holding').message)).response, fallback);
	});
});

test('an agent whose own thread crashes is known by its file', limit, async () => {
	await withServer({ installation: misbehaving('threading', onError), dies: true }, async (server) => {
		const stopAsking = keepAsking(server);
		await askUntilDead(server, 'threading', 2);
		await stopAsking();
		await untilLogged(server, /crashed by signal 11 .* in a thread of its own of the agent threading \(/);
		await untilLogged(server, /^#0 read_nowhere\+0x[0-9a-f]+ in \/.*\/threading-[0-9a-f]{16}\.so/);
		await assertQuarantined(server, 'threading', 'signal');
		assert.equal((await server.ask(bad('threading').message)).response, fallback);
	});
});

test('a worker that dies is replaced although a process that its agent has forked keeps what it had open', limit, async () => {
	await withServer({ installation: misbehaving('forking', onError), dies: true }, async (server) => {
		const before = server.workers();
		const asked = server.query(bad('forking'), { agent: false }).catch(() => null);
		await until('its end', () => logged(server, / in run\(\) of the agent forking /));
		await until('a new worker', () => server.workers().length === 2 && server.workers().some((pid) => !before.includes(pid)));
		assert.equal((await insist(server, usual)).category, 'Account');
		// The question is gone on with once, which makes another one; then it is answered without the agent, unless a reload lifts the quarantine.
		await assertQuarantined(server, 'forking', 'signal');
		await until('the answer', async () => (await server.value("SELECT COUNT(*) FROM messages WHERE content LIKE '%And now: forking.'")) === 1);
		for (const pid of fs.readFileSync(`${server.folder}/forked.pid`, 'utf8').trim().split('\n')) process.kill(Number(pid), 'SIGKILL');
		await asked;
		server.signal('SIGHUP');
		await server.untilLogged('the new configuration has taken over');
	});
});

test('without an on_error the question goes to a human; the quarantine outlasts workers, and a reload lifts it', limit, async () => {
	await withServer({ installation: misbehaving('aborting'), dies: true }, async (server) => {
		const answer = await insist(server, bad('aborting'));
		assert.match(answer.response, handedOver);
		assert.deepEqual([answer.metadata.escalated, answer.metadata.answered, answer.category], [true, false, 'Account']);
		assert.match(answer.metadata.escalation_reason, /out of order/);
		assert.equal(await server.value(`SELECT status FROM conversations WHERE id = '${answer.conversation_id}'`), 'escalated');
		await assertQuarantined(server, 'aborting', 'signal');

		await until('both workers', () => server.workers().length === 2);
		for (const pid of server.workers()) process.kill(pid, 'SIGKILL');
		await until('both are gone', () => messages(server).filter((message) => /was ended by signal 9/.test(message)).length === 2);
		assert.match((await insist(server, bad('aborting'))).response, handedOver);
		assert.equal((await server.request('/readyz', { agent: false })).json.nodes.state, 'degraded');

		await until('both workers', () => server.workers().length === 2);
		const before = server.workers();
		server.signal('SIGHUP');
		await server.untilLogged('the new configuration has taken over');
		await until('the end of the old workers', () => before.every((pid) => !lives(pid)));
		const { nodes } = (await server.request('/readyz', { agent: false })).json;
		assert.deepEqual(nodes, { state: 'ok', quarantined: [] });
		assert.equal(await figure(server, 'smartsupport_quarantined_nodes'), 0);
		await assert.rejects(server.query(bad('aborting'), { agent: false }));
		await until('it is called, and counted anew', () => messages(server).filter((message) => /^a worker has died over the node misdeed/.test(message)).length === 2);
	});
});

// How often the process PID has come to wait for something.
const waits = (pid) => Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'latin1'))[1]);

test('a machine that stands still makes no worker one that hangs', limit, async () => {
	const installation = new Installation();
	installation.edit('config/smartsupport.yaml', /hang_timeout: \S+/, 'hang_timeout: 6s');
	await withServer({ installation }, async (server) => {
		const before = server.workers().sort();
		const processes = [server.pid, ...before];
		for (const pid of processes) process.kill(pid, 'SIGSTOP');
		const over = performance.now() + 6500;
		await until('as long as a worker may hang', () => performance.now() > over);
		const sofar = waits(server.pid);
		process.kill(server.pid, 'SIGCONT');
		await until('the master to have looked', () => waits(server.pid) > sofar);
		for (const pid of before) process.kill(pid, 'SIGCONT');
		assert.equal((await server.ask(usual.message)).category, 'Account');
		assert.deepEqual(server.workers().sort(), before);
	});
});

// What is stopped within the process: how its question is answered, and what the log says.
const harmless = [
	{ agent: 'completing', is: /^(?!The fallback)/ },
	{ agent: 'forgetting', is: /^The fallback answers/, says: /the node misdeed goes on with its on_error: took longer than 1 s/ },
	{ agent: 'scribbling', is: /^The fallback answers/, says: /the agent scribbling writes the field in row \d+ of its table, which has \d+/ },
];

for (const { agent, is, says } of harmless) {
	test(`an agent that is ${agent} does no more than fail`, limit, async () => {
		// Only who forgets to finish is to come to the end of its time.
		const time = agent === 'forgetting' ? '1s' : '15s';
		await withServer({ installation: misbehaving(agent, `, timeout: ${time}${onError}`) }, async (server) => {
			const before = server.workers().sort();
			for (let i = 0; i < 4; i++) assert.match((await server.ask(bad(agent).message)).response, is);
			if (says !== undefined) await untilLogged(server, says);
			assert.equal((await server.ask(usual.message)).category, 'Account');
			assert.deepEqual(server.workers().sort(), before);
			assert.equal((await server.request('/readyz')).json.nodes.state, 'ok');
		});
	});
}

// What a worker notices later, and cannot tell of whom it was: its worker is replaced.
const noticed = [
	{ agent: 'unlistening', says: /something in this process has closed the socket that it listens on, so this worker leaves/ },
	{ agent: 'limiting', says: /something in this process has lowered its limit of open files from \d+ to 8, so this worker leaves/ },
	{ agent: 'closing', says: /something in this process has closed the descriptor that its loop waits with, so it ends at once/ },
];

for (const { agent, says } of noticed) {
	test(`a worker in which an agent is ${agent} notices that, and is replaced`, limit, async () => {
		await withServer({ installation: misbehaving(agent, onError), dies: true }, async (server) => {
			const stopAsking = keepAsking(server);
			const before = server.workers();
			const answer = await insist(server, bad(agent));
			assert.ok(agent === 'closing' ? handedOver.test(answer.response) : !answer.metadata.escalated, JSON.stringify(answer));
			await untilLogged(server, says);
			await until('a new worker', () => server.workers().some((pid) => !before.includes(pid)) && server.workers().length === 2);
			await stopAsking();
			assert.ok((await figure(server, 'smartsupport_worker_deaths_total{cause="exit"}')) >= 1);
			assert.equal((await server.request('/readyz', { agent: false })).json.nodes.state, 'ok');
		});
	});
}

test('a worker that grows and grows is replaced before it harms anybody', limit, async () => {
	const installation = misbehaving('leaking');
	installation.edit('config/smartsupport.yaml', 'idempotency: {lease: 1s}', 'idempotency: {lease: 1s}\n  memory_growth: 300');
	await withServer({ installation }, async (server) => {
		const before = server.workers();
		await until('a worker that has grown', async () => {
			assert.ok((await server.ask(bad('leaking').message, {}, { agent: false })).response !== '');
			return logged(server, /^worker \d+ has grown by \d+ MiB since it began \(memory_growth is 300\)/);
		});
		await until('a new worker', () => server.workers().some((pid) => !before.includes(pid)) && server.workers().length === 2);
		assert.equal((await server.ask(usual.message, {}, { agent: false })).category, 'Account');
		assert.equal(await figure(server, 'smartsupport_worker_deaths_total{cause="signal"}'), 0);
	});
});

test('a heap that an agent destroys costs its workers, and every question is answered or goes to a human', { ...limit, skip: sanitized && 'the sanitizer would end the process in its own way' }, async () => {
	await withServer({ installation: misbehaving('smashing', onError), dies: true }, async (server) => {
		const stopAsking = keepAsking(server);
		// When it shows is up to what lies behind: in the call, after it, or with a later question.
		await until('the death of a worker', async () => {
			assert.ok((await insist(server, bad('smashing'))).response);
			return (await figure(server, 'smartsupport_worker_deaths_total{cause="signal"}')) >= 1;
		});
		await until('both workers', () => server.workers().length === 2);
		await stopAsking();
	});
});
