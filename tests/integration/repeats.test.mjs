// Attempts: the same user asking the same thing again, here or in a new conversation, and nothing else.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Installation } from './lib/files.mjs';
import { parseMetrics } from './lib/metrics.mjs';
import { Server, withServer } from './lib/server.mjs';
import { execute, single, zeros } from './lib/store.mjs';

let server;
before(async () => (server = await Server.start()));
after(() => server.stop());

const question = 'How do I reset my password?';

// Asks MESSAGES one after another, each as [message, user, number of an earlier message whose conversation it
// goes on with]. Gives how many attempts each was.
async function attemptsOf(...messages) {
	const replies = [];
	for (const [message, user, earlier] of messages) {
		const conversation_id = earlier === undefined ? undefined : replies[earlier].conversation_id;
		replies.push(await server.ask(message, { user_id: user, conversation_id }));
	}
	return replies.map((reply) => reply.metadata.attempts);
}

test('the same question in a new conversation of the same user is another attempt', async () => {
	assert.deepEqual(await attemptsOf([question, 'ann'], [question, 'ann']), [1, 2]);
});

test('the same question in other words is another attempt', async () => {
	const again = 'How can I reset my password please?';
	assert.deepEqual(await attemptsOf([question, 'rose'], [again, 'rose', 0]), [1, 2]);
});

test('the same question of another user is a first attempt', async () => {
	assert.deepEqual(await attemptsOf([question, 'bob'], [question, 'eve']), [1, 1]);
});

test('those who do not say who they are are not taken for one', async () => {
	const ask = async (more) => (await server.ask(question, more)).metadata.attempts;
	assert.deepEqual([await ask({}), await ask({}), await ask({ user_id: 'web_user' })], [1, 1, 1]);
});

test('a different question is a first attempt, here and in a new conversation', async () => {
	const other = 'Where can I download my invoices?';
	assert.deepEqual(await attemptsOf([question, 'joe'], [other, 'joe', 0], [other, 'joe2'], [question, 'joe2']), [1, 1, 1, 1]);
});

test('that it still does not work is another attempt at what the conversation was about', async () => {
	for (const [number, again] of [
		'It still does not work.',
		"that didn't help",
		'ok I did all the steps, but it still fails. What now?',
		'Sorry, same problem',
		'No luck :(',
	].entries()) {
		const user = `still_${number}`;
		assert.deepEqual(await attemptsOf([question, user], [again, user, 0], [again, user, 0]), [1, 2, 3], again);
	}
});

test('the third attempt is handed to a human, however it is worded', async () => {
	const first = await server.ask(question, { user_id: 'kim' });
	const more = { user_id: 'kim', conversation_id: first.conversation_id };
	await server.ask('It still does not work', more);
	const third = await server.ask('that did not help either', more);
	assert.equal(third.metadata.escalated, true);
	assert.match(third.metadata.escalation_reason, /attempts 3 >= 3/);
});

test('that something else does not work is no other attempt', async () => {
	const other = 'My Slack connection is still not working';
	assert.deepEqual(await attemptsOf([question, 'lea'], [other, 'lea', 0]), [1, 1]);
});

test('that it still does not work tells nothing in a new conversation, and goes on with nothing', async () => {
	assert.deepEqual(await attemptsOf([question, 'max'], ['It still does not work', 'max']), [1, 1]);
});

test('what was asked before the window is forgotten', async () => {
	const ask = async () => (await server.ask(question, { user_id: 'lou' })).metadata.attempts;
	const asked = "conversation_id IN (SELECT id FROM conversations WHERE user_id = 'lou')";
	const first = await ask();
	await execute(server.database, `UPDATE messages SET created_at = created_at - 23 * 3600000000 WHERE ${asked}`);
	const within = await ask();
	await execute(server.database, `UPDATE messages SET created_at = created_at - 25 * 3600000000 WHERE ${asked}`);
	assert.deepEqual([first, within, await ask()], [1, 2, 1]);
});

async function embedded(running) {
	const reply = await running.request('/metrics');
	return parseMetrics(reply.text).get('smartsupport_embedder_texts_total');
}

// Asks in the name of joe, twice with a new server each. Gives the attempts and how many texts the second one embedded.
async function askTwoServers(between = async () => {}) {
	const earlier = ['Where can I download my invoices?', question];
	const found = {};
	await withServer({}, async (first) => {
		found.database = first.database;
		for (const message of earlier) await first.ask(message, { user_id: 'joe' });
	});
	await between(found.database);
	await withServer({ database: found.database }, async (second) => {
		const reply = await second.ask('How can I reset my password please?', { user_id: 'joe' });
		found.attempts = reply.metadata.attempts;
		found.texts = await embedded(second);
	});
	return found;
}

test('a question is compared with earlier ones without embedding these again, also by another server', async () => {
	const { attempts, texts, database } = await askTwoServers();
	assert.deepEqual({ attempts, texts }, { attempts: 2, texts: 1 });
	assert.equal(await single(database, `SELECT count(*) FROM messages WHERE length(vector) = 768 AND role = 'user'`), 3);
});

test('a question that is kept without a vector, or with one of another embedder, counts all the same', async () => {
	for (const change of ['embedder = NULL, vector = NULL', `embedder = 'another', vector = ${zeros(768)}`]) {
		const { attempts, texts } = await askTwoServers((database) => execute(database, `UPDATE messages SET ${change} WHERE role = 'user'`));
		assert.deepEqual({ attempts, texts }, { attempts: 2, texts: 3 }, change);
	}
});

test('a workflow that compares no questions keeps no vectors', async () => {
	const installation = new Installation();
	installation.edit('config/workflows/support.yaml', /^  attempts:\n    agent: attempts\n(.*\n)*?\n/m, '  attempts: {agent: assign, options: {set: {attempts: "1"}}}\n\n');
	await withServer({ installation }, async (plain) => {
		await plain.ask(question, { user_id: 'joe' });
		assert.equal(await single(plain.database, 'SELECT count(vector) FROM messages'), 0);
	});
});
