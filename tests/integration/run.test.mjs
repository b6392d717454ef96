// `smartsupport run`: any workflow at the terminal, as its author tries it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from './lib/files.mjs';
import { runProgram } from './lib/server.mjs';

// Runs the workflow TEXT, with other FILES beside it.
function run(text, args = [], files = {}) {
	const folder = temporaryFolder();
	for (const [name, content] of Object.entries({ 'w.yaml': text, ...files })) fs.writeFileSync(path.join(folder, name), content);
	return runProgram(['run', path.join(folder, 'w.yaml'), ...args]);
}

async function outcome(text, args = [], files = {}) {
	const { code, stdout, stderr } = await run(text, ['--json', ...args], files);
	assert.ok(stdout !== '', stderr);
	return { code, ...JSON.parse(stdout) };
}

const fanOut = `
version: 1
name: fan-out
state:
  items:   {type: list}
  item:    {type: int}
  doubled: {type: list, reducer: append}
  total:   {type: int, reducer: add}
nodes:
  double:
    agent: assign
    send: {over: items, as: item, limit: 2}
    options: {set: {doubled: '[item * 2]', total: item}, delay: 5ms}
edges: [{from: START, to: double}, {from: double, to: END}]
`;

test('run prints the final state and the trace as JSON', async () => {
	const { code, state, trace, status, error } = await outcome(fanOut, ['--input', '{"items": [3, 1, 2]}']);
	assert.deepEqual([code, status, error], [0, 'done', null]);
	assert.deepEqual([state.doubled, state.total], [[6, 2, 4], 6]);
	assert.equal(trace.length, 1);
	assert.deepEqual([trace[0].node, trace[0].status, trace[0].copies, trace[0].writes], ['double', 'done', 3, ['doubled', 'total']]);
	assert.ok(trace[0].duration_ms >= 5);
});

test('run prints the same for people to read', async () => {
	const { code, stdout } = await run(fanOut, ['-i', '{"items": [1]}']);
	assert.equal(code, 0);
	assert.match(stdout, /^State\n[^]*^ {2}doubled +\[2\]$/m);
	assert.match(stdout, /^Trace\n {2}double +done +\d+\.\d+ ms {2}-> END$/m);
	assert.match(stdout, /^Status {2}done$/m);
});

test('run takes its input from a file as well, and refuses what is none', async () => {
	const folder = temporaryFolder();
	const input = path.join(folder, 'input.json');
	fs.writeFileSync(input, '{"items": [4]}');
	assert.deepEqual((await outcome(fanOut, ['-i', `@${input}`])).state.doubled, [8]);
	for (const [given, said] of [
		['[1]', /--input: it must be an object/],
		['{"items"', /--input: /],
		['@/nowhere/input.json', /--input: .*\/nowhere\/input.json/],
		['{"items": [1], "itens": [1]}', /the state has no field "itens"/],
		['{"items": 5}', /the field items takes a value of the type list, not int/],
	]) {
		const { code, stdout, stderr } = await run(fanOut, ['-i', given]);
		assert.equal(code, 1, given);
		assert.equal(stdout, '');
		assert.match(stderr, said);
	}
});

test('run --stream prints events as lines of JSON while they happen', async () => {
	const { code, stdout } = await run(
		`
version: 1
name: stream
state: {x: {type: int}}
nodes:
  a: {agent: assign, options: {set: {x: '1'}}}
  b: {agent: assign}
edges:
  - {from: START, to: a}
  - {from: a, choose: [{when: x == 1, to: b}, {else: END}]}
  - {from: b, to: END}
`,
		['--stream'],
	);
	assert.equal(code, 0);
	const events = stdout.trim().split('\n').map((line) => JSON.parse(line));
	const brief = events.map((event) => [event.event, event.node ?? `${event.from ?? ''}>${event.to ?? ''}`]);
	assert.deepEqual(brief, [
		['edge.taken', 'START>a'],
		['node.started', 'a'],
		['node.finished', 'a'],
		['edge.taken', 'a>b'],
		['node.started', 'b'],
		['node.finished', 'b'],
		['edge.taken', 'b>END'],
		['turn.finished', '>'],
	]);
	assert.deepEqual(events[2].writes, { x: 1 });
	assert.equal(events[3].when, 'x == 1');
});

test('run --stream prints the pieces of an answer while the model makes it', async () => {
	const articles = [{ id: 'kb-1', title: 'Exports', score: 0.9, content: 'Open the menu.\n\n1. Choose Export.\n2. Choose CSV.\n\nNothing else.' }];
	const { code, stdout, stderr } = await run(
		`
version: 1
name: pieces
state:
  message:    {type: string}
  sentiment:  {type: string}
  kb_results: {type: list}
  answer:     {type: string}
  answered:   {type: bool}
nodes: {answer: {agent: general}}
edges: [{from: START, to: answer}, {from: answer, to: END}]
`,
		['--stream', '--input', JSON.stringify({ message: 'How do I export?', sentiment: 'Neutral', kb_results: articles })],
	);
	assert.equal(code, 0, stderr);
	const events = stdout.trim().split('\n').map((line) => JSON.parse(line));
	assert.deepEqual(
		events.map((event) => event.event),
		['edge.taken', 'node.started', 'token', 'token', 'node.finished', 'edge.taken', 'turn.finished'],
	);
	const [, started, first, second, finished] = events;
	assert.deepEqual(first, { event: 'token', node: 'answer', id: started.id, attempt: 1, try: 1, text: 'Open the menu.' });
	assert.equal(second.text, '\n\n1. Choose Export.\n2. Choose CSV.');
	assert.equal(finished.writes.answer, first.text + second.text);
});

const race = `
version: 1
name: race
state:
  seen: {type: list, reducer: append}
  sum:  {type: int, reducer: add}
nodes:
  a:  {agent: assign, options: {delay: 30ms, set: {seen: '["a", sum]', sum: '1'}}}
  b:  {agent: assign, options: {delay: 10ms, set: {seen: '["b", sum]', sum: '10'}}}
  c:  {agent: assign, options: {delay: 20ms, set: {seen: '["c", sum]', sum: '100'}}}
  d:  {agent: assign, options: {set: {seen: '["d", sum]', sum: '1000'}}}
edges:
  - {from: START, to: [c, a, b]}
  - {from: b, to: d}
  - {from: [a, d, c], to: END}
`;

test('run --seed shuffles what happens side by side, and the outcome stays the same', async () => {
	const outcomes = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((seed) => run(race, ['--json', '--seed', String(seed)])));
	for (const { code, stdout } of outcomes) {
		assert.equal(code, 0);
		assert.equal(stdout, outcomes[0].stdout);
	}
	const orders = new Set();
	for (let seed = 1; seed <= 12; seed++) {
		const { stdout } = await run(race, ['--stream', '--seed', String(seed)]);
		orders.add(stdout.split('\n').filter((line) => line.includes('node.finished')).map((line) => JSON.parse(line).node).join());
	}
	assert.ok(orders.size > 1, [...orders].join(' '));
	const { state } = await outcome(race);
	assert.deepEqual(state, JSON.parse(outcomes[0].stdout).state);
	assert.deepEqual(state.seen, ['a', 0, 'b', 0, 'c', 0, 'd', 10]);
});

test('what follows a fast branch does not wait for a slow one', async () => {
	const { trace } = await outcome(`
version: 1
name: barrier
state: {x: {type: int}}
nodes:
  fast:  {agent: assign, options: {delay: 10ms}}
  slow:  {agent: assign, options: {delay: 1s}}
  after: {agent: assign, options: {set: {x: '1'}}}
edges:
  - {from: START, to: [fast, slow]}
  - {from: fast, to: after}
  - {from: [after, slow], to: END}
`);
	const entry = (name) => trace.find(({ node }) => node === name);
	assert.ok(entry('after').started_ms < entry('slow').duration_ms, JSON.stringify(trace));
});

const approval = `
version: 1
name: approval
state:
  amount:   {type: int}
  approved: {type: bool}
  note:     {type: string}
nodes:
  check: {agent: assign, interrupt: {after: true, show: [amount], answer: approved}}
  pay:   {agent: assign, fields: {answer: note}, options: {ask: '["paid", amount]'}}
edges:
  - {from: START, to: check}
  - {from: check, choose: [{when: approved, to: pay}, {else: END}]}
  - {from: pay, to: END}
`;

test('a turn that waits for an answer says for what, and goes on with it', async () => {
	const input = ['-i', '{"amount": 5}'];
	const waiting = await outcome(approval, input);
	assert.deepEqual([waiting.code, waiting.status], [3, 'interrupted']);
	assert.deepEqual(waiting.interrupts.map(({ node, when, payload }) => ({ node, when, payload })), [
		{ node: 'check', when: 'after', payload: { amount: 5 } },
	]);
	const refused = await outcome(approval, [...input, '-a', 'false']);
	assert.deepEqual([refused.code, refused.status, refused.trace.length], [0, 'done', 1]);
	const paid = await outcome(approval, [...input, '-a', 'true', '-a', '"thank you"']);
	assert.deepEqual([paid.code, paid.state.note], [0, 'thank you']);
	const wrong = await run(approval, [...input, '-a', '"maybe"']);
	assert.equal(wrong.code, 1);
	assert.match(wrong.stderr, /the answer "maybe": the field approved takes a value of the type bool, not string/);
});

test('a workflow may be a node of another, with a trace of its own', async () => {
	const { state, trace } = await outcome(
		`
version: 1
name: outer
state:
  numbers: {type: list}
  n:       {type: int}
  squares: {type: list, reducer: append}
nodes:
  square: {workflow: square.yaml, send: {over: numbers, as: n}, input: {x: n}, output: {squares: '[y]'}}
edges: [{from: START, to: square}, {from: square, to: END}]
`,
		['-i', '{"numbers": [3, 4]}'],
		{
			'square.yaml': `
version: 1
name: square
state: {x: {type: int}, y: {type: int}}
nodes: {multiply: {agent: assign, options: {set: {y: x * x}}}}
edges: [{from: START, to: multiply}, {from: multiply, to: END}]
`,
		},
	);
	assert.deepEqual(state.squares, [9, 16]);
	assert.deepEqual(trace[0].inner.map((turn) => turn.map(({ node }) => node)), [['multiply'], ['multiply']]);
});

test('a failed node is an error with its name and the agent that failed', async () => {
	const failing = await outcome(`
version: 1
name: failing
state: {x: {type: int}}
nodes: {a: {agent: assign, options: {fail: '"the service is away"'}}}
edges: [{from: START, to: a}, {from: a, to: END}]
`);
	assert.deepEqual([failing.code, failing.status, failing.error], [1, 'failed', 'the node a (agent assign): the service is away']);
	assert.equal(failing.trace[0].status, 'failed');
});

test('run tells all mistakes of a workflow with their places', async () => {
	const { code, stdout, stderr } = await run(`version: 1
name: wrong
state: {x: {type: int}, y: {type: strin}}
nodes: {a: {agent: asign}, b: {agent: assign, tmeout: 2s}}
edges: [{from: START, to: [a, c]}, {from: a, to: END}]
`);
	assert.equal(code, 1);
	assert.equal(stdout, '');
	const lines = stderr.trim().split('\n').map((line) => line.replace(/^.*w\.yaml:/, ''));
	assert.equal(lines.length, 4, stderr);
	assert.match(lines[0], /^3:35: type must be one of: string int/);
	assert.match(lines[1], /^4:20: there is no agent plugin "asign"/);
	assert.match(lines[2], /^4:47: the node b has no key "tmeout" \(did you mean "timeout"\?\)/);
	assert.match(lines[3], /^5:31: there is no node "c"/);
});

test('run asks for what is missing', async () => {
	for (const args of [[], ['a.yaml', 'b.yaml'], ['--seed', '0', 'a.yaml'], ['--seed', 'x', 'a.yaml'], ['--what']]) {
		const { code, stderr } = await runProgram(['run', ...args]);
		assert.equal(code, 2, args.join(' '));
		assert.notEqual(stderr, '');
	}
	const { code, stdout } = await runProgram(['run', '--help']);
	assert.equal(code, 0);
	assert.match(stdout, /^Usage: smartsupport run FILE/);
});
