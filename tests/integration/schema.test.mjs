// The JSON Schema of workflows: editors and the loader refuse the same, as far as a schema can tell, and what the
// loader takes no editor marks.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import Ajv2020 from 'ajv/dist/2020.js';
import yaml from 'yaml';
import { Installation, plugins, program, root, temporaryFolder } from './lib/files.mjs';
import { runCommand, runProgram } from './lib/server.mjs';

const shipped = path.join(root, 'config/workflows/workflow.schema.json');
const schema = JSON.parse(fs.readFileSync(shipped, 'utf8'));

// Refuses keywords that JSON Schema does not have. What `if` and `allOf` say has its types where it is joined.
function compiler() {
	return new Ajv2020({ allErrors: true, allowUnionTypes: true, strictTypes: false, strictRequired: false });
}

const ajv = compiler().addSchema(schema, 'workflow');
const validate = ajv.getSchema('workflow');

// What is wrong with VALUE, for the whole schema or one of its parts.
function mistakesOf(value, check = validate) {
	return check(value) ? [] : check.errors.map((error) => `${error.instancePath} ${error.message}`);
}

function part(name) {
	return ajv.getSchema(`workflow#/$defs/${name}`);
}

function mistakes(text) {
	return mistakesOf(yaml.parse(text));
}

const inner = `
version: 1
name: inner
state: {a: {type: int}, b: {type: int}}
nodes: {add: {agent: assign, options: {set: {b: a + 1}}}}
edges: [{from: START, to: add}, {from: add, to: END}]
`;

// What `check --workflow` says of TEXT, which has inner.yaml beside it.
async function check(text) {
	const folder = temporaryFolder();
	const file = path.join(folder, 'w.yaml');
	fs.writeFileSync(file, text);
	fs.writeFileSync(path.join(folder, 'inner.yaml'), inner);
	const { code, stdout } = await runProgram(['check', '--json', '--workflow', file]);
	const { mistakes: found, count } = JSON.parse(stdout);
	assert.equal(count, found.length);
	assert.equal(code, count === 0 ? 0 : 1);
	return found;
}

test('the schema that is shipped is the one that the program prints', async () => {
	const { code, stdout, stderr } = await runProgram(['schema']);
	assert.equal(code, 0, stderr);
	assert.ok(
		stdout === fs.readFileSync(shipped, 'utf8'),
		'config/workflows/workflow.schema.json is not what the program prints, since a table of keys or a plugin has changed; ' +
			'make it anew with: build/smartsupport schema > config/workflows/workflow.schema.json',
	);
});

for (const name of fs.readdirSync(path.join(root, 'config/workflows')).filter((file) => file.endsWith('.yaml'))) {
	test(`the workflow ${name} fits the schema, and names it`, () => {
		const text = fs.readFileSync(path.join(root, 'config/workflows', name), 'utf8');
		assert.deepEqual(mistakes(text), []);
		assert.match(text, /^# yaml-language-server: \$schema=workflow\.schema\.json\n/);
	});
}

const whole = `
version: 1
name: whole
max_steps: 20
max_parallel: ~
timeout: 1.5m
durability: node
state:
  items: {type: list}
  n:     {type: int, min: 0, max: 10, default: 1}
  kind:  {type: enum, values: [a, b], default: a}
  sum:   {type: int, reducer: add}
  least: {type: number, reducer: min, default: 3}
  notes: {type: list, reducer: merge, key: id}
  bag:   {type: map, reducer: merge, default: {a: 1}}
  size:
    type: \${SCHEMA_TEST_TYPE:-int}
    max: \${SCHEMA_TEST_MAX:-7}
  why:   {type: string, default: 7}
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
    agent: \${SCHEMA_TEST_AGENT:-assign}
    interrupt: {before: true, show: [sum], answer: ok}
    cache: {key: [n], ttl: 1h, entries: 5}
    goto: [last, END]
    options: {goto: '"last"', delay: ~}
  last: {agent: assign, options: ~, fields: {answer: ~}, on_error: {to: END}}
  7:
    workflow: inner.yaml
    input: {a: n}
    output: {sum: b}
edges:
  - {from: START, to: each}
  - {from: each, choose: [{when: sum > 3, to: ask}, {when: true, to: last}, {else: END}]}
  - {from: [last], any: true, to: 7}
  - {from: [7], to: [END]}
`;

test('a workflow with all there is fits both', async () => {
	assert.deepEqual(mistakes(whole), []);
	assert.deepEqual(await check(whole), []);
});

// [what is wrong, a text, what stands there instead]
const wrong = [
	['an unknown key of the file', 'max_steps: 20', 'max_stepss: 20'],
	['a number out of bounds', 'max_steps: 20', 'max_steps: 0'],
	['a number with a fraction', 'max_steps: 20', 'max_steps: 2.5'],
	['a version that there is not', 'version: 1', 'version: 2'],
	['a durability that is none', 'durability: node', 'durability: nodes'],
	['a duration without a unit', 'timeout: 1.5m', 'timeout: 90'],
	['a duration with another unit', 'timeout: 1.5m', 'timeout: 2w'],
	['a missing name', 'name: whole', ''],
	['a name that is nothing', 'name: whole', 'name: ~'],
	['a state that is no mapping', /state:\n[^]*nodes:/, 'state: [n]\nnodes:'],
	['a state without fields', /state:\n[^]*nodes:/, 'state: {}\nnodes:'],
	['missing nodes', /nodes:\n[^]*edges:/, 'edges:'],
	['no edges', /edges:\n[^]*/, 'edges: []'],

	['a type that is none', '{type: bool}', '{type: boolean}'],
	['a field without a type', '{type: bool}', '{default: true}'],
	['an unknown key of a field', 'max: 10', 'maximum: 10'],
	['a name that no field may have', '  kind:', '  ki-nd:'],
	['a name that expressions keep for themselves', '  kind:', '  in:'],
	['a bound that is no number', 'max: 10', 'max: ten'],
	['a bound of a truth', '{type: bool}', '{type: bool, min: 0}'],
	['an enum without values', 'values: [a, b], default: a', 'default: a'],
	['an enum with no values', 'values: [a, b], default: a', 'values: []'],
	['values of a string', '{type: string, default: 7}', '{type: string, values: [a]}'],
	['a default of another type', 'max: 10, default: 1', 'max: 10, default: one'],
	['a default that is no map', 'default: {a: 1}', 'default: [a]'],
	['a reducer that is none', 'reducer: add', 'reducer: plus'],
	['a reducer for other types', 'reducer: add', 'reducer: append'],
	['a least value with nothing to compare with', 'reducer: min, default: 3', 'reducer: min'],
	['a merged list without its key', 'reducer: merge, key: id', 'reducer: merge'],
	['a key of a merged map', 'reducer: merge, default: {a: 1}', 'reducer: merge, key: id'],
	['a key of a list that is not merged', 'reducer: merge, key: id', 'reducer: union, key: id'],

	['a node that is called START', '  last: {', '  START: {'],
	['an unknown key of a node', 'deadline: 10s', 'dead_line: 10s'],
	['an agent that there is not', 'last: {agent: assign', 'last: {agent: asign'],
	['a node that is neither', 'last: {agent: assign,', 'last: {'],
	['a node that is both', 'last: {agent: assign', 'last: {agent: assign, workflow: inner.yaml'],
	['an option that there is not', 'delay: 10ms', 'delai: 10ms'],
	['an option with a wrong value', 'fail_as: timeout', 'fail_as: often'],
	['options that are a list', 'options: ~', 'options: [delay]'],
	['a field to set whose name is none', 'set: {sum: n * 2}', 'set: {su-m: n * 2}'],
	['an expression that is a list', 'set: {sum: n * 2}', 'set: {sum: [n]}'],
	['an agent that lacks an option', 'agent: assign, options: ~, fields: {answer: ~}', 'agent: categorizer, options: {}'],
	['an agent that lacks its options', 'agent: assign, options: ~, fields: {answer: ~}', 'agent: categorizer'],
	['a field that the agent has not', 'fields: {answer: ~}', 'fields: {answr: ~}'],
	['a workflow with an agent\'s options', 'workflow: inner.yaml', 'workflow: inner.yaml\n    options: {}'],
	['an agent with a workflow\'s input', 'last: {agent: assign,', 'last: {agent: assign, input: {a: n},'],
	['a workflow without output', '    output: {sum: b}\n', ''],
	['a workflow with no output', 'output: {sum: b}', 'output: {}'],
	['an input that is a list', 'input: {a: n}', 'input: [n]'],

	['an unknown key of retry', 'attempts: 3', 'attempts: 3, tries: 3'],
	['a retry without attempts', 'attempts: 3, ', ''],
	['attempts that are no number', 'attempts: 3', 'attempts: three'],
	['a factor out of bounds', 'factor: 1.5', 'factor: 0.5'],
	['an error that there is not', '[timeout, unavailable]', '[timeout, sometimes]'],
	['a fan-out without its list', 'send: {over: items, as: n', 'send: {as: n'],
	['a fan-out without its field', 'over: items, as: n', 'over: items'],
	['an unknown key of send', 'limit: 2', 'limits: 2'],
	['an unknown key of on_error', 'error: why', 'errors: why'],
	['an on_error that does nothing', 'on_error: {to: END}', 'on_error: {error: why}'],
	['a failure that leads to the start', 'on_error: {to: END}', 'on_error: {to: START}'],
	['an unknown key of an interrupt', 'show: [sum]', 'shows: [sum]'],
	['an interrupt that is never', 'before: true, ', ''],
	['an interrupt before and after', 'before: true', 'before: true, after: true'],
	['a cache without its key', 'cache: {key: [n], ', 'cache: {'],
	['a cache with an empty key', 'key: [n]', 'key: []'],
	['an unknown key of a cache', 'entries: 5', 'size: 5'],
	['a goto to the start', 'goto: [last, END]', 'goto: [last, START]'],
	['a goto to nowhere', 'goto: [last, END]', 'goto: []'],

	['an edge from nowhere', '{from: START, to: each}', '{to: each}'],
	['an edge to nowhere', '{from: START, to: each}', '{from: START}'],
	['an edge from the end', '{from: START, to: each}', '{from: [START, END], to: each}'],
	['an edge to the start', 'to: [END]', 'to: [START]'],
	['an edge from a node twice', 'from: [last]', 'from: [last, last]'],
	['an edge that leads on and chooses', 'from: each, choose', 'from: each, to: last, choose'],
	['an unknown key of an edge', 'any: true', 'all: true'],
	['a truth that is none', 'any: true', 'any: 1'],
	['a choice that is none', '{else: END}', '{otherwise: END}'],
	['a choice without else', ', {else: END}', ''],
	['a choice with two', '{else: END}', '{else: last}, {else: END}'],
	['a choice that leads to two nodes', 'when: true, to: last', 'when: true, to: [last, ask]'],
	['a condition that leads nowhere', '{when: true, to: last}', '{when: true}'],
	['an else with a condition', '{else: END}', '{when: true, else: END}'],
];

for (const [what, before, after] of wrong) {
	test(`${what} is refused by both`, async () => {
		const text = whole.replace(before, after);
		assert.notEqual(text, whole);
		assert.notDeepEqual(mistakes(text), [], 'by the schema');
		assert.notDeepEqual(await check(text), [], 'by the loader');
	});
}

test('the schema tells what each key is for, and its default', () => {
	const untold = [];
	const look = (value, at) => {
		for (const [key, property] of Object.entries(value.properties ?? {})) {
			const target = property.$ref ? schema.$defs[property.$ref.split('/').pop()] : property;
			// The sections and fields that tables of their own describe.
			if (property !== false && !property.$ref && !target.description) untold.push(`${at}.${key}`);
		}
	};
	look(schema, 'file');
	for (const [name, definition] of Object.entries(schema.$defs)) look(definition, name);
	for (const { if: condition, then } of schema.$defs.node.allOf) look(then.properties.options, condition.properties.agent.const);
	assert.deepEqual(untold, []);
	const { retry, cache } = schema.$defs;
	assert.deepEqual(retry.properties.on.default, ['unavailable', 'timeout']);
	assert.equal(retry.properties.backoff.default, '100ms');
	assert.match(retry.properties.backoff.description, /from 0 to 3600 seconds/);
	assert.equal(cache.properties.entries.default, 1000);
	assert.equal(schema.properties.durability.default, 'none');
});

test('defaults fit what they are the defaults of', () => {
	const compile = compiler();
	let count = 0;
	const look = (value) => {
		if (typeof value !== 'object' || value === null) return;
		if ('default' in value && 'description' in value) {
			count++;
			const fits = compile.compile({ ...value, $defs: schema.$defs });
			assert.ok(fits(value.default), `${value.description}: ${JSON.stringify(value.default)}`);
		}
		Object.values(value).forEach(look);
	};
	look(schema);
	assert.ok(count > 50, `${count}`);
});

test('check tells editors where mistakes are, sorted', async () => {
	const text = whole.replace('delay: 10ms', 'delai: 10ms').replace('max: 10', 'maximum: 10');
	const at = (word) => {
		const lines = text.slice(0, text.indexOf(word)).split('\n');
		return [lines.length, lines.at(-1).length + 1];
	};
	const found = await check(text);
	assert.deepEqual(
		found.map(({ line, column, message }) => [line, column, message.replace(/;.*/, '')]),
		[
			[...at('maximum'), 'the field n has no key "maximum"'],
			[...at('delai'), 'the agent assign has no key "delai" (did you mean "delay"?)'],
		],
	);
});

// The parts of a workflow that a recipe shows.
function mistakesOfRecipe(value) {
	if (Array.isArray(value)) return value.flatMap((edge) => mistakesOf(edge, part('edge')));
	const found = (value.edges ?? []).flatMap((edge) => mistakesOf(edge, part('edge')));
	const nodes = value.nodes ?? (value.edges ? {} : value);
	return found.concat(Object.values(nodes).flatMap((node) => mistakesOf(node, part('node'))));
}

// A part of the configuration, which the server accepts in place of the one that is shipped.
async function assertStorage(text, file) {
	const installation = new Installation();
	installation.edit('config/smartsupport.yaml', /^storage:\n(  .*\n)+/m, text);
	const env = { ...installation.env, DATABASE_PASSWORD: 'secret' };
	const { code, stderr } = await runProgram(['check', '--config', installation.config], { env, cwd: installation.folder });
	assert.equal(code, 0, `${file}: ${text}: ${stderr}`);
}

test('what the documentation shows is right', async () => {
	const files = ['README.md', ...fs.readdirSync(path.join(root, 'docs')).map((name) => `docs/${name}`)];
	let [workflows, recipes] = [0, 0];
	// The agent of docs/plugins.md is not shipped; examples.test.mjs runs its workflow.
	for (const file of files.filter((name) => name.endsWith('.md') && name !== 'docs/plugins.md')) {
		for (const [, text] of fs.readFileSync(path.join(root, file), 'utf8').matchAll(/```yaml\n([^]*?)```/g)) {
			if (text.startsWith('version:')) {
				workflows++;
				assert.deepEqual(mistakes(text), [], `${file}: ${text}`);
				assert.deepEqual(await check(text), [], `${file}: ${text}`);
			} else if (text.startsWith('storage:')) {
				await assertStorage(text, file);
			} else {
				recipes++;
				assert.deepEqual(mistakesOfRecipe(yaml.parse(text)), [], `${file}: ${text}`);
			}
		}
	}
	assert.ok(workflows > 0 && recipes > 0);
});

test('workflows in other tests that the schema refuses are refused by the loader as well', async () => {
	const folder = path.join(root, 'tests/integration');
	let count = 0;
	for (const name of fs.readdirSync(folder).filter((file) => file.endsWith('.test.mjs') && file !== 'schema.test.mjs')) {
		for (const [, text] of fs.readFileSync(path.join(folder, name), 'utf8').matchAll(/`\n(version: 1\n[^`]*)`/g)) {
			if (text.includes('${')) continue; // which this file does not know
			count++;
			const found = mistakes(text.replaceAll('\\\\', '\\'));
			if (found.length > 0) assert.notDeepEqual(await check(text), [], `${name}: ${found.join('; ')}\n${text}`);
		}
	}
	assert.ok(count > 5, `${count}`);
});

// The agents of the unit tests beside the product's.
async function schemaOfUnitTests() {
	const installation = new Installation();
	fs.appendFileSync(installation.config, `\nplugins: [${path.join(path.dirname(program), 'tests/plugins')}, ${plugins}]\n`);
	const { code, stdout, stderr } = await runProgram(['schema', '--config', installation.config]);
	assert.equal(code, 0, stderr);
	return compiler().compile(JSON.parse(stdout));
}

for (const [name, ...args] of [['unit_graph'], ['unit_engine', '--filter', '!(pool|journal|timeout|turn|turns|token)/*']]) {
	const unit = path.join(path.dirname(program), 'tests', name);
	test(`what ${name} holds as right fits the schema`, { skip: !fs.existsSync(unit) && `${name} is not built` }, async () => {
		const folder = temporaryFolder();
		const { code, stderr } = await runCommand(unit, args, { env: { SMARTSUPPORT_KEEP_WORKFLOWS: folder } });
		assert.equal(code, 0, stderr);
		const fits = await schemaOfUnitTests();
		const files = fs.readdirSync(folder);
		assert.ok(files.length > 10, `${files.length}`);
		for (const file of files) {
			const text = fs.readFileSync(path.join(folder, file), 'utf8');
			assert.deepEqual(mistakesOf(yaml.parse(text), fits), [], text);
		}
	});
}
