// A reply that a client got is on disk, once, whatever dies meanwhile.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { assertConversationsWhole, assertStoredOnce, customer, texts } from './lib/customers.mjs';
import { Installation } from './lib/files.mjs';
import { withServer } from './lib/server.mjs';
import { assertSound } from './lib/store.mjs';
import { until } from './lib/wait.mjs';

const kills = Number(process.env.SMARTSUPPORT_TEST_KILLS ?? 10);

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
