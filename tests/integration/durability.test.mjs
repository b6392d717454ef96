// A reply that a client got is on disk, once, whatever dies meanwhile.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { assertConversationsWhole, assertStoredOnce, customer, texts } from './lib/customers.mjs';
import { Installation } from './lib/files.mjs';
import { Server, withServer } from './lib/server.mjs';
import { assertSound, storage } from './lib/store.mjs';
import { until } from './lib/wait.mjs';

const kills = Number(process.env.SMARTSUPPORT_TEST_KILLS ?? 10);

// A server whose processes are killed, and which is started again when its master was.
class Victim {
	async start() {
		this.installation = new Installation();
		this.server = await Server.start({ installation: this.installation });
		this.deaths = 0; // of this server's workers
		return this;
	}

	// As customers know it.
	query(...args) {
		return this.server.query(...args);
	}

	async #killWorkers(pids) {
		for (const pid of pids) process.kill(pid, 'SIGKILL');
		this.deaths += pids.length;
		const deaths = () => this.server.log.filter((line) => line.message?.includes('by signal 9')).length;
		await until('all deaths in the log', () => deaths() === this.deaths);
	}

	async #workers() {
		await until('workers', () => this.server.workers().length > 0);
		return this.server.workers();
	}

	async killWorker() {
		const workers = await this.#workers();
		await this.#killWorkers([workers[Math.floor(Math.random() * workers.length)]]);
	}

	async killWorkers() {
		await this.#killWorkers(await this.#workers());
	}

	async killMaster() {
		const { server } = this;
		server.workers();
		server.process.kill('SIGKILL');
		await server.ended();
		// Its workers leave by themselves.
		await server.allGone();
		await server.close();
		this.deaths = 0;
		this.server = await Server.start({ installation: this.installation, database: server.database, port: server.port });
	}

	async killDatabase() {
		await storage.postgres.crash();
		await storage.postgres.restart();
	}
}

test(`${kills} kills under load lose no reply and store none twice`, { timeout: 600000 + kills * 20000 }, async (t) => {
	const victim = await new Victim().start();
	const agent = new http.Agent({ keepAlive: true });
	const received = [];
	let over = false;
	const ways = ['killWorker', 'killWorkers', 'killMaster', ...(storage.postgres ? ['killDatabase'] : [])];
	try {
		const customers = Array.from({ length: 8 }, (_, i) => customer(victim, agent, `customer_${i}`, received, () => over));
		const all = Promise.all(customers);
		const replies = (count) => {
			const answered = received.length;
			return Promise.race([all, until('more replies', () => received.length > answered + count)]);
		};
		for (let i = 0; i < kills; i++) {
			await replies(Math.random() * 20);
			await victim[ways[i % ways.length]]();
		}
		await replies(20);
		over = true;
		await all;
		agent.destroy();
		const { server } = victim;
		await assertStoredOnce(server, received);
		await assertConversationsWhole(server);
		await assertSound(server.database);
		const stats = await server.stats();
		assert.equal(stats.total_queries, await server.value("SELECT count(*) FROM messages WHERE role = 'assistant'"));
		assert.ok(stats.total_queries >= received.length);
		t.diagnostic(`${kills} kills, ${received.length} replies, ${stats.total_queries} turns stored`);
		await server.stop();
	} finally {
		over = true;
		victim.server.killAll();
	}
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
