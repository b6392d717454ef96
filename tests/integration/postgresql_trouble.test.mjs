// What happens to a PostgreSQL in operation: a failover, connections that are cut, deadlocks, a pooler in between.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { before, test } from 'node:test';
import { assertConversationsWhole, assertStoredOnce, customer } from './lib/customers.mjs';
import { Installation, temporaryFolder } from './lib/files.mjs';
import { Postgres } from './lib/postgres.mjs';
import { runProgram, withServer } from './lib/server.mjs';
import { execute, single } from './lib/store.mjs';
import { until } from './lib/wait.mjs';

let postgres;
before(async () => (postgres = await Postgres.start()));

const nameOf = (url) => /@\/(\w+)/.exec(url)[1];

test('after a failover questions are answered again, and no reply from before is lost', { timeout: 900000 }, async () => {
	const own = await Postgres.start();
	const name = nameOf(own.newDatabase());
	await own.addStandby();
	await withServer({ installation: new Installation(), database: own.urlOfBoth(name) }, async (server) => {
		const agent = new http.Agent({ keepAlive: true });
		const received = [];
		let over = false;
		const all = Promise.all(Array.from({ length: 8 }, (_, i) => customer(server, agent, `customer_${i}`, received, () => over)));
		await Promise.race([all, until('replies', () => received.length > 40)]);
		await own.crash();
		const before = received.length;
		await own.promote();
		await Promise.race([all, until('replies after the failover', () => received.length > before + 40)]);
		over = true;
		await all;
		agent.destroy();
		assert.equal(await server.value('SELECT current_setting(\'port\')'), own.standbyPort);
		await assertStoredOnce(server, received);
		await assertConversationsWhole(server);
		assert.equal((await server.stats()).total_queries, await server.value("SELECT count(*) FROM messages WHERE role = 'assistant'"));
	});
});

test('after all its connections were cut while they were idle a server answers the next question, and stores it once', async () => {
	const database = postgres.newDatabase();
	const installation = new Installation();
	installation.edit('config/smartsupport.yaml', 'storage:\n', 'storage:\n  connections: 3\n');
	const connections = `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'smartsupport' AND datname = '${nameOf(database)}'`;
	await withServer({ installation, database }, async (server) => {
		await server.ask('How do I reset my password?', { user_id: 'ann' });
		await until('three connections of each of the two workers, and one for its watch', async () => (await server.value(connections)) === 8);
		for (let i = 0; i < 4; i++) {
			const pids = await server.value(`SELECT string_agg(pid::text, ',') FROM pg_stat_activity WHERE application_name = 'smartsupport' AND datname = '${nameOf(database)}'`);
			await execute(database, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid IN (${pids})`);
			// Those of the watches are made again at once.
			await until('all are gone', async () => (await server.value(`SELECT count(*) FROM pg_stat_activity WHERE pid IN (${pids})`)) === 0);
			await server.ask(`Where are my invoices? ${i}`, { user_id: 'ann' });
			assert.equal((await server.stats()).total_queries, i + 2);
		}
		assert.equal(await server.value("SELECT count(*) FROM messages WHERE role = 'user'"), 5);
	});
});

test('a server that does not get all of its connections does not start, and says why', async () => {
	const database = postgres.newDatabase();
	await execute(database, `CREATE ROLE limited LOGIN CONNECTION LIMIT 2; ALTER DATABASE ${nameOf(database)} OWNER TO limited`);
	const installation = new Installation();
	const line = installation.edit('config/smartsupport.yaml', 'storage:\n', 'storage:\n  connections: 3\n');
	const { code, stderr } = await runProgram(['serve', '--config', installation.config], {
		env: { ...installation.env, DATABASE_URL: database.replace('support@', 'limited@'), PORT: '0', WORKERS: '1' },
	});
	assert.equal(code, 1);
	assert.match(stderr, new RegExp(`smartsupport\\.yaml:${line + 1}:\\d+: .*too many connections for role "limited"`));
});

test('a turn that a deadlock ended is stored at another attempt, once', async () => {
	const database = postgres.newDatabase();
	// The other has as long to come to its part, on a machine that stands still for a moment as well.
	await execute(database, `ALTER DATABASE ${nameOf(database)} SET deadlock_timeout = '5s'`);
	const question = 'Do you sponsor zeppelin races in Antarctica?';
	await withServer({ installation: new Installation(), database }, async (server) => {
		const { conversation_id } = await server.ask(question, { user_id: 'ann' });
		assert.equal(await server.value('SELECT count(*) FROM unanswered'), 1);
		// Holds what the turn changes last, waits for it to wait for that, and wants what it has, all in the database, since the turn
		// looks for a deadlock once, after a while. This one does not look itself, so the turn's transaction is the one that is ended.
		const other = spawn('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', database], { stdio: ['pipe', 'ignore', 'inherit'] });
		const ended = new Promise((resolve) => other.on('exit', resolve));
		other.stdin.write("SET deadlock_timeout = '1h'; BEGIN; SELECT * FROM unanswered FOR UPDATE;\n");
		await until('the lock', async () => (await server.value("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND query LIKE '%unanswered FOR UPDATE%'")) === 1);
		const waits = 'EXISTS (SELECT 1 FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid)))';
		other.stdin.end(
			`DO $$ BEGIN WHILE NOT ${waits} LOOP PERFORM pg_sleep(0.01), pg_stat_clear_snapshot(); END LOOP; END $$;
			UPDATE conversations SET priority = priority WHERE id = '${conversation_id}'; COMMIT;\n`,
		);
		await server.ask(question, { user_id: 'ann', conversation_id });
		assert.equal(await ended, 0);
		// The next attempt may have what the other wants before that one has come to run, and end so again.
		await until('the count of deadlocks', async () => (await server.value('SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()')) >= 1);
		assert.equal(await server.value('SELECT count FROM unanswered'), 2);
		assert.equal(await server.value('SELECT count(*) FROM messages'), 4);
		assert.equal((await server.stats()).total_queries, 2);
	});
});

// An address of this machine that no other test uses, so that nobody else takes a port of it.
const host = '127.0.0.11';

async function freePort() {
	const server = net.createServer();
	await new Promise((resolve) => server.listen(0, host, resolve));
	const { port } = server.address();
	await new Promise((resolve) => server.close(resolve));
	return port;
}

// Runs BODY with the url of DATABASE by a PgBouncer in this mode, which does not run as root.
async function withPooler(mode, database, body) {
	const folder = temporaryFolder();
	const port = await freePort();
	fs.chmodSync(folder, 0o755);
	fs.writeFileSync(path.join(folder, 'users'), '"support" ""\n');
	fs.writeFileSync(
		path.join(folder, 'pgbouncer.ini'),
		`[databases]\n* = host=${postgres.folder} port=${postgres.port}\n[pgbouncer]\nlisten_addr = ${host}\nlisten_port = ${port}\n` +
			`unix_socket_dir =\nauth_type = trust\nauth_file = ${folder}/users\npool_mode = ${mode}\n`,
	);
	const as = process.getuid() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : [];
	const [command, ...args] = [...as, '/usr/sbin/pgbouncer', path.join(folder, 'pgbouncer.ini')];
	const pooler = spawn(command, args, { stdio: 'ignore' });
	const ended = new Promise((resolve) => pooler.on('exit', resolve));
	const url = `postgresql://support@${host}:${port}/${nameOf(database)}`;
	try {
		await until('PgBouncer', async () => {
			assert.equal(pooler.exitCode, null, 'PgBouncer runs');
			return single(url, 'SELECT 1').catch(() => false);
		});
		await body(url);
	} finally {
		pooler.kill('SIGKILL');
		await ended;
	}
}

test('a pooler that keeps sessions apart is fine, and one that does not is refused when the server starts', { timeout: 900000 }, async () => {
	const installation = new Installation();
	await withPooler('session', postgres.newDatabase(), async (database) => {
		await withServer({ installation, database }, async (server) => {
			await server.ask('How do I reset my password?');
			assert.equal((await server.stats()).total_queries, 1);
		});
	});
	for (const mode of ['transaction', 'statement']) {
		await withPooler(mode, postgres.newDatabase(), async (database) => {
			const { code, stderr } = await runProgram(['serve', '--config', installation.config], {
				env: { ...installation.env, DATABASE_URL: database, PORT: '0', WORKERS: '2' },
			});
			assert.equal(code, 1);
			assert.match(stderr, /a pooler in between gives a session of the database to several connections.*pool_mode = session/);
		});
	}
});
