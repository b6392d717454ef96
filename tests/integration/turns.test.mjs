// Turns that are kept: gone on with in other processes, looked at, forked and run again.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { program, root, temporaryFolder } from './lib/files.mjs';
import { environment, runProgram } from './lib/server.mjs';
import { assertSound, execute, newDatabase, query, single, urlOf } from './lib/store.mjs';
import { pause, until } from './lib/wait.mjs';

const crashes = Number(process.env.SMARTSUPPORT_TEST_CRASHES ?? 200);

// A place for turns: a folder with a database and workflows.
class Place {
	constructor(files) {
		this.folder = temporaryFolder();
		this.database = newDatabase(path.join(this.folder, 'turns.db'));
		this.env = { DATABASE_URL: urlOf(this.database) };
		for (const [name, text] of Object.entries(files)) this.write(name, text);
	}

	write(name, text) {
		fs.writeFileSync(this.path(name), text);
	}

	path(name) {
		return path.join(this.folder, name);
	}

	call(...args) {
		return runProgram(args, { env: this.env });
	}

	// The same with --json; the exit code must be CODE.
	async json(code, ...args) {
		const result = await this.call(...args, '--json');
		assert.equal(result.code, code, result.stderr + result.stdout);
		return JSON.parse(result.stdout);
	}

	run(id, input, code = 0, file = 'w.yaml') {
		return this.json(code, 'run', this.path(file), `--keep=${id}`, '-i', JSON.stringify(input));
	}
}

const approval = `
version: 1
name: approval
durability: node
state:
  amount:   {type: int, min: 0}
  fee:      {type: number}
  approved: {type: bool, default: false}
  log:      {type: list, reducer: append}
nodes:
  price:
    agent: assign
    options: {set: {fee: double(amount) * 0.1, log: '["priced"]'}}
  approve:
    agent: assign
    fields: {answer: approved}
    options: {ask: '{"amount": amount, "fee": fee}', set: {log: '["asked"]'}}
  pay:    {agent: assign, options: {set: {log: '["paid " + string(amount)]'}}}
  refuse: {agent: assign, options: {set: {log: '["refused"]'}}}
edges:
  - {from: START, to: price}
  - {from: price, choose: [{when: amount < 10, to: pay}, {else: approve}]}
  - {from: approve, choose: [{when: approved, to: pay}, {else: refuse}]}
  - {from: [pay, refuse], any: true, to: END}
`;

const work = `
version: 1
name: work
durability: node
max_steps: 1000
state:
  round: {type: int}
  sum:   {type: int, reducer: add}
  log:   {type: list, reducer: append}
nodes:
  begin:  {agent: assign, options: {set: {round: round + 1, log: '["begin " + string(round)]'}}}
  left:   {agent: assign, options: {delay: 3ms, set: {sum: round, log: '["left"]'}}}
  right:  {agent: assign, options: {delay: 2ms, set: {sum: round * 100, log: '["right"]'}}}
  fan:    {agent: assign, send: {over: '[1, 2, 3]', as: round, limit: 2}, options: {delay: 1ms, set: {sum: round * 10000}}}
  again:  {agent: assign, options: {fail: '"not yet"', fail_as: unavailable, fail_times: 1, delay: 1ms, set: {log: '["again"]'}}, retry: {attempts: 2, backoff: 1ms}}
  lost:   {agent: assign, options: {fail: '"lost"'}, on_error: {set: {log: ["lost"]}}}
  meet:   {agent: assign, options: {set: {log: '["meet " + string(sum)]'}}}
edges:
  - {from: START, to: begin}
  - {from: begin, to: [left, right, fan, again, lost]}
  - {from: [left, right, fan, again, lost], to: meet}
  - {from: meet, choose: [{when: round < 4, to: begin}, {else: END}]}
`;

test('a turn that waits is gone on with by another process, after its file has changed', async () => {
	const place = new Place({ 'w.yaml': approval });
	const waiting = await place.run('t1', { amount: 30 }, 3);
	assert.deepEqual([waiting.turn, waiting.status], ['t1', 'interrupted']);
	assert.deepEqual(waiting.interrupts[0].payload, { amount: 30, fee: 3 });
	place.write('w.yaml', approval.replace('"paid "', '"paid in the new way "'));
	const still = await place.json(3, 'turns', 'resume', 't1');
	assert.deepEqual(still.interrupts, waiting.interrupts);
	const done = await place.json(0, 'turns', 'resume', 't1', '--answer', 'true');
	assert.deepEqual(done.state.log, ['priced', 'asked', 'paid 30']);
	assert.deepEqual(
		done.trace.map((entry) => [entry.node, entry.restored ?? false]),
		[['price', true], ['approve', false], ['pay', false]],
	);
	const again = await place.call('turns', 'resume', 't1');
	assert.deepEqual([again.code, again.stderr], [1, 'smartsupport: the turn t1 is done\n']);
});

test('an answer that is of no use can be given again', async () => {
	const place = new Place({ 'w.yaml': approval });
	await place.run('t1', { amount: 30 }, 3);
	const wrong = await place.call('turns', 'resume', 't1', '-a', '"yes"', '--json');
	assert.equal(wrong.code, 1);
	assert.match(wrong.stderr, /field approved takes a value of the type bool, not string/);
	const asks = await place.json(3, 'turns', 'resume', 't1');
	assert.deepEqual(asks.interrupts[0].payload, { amount: 30, fee: 3 });
	const no = await place.call('turns', 'resume', 't1', '-a', 'yes');
	assert.equal(no.code, 1);
	assert.match(no.stderr, /the answer yes: /);
	const done = await place.json(0, 'turns', 'resume', 't1', '-a', 'true');
	assert.deepEqual(done.state.log, ['priced', 'asked', 'paid 30']);
});

const committee = `
version: 1
name: committee
durability: node
state:
  anna: {type: string}
  ben:  {type: string}
  log:  {type: list, reducer: append}
nodes:
  a: {agent: assign, interrupt: {before: true, answer: anna}, options: {set: {log: '["a: " + anna]'}}}
  b: {agent: assign, interrupt: {before: true, answer: ben}, options: {set: {log: '["b: " + ben]'}}}
edges: [{from: START, to: [a, b]}, {from: [a, b], to: END}]
`;

test('of several nodes that wait each is answered by its id, in any order', async () => {
	const place = new Place({ 'w.yaml': committee });
	const { interrupts } = await place.json(3, 'run', place.path('w.yaml'), '--keep=t1');
	const [a, b] = interrupts.map(({ id }) => id);
	assert.notEqual(a, b);
	const shown = await place.call('turns', 'show', 't1');
	assert.match(shown.stdout, new RegExp(`^  a waits before: .*  ${a}\n  b waits before: .*  ${b}$`, 'm'));
	const nobody = await place.call('turns', 'resume', 't1', '--answer', '0123456789abcdef="no"');
	assert.equal(nobody.code, 1);
	assert.match(nobody.stderr, /the answer 0123456789abcdef="no": none of the answers is to one of the 2 interrupts that the turn waits for/);
	const half = await place.json(3, 'turns', 'resume', 't1', '--answer', `${b}="yes"`);
	assert.deepEqual(half.state.log, ['b: yes']);
	assert.deepEqual(half.interrupts.map(({ id }) => id), [a]);
	const done = await place.json(0, 'turns', 'resume', 't1', '--answer', `${a}="later"`);
	assert.deepEqual(done.state.log, ['a: later', 'b: yes']);
});

test('turns lists, shows, forks and deletes', async () => {
	const place = new Place({ 'w.yaml': approval });
	await place.run('t1', { amount: 30 }, 3);
	await place.run('t2', { amount: 3 });
	await place.json(0, 'turns', 'resume', 't1', '-a', 'false');
	assert.deepEqual(
		(await place.json(0, 'turns')).map((turn) => [turn.id, turn.status]),
		[['t2', 'done'], ['t1', 'done']],
	);
	assert.deepEqual((await place.json(0, 'turns', 'list', '--status', 'interrupted')), []);
	const shown = await place.json(0, 'turns', 'show', 't1');
	assert.deepEqual(
		shown.checkpoints.map((one) => [one.checkpoint, one.node, one.status, one.writes]),
		[[1, 'price', 'done', ['fee', 'log']], [2, 'approve', 'done', ['approved', 'log']], [3, 'refuse', 'done', ['log']]],
	);
	assert.deepEqual(shown.state.log, ['priced', 'asked', 'refused']);
	assert.deepEqual((await place.json(0, 'turns', 'show', 't1', '--at', '1')).state.log, ['priced']);
	assert.deepEqual((await place.json(0, 'turns', 'show', 't1', '--at', '0')).state.fee, 0);
	const none = await place.call('turns', 'show', 't1', '--at', '4');
	assert.deepEqual([none.code, none.stderr], [1, 'smartsupport: there is no checkpoint 4; the turn has those from 0 to 3\n']);

	await execute(place.database, "UPDATE turns SET user_id = 'ann', conversation_id = 'c' WHERE id = 't1'");
	const fork = await place.call('turns', 'fork', 't1', '--at', '2', '--set', '{"approved": true, "amount": 99}');
	assert.equal(fork.code, 0, fork.stderr);
	const whose = `SELECT user_id, conversation_id FROM turns WHERE id = '${fork.stdout.trim()}'`;
	assert.deepEqual(await query(place.database, whose), [{ user_id: 'ann', conversation_id: 'c' }]);
	const gone = await place.json(0, 'turns', 'resume', fork.stdout.trim());
	assert.deepEqual(gone.state.log, ['priced', 'asked', 'paid 99']);
	const early = await place.call('turns', 'fork', 't1', '--at', '0', '--set', '{"amount": 5}');
	assert.deepEqual((await place.json(0, 'turns', 'resume', early.stdout.trim())).state.log, ['priced', 'paid 5']);
	for (const [changes, said] of [['{"amuont": 1}', 'the state has no field "amuont"'], ['{"amount": -1}', 'the field amount is at least 0, not -1'], ['[]', '--set: it must be an object']]) {
		const refused = await place.call('turns', 'fork', 't1', '--set', changes);
		assert.equal(refused.code, 1);
		assert.ok(refused.stderr.includes(said), refused.stderr);
	}

	assert.equal((await place.call('turns', 'delete', 't1', 't2')).code, 0);
	const deleted = await place.call('turns', 'show', 't1');
	assert.deepEqual([deleted.code, deleted.stderr], [1, 'smartsupport: there is no turn t1\n']);
	assert.equal(await single(place.database, "SELECT count(*) FROM turn_entries WHERE turn NOT IN (SELECT number FROM turns)"), 0);
});

test('turns prints what people read', async () => {
	const place = new Place({ 'w.yaml': approval });
	await place.run('t1', { amount: 30 }, 3);
	assert.match((await place.call('turns')).stdout, /^t1 +interrupted +\d{4}-\d\d-\d\dT/);
	const { stdout } = await place.call('turns', 'show', 't1');
	assert.match(stdout, /^Turn {6}t1\nWorkflow {2}[0-9a-f]{12}\nStatus {4}interrupted\n {2}approve waits during: {"amount":30,"fee":3.0}\n\nState\n/);
	assert.match(stdout, /^Checkpoints\n {5}1 {2}price +done +\["fee","log"\]$/m);
	assert.match(stdout, /^ {2}price +done +\d+\.\d{3} ms earlier {2}-> approve \(else\)\n {2}approve +interrupted/m);
	assert.equal((await place.call('turns', 'shwo')).code, 2);
	assert.equal((await place.call('turns', 'show')).code, 2);
});

test('a turn needs a durable workflow and an id of its own to be kept', async () => {
	const place = new Place({ 'w.yaml': approval, 'none.yaml': approval.replace('durability: node\n', '') });
	const none = await place.call('run', place.path('none.yaml'), '--keep', '-i', '{"amount": 1}');
	assert.equal(none.code, 1);
	assert.match(none.stderr, /its durability is none, so no turn of it is kept; write durability: node/);
	await place.run('t1', { amount: 1 });
	const twice = await place.json(1, 'run', place.path('w.yaml'), '--keep=t1', '-i', '{"amount": 1}');
	assert.equal(twice.error, 'the turn t1 could not be kept: turn t1: a turn with this id is stored already');
	const { stdout } = await place.call('run', place.path('w.yaml'), '--keep', '-i', '{"amount": 1}');
	assert.match(stdout, /^Turn {4}turn_[0-9a-f-]{36}$/m);
});

test('replay runs a stored turn again and tells the difference node by node', async () => {
	const place = new Place({ 'w.yaml': approval, 'new.yaml': approval.replace('* 0.1', '* 0.2').replace('"asked"', '"asked twice"') });
	await place.run('t1', { amount: 30 }, 3);
	await place.json(0, 'turns', 'resume', 't1', '-a', 'true');
	const same = await place.call('replay', 't1');
	assert.deepEqual([same.code, same.stdout], [0, 'The same: 3 nodes, status done.\n']);
	const { nodes, state, status, same: is } = await place.json(1, 'replay', 't1', '--workflow', place.path('new.yaml'));
	assert.deepEqual([is, status], [false, { before: 'done', after: 'done' }]);
	assert.deepEqual(
		nodes.map((one) => [one.node, Object.keys(one.writes)]),
		[['approve', ['log']], ['pay', ['log']], ['price', ['fee']]],
	);
	assert.deepEqual(state.fee, { before: 3, after: 6 });
	const text = await place.call('replay', 't1', '-w', place.path('new.yaml'));
	assert.match(text.stdout, /^~ price\n {4}fee +3\.0 -> 6\.0$/m);
	assert.equal(text.code, 1);
	assert.equal(await single(place.database, 'SELECT count(*) FROM turns'), 1, 'nothing is stored');
	assert.equal((await place.call('replay', 't9')).code, 2);
});

test('replay tells what does not fit another workflow', async () => {
	const place = new Place({ 'w.yaml': approval, 'other.yaml': work });
	await place.run('t1', { amount: 30 }, 3);
	const other = await place.call('replay', 't1', '-w', place.path('other.yaml'));
	assert.deepEqual([other.code, other.stderr], [2, 'smartsupport: the state has no field "amount"\n']);
});

test('--stream prints the events that are chosen, and nothing of a turn that is left', async () => {
	const place = new Place({ 'w.yaml': approval });
	const some = await place.call('run', place.path('w.yaml'), '--keep=t1', '-i', '{"amount": 30}', '--stream=turn.finished,interrupt');
	assert.deepEqual(
		some.stdout.trim().split('\n').map((line) => JSON.parse(line).event),
		['interrupt', 'turn.finished'],
	);
	const wrong = await place.call('run', place.path('w.yaml'), '--stream=turn.over');
	assert.deepEqual([wrong.code, wrong.stderr], [2, 'smartsupport: --stream: there is no event "turn.over"\n']);
});

test('a checkpoint names the nodes whose results are stored, and none that has only asked or been answered', async () => {
	const place = new Place({ 'w.yaml': approval });
	const stored = async (...args) => {
		const { stdout } = await place.call(...args, '--stream=node.finished,checkpoint');
		const events = stdout.trim().split('\n').map((line) => JSON.parse(line));
		const names = new Map(events.map((event) => [event.id, event.node]));
		return events.filter(({ event }) => event === 'checkpoint').map(({ nodes }) => nodes.map((id) => names.get(id)));
	};
	assert.deepEqual(await stored('run', place.path('w.yaml'), '--keep=t1', '-i', '{"amount": 30}'), [['price']]);
	assert.deepEqual(await stored('turns', 'resume', 't1', '--answer', 'true'), [['approve'], ['pay']]);
});

test('what is no id, no status and no journal is refused', async () => {
	const place = new Place({ 'w.yaml': approval });
	for (const id of ['', 'two words', 'x'.repeat(201)]) {
		const { code, stderr } = await place.call('run', place.path('w.yaml'), `--keep=${id}`, '-i', '{"amount": 3}');
		assert.deepEqual([code, stderr], [1, 'smartsupport: the id of a turn has from 1 to 200 letters, digits and other visible characters\n']);
	}
	assert.equal((await place.call('turns', '--status', 'over')).code, 2);
	await place.run('t1', { amount: 30 }, 3);
	await execute(place.database, "UPDATE turn_entries SET data = '{' WHERE seq = 1");
	const damaged = await place.call('turns', 'resume', 't1');
	assert.match(damaged.stderr, /^smartsupport: the journal of the turn t1 is damaged: /);
	assert.equal((await query(place.database, 'SELECT status FROM turns'))[0].status, 'interrupted', 'nothing has changed');
});

test('replay tells nodes that only one workflow has', async () => {
	const place = new Place({ 'w.yaml': approval, 'new.yaml': approval.replace('amount < 10', 'amount < 100') });
	await place.run('t1', { amount: 30 }, 3);
	await place.json(0, 'turns', 'resume', 't1', '-a', 'false');
	const { stdout } = await place.call('replay', 't1', '-w', place.path('new.yaml'));
	assert.match(stdout, /^- approve +done /m);
	assert.match(stdout, /^\+ pay +done /m);
	assert.match(stdout, /^- refuse +done /m);
});

test('inner workflows go on where they were, with the texts that they had', async () => {
	const inner = `
version: 1
name: inner
state: {start: {type: int}, out: {type: int}}
nodes:
  first:  {agent: assign, options: {set: {out: start + 1}}}
  second: {agent: assign, interrupt: {before: true}, options: {set: {out: out * 10}}}
edges: [{from: START, to: first}, {from: first, to: second}, {from: second, to: END}]
`;
	const outer = `
version: 1
name: outer
durability: node
state: {n: {type: int}, m: {type: int}}
nodes:
  work: {workflow: inner.yaml, input: {start: n}, output: {m: out}}
edges: [{from: START, to: work}, {from: work, to: END}]
`;
	const place = new Place({ 'w.yaml': outer, 'inner.yaml': inner });
	await place.run('t1', { n: 4 }, 3);
	fs.rmSync(place.path('inner.yaml'));
	const done = await place.json(0, 'turns', 'resume', 't1', '-a', 'null');
	assert.equal(done.state.m, 50);
	assert.deepEqual(
		done.trace[0].inner.map((entry) => [entry.node, entry.restored ?? false]),
		[['first', true], ['second', false]],
	);
});

for (const limit of ['timeout', 'deadline']) {
	test(`the ${limit} of an inner workflow holds after it was answered as well`, async () => {
		const inner = `
version: 1
name: inner
state: {out: {type: int}}
nodes:
  ask:  {agent: assign, interrupt: {before: true}}
  slow: {agent: assign, options: {delay: 600s, set: {out: 1}}}
edges: [{from: START, to: ask}, {from: ask, to: slow}, {from: slow, to: END}]
timeout: 1h
`;
		const outer = `
version: 1
name: outer
durability: node
state: {m: {type: int}, why: {type: string}}
nodes:
  work: {workflow: inner.yaml, ${limit}: 50ms, output: {m: out}, on_error: {set: {m: 7}, error: why}}
edges: [{from: START, to: work}, {from: work, to: END}]
timeout: 1h
`;
		const place = new Place({ 'w.yaml': outer, 'inner.yaml': inner });
		await place.run('t1', {}, 3);
		const { state } = await place.json(0, 'turns', 'resume', 't1', '--answer', 'null');
		assert.deepEqual(state, { m: 7, why: `took longer than 0.05 s (its ${limit})` });
	});
}

const slow = `
version: 1
name: slow
durability: node
state: {log: {type: list, reducer: append}}
nodes:
  a: {agent: assign, options: {delay: 600s, set: {log: '["a"]'}}}
edges: [{from: START, to: a}, {from: a, to: END}]
timeout: 1h
`;

// A process that runs until it is killed, with the events that it has told so far.
class Running {
	constructor(place, args) {
		this.events = [];
		this.child = spawn(program, [...args, '--stream'], { cwd: root, env: environment(place.folder, place.env), stdio: ['ignore', 'pipe', 'pipe'] });
		this.stderr = '';
		this.child.stderr.setEncoding('utf8').on('data', (text) => (this.stderr += text));
		let rest = '';
		this.child.stdout.setEncoding('utf8').on('data', (text) => {
			const lines = (rest + text).split('\n');
			rest = lines.pop();
			for (const line of lines) this.events.push(JSON.parse(line));
		});
		this.over = new Promise((resolve) => this.child.on('close', (code) => resolve(code)));
	}

	started(node) {
		return this.events.some((event) => event.event === 'node.started' && event.node === node);
	}

	kill() {
		this.child.kill('SIGKILL');
		return this.over;
	}
}

test('a turn is gone on with by one process at a time', async () => {
	const place = new Place({ 'w.yaml': slow });
	const first = new Running(place, ['run', place.path('w.yaml'), '--keep=t1']);
	await until('the node', () => first.started('a'));
	// What is first in a turn begins while the turn is being stored.
	await until('the turn', async () => (await single(place.database, 'SELECT count(*) FROM turns')) === 1);
	const second = await place.call('turns', 'resume', 't1');
	assert.equal(second.code, 1);
	assert.match(second.stderr, /^smartsupport: the process \S+ goes on with the turn t1; its lease is over in \d+\.\d s unless it renews it\n$/);
	const removal = await place.call('turns', 'delete', 't1');
	assert.match(removal.stderr, /the turn t1 is being gone on with, so it cannot be deleted/);
	await first.kill();
	// Nobody has to wait for the lease of a process that is known to be gone.
	const third = new Running(place, ['turns', 'resume', 't1']);
	await until('the node', () => third.started('a'));
	await third.kill();
});

// Runs the turn ID to its end with processes that are killed at random moments. Gives the number of kills.
async function runWithKills(place, id, random, expected) {
	const stored = new Set();
	let kills = 0;
	for (;;) {
		const shown = await place.call('turns', 'show', id, '--json');
		if (shown.code === 0 && JSON.parse(shown.stdout).status === 'done') {
			assert.deepEqual(JSON.parse(shown.stdout).state, expected);
			return kills;
		}
		const running = new Running(place, shown.code === 0 ? ['turns', 'resume', id] : ['run', place.path('w.yaml'), `--keep=${id}`]);
		const dies = 1 + Math.floor(random() * 40);
		let over = false;
		const ended = running.over.then((code) => ((over = true), code));
		while (!over && running.events.filter((event) => !event.restored).length < dies) await pause(1);
		if (!over) await pause(random() * 4);
		if (!over) kills++;
		await running.kill();
		for (const event of running.events) {
			if (event.event === 'node.started') assert.ok(!stored.has(event.id), `${event.node} ${event.id} was stored and ran again`);
			if (event.event === 'checkpoint') for (const node of event.nodes) stored.add(node);
		}
		const code = await ended;
		assert.ok(code === null || code === 0, running.stderr);
	}
}

// mulberry32, so that a failure can be seen again.
function generator(seed) {
	return () => {
		seed = (seed + 0x6d2b79f5) | 0;
		let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

test(`${crashes} kills at random moments: no stored node runs again, and the outcome is the same`, { timeout: 60000 + crashes * 10000 }, async () => {
	const place = new Place({ 'w.yaml': work });
	const { state: expected } = await place.run('whole', {});
	let [kills, turns] = [0, 0];
	const lane = async (name) => {
		for (let i = 0; kills < crashes; i++) {
			kills += await runWithKills(place, `${name}${i}`, generator(name * 1000 + i), expected);
			turns++;
		}
	};
	await Promise.all([1, 2, 3].map(lane));
	const finished = (await query(place.database, 'SELECT turn, task, data FROM turn_entries'))
		.map(({ turn, task, data }) => ({ turn, task, ...JSON.parse(data) }))
		.filter((entry) => entry.error === undefined)
		.map(({ turn, task, copy }) => `${turn} ${task} ${copy}`);
	assert.equal(new Set(finished).size, finished.length, 'no task is there twice');
	await assertSound(place.database);
	console.log(`${kills} kills, ${turns} turns`);
});
