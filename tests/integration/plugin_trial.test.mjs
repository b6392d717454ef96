// `smartsupport plugin check FILE.so`: it finds what plugins do wrong, and ours do nothing of it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { model, plugins, program, temporaryFolder } from './lib/files.mjs';
import { runProgram } from './lib/server.mjs';
import { patience } from './lib/wait.mjs';

const careless = path.join(path.dirname(program), 'tests/plugins/agents/careless.so');

// In a build with a leak checker that one finds leaks, and tells the command and not the test.
const env = { ASAN_OPTIONS: 'intercept_tls_get_addr=0' };

// A case may take longer here than it may by default, on a machine that has much else to do.
async function check(...args) {
	const patient = args.includes('--timeout') ? [] : ['--timeout', '300'];
	const { code, stdout, stderr } = await runProgram(['plugin', 'check', '--json', ...args, ...patient], { env, limit: 10 * patience });
	assert.equal(stderr, '');
	const report = JSON.parse(stdout);
	assert.equal(code, report.failed > 0 ? 1 : 0);
	return { ...report, mistakes: report.cases.filter(({ ok }) => !ok) };
}

for (const [file, options] of [
	['agents/attempts', {}],
	['agents/kb_retriever', {}],
	['agents/general', {}],
	['agents/assign', { ask: "'which one?'", set: { answer: '1 + 1' } }],
	['llm/extractive', {}],
	['llm/openai', { base_url: 'http://127.0.0.1:9/v1', model: 'any' }],
	['index/faiss', {}],
	['embedder/minilm', { model }],
])
	test(`${file} bears all that is tried`, async () => {
		const report = await check(path.join(plugins, `${file}.so`), '--options', JSON.stringify(options), '--timeout', '300');
		assert.deepEqual(report.mistakes, []);
		assert.equal(report.plugin, path.basename(file));
		assert.ok(report.passed >= 7);
	});

test('a storage is also held to its contract', async () => {
	const file = path.join(temporaryFolder(), 'try.db');
	const { cases, mistakes } = await check(path.join(plugins, 'storage/sqlite.so'), '--options', JSON.stringify({ path: file }), '--case', 'a user');
	assert.deepEqual(mistakes, []);
	assert.deepEqual([...new Set(cases.map(({ area }) => area))].slice(0, 3), ['file', 'instance', 'context']);
});

// The mistakes beside the symbol that the fixture always shows.
const found = ({ mistakes }) => mistakes.slice(1).map(({ sentence, came, ...rest }) => `${rest.case}: ${came}`).join('\n');

for (const [mistake, pattern] of [
	['none', /^$/],
	['crash', /^it runs with empty, odd and hostile values: signal 6, Aborted/],
	['leak', /^it leaves nothing in memory: .*?(SUMMARY: AddressSanitizer: \d+ byte|\d+ bytes more with each)/ms],
	['undeclared', /^it runs with a usual state: .*read the field count, which the table does not declare so/m],
	['silent', /^it runs with a usual state: .*failed without saying why/m],
	['thread', /^it leaves no threads: 4 more after 4 instances$/],
	['refuses', /^it is made of its options and destroyed: this agent cannot be made$/],
])
	test(`an agent is found to make the mistake ${mistake}`, async () => {
		const report = await check(careless, '--options', `{mistake: ${mistake}}`);
		assert.deepEqual(
			[report.mistakes[0].case, report.mistakes[0].came],
			['it exports its descriptor and nothing else', 'also careless_number'],
		);
		assert.match(found(report), pattern);
	});

test('an agent that hangs is waited for no longer than the timeout', async () => {
	const { mistakes } = await check(careless, '--options', '{mistake: hang}', '--case', 'texts of a mebibyte', '--timeout', '10');
	assert.deepEqual(mistakes.map(({ case: name, came }) => `${name}: ${came}`), ['it runs with texts of a mebibyte: none after 10 s']);
});

test('options that are wrong, a file that is none and one for another ABI are told', async () => {
	const wrong = await check(careless, '--options', '{mistkae: none}');
	assert.match(found(wrong), /^it is made of its options and destroyed: .*mistkae/);
	const text = path.join(temporaryFolder(), 'text.so');
	fs.writeFileSync(text, 'no shared object');
	const { cases, plugin } = await check(text);
	assert.equal(plugin, null);
	assert.equal(cases.length, 1);
	assert.match(cases[0].came, /text\.so: /);
	const newer = await check(path.join(path.dirname(program), 'tests/fixtures/plugins/agents/abi_too_new.so'));
	assert.match(newer.mistakes[0].came, /built for plugin ABI 1\.\d+, this server has/);
});
