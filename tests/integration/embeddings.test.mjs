// Vectors by an OpenAI-compatible API.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { Installation } from './lib/files.mjs';
import { ModelServer, failure, wordVector } from './lib/model_server.mjs';
import { runProgram } from './lib/server.mjs';

const key = 'sk-test-0c1d2e3f4a5b6c7d';
const question = 'How do I reset my password?';
// As long as those of the model that the heads were made with.
const dimension = 384;

let model;
let installed;

before(async () => {
	model = await ModelServer.start({ dimension });
});

// A new installation has no vectors yet that could be used again.
beforeEach(() => {
	model.forget();
	installed = new Installation();
});

after(() => model.close());

function ask(options = {}) {
	const all = JSON.stringify({ base_url: model.url, model: 'words', api_key: key, ...options }).replace(/"(\d+m?s)"/g, '$1');
	installed.edit('config/smartsupport.yaml', /^embedder:\n(?: .*\n)*/m, `embedder:\n  plugin: openai\n  options: ${all}\n`);
	model.requests.length = 0;
	return runProgram(['ask', '--json', '--config', installed.config, question], { env: installed.env });
}

async function refused(sentence, options) {
	const result = await ask(options);
	assert.notEqual(result.code, 0, result.stdout);
	assert.match(result.stderr, sentence);
	assert.ok(!(result.stdout + result.stderr).includes(key), 'the key is not told');
}

function inputs() {
	return model.requests.filter(({ path }) => path.endsWith('/embeddings')).map(({ json }) => json.input);
}

test('articles and questions are embedded in batches, and found', async () => {
	const result = await ask({ batch: 10 });
	assert.equal(result.code, 0, result.stderr);
	assert.equal(JSON.parse(result.stdout).reply.metadata.kb_results[0].id, 'reset-password');
	const [probe, ...batches] = inputs();
	assert.equal(probe.length, 1, 'how long a vector is was asked first');
	assert.ok(batches.every((batch) => batch.length <= 10));
	assert.ok(batches.some((batch) => batch.length === 10));
	assert.ok(batches.flat().includes(question));
	assert.equal(model.requests[0].headers.authorization, `Bearer ${key}`);
	assert.equal(model.requests[0].json.model, 'words');
	// The second time only the question has no vector yet.
	assert.equal((await ask({ batch: 10 })).code, 0);
	assert.deepEqual(inputs().slice(1), [[question]]);
});

test('another key asks for no vector anew', async () => {
	assert.equal((await ask()).code, 0);
	assert.equal((await ask({ api_key: 'other' })).code, 0);
	assert.deepEqual(inputs().slice(1), [[question]]);
});

test('a batch that fails for a while is tried again', async () => {
	model.embeddingScript(failure(503, 'busy'), failure(429, 'slow down', { 'Retry-After': '0' }));
	const result = await ask({ dimension, backoff: '1ms' });
	assert.equal(result.code, 0, result.stderr);
	const [first, second, third] = inputs();
	assert.deepEqual(second, first);
	assert.deepEqual(third, first);
});

test('a batch that goes on failing, or will fail again, is given up', async () => {
	model.embeddingScript(...new Array(2).fill(failure(500, 'broken')));
	await refused(/custom\/words answers with 500: broken/, { attempts: 2, backoff: '1ms' });
	assert.equal(inputs().length, 2);
	model.embeddingScript(failure(401, `no key ${key}`));
	await refused(/answers with 401: no key \*+; is the key right/);
	assert.equal(inputs().length, 1);
	model.embeddingScript(failure(429, 'tomorrow', { 'Retry-After': '3600' }));
	await refused(/answers with 429: tomorrow/);
	assert.equal(inputs().length, 1);
});

test('vectors of another length, or none, are refused', async () => {
	await refused(/vectors that cannot be used: a vector has 384 numbers, not 383/, { dimension: 383 });
	model.embeddingScript({ body: JSON.stringify({ data: [] }) });
	await refused(/sends no vector of 1 to 65536 numbers; is words a model for embeddings\?/);
	model.embeddingScript({ body: '{"data": [' });
	await refused(/sends a reply that cannot be read/, { attempts: 1 });
	const vector = ({ json }) => ({ body: JSON.stringify({ data: json.input.map((text) => ({ embedding: wordVector(text, 3) })) }) });
	model.embeddingScript(...new Array(10).fill(vector));
	await refused(/a vector has 3 numbers, not 384/, { dimension });
});

test('heads that were made with other vectors are not applied', async () => {
	model.dimension = 8;
	const result = await ask();
	model.dimension = dimension;
	assert.equal(result.code, 0, result.stderr);
	assert.match(result.stderr, /the head is for vectors of 384 numbers, but the embedder gives 8; train the head with this embedder/);
});

test('the environment does not choose who makes the vectors', async () => {
	installed.edit('config/smartsupport.yaml', /^embedder:\n(?: .*\n)*/m, 'embedder:\n  plugin: openai\n');
	const env = { ...installed.env, LLM_BASE_URL: model.url, LLM_MODEL: 'x', OPENAI_API_KEY: key };
	const result = await runProgram(['check', '--config', installed.config], { env });
	assert.notEqual(result.code, 0);
	assert.match(result.stdout + result.stderr, /smartsupport\.yaml:\d+:\d+: the embedder openai needs a provider or a base_url/);
});
