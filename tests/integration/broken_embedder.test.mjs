// What customers and operators see while the embedder fails: the articles are found by their words.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { Installation, plugins, program } from './lib/files.mjs';
import { parseMetrics } from './lib/metrics.mjs';
import { Server, runProgram } from './lib/server.mjs';

const installation = new Installation();
const broken = installation.path('broken');
const missing = { stages: ['question', 'answer'], error: 'the search by meaning failed' };

installation.edit(
	'config/smartsupport.yaml',
	/plugin: minilm\n {2}options:\n {4}model: .*/,
	`plugin: breakable\n  options:\n    broken: ${broken}`,
);
fs.appendFileSync(
	installation.config,
	`\nplugins: [${path.join(path.dirname(program), 'tests/plugins')}, ${plugins}]\n`,
);
installation.edit(
	'kb/articles/app-crashes-on-export.md',
	/\n---\n\n?/,
	'\n---\n\nThe app shows TB-7321 when it runs out of memory.\n\n',
);

let server;
before(async () => (server = await Server.start({ installation, workers: 1 })));
after(async () => await server.stop());
beforeEach(() => fs.rmSync(broken, { force: true }));

async function counted(name) {
	return parseMetrics((await server.request('/metrics')).text).get(`smartsupport_${name}_total`);
}

test('a code finds its article by words alone, and the reply says what is missing', async () => {
	fs.writeFileSync(broken, '');
	const incomplete = await counted('knowledge_searches_incomplete');
	const { metadata, response } = await server.ask('Since this morning I get TB-7321, what is it?');
	const [found] = metadata.kb_results;
	assert.equal(found.id, 'app-crashes-on-export');
	assert.deepEqual(Object.keys(found.scores), ['lexical']);
	assert.ok(found.confidence >= 0.5, `${found.confidence}`);
	assert.deepEqual(metadata.retrieval.missing, missing);
	assert.equal(metadata.retrieval.abstained, false);
	assert.match(response, /TB-7321/);
	await server.untilLogged('searched the knowledge base without');
	const lines = server.log.filter((line) => line.message?.includes('searched the knowledge base without'));
	assert.equal(lines.length, 1);
	assert.match(lines[0].message, /the node retrieve .* without question, answer: the embedder is broken/);
	assert.equal(lines[0].level, 'warning');
	assert.equal(await counted('knowledge_searches_incomplete'), incomplete + 1);
});

test('the search is whole again when the embedder is, and says so of the same question', async () => {
	const question = 'How do I reset my password, please?';
	fs.writeFileSync(broken, '');
	assert.deepEqual((await server.ask(question)).metadata.retrieval.missing, missing);
	fs.rmSync(broken);
	const { metadata } = await server.ask(question);
	assert.equal(metadata.retrieval.missing, undefined);
	assert.deepEqual(Object.keys(metadata.kb_results[0].scores).sort(), ['answer', 'lexical', 'question']);
});

test('a question that nothing is found for while it fails is no gap in the articles', async () => {
	const before = await counted('questions_unanswered');
	fs.writeFileSync(broken, '');
	const { metadata } = await server.ask('Do penguins like marmalade?');
	assert.deepEqual(metadata.kb_results, []);
	assert.deepEqual(metadata.retrieval.missing, missing);
	assert.equal(await counted('questions_unanswered'), before);
	fs.rmSync(broken);
	await server.ask('Do walruses like marmalade?');
	assert.equal(await counted('questions_unanswered'), before + 1);
});

test('ask names the stages that did not run', async () => {
	// The vectors of the articles are kept, so that it starts all the same.
	fs.writeFileSync(broken, '');
	const args = ['ask', '--config', installation.config, 'What is TB-7321?'];
	const { code, stdout, stderr } = await runProgram(args, { env: installation.env });
	assert.equal(code, 0, stderr);
	assert.match(stdout, /\nMissing {5}question, answer: the embedder is broken\n/);
	assert.match(stdout, /app-crashes-on-export/);
	fs.rmSync(broken);
	const whole = await runProgram(args, { env: installation.env });
	assert.doesNotMatch(whole.stdout, /Missing/);
});

test('eval does not take half a search for a whole one', async () => {
	fs.writeFileSync(broken, 'What is TB-7321?');
	installation.write('questions.jsonl', '{"text": "What is TB-7321?", "article": "app-crashes-on-export"}\n');
	const args = ['eval', '--config', installation.config, installation.path('questions.jsonl')];
	const { code, stderr } = await runProgram(args, { env: installation.env });
	assert.notEqual(code, 0);
	assert.match(stderr, /questions\.jsonl:1: .*the embedder is broken/);
});
