// What PostgreSQL is chosen for: several servers on one database, and a database that goes away and comes back.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { before, test } from 'node:test';
import { assertConversationsWhole, assertStoredOnce, customer } from './lib/customers.mjs';
import { Installation, temporaryFolder } from './lib/files.mjs';
import { Postgres } from './lib/postgres.mjs';
import { runProgram, withServer } from './lib/server.mjs';
import { assertSound } from './lib/store.mjs';
import { until } from './lib/wait.mjs';

const kills = Math.ceil(Number(process.env.SMARTSUPPORT_TEST_KILLS ?? 10) / 2);
let postgres;
before(async () => (postgres = await Postgres.start()));

test('a conversation goes on with another server on the same database', async () => {
	const database = postgres.newDatabase();
	await withServer({ installation: new Installation(), database }, async (first) => {
		await withServer({ installation: new Installation(), database }, async (second) => {
			const begun = await first.ask('How do I reset my password?', { user_id: 'ann' });
			const { conversation_id } = begun;
			const gone = await second.ask('How do I reset my password?', { user_id: 'ann', conversation_id });
			assert.equal(gone.conversation_id, conversation_id);
			assert.equal(gone.metadata.attempts, 2, 'it knows what was asked before');
			assert.equal((await first.stats()).total_queries, 2);
			for (const name of ['total_queries', 'categories', 'active_conversations', 'avg_response_time'])
				assert.deepEqual((await first.stats())[name], (await second.stats())[name], name);
		});
	});
});

test('two servers with several connections each lose nothing, store nothing twice, and agree', { timeout: 900000 }, async () => {
	const database = postgres.newDatabase();
	const installation = new Installation();
	installation.edit('config/smartsupport.yaml', 'storage:\n', 'storage:\n  connections: 3\n');
	installation.editWorkflow('max_steps: 50\n', 'max_steps: 50\ndurability: node\n');
	await withServer({ installation, database }, async (first) => {
		await withServer({ installation, database }, async (second) => {
			const agent = new http.Agent({ keepAlive: true });
			const received = [];
			let over = false;
			// Every user asks both servers, so that these change the same rows.
			const all = Promise.all(
				[first, second].flatMap((server) =>
					Array.from({ length: 6 }, (_, i) => customer(server, agent, `customer_${i}`, received, () => over)),
				),
			);
			await Promise.race([all, until('replies', () => received.length > 300)]);
			over = true;
			await all;
			agent.destroy();
			await assertStoredOnce(first, received);
			await assertConversationsWhole(first);
			const count = received.length;
			assert.equal(await first.value("SELECT count(*) FROM messages WHERE role = 'assistant'"), count);
			const totals = [await first.stats(), await second.stats()];
			assert.equal(totals[0].total_queries, count);
			for (const name of ['total_queries', 'categories', 'sentiments', 'active_conversations', 'avg_response_time', 'escalation_rate'])
				assert.deepEqual(totals[0][name], totals[1][name], name);
			const done = "SELECT count(*) FROM turns WHERE status = 'done' AND fence = 1";
			await until('all turns are done, and were run once', async () => (await first.value(done)) === count);
		});
	});
});

test('without its database a server answers 503 and says why, and recovers by itself', async () => {
	const database = postgres.newDatabase();
	await withServer({ installation: new Installation(), database }, async (server) => {
		await server.ask('How do I reset my password?');
		await postgres.stop();
		const reply = await server.query({ message: 'How do I reset my password?' });
		assert.equal(reply.status, 503, reply.text);
		await until('not ready', async () => (await server.request('/api/v1/health')).status === 503);
		await postgres.restart();
		await until('ready again', async () => (await server.request('/api/v1/health')).status === 200);
		await until('an answer', async () => (await server.query({ message: 'Where are my invoices?' })).status === 200);
		assert.equal(await server.value("SELECT count(*) FROM messages WHERE content = 'Where are my invoices?'"), 1);
	});
});

test(`PostgreSQL killed ${kills} times under load loses no reply and stores none twice`, { timeout: 120000 + kills * 30000 }, async () => {
	const database = postgres.newDatabase();
	await withServer({ installation: new Installation(), database }, async (server) => {
		const agent = new http.Agent({ keepAlive: true });
		const received = [];
		let over = false;
		const all = Promise.all(Array.from({ length: 8 }, (_, i) => customer(server, agent, `customer_${i}`, received, () => over)));
		try {
			for (let i = 0; i < kills; i++) {
				const answered = received.length;
				await Promise.race([all, until('more replies', () => received.length > answered + Math.random() * 20)]);
				await postgres.crash();
				await postgres.restart();
			}
			const answered = received.length;
			await Promise.race([all, until('replies after the last death', () => received.length > answered + 20)]);
		} finally {
			over = true;
		}
		await all;
		agent.destroy();
		await assertStoredOnce(server, received);
		await assertConversationsWhole(server);
		await assertSound(database);
		assert.equal((await server.stats()).total_queries, await server.value("SELECT count(*) FROM messages WHERE role = 'assistant'"));
	});
});

test('a database of another program, or of a later version, stops the start and stays as it is', async () => {
	const cases = [
		['CREATE TABLE users (id int)', /the schema public has tables of another program/],
		[
			'CREATE TABLE smartsupport_migrations (version bigint, name text, checksum text, applied_at bigint);' +
				" INSERT INTO smartsupport_migrations VALUES (9999, 'later', '', 0)",
			/has schema version 9999, this server knows up to \d+; update the server/,
		],
	];
	for (const [sql, said] of cases) {
		const database = postgres.newDatabase();
		const installation = new Installation();
		execFileSync('psql', ['-X', '-q', '-c', sql, database]);
		const { code, stderr } = await runProgram(['serve', '--config', installation.config], {
			env: { ...installation.env, DATABASE_URL: database, PORT: '0', WORKERS: '1' },
		});
		assert.equal(code, 1);
		assert.match(stderr, said);
		assert.equal(execFileSync('psql', ['-X', '-A', '-t', '-c', "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", database], { encoding: 'utf8' }).trim(), '1');
	}
});

// A key and a certificate for NAME, signed by the authority in FOLDER, which is made first.
function makeCertificates(folder, name) {
	const run = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
	const key = ['-newkey', 'rsa:2048', '-nodes'];
	run('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=Test authority', '-days', '2');
	run('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', `/CN=${name}`);
	fs.writeFileSync(path.join(folder, 'extensions'), `subjectAltName=DNS:${name}\n`);
	run('x509', '-req', '-in', 'server.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-out', 'server.crt', '-days', '2', '-extfile', 'extensions');
}

test('sslmode=verify-full connects to a server with the right certificate and no other', async () => {
	const folder = temporaryFolder();
	makeCertificates(folder, 'localhost');
	await postgres.encrypt(path.join(folder, 'server.crt'), path.join(folder, 'server.key'));
	const installation = new Installation();
	const [, name] = /@\/(\w+)/.exec(postgres.newDatabase());
	const url = (host, authority) =>
		`postgres://support:${encodeURIComponent('s3cret/of@tests')}@${host}:${postgres.port}/${name}?sslmode=verify-full&sslrootcert=${authority}`;
	const env = { ...installation.env, DATABASE_URL: url('localhost', path.join(folder, 'ca.crt')) };
	await withServer({ installation: { config: installation.config, env } }, async (server) => {
		await server.ask('How do I reset my password?');
		assert.equal(
			execFileSync('psql', ['-X', '-A', '-t', '-c', "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'smartsupport'", postgres.url(name)], { encoding: 'utf8' }).trim(),
			't',
		);
	});
	const other = temporaryFolder();
	makeCertificates(other, 'localhost');
	for (const wrong of [url('127.0.0.1', path.join(folder, 'ca.crt')), url('localhost', path.join(other, 'ca.crt'))]) {
		const { code, stderr } = await runProgram(['serve', '--config', installation.config], {
			env: { ...installation.env, DATABASE_URL: wrong, PORT: '0', WORKERS: '1' },
		});
		assert.equal(code, 1);
		assert.match(stderr, /cannot be reached \(.*certificate/);
		assert.ok(!stderr.includes('s3cret'), stderr);
	}
});
