// The JSON Schema of workflows: editors and the loader refuse the same, as far as a schema can tell.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import Ajv2020 from 'ajv/dist/2020.js';
import yaml from 'yaml';
import { root, temporaryFolder } from './lib/files.mjs';
import { runProgram } from './lib/server.mjs';

const shipped = path.join(root, 'config/workflows/workflow.schema.json');
const schema = JSON.parse(fs.readFileSync(shipped, 'utf8'));
const validate = new Ajv2020({ allErrors: true, strict: false }).compile(schema);

function mistakes(text) {
	return validate(yaml.parse(text)) ? [] : validate.errors.map((error) => `${error.instancePath} ${error.message}`);
}

// What `check --workflow` says of TEXT.
async function check(text) {
	const file = path.join(temporaryFolder(), 'w.yaml');
	fs.writeFileSync(file, text);
	const { code, stdout } = await runProgram(['check', '--json', '--workflow', file]);
	const { mistakes: found, count } = JSON.parse(stdout);
	assert.equal(count, found.length);
	assert.equal(code, count === 0 ? 0 : 1);
	return found;
}

test('the schema that is shipped is the one that the program prints', async () => {
	const { stdout } = await runProgram(['schema']);
	assert.equal(stdout, fs.readFileSync(shipped, 'utf8'), 'make it anew: build/smartsupport schema > config/workflows/workflow.schema.json');
});

test('the workflow that is shipped fits the schema', () => {
	assert.deepEqual(mistakes(fs.readFileSync(path.join(root, 'config/workflows/support.yaml'), 'utf8')), []);
});

const whole = `
version: 1
name: whole
max_steps: 20
timeout: 1.5m
durability: node
state:
  items: {type: list}
  n:     {type: int, min: 0, max: 10, default: 1}
  kind:  {type: enum, values: [a, b], default: a}
  sum:   {type: int, reducer: add}
  why:   {type: string}
  ok:    {type: bool}
nodes:
  each:
    agent: assign
    options: {set: {sum: n * 2}, delay: 10ms, fail_as: timeout}
    send: {over: items, as: n, limit: 2}
    retry: {attempts: 3, on: [timeout, unavailable], backoff: 10ms, factor: 1.5, jitter: 0}
    on_error: {set: {sum: 0}, error: why}
    timeout: 2s
    deadline: 10s
  ask:
    agent: assign
    interrupt: {before: true, show: [sum], answer: ok}
    cache: {key: [n], ttl: 1h, entries: 5}
    goto: [last, END]
    options: {goto: '"last"'}
  last: {agent: assign, fields: {answer: ~}, on_error: {to: END}}
edges:
  - {from: START, to: each}
  - {from: each, choose: [{when: sum > 3, to: ask}, {when: true, to: last}, {else: END}]}
  - {from: [last], any: true, to: END}
`;

test('a workflow with all there is fits both', async () => {
	assert.deepEqual(mistakes(whole), []);
	assert.deepEqual(await check(whole), []);
});

// [what is wrong, a text, what stands there instead]
const wrong = [
	['an unknown key of the file', 'max_steps: 20', 'max_stepss: 20'],
	['a number out of bounds', 'max_steps: 20', 'max_steps: 0'],
	['a durability that is none', 'durability: node', 'durability: nodes'],
	['a duration without a unit', 'timeout: 1.5m', 'timeout: 90'],
	['a missing name', 'name: whole', ''],
	['a type that is none', '{type: bool}', '{type: boolean}'],
	['a reducer that is none', 'reducer: add', 'reducer: plus'],
	['an unknown key of a field', 'max: 10', 'maximum: 10'],
	['an agent that there is not', 'last: {agent: assign', 'last: {agent: asign'],
	['a node that is neither', 'last: {agent: assign,', 'last: {'],
	['an option that there is not', 'delay: 10ms', 'delai: 10ms'],
	['an option with a wrong value', 'fail_as: timeout', 'fail_as: often'],
	['a field that the agent has not', 'fields: {answer: ~}', 'fields: {answr: ~}'],
	['a retry that is none', 'attempts: 3', 'tries: 3'],
	['an error that there is not', '[timeout, unavailable]', '[timeout, sometimes]'],
	['a fan-out without its list', 'send: {over: items, as: n', 'send: {as: n'],
	['an unknown key of on_error', 'error: why', 'errors: why'],
	['an unknown key of an interrupt', 'show: [sum]', 'shows: [sum]'],
	['a cache without its key', 'cache: {key: [n], ', 'cache: {'],
	['an edge from nowhere', '{from: START, to: each}', '{to: each}'],
	['an edge to nowhere', '{from: START, to: each}', '{from: START}'],
	['an unknown key of an edge', 'any: true', 'all: true'],
	['a choice that is none', '{else: END}', '{otherwise: END}'],
	['a workflow with an agent\'s options', 'last: {agent: assign', 'last: {workflow: w.yaml, options: {}'],
];

for (const [what, before, after] of wrong) {
	test(`${what} is refused by both`, async () => {
		assert.ok(whole.includes(before));
		const text = whole.replace(before, after);
		assert.notDeepEqual(mistakes(text), [], 'by the schema');
		assert.notDeepEqual(await check(text), [], 'by the loader');
	});
}

test('check tells editors where mistakes are, sorted', async () => {
	const found = await check(whole.replace('max: 10', 'maximum: 10').replace('delay: 10ms', 'delai: 10ms'));
	assert.deepEqual(
		found.map(({ line, column, message }) => [line, column, message.replace(/;.*/, '')]),
		[
			[9, 30, 'the field n has no key "maximum"'],
			[17, 34, 'the agent assign has no key "delai" (did you mean "delay"?)'],
		],
	);
});

test('check tells that all is well as JSON', async () => {
	const { code, stdout } = await runProgram(['check', '--json']);
	assert.deepEqual([code, JSON.parse(stdout)], [0, { mistakes: [], count: 0 }]);
});

test('what the documentation shows as whole workflows is right', async () => {
	const texts = [...fs.readFileSync(path.join(root, 'docs/workflow.md'), 'utf8').matchAll(/```yaml\n(version: 1\n[^]*?)```/g)];
	assert.ok(texts.length > 0);
	for (const [, text] of texts) {
		assert.deepEqual(mistakes(text), []);
		assert.deepEqual(await check(text), []);
	}
});
