// How well the shipped workflow sorts questions that nothing was trained on. The bounds leave room for a
// few slips, and for none of the fixed examples.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { root } from './lib/files.mjs';
import { Server } from './lib/server.mjs';

let server;
before(async () => (server = await Server.start()));
after(() => server.stop());

function questions(name) {
	const file = path.join(root, 'tests', 'data', name);
	return fs.readFileSync(file, 'utf8').trim().split('\n').map(JSON.parse);
}

// What was asked and decided, one entry a question.
async function askAll(name) {
	const results = [];
	for (const [number, question] of questions(name).entries()) {
		const reply = await server.ask(question.text, { user_id: `${name}_${number}` });
		results.push({ ...question, reply });
	}
	return results;
}

function count(results, holds) {
	return results.filter(holds).length;
}

test('of 60 unseen questions at least 57 get the right category and 52 the right sentiment', { timeout: 300000 }, async (t) => {
	const results = await askAll('questions.jsonl');
	const category = count(results, (r) => r.reply.category === r.category);
	const sentiment = count(results, (r) => r.reply.sentiment === r.sentiment);
	t.diagnostic(`of ${results.length}: category ${category}, sentiment ${sentiment}`);
	assert.equal(results.length, 60);
	assert.ok(category >= 57, `${category} of 60 categories`);
	assert.ok(sentiment >= 52, `${sentiment} of 60 sentiments`);
});

test('of an ordinary mix of questions less than 15 in 100 are escalated, and those that must be are', { timeout: 300000 }, async (t) => {
	const results = await askAll('ordinary_mix.jsonl');
	const escalated = count(results, (r) => r.reply.metadata.escalated);
	const wanted = results.filter((r) => r.escalate);
	const found = count(wanted, (r) => r.reply.metadata.escalated);
	t.diagnostic(`${escalated} of ${results.length} escalated; ${found} of the ${wanted.length} that must be`);
	assert.ok(escalated < 0.15 * results.length, `${escalated} of ${results.length}`);
	assert.ok(found >= 0.9 * wanted.length, `${found} of ${wanted.length}`);
});
