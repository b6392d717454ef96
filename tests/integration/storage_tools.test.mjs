// What operators do with a store: bring its schema further, back it up and restore it, check it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { assertConversationsWhole, assertStoredOnce, customer } from './lib/customers.mjs';
import { Installation, program, root, temporaryFolder } from './lib/files.mjs';
import { Postgres } from './lib/postgres.mjs';
import { runProgram, withServer } from './lib/server.mjs';
import { assertSound, execute, isPostgres, newDatabase, query, single, storage, urlOf } from './lib/store.mjs';
import { until } from './lib/wait.mjs';

const migrations = storage.postgres ? 'smartsupport_migrations' : 'schema_migrations';
const plugin = storage.postgres ? 'postgresql' : 'sqlite';
const names = fs
	.readdirSync(path.join(root, `plugins/storage/${plugin}/migrations`))
	.sort()
	.map((file) => /^\d+_(.*)\.sql$/.exec(file)[1]);
const all = names.map((name, i) => ({ version: i + 1, name }));

// What there is in one storage only.
const nothing = () => {};
const onSqlite = storage.postgres ? nothing : test;
const onPostgres = storage.postgres ? test : nothing;

// A database of its own, for commands.
class Place {
	constructor() {
		this.folder = temporaryFolder();
		this.database = newDatabase(path.join(this.folder, 'support.db'));
	}

	path(name) {
		return path.join(this.folder, name);
	}

	run(...args) {
		return runProgram(args, { env: { DATABASE_URL: urlOf(this.database) } });
	}

	async good(...args) {
		const { code, stdout, stderr } = await this.run(...args);
		assert.deepEqual([code, stderr], [0, ''], stdout);
		return stdout;
	}

	async json(...args) {
		return JSON.parse(await this.good(...args, '--json'));
	}

	async refused(pattern, ...args) {
		const { code, stdout, stderr } = await this.run(...args);
		assert.equal(code, 1, stderr);
		assert.equal(stdout, '');
		assert.match(stderr, pattern);
	}
}

test('migrate shows the steps that are missing, and takes them, up to one that is named', async () => {
	const place = new Place();
	assert.deepEqual(await place.json('migrate', '--dry-run'), { from: 0, to: all.length, steps: all });
	if (!isPostgres(place.database)) assert.equal(fs.existsSync(place.database), false, 'it is only looked at');
	assert.deepEqual(await place.json('migrate', '--to', '1'), { from: 0, to: 1, steps: all.slice(0, 1) });
	assert.deepEqual(await place.json('migrate', '--dry-run'), { from: 1, to: all.length, steps: all.slice(1) });
	assert.equal(await single(place.database, `SELECT max(version) FROM ${migrations}`), 1);
	const text = await place.good('migrate');
	assert.match(text, new RegExp(`^ +${all.length} +${all.at(-1).name}$`, 'm'));
	assert.match(text, new RegExp(`step.* taken, from version 1 to ${all.length}\\.$`, 'm'));
	assert.deepEqual(await place.json('migrate'), { from: all.length, to: all.length, steps: [] });
	assert.match(await place.good('migrate'), /there is nothing to do/);
});

test('migrate takes no steps back, and none that it does not know', async () => {
	const place = new Place();
	await place.good('migrate');
	await place.refused(/there are no steps back: restore a backup/, 'migrate', '--to', '1');
	await place.refused(/there is no step 999; this server knows the steps 1 to \d+/, 'migrate', '--to', '999', '--dry-run');
	for (const step of ['0', '-1', 'two', '1x']) {
		const { code, stderr } = await place.run('migrate', '--to', step);
		assert.equal(code, 2);
		assert.match(stderr, /--to takes a whole number from 1/);
	}
	assert.deepEqual(await place.json('migrate'), { from: all.length, to: all.length, steps: [] });
});

test('migrate refuses what a newer server, an edited one or another program has made', async () => {
	const place = new Place();
	await place.good('migrate');
	await execute(place.database, `UPDATE ${migrations} SET checksum = 'other' WHERE version = 1`);
	await place.refused(/migration 1 \(initial\) is not the one that this server has/, 'migrate');
	const newer = new Place();
	await newer.good('migrate');
	await execute(newer.database, `INSERT INTO ${migrations} VALUES (999, 'later', 'x', 1)`);
	for (const args of [['migrate'], ['migrate', '--dry-run'], ['verify'], ['migrate', '--to', '1']])
		await newer.refused(/has schema version 999, this server knows up to \d+; update the server/, ...args);
	const foreign = new Place();
	await execute(foreign.database, 'CREATE TABLE users (name TEXT)');
	await foreign.refused(/of another program/, 'migrate');
	await foreign.refused(/of another program/, 'migrate', '--dry-run');
	assert.deepEqual(await query(foreign.database, 'SELECT * FROM users'), []);
});

test('of several that migrate at once each step is taken by one', async () => {
	const place = new Place();
	const reports = await Promise.all(Array.from({ length: 4 }, () => place.json('migrate')));
	const taken = reports.flatMap((report) => report.steps).sort((a, b) => a.version - b.version);
	assert.deepEqual(taken, all);
	assert.equal(await single(place.database, `SELECT count(*) FROM ${migrations}`), all.length);
});

test('a server takes the steps that migrate has left', async () => {
	const place = new Place();
	await place.good('migrate', '--to', '1');
	await withServer({ installation: new Installation(), database: place.database }, async (server) => {
		await server.ask('How do I reset my password?');
		assert.equal(await server.value(`SELECT max(version) FROM ${migrations}`), all.length);
	});
});

test('backup and verify make no store and do not change the schema of one', async () => {
	const place = new Place();
	if (!isPostgres(place.database)) {
		await place.refused(/there is no store yet/, 'backup', place.path('copy.db'));
		assert.deepEqual(fs.readdirSync(place.folder), []);
	}
	await place.refused(/there is no store yet/, 'verify');
	await place.good('migrate', '--to', '1');
	await place.refused(/the store has schema version 1, and this program would bring it to \d+; do that first/, 'verify');
	assert.equal(await single(place.database, `SELECT max(version) FROM ${migrations}`), 1);
});

test('verify finds what does not agree, and says so with its exit code', async () => {
	const place = new Place();
	await withServer({ installation: new Installation(), database: place.database }, async (server) => {
		await server.ask('How do I reset my password?');
		assert.equal(await place.good('verify'), 'All that is stored is sound.\n');
	});
	assert.deepEqual(await place.json('verify'), { count: 0, faults: [] });
	await execute(place.database, 'UPDATE conversations SET message_count = 7');
	const text = await place.run('verify');
	assert.equal(text.code, 1);
	assert.match(text.stdout, /^conversation conv_\S+ says that it has 7 messages, and has 2,/);
	assert.equal(text.stderr, '1 fault\n');
	const { code, stdout } = await place.run('verify', '--json');
	const { count, faults } = JSON.parse(stdout);
	assert.deepEqual([code, count, faults.length], [1, 1, 1]);
});

onSqlite('verify tells of a damaged file', async () => {
	const place = new Place();
	await withServer({ installation: new Installation(), database: place.database }, async (server) => {
		for (let i = 0; i < 40; i++) await server.ask(`How do I reset my password? ${i}`);
	});
	// Of workers that end at the same moment none may be the last one, which moves the log into the file.
	await execute(place.database, 'PRAGMA wal_checkpoint(TRUNCATE)');
	const file = fs.openSync(place.database, 'r+');
	const pages = fs.fstatSync(file).size / 4096;
	for (let page = Math.floor(pages / 2); page < pages; page++) fs.writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096);
	fs.closeSync(file);
	const { code, stdout, stderr } = await place.run('verify');
	assert.equal(code, 1);
	assert.match(stdout + stderr, /damaged|malformed|invalid page|btree/i);
});

onPostgres('verify has PostgreSQL look into its indexes where amcheck is there', async () => {
	const place = new Place();
	await place.good('migrate');
	await execute(place.database, `INSERT INTO users (id, created_at, updated_at) SELECT 'u' || i, 1, 1 FROM generate_series(1, 1000) i`);
	await execute(place.database, 'CREATE EXTENSION amcheck');
	assert.deepEqual((await place.json('verify')).faults, []);
	const [{ file }] = await query(
		place.database,
		`SELECT current_setting('data_directory') || '/' || pg_relation_filepath('users_pkey') AS file`,
	);
	await storage.postgres.stop();
	const index = fs.openSync(file, 'r+');
	// The items of the first leaf, behind the metapage, change places.
	const page = Buffer.alloc(8192);
	fs.readSync(index, page, 0, 8192, 8192);
	const [one, other] = [page.subarray(28, 32).toString('hex'), page.subarray(60, 64).toString('hex')];
	page.write(other, 28, 'hex');
	page.write(one, 60, 'hex');
	fs.writeSync(index, page, 0, 8192, 8192);
	fs.closeSync(index);
	await storage.postgres.restart();
	const { code, stdout } = await place.run('verify');
	assert.equal(code, 1, stdout);
	assert.match(stdout, /has a damaged index; make it anew with REINDEX.*users_pkey/);
});

// Makes a backup of PLACE as docs/storage.md says. Returns its file.
async function backUp(place) {
	const file = place.path('backup');
	if (!isPostgres(place.database)) {
		const { bytes } = await place.json('backup', file);
		assert.equal(bytes, fs.statSync(file).size);
		return file;
	}
	const { code, stdout, stderr } = await place.run('backup', file);
	assert.deepEqual([code, stdout], [1, ''], 'it has made none');
	const line = /^ {2}(pg_dump .*)$/m.exec(stderr)[1];
	execFileSync('sh', ['-c', line]);
	return file;
}

// Restores the backup FILE to a new place as docs/storage.md says. Returns its database.
function restore(file) {
	const database = newDatabase(path.join(temporaryFolder(), 'restored.db'));
	if (isPostgres(database))
		execFileSync('pg_restore', ['--exit-on-error', '--single-transaction', '--no-owner', `--dbname=${database}`, file]);
	else execFileSync('cp', [file, database]);
	return database;
}

test('a backup that is made under load has every reply that was received before', { timeout: 900000 }, async () => {
	const place = new Place();
	const installation = new Installation();
	let before;
	await withServer({ installation, database: place.database }, async (server) => {
		const agent = new http.Agent({ keepAlive: true });
		const received = [];
		let over = false;
		const customers = Array.from({ length: 6 }, (_, i) => customer(server, agent, `customer_${i}`, received, () => over));
		const asking = Promise.all(customers);
		await Promise.race([asking, until('replies', () => received.length > 60)]);
		before = [...received];
		place.backup = await backUp(place);
		const during = received.length;
		await Promise.race([asking, until('replies after the backup', () => received.length > during + 10)]);
		over = true;
		await asking;
		agent.destroy();
	});
	const database = restore(place.backup);
	await withServer({ installation, database }, async (server) => {
		await assertStoredOnce(server, before);
		await assertConversationsWhole(server);
		const stored = await server.value("SELECT count(*) FROM messages WHERE role = 'assistant'");
		assert.ok(stored >= before.length);
		assert.ok(stored < (await single(place.database, "SELECT count(*) FROM messages WHERE role = 'assistant'")), 'it goes on without it');
		assert.equal((await server.stats()).total_queries, stored);
		const { message, reply } = before.at(-1);
		await server.ask('And then?', { user_id: message.split(' ').at(-2), conversation_id: reply.conversation_id });
		assert.equal((await server.stats()).total_queries, stored + 1);
	});
	await assertSound(database);
	const restored = new Place();
	restored.database = database;
	assert.equal(await restored.good('verify'), 'All that is stored is sound.\n');
});

// The commands in docs/storage.md behind TEXT, with whose urls URL is meant.
function documented(text, url) {
	const page = fs.readFileSync(path.join(root, 'docs/storage.md'), 'utf8');
	const [, block] = /\n\n((?: {4}.*\n)+)/.exec(page.slice(page.indexOf(text)));
	return block.replaceAll(/postgresql:\/\/support@db[^']*/g, () => url);
}

// Runs COMMANDS as an operator does, in the folder of the configuration.
function runInShell(commands, installation, env) {
	const PATH = `${path.dirname(program)}:${process.env.PATH}`;
	return execFileSync('sh', ['-e', '-c', commands], {
		cwd: installation.folder,
		encoding: 'utf8',
		env: { ...process.env, PATH, ...installation.env, ...env },
	});
}

const said = async (server) =>
	(await Promise.all((await server.request('/api/v1/conversations')).json.items.map(({ id }) => server.request(`/api/v1/conversations/${id}`))))
		.map(({ json }) => json)
		.sort((a, b) => (a.id < b.id ? -1 : 1));

// Fills PLACE, has RESTORED make another database of it, and goes on there.
async function assertRestored(installation, place, restored) {
	let before, first;
	await withServer({ installation, database: place.database }, async (server) => {
		first = await server.ask('How do I reset my password?', { user_id: 'ann' });
		for (let i = 0; i < 20; i++) await server.ask(`Where are my invoices? ünïcode ☃ ${i}`, { user_id: `user_${i % 3}` });
		await server.ask('And then?', { user_id: 'ann', conversation_id: first.conversation_id });
		before = await said(server);
	});
	const database = await restored();
	await withServer({ installation, database }, async (server) => {
		assert.deepEqual(await said(server), before);
		const last = await server.value('SELECT max(number) FROM events');
		const { conversation_id } = await server.ask('And now?', { user_id: 'ann', conversation_id: first.conversation_id });
		assert.equal(conversation_id, first.conversation_id);
		const { json } = await server.request(`/api/v1/conversations/${conversation_id}`);
		assert.equal(json.message_count, 6);
		assert.equal((await server.stats()).total_queries, 23);
		const order = storage.postgres ? 'transaction, number' : 'number';
		const events = await query(database, `SELECT number FROM events ORDER BY ${order}`);
		assert.ok(events.slice(-1)[0].number > last, 'what happens after the restore comes behind what happened before');
	});
	const { stdout } = await runProgram(['verify'], { env: { DATABASE_URL: urlOf(database) } });
	assert.equal(stdout, 'All that is stored is sound.\n');
}

onPostgres('a dump is restored into another PostgreSQL by the commands of docs/storage.md, and goes on there', { timeout: 180000 }, async () => {
	const [installation, place] = [new Installation(), new Place()];
	// So that its transactions have higher numbers than those of the other.
	await execute(place.database, 'DO $$ BEGIN FOR i IN 1..3000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$');
	await assertRestored(installation, place, async () => {
		const { stderr } = await place.run('backup', 'support.dump');
		runInShell(/^ {2}(pg_dump .*)$/m.exec(stderr)[1], installation);
		const other = await Postgres.start();
		const database = other.url('support_restored');
		const commands = documented('To restore into a new, empty database:', database);
		assert.match(commands, /createdb[^]*pg_restore[^]*smartsupport verify/);
		const printed = runInShell(commands, installation, { PGHOST: other.folder, PGPORT: other.port, PGUSER: 'support' });
		assert.equal(printed, 'All that is stored is sound.\n');
		return database;
	});
});

onSqlite('a backup is restored by the commands of docs/storage.md, and goes on there', async () => {
	const [installation, place] = [new Installation(), new Place()];
	place.database = installation.path('smartsupport.db');
	await assertRestored(installation, place, async () => {
		const made = documented('**SQLite.**\n\n    smartsupport backup').replaceAll('/backup', place.folder);
		const restoring = documented('To restore it, stop the server').replaceAll('/backup', place.folder);
		assert.match(restoring, /mv smartsupport\.db[^]*cp [^]*smartsupport verify/);
		const env = { DATABASE_URL: 'sqlite:///./smartsupport.db' };
		runInShell(made, installation, env);
		fs.writeFileSync(place.database, 'damaged');
		fs.writeFileSync(`${place.database}-wal`, 'of another file');
		assert.equal(runInShell(restoring, installation, env), 'All that is stored is sound.\n');
		return place.database;
	});
});

onSqlite('backup takes no file that is there, but with --force', async () => {
	const place = new Place();
	await place.good('migrate');
	fs.writeFileSync(place.path('copy.db'), 'something else');
	await place.refused(/copy\.db: is there already; name a new file/, 'backup', place.path('copy.db'));
	assert.equal(fs.readFileSync(place.path('copy.db'), 'utf8'), 'something else');
	assert.match(await place.good('backup', '--force', place.path('copy.db')), /copy\.db has all that is stored, \d+ bytes\.\n/);
	assert.deepEqual(await query(place.path('copy.db'), 'PRAGMA integrity_check'), [{ integrity_check: 'ok' }]);
	await place.refused(/is the store itself/, 'backup', '--force', place.database);
	await place.refused(/cannot use the folder .*none/, 'backup', place.path('none/copy.db'));
	assert.deepEqual(fs.readdirSync(place.folder).sort(), ['copy.db', 'support.db']);
});

onPostgres('backup shows no password in the line for PostgreSQL', async () => {
	const { code, stderr } = await runProgram(['backup', "it's.dump"], {
		env: { DATABASE_URL: 'postgresql://ann:se%40cret@db.example:5433/support?sslmode=require&password=pass2&connect_timeout=3' },
	});
	assert.equal(code, 1);
	assert.match(stderr, /PGPASSWORD or ~\/\.pgpass/);
	assert.ok(
		stderr.includes(
			`  pg_dump --format=custom --file='it'\\''s.dump' --dbname='postgresql://ann@db.example:5433/support?sslmode=require&connect_timeout=3'\n`,
		),
		stderr,
	);
	assert.doesNotMatch(stderr, /se%40cret|pass2/);
});
