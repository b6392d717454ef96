// `smartsupport check` for editors: mistakes as JSON, and one workflow by itself.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Installation, temporaryFolder } from './lib/files.mjs';
import { runProgram } from './lib/server.mjs';

// Runs check with the configuration of INSTALLATION.
function run(installation, ...args) {
	return runProgram(['check', '--config', installation.config, ...args], { cwd: installation.folder, env: installation.env });
}

// What check says as JSON; it says nothing else.
async function checkJson(installation, ...args) {
	const { code, stdout, stderr } = await run(installation, '--json', ...args);
	assert.equal(stderr, '');
	const said = JSON.parse(stdout);
	assert.deepEqual(Object.keys(said).filter((key) => key !== 'models').sort(), ['count', 'mistakes']);
	assert.equal(said.count, said.mistakes.length);
	assert.equal(code, said.count === 0 ? 0 : 1);
	return said.mistakes;
}

function lineOf({ file, line, column, message }) {
	return line > 0 ? `${file}:${line}:${column}: ${message}` : `${file}: ${message}`;
}

const reads = `
version: 1
name: reads
state: {given: {type: int}, sum: {type: int}}
nodes: {add: {agent: assign, options: {set: {sum: given + 1}}}}
edges: [{from: START, to: add}, {from: add, to: END}]
`;

test('check tells that all is well as JSON', async () => {
	assert.deepEqual(await checkJson(new Installation()), []);
});

test('check says that there is no key where other machines can reach the server, and makes no store to find out', async () => {
	const installation = new Installation();
	const database = path.join(installation.folder, 'keys.db');
	const env = { ...installation.env, DATABASE_URL: `sqlite:///${database}` };
	const call = (...args) => runProgram([...args, '--config', installation.config], { cwd: installation.folder, env });
	const host = (name) => installation.edit('config/smartsupport.yaml', /^ {2}host: .*$/m, `  host: ${name}`);
	const refusal = /smartsupport\.yaml:\d+:\d+: other machines can reach 0\.0\.0\.0, and there is no API key: make one with/;
	for (const name of ['127.0.0.1', 'localhost', '"::1"']) {
		host(name);
		assert.equal((await call('check')).code, 0, name);
	}
	host('0.0.0.0');
	const none = await call('check');
	assert.equal(none.code, 1);
	assert.match(none.stderr, refusal);
	assert.equal(fs.existsSync(database), false);
	assert.equal((await call('migrate')).code, 0);
	assert.match((await call('check')).stderr, refusal);
	assert.equal((await call('keys', 'create', '--role', 'admin', '--name', 'first')).code, 0);
	const some = await call('check');
	assert.equal(some.code, 0, some.stderr);
	fs.rmSync(database);
	installation.edit('config/smartsupport.yaml', 'server:\n', 'server:\n  open_to_everybody: true\n');
	const open = await call('check');
	assert.equal(open.code, 0, open.stderr);
	assert.equal(fs.existsSync(database), false);
});

test('check names the models that would answer, and tells what their plugins warn of', async () => {
	const installation = new Installation();
	const check = (env, ...args) => runProgram(['check', '--config', installation.config, ...args], { cwd: installation.folder, env: { ...installation.env, ...env } });
	const local = await check({});
	assert.equal(local.stderr, '');
	assert.match(local.stdout, /^Questions are answered by extractive\.\n/m);
	const both = await check({ LLM_BASE_URL: 'http://models.example', LLM_MODEL: 'm', LLM_API_KEY: 'sk-1' });
	assert.equal(both.code, 0, both.stderr);
	assert.match(both.stdout, /^Questions are answered by custom\/m, then extractive\.\n/m);
	assert.match(both.stderr, /level=warning .*the key for custom\/m goes over the network unencrypted/);
	const lone = await check({ LLM_API_KEY: 'sk-1' }, '--json');
	assert.deepEqual(JSON.parse(lone.stdout), { mistakes: [], count: 0, models: ['extractive'] });
	assert.match(lone.stderr, /level=warning .*LLM_API_KEY is set, but/);
	for (const { stdout, stderr } of [both, lone]) assert.ok(!(stdout + stderr).includes('sk-1'));
});

test('check --json tells the same mistakes in the same order as check', async () => {
	const installation = new Installation();
	installation.edit('config/smartsupport.yaml', 'level: ${LOG_LEVEL:-info}', 'levle: info');
	installation.editWorkflow('max_steps: 50', 'max_steps: many');
	installation.editWorkflow('agent: respond', 'agent: respnd');
	installation.write('kb/articles/find-invoices.md', 'no article');
	const text = await run(installation);
	const mistakes = await checkJson(installation);
	assert.equal(mistakes.length, 4);
	assert.equal(text.code, 1);
	assert.equal(text.stderr, mistakes.map((mistake) => `${lineOf(mistake)}\n`).join('') + '4 mistakes\n');
});

test('check --json tells of a file that cannot be read, without a line', async () => {
	const installation = new Installation();
	const missing = path.join(installation.folder, 'none.yaml');
	const [mistake, ...others] = await checkJson(installation, '--workflow', missing);
	assert.deepEqual(others, []);
	assert.deepEqual([mistake.file, mistake.line, mistake.column], [missing, 0, 0]);
	assert.match(mistake.message, /No such file/);
	fs.rmSync(installation.config);
	const [config] = await checkJson(installation);
	assert.deepEqual([config.line, config.column], [0, 0]);
});

test('check --json tells where a file is no YAML, and what has characters of its own in JSON', async () => {
	const installation = new Installation();
	const file = path.join(installation.folder, 'w "1"\\.yaml');
	fs.writeFileSync(file, 'version: 1\nnodes: {a: [}\n');
	const [mistake] = await checkJson(installation, '--workflow', file);
	assert.deepEqual([mistake.file, mistake.line], [file, 2]);
	assert.match(mistake.message, /is not YAML/);
	fs.writeFileSync(file, 'version: 1\n"a\\"\\\\b\\u00e9": 1\n');
	const found = await checkJson(installation, '--workflow', file);
	assert.ok(found.some(({ message }) => message.includes('has no key "a"\\bé"')), JSON.stringify(found));
});

test('check --json tells of many mistakes that there are more', async () => {
	const installation = new Installation();
	installation.write('w.yaml', `version: 1\n${Array.from({ length: 3000 }, (_, i) => `unknown_${i}: 1\n`).join('')}`);
	const found = await checkJson(installation, '--workflow', installation.path('w.yaml'));
	assert.match(found.at(-1).message, /more mistakes/);
});

test('check --workflow looks at one workflow, whatever else is wrong', async () => {
	const installation = new Installation();
	installation.editWorkflow('agent: respond', 'agent: respnd');
	installation.write('kb/articles/find-invoices.md', 'no article');
	installation.write('reads.yaml', reads);
	const file = installation.path('reads.yaml');
	const { code, stdout, stderr } = await run(installation, '--workflow', file);
	assert.deepEqual([code, stderr], [0, '']);
	assert.match(stdout, /reads\.yaml is right/);
	installation.write('reads.yaml', reads.replace('given + 1', 'given + "1"'));
	const wrong = await run(installation, '-w', file);
	assert.equal(wrong.code, 1);
	assert.match(wrong.stderr, /^.*reads\.yaml:5:\d+: .*\n1 mistake\n$/);
});

test('a field that nobody gives is a mistake of the configured workflow only', async () => {
	const installation = new Installation();
	installation.editWorkflow('  user_id:              {type: string}\n', '  user_id:              {type: string}\n  shoe_size:            {type: int}\n');
	installation.editWorkflow(/when: escalated\b/, 'when: escalated && shoe_size > 40');
	const copy = installation.path('config/workflows/copy.yaml');
	fs.copyFileSync(installation.workflow, copy);
	assert.deepEqual(await checkJson(installation, '--workflow', copy), []);
	const link = path.join(temporaryFolder(), 'link.yaml');
	fs.symlinkSync(installation.path('config'), path.join(path.dirname(link), 'config'));
	for (const args of [[], ['--workflow', installation.workflow], ['--workflow', path.join(path.dirname(link), 'config/workflows/support.yaml')]]) {
		const found = await checkJson(installation, ...args);
		assert.equal(found.length, 1, JSON.stringify(found));
		assert.match(found[0].message, /reads shoe_size, which nothing writes/);
	}
});

test('check --workflow finds what a reply needs and the configured workflow lacks', async () => {
	const installation = new Installation();
	installation.editWorkflow(/^ {2}sentiment: .*\n/m, '');
	const all = await checkJson(installation);
	assert.deepEqual(await checkJson(installation, '--workflow', installation.workflow), all);
	assert.ok(all.length > 0);
});

for (const args of [['--workflow'], ['--jason'], ['file.yaml']]) {
	test(`check ${args.join(' ')} is no command`, async () => {
		const { code, stdout, stderr } = await runProgram(['check', ...args]);
		assert.deepEqual([code, stdout], [2, '']);
		assert.match(stderr, /Usage: smartsupport check/);
	});
}
