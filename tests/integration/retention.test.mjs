// What is older than the configuration keeps it goes by itself, while the server answers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertConversationsWhole } from './lib/customers.mjs';
import { Installation } from './lib/files.mjs';
import { withServer } from './lib/server.mjs';
import { execute } from './lib/store.mjs';
import { until } from './lib/wait.mjs';

const day = 86400 * 1e6;

function keep(installation, text) {
	installation.edit('config/smartsupport.yaml', /^retention:.*$/m, `retention: ${text}`);
}

async function purged(server, what) {
	const { text } = await server.request('/metrics');
	const lines = text.split('\n').filter((line) => line.startsWith(`smartsupport_purged_total{what="${what}"}`));
	assert.equal(lines.length, 1, text);
	return Number(lines[0].split(' ')[1]);
}

// Makes the conversations of USER so much older.
function age(server, user, us) {
	return execute(server.database, `UPDATE conversations SET updated_at = updated_at - ${us} WHERE user_id = '${user}'`);
}

test('old conversations go, with their messages, and figures and others stay', async () => {
	const installation = new Installation();
	keep(installation, '{conversations: 30d, every: 1s}');
	await withServer({ installation }, async (server) => {
		for (let i = 0; i < 5; i++) await server.ask(`How do I reset my password? ${i}`, { user_id: 'old' });
		await server.ask('Where are my invoices?', { user_id: 'new' });
		await age(server, 'new', 29 * day);
		await age(server, 'old', 31 * day);
		await until('the end of old conversations', async () => (await purged(server, 'conversations')) === 5);
		assert.deepEqual(await server.rows('SELECT user_id, message_count FROM conversations'), [{ user_id: 'new', message_count: 2 }]);
		assert.equal(await server.value('SELECT count(*) FROM messages'), 2);
		assert.equal((await server.stats()).total_queries, 6);
		await until('a line of the log', () => server.log.some((line) => /retention: deleted \d conversations from before 20/.test(line.message)));
		await assertConversationsWhole(server);
	});
});

test('nothing goes that is not named, until a reload names it', async () => {
	const installation = new Installation();
	keep(installation, '{events: 30d, every: 1s}');
	await withServer({ installation, workers: 1 }, async (server) => {
		await server.ask('How do I reset my password?', { user_id: 'old' });
		await age(server, 'old', 1000 * day);
		await server.ask('Where are my invoices?', { user_id: 'new' });
		assert.equal(await server.value('SELECT count(*) FROM conversations'), 2);
		keep(installation, '{conversations: 365d, every: 1s}');
		server.signal('SIGHUP');
		await until('the end of the old one', async () => (await server.value('SELECT count(*) FROM conversations')) === 1);
		assert.equal(await server.value('SELECT user_id FROM conversations'), 'new');
	});
});

test('who was being erased when everything stopped is erased by itself later', async () => {
	const installation = new Installation();
	keep(installation, '{every: 1s}');
	await withServer({ installation }, async (server) => {
		for (let i = 0; i < 30; i++) await server.ask(`How do I reset my password? ${i}`, { user_id: 'left' });
		await server.ask('Where are my invoices?', { user_id: 'other' });
		// As a step leaves it that nothing follows.
		await execute(
			server.database,
			`INSERT INTO erasures (user_id, updated_at, conversations, messages, journals, events, requests, questions)
			 VALUES ('left', 1000000, 0, 2, 0, 0, 0, 0)`,
		);
		await until('the end of the user', async () => (await server.value("SELECT count(*) FROM users WHERE id = 'left'")) === 0);
		assert.deepEqual(await server.rows('SELECT user_id, message_count FROM conversations'), [{ user_id: 'other', message_count: 2 }]);
		assert.equal(await server.value('SELECT count(*) FROM erasures'), 0);
		await until('what was counted', async () => (await purged(server, 'erasures')) >= 60);
		await assertConversationsWhole(server);
	});
});
