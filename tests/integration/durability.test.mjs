// A reply that a client got is on disk, once, whatever dies meanwhile.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { Installation } from './lib/files.mjs';
import { withServer } from './lib/server.mjs';
import { assertSound } from './lib/store.mjs';
import { pause, until } from './lib/wait.mjs';

const kills = Number(process.env.SMARTSUPPORT_TEST_KILLS ?? 10);

const texts = [
	'How do I reset my password?',
	'Where can I find my invoices?',
	'Why does the app crash during an export?',
	'Which languages does the interface have?',
];

// One customer: asks, goes on in the same conversation, and after a failure begins another.
async function customer(server, agent, name, received, over) {
	let conversation;
	for (let i = 0; !over(); i++) {
		const message = `${texts[i % texts.length]} ${name} ${i}`;
		try {
			const reply = await server.query(
				{ message, user_id: name, ...(conversation && i % 5 !== 0 && { conversation_id: conversation }) },
				{ agent },
			);
			if (reply.status !== 200) {
				assert.equal(reply.status, 503, reply.text);
				await pause(50);
				continue;
			}
			conversation = reply.json.conversation_id;
			received.push({ message, reply: reply.json });
		} catch (error) {
			assert.ok(['ECONNRESET', 'ECONNREFUSED', 'EPIPE'].includes(error.code), error.stack);
			conversation = undefined;
			await pause(20);
		}
	}
}

async function assertConversationsWhole(server) {
	const broken = await server.rows(
		`SELECT * FROM (
		   SELECT c.id, c.message_count, count(*) AS messages, min(m.seq) AS first, max(m.seq) AS last,
		          sum(CASE WHEN m.role = CASE m.seq % 2 WHEN 1 THEN 'user' ELSE 'assistant' END THEN 1 ELSE 0 END) AS in_order
		   FROM conversations c LEFT JOIN messages m ON m.conversation_id = c.id GROUP BY c.id, c.message_count
		 ) AS counted
		 WHERE messages <> message_count OR first <> 1 OR last <> messages OR in_order <> messages OR messages % 2 <> 0`,
	);
	assert.deepEqual(broken, []);
}

async function assertStoredOnce(server, received) {
	const rows = await server.rows("SELECT turn_id, conversation_id, seq, content FROM messages WHERE role = 'assistant'");
	const asked = new Map(
		(await server.rows("SELECT conversation_id, seq, content FROM messages WHERE role = 'user'")).map((row) => [
			`${row.conversation_id} ${row.seq}`,
			row.content,
		]),
	);
	const stored = new Map(rows.map((row) => [row.turn_id, row]));
	assert.equal(stored.size, rows.length, 'no turn is there twice');
	const last = new Map();
	for (const { message, reply } of received) {
		const row = stored.get(reply.metadata.turn_id);
		assert.ok(row, `the reply ${reply.metadata.turn_id} is stored`);
		assert.equal(row.content, reply.response);
		assert.equal(row.conversation_id, reply.conversation_id);
		assert.equal(asked.get(`${row.conversation_id} ${row.seq - 1}`), message);
		assert.ok(row.seq > (last.get(row.conversation_id) ?? 0), 'in the order of the replies');
		last.set(row.conversation_id, row.seq);
	}
}

test(`${kills} workers killed under load lose no reply and store none twice`, { timeout: 60000 + kills * 20000 }, async () => {
	await withServer({ installation: new Installation() }, async (server) => {
		const agent = new http.Agent({ keepAlive: true });
		const received = [];
		const killed = new Set();
		let over = false;
		const customers = Array.from({ length: 8 }, (_, i) => customer(server, agent, `customer_${i}`, received, () => over));
		const all = Promise.all(customers);
		while (killed.size < kills) {
			const answered = received.length;
			await Promise.race([all, until('more replies', () => received.length > answered + Math.random() * 20)]);
			// One that was killed a moment ago may still be there.
			const workers = server.workers().filter((pid) => !killed.has(pid));
			if (workers.length === 0) continue;
			const pid = workers[Math.floor(Math.random() * workers.length)];
			process.kill(pid, 'SIGKILL');
			killed.add(pid);
		}
		await until('all deaths in the log', () => server.log.filter((line) => line.message?.includes('by signal 9')).length === kills);
		const answered = received.length;
		await Promise.race([all, until('replies after the last death', () => received.length > answered + 20)]);
		over = true;
		await all;
		agent.destroy();
		await assertStoredOnce(server, received);
		await assertConversationsWhole(server);
		await assertSound(server.database);
		const stats = await server.stats();
		assert.equal(stats.total_queries, await server.value("SELECT count(*) FROM messages WHERE role = 'assistant'"));
		assert.ok(stats.total_queries >= received.length);
	});
});

test('two questions at once in one conversation are both stored, one behind the other', async () => {
	await withServer({ installation: new Installation() }, async (server) => {
		const first = await server.ask('How do I reset my password?', { user_id: 'hasty' });
		const replies = await Promise.all(
			Array.from({ length: 12 }, (_, i) =>
				server.ask(`${texts[i % texts.length]} ${i}`, { user_id: 'hasty', conversation_id: first.conversation_id }),
			),
		);
		assert.equal(new Set(replies.map((reply) => reply.metadata.turn_id)).size, 12);
		assert.equal(await server.value(`SELECT count(*) FROM messages WHERE conversation_id = '${first.conversation_id}'`), 26);
		await assertConversationsWhole(server);
	});
});
