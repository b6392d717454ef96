// What the reply tells about the search, and that nothing is presented that does not answer.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from './lib/server.mjs';

let server;
before(async () => (server = await Server.start()));
after(async () => await server.stop());

async function search(message) {
	const { metadata } = await server.ask(message);
	return metadata;
}

test('an article comes with its confidence and the score of every stage', async () => {
	const { kb_results: found, retrieval } = await search('How do I reset my password?');
	assert.equal(found[0].id, 'reset-password');
	assert.ok(found[0].confidence > 0.9, `${found[0].confidence}`);
	for (const article of found)
		assert.deepEqual(Object.keys(article.scores).sort(), ['answer', 'lexical', 'question']);
	assert.deepEqual(retrieval, {
		confidence: found[0].confidence,
		abstained: false,
		reason: '',
		best: 'reset-password',
		scores: found[0].scores,
	});
});

for (const [message, reason] of [
	['What is the airspeed of a swallow?', /no_article|low_confidence/],
	['How do I delete a row?', /low_confidence/],
	['I get error TB-9999 when syncing', /unknown_code/],
	['How do I reset my password for Gmail?', /other_subject/],
	['cancel my gym membership', /other_subject/],
	['Wie kann ich mein Passwort zurücksetzen?', /no_article|low_confidence/],
]) {
	test(`"${message}" is not answered with another article, and the reply says why`, async () => {
		const { kb_results: found, retrieval, answered } = await search(message);
		assert.deepEqual(found, []);
		assert.equal(answered, false);
		assert.equal(retrieval.abstained, true);
		assert.match(retrieval.reason, reason);
	});
}

for (const [message, id] of [
	['What is TB-1042?', 'sync-error-tb-1042'],
	['the app says error 2107', 'import-error-tb-2107'],
	['I cannot find "Restore account"', 'delete-restore-account'],
	['Does Tallybird work on Linux?', 'install-update-desktop-app'],
]) {
	test(`"${message}" finds ${id}`, async () => {
		assert.equal((await search(message)).kb_results[0]?.id, id);
	});
}
