// A question and its answer: what a customer's client sees.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Installation } from './lib/files.mjs';
import { Server, withServer } from './lib/server.mjs';

let server;
before(async () => (server = await Server.start()));
after(() => server.stop());

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const angry = 'I was charged TWICE this month!!! Give me my money back NOW, this is a ridiculous rip-off!!!';

function assertDecision(reply, category, sentiment, priority) {
	assert.deepEqual(
		{ category: reply.category, sentiment: reply.sentiment, priority: reply.priority },
		{ category, sentiment, priority },
	);
}

// The priority is the sum of the factors that explain it.
function assertExplained(reply) {
	const sum = reply.metadata.priority_factors.reduce((total, factor) => total + factor.weight, 0);
	assert.equal(sum, reply.priority, JSON.stringify(reply.metadata.priority_factors));
}

test("the README's question is answered with the steps of the password article", async () => {
	const reply = await server.ask('How do I reset my password?', { user_id: 'user_123' });
	assertDecision(reply, 'Account', 'Neutral', 5);
	assert.match(reply.response, /Forgot password/);
	assert.match(reply.response, /60 minutes/);
	assert.equal(reply.metadata.escalated, false);
	assert.equal(reply.metadata.escalation_reason, '');
	assert.ok(reply.metadata.processing_time > 0 && reply.metadata.processing_time < 60);
	assertExplained(reply);
});

test('the articles found come with title, content, category and score, best first', async () => {
	const { metadata } = await server.ask('How do I reset my password?');
	const found = metadata.kb_results;
	assert.ok(found.length >= 1);
	assert.equal(found[0].title, 'How do I reset my password?');
	for (const article of found) {
		for (const member of ['title', 'content', 'category'])
			assert.ok(typeof article[member] === 'string' && article[member].length > 0, member);
		assert.ok(article.score > 0 && article.score <= 1, `score ${article.score}`);
	}
	const scores = found.map((article) => article.score);
	assert.deepEqual(scores, [...scores].sort((a, b) => b - a));
});

test('a reply has exactly the members that were promised', async () => {
	const reply = await server.ask('How do I reset my password?');
	assert.deepEqual(Object.keys(reply).sort(), [
		'category',
		'conversation_id',
		'metadata',
		'priority',
		'response',
		'sentiment',
		'timestamp',
	]);
	for (const member of ['processing_time', 'escalated', 'escalation_reason', 'kb_results'])
		assert.ok(member in reply.metadata, member);
});

test('the timestamp is RFC 3339 in UTC and is now', async () => {
	const before = Date.now();
	const { timestamp } = await server.ask('How do I reset my password?');
	assert.match(timestamp, rfc3339);
	assert.ok(Date.parse(timestamp) >= before - 1000 && Date.parse(timestamp) <= Date.now() + 1000, timestamp);
});

test('a crash during export is Technical, Negative and priority 7', async () => {
	const reply = await server.ask('My application keeps crashing when I try to export data');
	assertDecision(reply, 'Technical', 'Negative', 7);
	assertExplained(reply);
});

test('an angry double charge is Billing, Angry and priority 9', async () => {
	const reply = await server.ask(angry);
	assertDecision(reply, 'Billing', 'Angry', 9);
	assertExplained(reply);
});

test('an escalation names the case in its answer and the rules that fired in its reason', async () => {
	const reply = await server.ask(angry);
	assert.equal(reply.metadata.escalated, true);
	assert.ok(reply.response.includes(reply.conversation_id), reply.response);
	assert.match(reply.metadata.escalation_reason, /priority.*9/i);
	assert.match(reply.metadata.escalation_reason, /Angry/);
});

test('a keyword escalates a calm question, and the reason names the keyword', async () => {
	const reply = await server.ask('Which address can my attorney write to?');
	assert.equal(reply.metadata.escalated, true);
	assert.match(reply.metadata.escalation_reason, /attorney/);
});

test('a word that only contains a keyword does not escalate', async () => {
	const reply = await server.ask('Where do I find the issue tracker and the pursuit report template?');
	assert.equal(reply.metadata.escalated, false, reply.metadata.escalation_reason);
});

test('a question that no article answers is abstained from, and a human is offered', async () => {
	const reply = await server.ask('What is the best way to prune tomato plants in June?');
	assert.deepEqual(reply.metadata.kb_results, []);
	assert.match(reply.response, /human/i);
	assert.doesNotMatch(reply.response, /tallybird\.example/);
});

test('the same words give the same decision again', async () => {
	const pick = ({ response, category, sentiment, priority }) => ({ response, category, sentiment, priority });
	const first = pick(await server.ask('Where can I find my invoices?'));
	for (let i = 0; i < 5; i++) assert.deepEqual(pick(await server.ask('Where can I find my invoices?')), first);
});

test('a follow-up continues the conversation and is stored behind it in order', async () => {
	const first = await server.ask('How do I reset my password?', { user_id: 'follower' });
	const second = await server.ask('And where can I find my invoices?', {
		user_id: 'follower',
		conversation_id: first.conversation_id,
	});
	assert.equal(second.conversation_id, first.conversation_id);
	const rows = await server.rows(
		`SELECT seq, role, content, turn_id FROM messages WHERE conversation_id = '${first.conversation_id}' ORDER BY seq`,
	);
	assert.deepEqual(rows, [
		{ seq: 1, role: 'user', content: 'How do I reset my password?', turn_id: null },
		{ seq: 2, role: 'assistant', content: first.response, turn_id: first.metadata.turn_id },
		{ seq: 3, role: 'user', content: 'And where can I find my invoices?', turn_id: null },
		{ seq: 4, role: 'assistant', content: second.response, turn_id: second.metadata.turn_id },
	]);
});

test("a turn's journal says whose turn it is, and of which conversation", async () => {
	const installation = new Installation();
	installation.editWorkflow('max_steps: 50', 'max_steps: 50\ndurability: node');
	await withServer({ installation }, async (kept) => {
		const reply = await kept.ask('Where can I find my invoices?', { user_id: 'kept' });
		const journals = `SELECT user_id, conversation_id FROM turns WHERE id = '${reply.metadata.turn_id}'`;
		assert.deepEqual(await kept.rows(journals), [{ user_id: 'kept', conversation_id: reply.conversation_id }]);
	});
});

test('the same question again in a conversation is a second attempt and two points more urgent', async () => {
	const first = await server.ask('How do I reset my password?', { user_id: 'repeater' });
	assert.equal(first.metadata.attempts, 1);
	const second = await server.ask('How do I reset my password?', {
		user_id: 'repeater',
		conversation_id: first.conversation_id,
	});
	assert.equal(second.metadata.attempts, 2);
	assert.equal(second.priority, first.priority + 2);
	assertExplained(second);
});

test('another question in the same conversation is a first attempt', async () => {
	const first = await server.ask('How do I reset my password?', { user_id: 'wanderer' });
	const second = await server.ask('Which languages does the interface have?', {
		user_id: 'wanderer',
		conversation_id: first.conversation_id,
	});
	assert.equal(second.metadata.attempts, 1);
});

test('the third attempt at the same question is handed to a human', async () => {
	let conversation_id;
	let reply;
	for (let i = 0; i < 3; i++) {
		reply = await server.ask('Where can I find my invoices?', {
			user_id: 'insistent',
			...(conversation_id && { conversation_id }),
		});
		conversation_id = reply.conversation_id;
	}
	assert.equal(reply.metadata.attempts, 3);
	assert.equal(reply.metadata.escalated, true);
	assert.match(reply.metadata.escalation_reason, /attempts.*3/i);
});

async function assertNoSuchConversation(body) {
	const before = await server.value('SELECT count(*) FROM messages');
	const reply = await server.query(body);
	assert.equal(reply.status, 404, reply.text);
	assert.match(reply.headers['content-type'], /^application\/problem\+json/);
	assert.match(reply.text, /conversation/);
	assert.equal(await server.value('SELECT count(*) FROM messages'), before);
	return reply.json;
}

test("another user's conversation does not exist for a user", async () => {
	const { conversation_id } = await server.ask('How do I reset my password?', { user_id: 'owner' });
	const stranger = await assertNoSuchConversation({ message: 'What did they ask?', user_id: 'stranger', conversation_id });
	assert.match(stranger.detail, /belongs to another user$/);
	const nobody = await assertNoSuchConversation({ message: 'And if no mail comes?', conversation_id });
	assert.match(nobody.detail, /belongs to another user; without a user_id it is looked for as web_user's$/);
});

test('a conversation that was never begun is not found', async () => {
	await assertNoSuchConversation({
		message: 'Hello again',
		user_id: 'user_123',
		conversation_id: 'conv_01234567-89ab-7cde-8f01-23456789abcd',
	});
});

test('a message without user_id belongs to web_user', async () => {
	const reply = await server.ask('How do I reset my password?');
	const owner = await server.value(`SELECT user_id FROM conversations WHERE id = '${reply.conversation_id}'`);
	assert.equal(owner, 'web_user');
});

test('a message comes back from the store as it was sent, whatever characters it has', async () => {
	const message = `Straße "quoted" \\ back\tslash 日本語 👩‍👩‍👧 é e\u0301 'single' %s ; DROP TABLE users; -- \u202e`;
	const reply = await server.ask(message);
	const stored = await server.value(
		`SELECT content FROM messages WHERE conversation_id = '${reply.conversation_id}' AND role = 'user'`,
	);
	assert.equal(stored, message);
});

test('what is stored of a turn is what was replied, and the summary for the human who takes over', async () => {
	const reply = await server.ask(angry, { user_id: 'compared' });
	const [row] = await server.rows(
		`SELECT category, sentiment, priority, attempts, escalated, escalation_reason, content, metadata
		 FROM messages WHERE turn_id = '${reply.metadata.turn_id}'`,
	);
	const { metadata } = reply;
	const { handover_summary: summary, ...stored } = JSON.parse(row.metadata);
	assert.match(summary, /^Why: priority 9 >= 8; sentiment Angry\n/);
	assert.deepEqual(stored, metadata);
	delete row.metadata;
	assert.deepEqual(row, {
		category: reply.category,
		sentiment: reply.sentiment,
		priority: reply.priority,
		attempts: metadata.attempts,
		escalated: 1,
		escalation_reason: metadata.escalation_reason,
		content: reply.response,
	});
});
