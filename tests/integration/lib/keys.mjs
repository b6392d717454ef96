// API keys as an operator makes them.
import assert from 'node:assert/strict';
import { runProgram } from './server.mjs';
import { urlOf } from './store.mjs';

// Runs `smartsupport keys` on the store of SERVER, or on a DATABASE.
export function runKeys(installation, database, ...args) {
	return runProgram(['keys', ...args, '--config', installation.config], {
		cwd: installation.folder,
		env: { ...installation.env, DATABASE_URL: urlOf(database) },
	});
}

// Makes a key and gives {id, key, headers}, the last to send it with.
export async function createKey(installation, database, role, ...more) {
	const made = await runKeys(installation, database, 'create', '--role', role, '--name', `a ${role}`, '--json', ...more);
	assert.equal(made.code, 0, made.stderr);
	const { id, key } = JSON.parse(made.stdout);
	return { id, key, headers: { Authorization: `Bearer ${key}` } };
}
