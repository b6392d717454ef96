// Reloads while something else goes wrong: processes that die, a database that is away, many who ask for one at once.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { Installation, plugins } from './lib/files.mjs';
import { keepAsking } from './lib/load.mjs';
import { Postgres } from './lib/postgres.mjs';
import { Server, lives, runProgram, withServer } from './lib/server.mjs';
import { urlOf } from './lib/store.mjs';
import { until } from './lib/wait.mjs';

const limit = { timeout: 300000 };
const crash = 'My application keeps crashing when I try to export data'; // has priority 7

const reload = (server) => server.request('/api/v1/reload', { method: 'POST' });
const state = async (server) => (await server.request('/api/v1/reload')).json;

function command(installation, server, name) {
	return runProgram([name, '--config', installation.config], { env: { PORT: '0', ...installation.env, DATABASE_URL: urlOf(server.database) } });
}

// Begins a reload and gives the processes that it starts.
async function newWorkers(server, count) {
	const before = server.workers();
	server.signal('SIGHUP');
	return until('the new workers', () => {
		const found = server.workers().filter((pid) => !before.includes(pid));
		return found.length === count && found;
	});
}

test('a burst of SIGHUPs under load ends with the last change, and no question fails', limit, async () => {
	const installation = new Installation();
	await withServer({ installation }, async (server) => {
		const asking = keepAsking(server, { count: 4 });
		for (let i = 0; i < 50; i++) {
			server.process.kill('SIGHUP');
			if (i === 48) installation.editWorkflow('Negative: 2', 'Negative: 0');
		}
		await until('the last change', async () => (await server.ask(crash)).priority === 5);
		await until('the end of all reloads', async () => (await state(server)).reload === 'taken_over' && server.workers().length === 2);
		assert.equal((await state(server)).refused, 0);
		await asking.end();
	});
});

test('a worker of the new generation that is killed ends the reload, and one of the old one is replaced by it', limit, async () => {
	const installation = new Installation();
	await withServer({ installation }, async (server) => {
		const current = () => state(server).catch(() => ({ reload: 'under_way' })); // the worker that is asked may be the one that dies
		const alone = (old) => until('the new workers alone', () => server.workers().length === 2 && server.workers().every((pid) => !old.includes(pid)));
		// Whoever comes too late, since this process did not come to run for a while, tries again.
		let old, generation, ended;
		do {
			old = server.workers();
			({ generation } = await state(server));
			const [victim] = await newWorkers(server, 2);
			process.kill(victim, 'SIGKILL');
			await until('the end of the reload', async () => (ended = await current()).reload !== 'under_way');
			if (ended.reload !== 'refused') await alone(old);
		} while (ended.reload !== 'refused');
		assert.equal(ended.generation, generation);
		assert.match(ended.errors[0].detail, /^a worker was ended by signal 9 \(Killed\) while it was starting/);
		await until('the old workers alone', () => server.workers().length === 2);
		assert.deepEqual(server.workers().sort(), old.sort());

		do {
			old = server.workers();
			({ generation } = await state(server));
			await newWorkers(server, 2);
			if (lives(old[0])) process.kill(old[0], 'SIGKILL');
			await until('the takeover', async () => (await current()).generation === generation + 1);
			await alone(old);
		} while (!server.logged(`worker ${old[0]} was ended by signal 9`));
		await server.ask(crash);
	});
});

test('when the master is killed during a reload all workers leave, and another server starts on the same address', limit, async () => {
	const installation = new Installation();
	// An address that no other test uses, so that nobody takes the port meanwhile.
	const env = { HOST: '127.0.0.10' };
	const server = await Server.start({ installation, env });
	const port = server.port;
	await newWorkers(server, 2);
	server.signal('SIGKILL');
	await server.ended();
	await server.allGone();
	await server.close();
	await withServer({ installation, env, port, database: server.database }, async (next) => {
		assert.equal(next.port, port);
		assert.equal((await next.ask(crash)).priority, 7);
	});
});

test('two who ask for a reload at once are both told of one that has their changes', limit, async () => {
	const installation = new Installation();
	await withServer({ installation }, async (server) => {
		installation.editWorkflow('Negative: 2', 'Negative: 1');
		const both = await Promise.all([command(installation, server, 'reload'), command(installation, server, 'reload')]);
		for (const { code, stdout, stderr } of both) {
			assert.equal(code, 0, stderr);
			assert.match(stdout, /^The new configuration has taken over: generation [23]\.\n$/);
		}
		await until('the new generation alone', () => server.workers().length === 2);
		assert.equal((await server.ask(crash)).priority, 6);
	});
});

test('a reload goes on when who asked for it goes away', limit, async () => {
	await withServer({ installation: new Installation(), workers: 1 }, async (server) => {
		for (let left = 0; left < 3; ) {
			const { generation } = await state(server);
			const sent = http.request(`${server.url}/api/v1/reload`, { method: 'POST', agent: false });
			sent.on('error', () => {});
			sent.end();
			// On a machine that stands still for a moment it may be over by then.
			const seen = await until('its begin', async () => {
				const now = await state(server);
				return (now.reload === 'under_way' || now.generation > generation) && now;
			});
			sent.destroy();
			if (seen.reload === 'under_way') left++;
			await until('its end', async () => (await state(server)).generation === generation + 1);
			await until('one worker', () => server.workers().length === 1);
		}
		await server.ask(crash);
	});
});

test('files that are away at a reload are told, and it serves on', limit, async () => {
	const installation = new Installation();
	await withServer({ installation }, async (server) => {
		for (const name of ['config', 'config/workflows', 'kb']) {
			fs.renameSync(installation.path(name), installation.path('away'));
			const reply = await reload(server);
			assert.equal(reply.status, 409, reply.text);
			assert.match(reply.json.errors[0].detail, /No such file or directory|does not exist|cannot be read/);
			assert.equal((await server.ask(crash)).priority, 7);
			fs.renameSync(installation.path('away'), installation.path(name));
		}
		assert.equal((await reload(server)).status, 200);
	});
});

test('a plugin whose file is cut off or deleted while it runs goes on, and a reload is refused', limit, async () => {
	const installation = new Installation();
	const file = installation.ownPlugins('agents/respond');
	fs.copyFileSync(path.join(plugins, 'agents/respond.so'), file);
	await withServer({ installation }, async (server) => {
		const asking = keepAsking(server);
		for (const damage of [() => fs.truncateSync(file, 4096), () => fs.rmSync(file)]) {
			damage();
			await asking.more();
			const reply = await reload(server);
			assert.equal(reply.status, 409, reply.text);
			assert.match(reply.json.errors[0].detail, /respond/);
		}
		await asking.end();
		assert.equal((await state(server)).generation, 1);
	});
});

// Runs a command in which FOLDER is a disk of its own that is full.
const fullDisk = (folder) => ['unshare', '-rm', 'sh', '-c', `mount -t tmpfs -o size=64k none "${folder}" && { head -c 1M /dev/zero >"${folder}/full" 2>/dev/null; exec "$@"; }`, 'sh'];
const [unshare, ...rest] = fullDisk('/mnt');
const mounts = spawnSync(unshare, [...rest, 'true']).status === 0;

test('a server starts and reloads while the disk with its caches is full', { ...limit, skip: !mounts && 'this user may not mount a disk' }, async () => {
	const installation = new Installation();
	const cache = installation.path('cache');
	fs.mkdirSync(cache);
	await withServer({ installation, workers: 1, wrap: fullDisk(cache), env: { XDG_CACHE_HOME: cache } }, async (server) => {
		const reply = await reload(server);
		assert.equal(reply.status, 200, reply.text);
		assert.equal((await server.ask(crash)).priority, 7);
		assert.ok(server.logged('plugins run from their files and not from copies: '), server.stderr);
	});
});

test('a reload while PostgreSQL is away is refused, and what served before serves when it is back', limit, async () => {
	const postgres = await Postgres.start();
	const installation = new Installation();
	await withServer({ installation, database: postgres.newDatabase() }, async (server) => {
		const before = server.workers().sort();
		await server.ask(crash);
		await postgres.stop();
		const reply = await reload(server);
		assert.equal(reply.status, 409, reply.text);
		assert.match(reply.json.errors[0].detail, /smartsupport\.yaml:\d+:\d+: /);
		assert.equal((await server.request('/livez')).status, 200);
		await postgres.restart();
		await until('an answer', async () => (await server.query({ message: crash })).status === 200);
		assert.deepEqual(server.workers().sort(), before);
		assert.equal((await reload(server)).status, 200);
		await until('the new generation alone', () => server.workers().length === 2);
		await server.ask(crash);
	});
});
