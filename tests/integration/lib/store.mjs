// The databases of the tests, and a look into them: SQLite files by their paths, and those in PostgreSQL by their urls.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const maxBuffer = 256 * 1024 * 1024;

// Set by on_postgresql.mjs for a file whose tests run there.
export const storage = { postgres: null };

// A database of its own for a test: a new one in PostgreSQL, else FILE.
export function newDatabase(file) {
	return storage.postgres?.newDatabase() ?? file;
}

export function isPostgres(database) {
	return database.startsWith('postgresql://');
}

export function urlOf(database) {
	return isPostgres(database) ? database : `sqlite:///${database}`;
}

function psql(database, sql) {
	return run('psql', ['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-c', sql, database], { maxBuffer });
}

// The rows of a SELECT as objects.
export async function query(database, sql) {
	const { stdout } = isPostgres(database)
		? await psql(database, `SELECT coalesce(json_agg(rows), '[]') FROM (${sql}) AS rows`)
		: await run('sqlite3', ['-readonly', '-json', '-cmd', '.timeout 20000', database, sql], { maxBuffer });
	return stdout.trim() === '' ? [] : JSON.parse(stdout);
}

// The single value of a SELECT.
export async function single(database, sql) {
	const rows = await query(database, sql);
	return Object.values(rows[0])[0];
}

// Runs SQL that changes the database.
export async function execute(database, sql) {
	if (isPostgres(database)) await psql(database, sql);
	else await run('sqlite3', ['-cmd', '.timeout 20000', database, sql]);
}

// Runs SQL, and then holds the lock that CHANGE takes, without changing anything, for SECONDS.
export async function executeAndHold(database, sql, change, seconds) {
	if (isPostgres(database))
		await run('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-c', sql, '-c', `BEGIN; ${change}; SELECT pg_sleep(${seconds}); ROLLBACK`, database]);
	else await run('sqlite3', ['-cmd', '.timeout 20000', database, sql, 'BEGIN IMMEDIATE', change, `.shell sleep ${seconds}`, 'ROLLBACK']);
}

// COUNT bytes that are 0, as SQL.
export function zeros(count) {
	return storage.postgres ? `decode(repeat('00', ${count}), 'hex')` : `zeroblob(${count})`;
}

// The database itself finds nothing wrong in its files: PostgreSQL has every row of the tables in their indexes.
export async function assertSound(database) {
	if (isPostgres(database)) {
		await execute(database, 'CREATE EXTENSION IF NOT EXISTS amcheck');
		await query(
			database,
			`SELECT bt_index_check(c.oid, true)::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
			 JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public'`,
		);
		return;
	}
	assert.deepEqual(await query(database, 'PRAGMA integrity_check'), [{ integrity_check: 'ok' }]);
	assert.deepEqual(await query(database, 'PRAGMA foreign_key_check'), []);
}
