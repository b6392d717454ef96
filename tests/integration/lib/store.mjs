// Looks into the server's database with the sqlite3 command line.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

// The rows of a SELECT as objects.
export async function query(file, sql) {
	const { stdout } = await run('sqlite3', ['-readonly', '-json', '-cmd', '.timeout 20000', file, sql], {
		maxBuffer: 256 * 1024 * 1024,
	});
	return stdout.trim() === '' ? [] : JSON.parse(stdout);
}

// The single value of a SELECT.
export async function single(file, sql) {
	const rows = await query(file, sql);
	return Object.values(rows[0])[0];
}

// Runs SQL that changes FILE.
export async function execute(file, sql) {
	await run('sqlite3', ['-cmd', '.timeout 20000', file, sql]);
}
