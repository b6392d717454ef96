// Messages that are no plain English question. What is sensible: nothing fails; an article is given only when it
// is about what was asked, otherwise the reply says that there is none and offers a human; small talk gets a
// short reply; nobody is taken for angry who is not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from './lib/server.mjs';

let server;
before(async () => (server = await Server.start()));
after(() => server.stop());

let users = 0;

// Each message is of a user of its own, so that none is a second attempt at another.
function ask(message) {
	return server.ask(message, { user_id: `odd_${users++}` });
}

function assertAbstains(reply, message) {
	assert.equal(reply.metadata.answered, false, `${message}: ${reply.response}`);
	assert.equal(reply.metadata.escalated, false, message);
	assert.deepEqual(reply.metadata.sources, [], message);
	assert.match(reply.response, /human agent/, message);
}

// Either the article ARTICLE answers, or none does.
function assertNothingElse(reply, article, message) {
	const sources = reply.metadata.sources.map((source) => source.id);
	if (sources.length === 0) assertAbstains(reply, message);
	else assert.deepEqual(sources, [article], message);
}

const languages = {
	'Wie kann ich mein Passwort zurücksetzen?': 'reset-password',
	'Wo finde ich meine Rechnungen?': 'find-invoices',
	'Die App stürzt beim Exportieren ab': 'app-crashes-on-export',
	'¿Cómo puedo restablecer mi contraseña?': 'reset-password',
	'Quiero cancelar mi suscripción': 'cancel-subscription',
	'Comment puis-je annuler mon abonnement ?': 'cancel-subscription',
	'Où sont mes factures ?': 'find-invoices',
	パスワードを忘れました: 'reset-password',
	請求書はどこにありますか: 'find-invoices',
};

for (const [message, article] of Object.entries(languages))
	test(`a question in another language gets its own article or none: ${message}`, async () => {
		const reply = await ask(message);
		assertNothingElse(reply, article, message);
		assert.notEqual(reply.sentiment, 'Angry');
	});

for (const message of ['asdf qwer', 'sdfjkh sdkfjh skdjfh', '...', '??', '12345', '🙂', 'the', 'x'.repeat(3900)])
	test(`gibberish gets no article and the offer of a human: ${message.slice(0, 30)}`, async () => {
		assertAbstains(await ask(message), message);
	});

for (const [word, category, article] of [
	['invoice', 'Billing', 'find-invoices'],
	['password', 'Account', 'reset-password'],
	['export', 'Technical', 'export-data-tb-3301'],
])
	test(`a single word gets the article that it names: ${word}`, async () => {
		const reply = await ask(word);
		assert.equal(reply.category, category);
		assert.equal(reply.sentiment, 'Neutral');
		assert.equal(reply.metadata.sources[0]?.id, article);
	});

test('a long neutral message is neither angry nor cut off with an error', async () => {
	const story = 'I have a long story to tell. We have been using Tallybird for two years in our company. '.repeat(43);
	const reply = await ask(`${story}How do I reset my password?`);
	assert.equal(reply.sentiment, 'Neutral');
	assert.equal(reply.metadata.escalated, false);
	assertNothingElse(reply, 'reset-password', 'the story');
});

test('a long message of one word is about that word', async () => {
	const reply = await ask('password '.repeat(433));
	assert.equal(reply.category, 'Account');
	assert.equal(reply.metadata.escalated, false);
	assertNothingElse(reply, 'reset-password', 'password');
});

test('a stack trace is technical and no reason to escalate', async () => {
	const trace = [
		'java.lang.NullPointerException: row is null',
		'\tat com.tallybird.sync.Client.push(Client.java:88)',
		'\tat com.tallybird.sync.Loop.run(Loop.java:41)',
		'\tat java.base/java.lang.Thread.run(Thread.java:833)',
		'Caused by: java.io.IOException: Broken pipe',
	].join('\n');
	const reply = await ask(trace);
	assert.equal(reply.category, 'Technical');
	assert.ok(['Neutral', 'Negative'].includes(reply.sentiment), reply.sentiment);
	assert.equal(reply.metadata.escalated, false);
});

for (const [message, category] of [
	['Great, another crash. Just what I needed.', 'Technical'],
	['Oh wonderful, the export is broken again. I love it.', 'Technical'],
	['Wonderful, charged twice again. As if I had money to burn.', 'Billing'],
])
	test(`a sarcastic complaint is no praise: ${message}`, async () => {
		const reply = await ask(message);
		assert.equal(reply.category, category);
		assert.ok(['Negative', 'Angry'].includes(reply.sentiment), reply.sentiment);
		assert.doesNotMatch(reply.response, /kind words|good to hear/);
	});

const smallTalk = [
	[/^Hello!/, ['hi', 'Hello!', 'hey there', 'Good morning', 'How are you?', 'Hi 👋', 'test']],
	[/^You are welcome!/, ['thanks!', 'Thank you very much.', 'thx', 'ok, thanks a lot', 'Perfect, that worked, thank you so much :)', 'bye']],
	[/automatic assistant.*"human agent"/, ['who are you?', 'Are you a bot?', "You are a bot, aren't you", 'what can you do', 'help', 'Am I talking to a human or a machine?']],
];
for (const [expected, messages] of smallTalk)
	for (const message of messages)
		test(`small talk gets a short reply and no article: ${message}`, async () => {
			const reply = await ask(message);
			assert.match(reply.response, expected);
			assert.ok(reply.response.length < 250);
			assert.deepEqual(reply.metadata.sources, []);
			assert.equal(reply.metadata.escalated, false, reply.metadata.escalation_reason);
			assert.ok(['Neutral', 'Positive'].includes(reply.sentiment), reply.sentiment);
		});

for (const [message, article] of [
	['Hi, how do I reset my password?', 'reset-password'],
	['thanks, and how do I cancel?', 'cancel-subscription'],
	['Hello! Where can I find my invoices?', 'find-invoices'],
])
	test(`a question behind small talk is answered: ${message}`, async () => {
		assert.equal((await ask(message)).metadata.sources[0]?.id, article);
	});

test('who greets in every conversation is not escalated for it', async () => {
	for (let i = 0; i < 4; i++) {
		const reply = await server.ask('hi', { user_id: 'greeter' });
		assert.equal(reply.metadata.attempts, 1);
		assert.equal(reply.metadata.escalated, false);
	}
});
