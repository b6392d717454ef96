// Starting, stopping, reloading, and workers that die.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { Installation, plugins } from './lib/files.mjs';
import { Server, lives, withServer } from './lib/server.mjs';
import { pause, until } from './lib/wait.mjs';

const question = (message) => {
	const body = JSON.stringify({ message });
	return `POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
};

function start(options) {
	return Server.start({ installation: new Installation(), ...options });
}

// An installation whose server waits so long for the requests that it has.
function draining(time) {
	const installation = new Installation();
	installation.edit('config/smartsupport.yaml', /drain_timeout: \w+/, `drain_timeout: ${time}`);
	return installation;
}

// A worker that stops closes a connection that asks for nothing for so many milliseconds.
const idleLimit = 1000;

// Asks without a pause on several connections until stop() is called, which gives all replies and errors.
function keepAsking(server, clients = 4) {
	const replies = [];
	const errors = [];
	let over = false;
	const loops = Array.from({ length: clients }, async (_, client) => {
		const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
		let [last, now] = [Infinity, Infinity]; // when the question before was sent, and this one
		for (let i = 0; !over; i++) {
			[last, now] = [now, performance.now()];
			try {
				replies.push(await server.query({ message: `Why does my export crash? ${client} ${i}`, user_id: `u${client}` }, { agent }));
			} catch (error) {
				// Whoever is kept from asking for so long has to expect that it is closed.
				if (error.code !== 'ECONNRESET' || now - last < idleLimit) errors.push(error);
				await pause(20);
			}
		}
		agent.destroy();
	});
	return {
		replies,
		stop: async () => {
			over = true;
			await Promise.all(loops);
			return { replies, errors };
		},
	};
}

// Has a worker read half a request, so that it has something to finish. Gives the other half's sender.
async function beginRequest(server, message) {
	const connection = server.connect();
	const bytes = question(message);
	// A whole request first: then a worker has the connection, and not only the system.
	connection.write(question('How do I reset my password?'));
	await connection.replies(1);
	connection.write(bytes.slice(0, -10));
	return { connection, finish: () => connection.write(bytes.slice(-10)) };
}

test('SIGTERM lets requests in flight be answered, and ends with 0', async () => {
	const server = await start({ installation: draining('1h') });
	const connections = Array.from({ length: 20 }, () => server.connect());
	for (const connection of connections) connection.write(question('How do I reset my password?'));
	await Promise.all(connections.map((connection) => connection.replies(1)));
	const half = await beginRequest(server, 'Where can I find my invoices?');
	for (const [i, connection] of connections.entries()) connection.write(question(`Why was I charged twice? ${i}`));
	server.signal('SIGTERM');
	await server.untilLogged('stopping');
	half.finish();
	for (const connection of [...connections, half.connection]) {
		const replies = await connection.replies(2);
		assert.equal(replies.length, 2, 'the second request is answered as well');
		assert.equal(replies[1].status, 200, replies[1].text);
		connection.destroy();
	}
	assert.deepEqual(await server.ended(), { code: 0, signal: null }, server.stderr);
	await server.allGone();
	assert.equal(await server.value("SELECT count(*) FROM messages WHERE role = 'user'"), 42);
	await server.close();
});

test('SIGINT stops as SIGTERM does', async () => {
	const server = await start({ workers: 1 });
	await server.ask('How do I reset my password?');
	server.signal('SIGINT');
	assert.deepEqual(await server.ended(), { code: 0, signal: null }, server.stderr);
	await server.close();
});

test('a server that stops takes no new connections', async () => {
	const server = await start({ installation: draining('1h'), workers: 1 });
	const half = await beginRequest(server, 'Where can I find my invoices?');
	const idle = server.connect();
	idle.write(question('How do I reset my password?'));
	await idle.replies(1);
	server.signal('SIGTERM');
	// A worker that stops closes the connections that ask for nothing.
	await idle.wait('the end of an idle connection', ({ closed }) => closed);
	assert.equal((await idle.replies(2)).length, 1);
	idle.destroy();
	const late = server.connect();
	late.write(question('Am I too late?'));
	half.finish();
	const [, reply] = await half.connection.replies(2);
	assert.deepEqual([reply.status, reply.headers.connection], [200, 'close'], reply.text);
	half.connection.destroy();
	await server.ended();
	await late.wait('the end of the connection', () => late.closed);
	assert.equal(late.received.length, 0);
	late.destroy();
	await server.close();
});

test('a second SIGTERM ends at once', async () => {
	const server = await start({ installation: draining('1h') });
	const half = await beginRequest(server, 'Where can I find my invoices?');
	server.signal('SIGTERM');
	await server.untilLogged('stopping');
	server.signal('SIGTERM');
	const exit = await server.ended();
	assert.equal(exit.code, 1, server.stderr);
	await server.allGone();
	half.connection.destroy();
	await server.close();
});

test('a request that never ends does not hold up the stop for longer than the drain timeout', async () => {
	const server = await start({ installation: draining('1s'), workers: 1 });
	const half = await beginRequest(server, 'Where can I find my invoices?');
	server.signal('SIGTERM');
	await server.ended();
	const { received } = half.connection;
	await half.connection.wait('the end of the connection', ({ closed }) => closed);
	assert.equal(half.connection.received.length, received.length, 'it is cut off, and has not waited for its own end');
	half.connection.destroy();
	await server.close();
});

test('a worker that is killed is replaced, and what was answered is stored once', async () => {
	await withServer({ installation: new Installation() }, async (server) => {
		const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => server.ask(`How do I reset my password? ${i}`)));
		const [victim] = server.workers();
		process.kill(victim, 'SIGKILL');
		await server.untilLogged(`worker ${victim} was ended by signal 9`);
		await server.ask('Where can I find my invoices?');
		await until('two workers', () => server.workers().length === 2);
		for (const { metadata } of replies)
			assert.equal(await server.value(`SELECT count(*) FROM messages WHERE turn_id = '${metadata.turn_id}'`), 1);
		for (let i = 0; i < 20; i++) await server.ask(`Why was I charged twice? ${i}`);
		assert.equal((await server.stats()).total_queries, 41);
	});
});

test('when the master is killed, the workers leave by themselves', async () => {
	const server = await start();
	assert.equal(server.workers().length, 2);
	await server.ask('How do I reset my password?');
	server.signal('SIGKILL');
	await server.ended();
	await server.allGone();
	await server.close();
});

test('a worker that keeps dying is waited for longer and longer', async () => {
	await withServer({ installation: new Installation(), workers: 1 }, async (server) => {
		const waits = () => server.log.map((line) => /another one starts in ([\d.]+) s/.exec(line.message)?.[1]).filter(Boolean);
		for (let i = 1; i <= 4; i++) {
			const victim = await until('a worker', () => server.workers()[0]);
			process.kill(victim, 'SIGKILL');
			await until('its end in the log', () => waits().length === i);
		}
		assert.deepEqual(waits().map(Number), [0.1, 0.2, 0.4, 0.8]);
		await server.ask('How do I reset my password?');
	});
});

test('SIGHUP takes over a changed workflow, and no request fails meanwhile', { timeout: 900000 }, async () => {
	const installation = new Installation();
	await withServer({ installation }, async (server) => {
		const before = server.workers();
		assert.equal((await server.ask('My application keeps crashing when I try to export data')).priority, 7);
		const asking = keepAsking(server);
		await until('some answers', () => asking.replies.length > 8);
		installation.editWorkflow('Negative: 2', 'Negative: 1');
		server.signal('SIGHUP');
		await server.untilLogged('the new configuration has taken over');
		await until('the end of the old workers', () => before.every((pid) => !lives(pid)));
		const { replies, errors } = await asking.stop();
		assert.deepEqual(errors, []);
		for (const reply of replies) assert.equal(reply.status, 200, reply.text);
		for (let i = 0; i < 8; i++)
			assert.equal((await server.ask('My application keeps crashing when I try to export data')).priority, 6);
		assert.equal(server.workers().length, 2);
		assert.equal((await server.stats()).total_queries, replies.length + 9);
	});
});

test('a plugin whose file is overwritten in place runs on, and a reload looks at what is there then', { timeout: 900000 }, async () => {
	const installation = new Installation();
	const real = path.join(plugins, 'agents/respond.so');
	const file = installation.ownPlugins('agents/respond');
	fs.copyFileSync(real, file);
	await withServer({ installation }, async (server) => {
		const before = server.workers().sort();
		fs.writeFileSync(file, Buffer.alloc(fs.statSync(file).size), { flag: 'r+' });
		for (let i = 0; i < 8; i++) await server.ask('How do I reset my password?');
		server.signal('SIGHUP');
		await server.untilLogged('the old one still serves');
		const told = server.log.find((entry) => entry.message.includes('the old one still serves'));
		assert.match(told.message, /plugins\/agents\/respond\.so: cannot be loaded: invalid ELF header/);
		await until('only the old workers', () => server.workers().length === 2);
		assert.deepEqual(server.workers().sort(), before);
		fs.writeFileSync(file, fs.readFileSync(real), { flag: 'r+' });
		server.signal('SIGHUP');
		await server.untilLogged('the new configuration has taken over');
		await server.ask('How do I reset my password?');
	});
});

test('SIGHUP with a broken workflow keeps the old one and tells why', async () => {
	const installation = new Installation();
	await withServer({ installation }, async (server) => {
		const before = server.workers().sort();
		const line = installation.editWorkflow('agent: priority', 'agent: priorty');
		installation.editWorkflow('agent: technical', 'agent: technicle');
		server.signal('SIGHUP');
		await server.untilLogged('the old one still serves');
		const told = server.log.find((entry) => entry.message.includes('the old one still serves'));
		assert.equal(told.level, 'error');
		assert.match(told.message, new RegExp(`support\\.yaml:${line}:\\d+: .*priorty.*; .*technicle`));
		assert.doesNotMatch(told.message, /\n/);
		assert.equal((await server.ask('My application keeps crashing when I try to export data')).priority, 7);
		await until('only the old workers', () => server.workers().length === 2);
		assert.deepEqual(server.workers().sort(), before);
		installation.editWorkflow('agent: priorty', 'agent: priority');
		installation.editWorkflow('agent: technicle', 'agent: technical');
		installation.editWorkflow('Negative: 2', 'Negative: 3');
		server.signal('SIGHUP');
		await server.untilLogged('the new configuration has taken over');
		await until('the new weight', async () => (await server.ask('My application keeps crashing when I try to export data')).priority === 8);
	});
});

test('SIGHUP takes over another number of workers, and refuses another address', { timeout: 900000 }, async () => {
	const installation = new Installation();
	await withServer({ installation }, async (server) => {
		assert.equal(server.workers().length, 2);
		installation.edit('config/smartsupport.yaml', /^(\s*)workers:.*$/m, '  workers: 1');
		server.signal('SIGHUP');
		await server.untilLogged('has taken over');
		await until('one worker', () => server.workers().length === 1);
		installation.edit('config/smartsupport.yaml', /^(\s*)port:.*$/m, '  port: 9');
		server.signal('SIGHUP');
		await server.untilLogged('was not taken over');
		const line = server.log.find(({ message }) => message?.includes('was not taken over'));
		assert.match(line.message, /a reload cannot change the address from .* to .*:9; restart the server for it$/);
		await server.ask('How do I reset my password?');
	});
});

test('SIGHUP takes over the level of the log, also for the master', { timeout: 900000 }, async () => {
	const installation = new Installation();
	await withServer({ installation, workers: 1 }, async (server) => {
		const before = server.workers();
		const count = (text) => server.log.filter((line) => line.message?.includes(text)).length;
		installation.edit('config/smartsupport.yaml', /^(\s*)level:.*$/m, '  level: error');
		server.signal('SIGHUP');
		await until('the end of the old worker', () => before.every((pid) => !lives(pid)));
		assert.equal(count('reloading'), 1);
		installation.edit('config/smartsupport.yaml', 'history: 20', 'history: x');
		server.signal('SIGHUP');
		await server.untilLogged('was not taken over');
		assert.equal(count('reloading'), 1, 'what is no error is not logged any more');
	});
});

test('SIGHUPs in a row lose none', { timeout: 900000 }, async () => {
	const installation = new Installation();
	await withServer({ installation, workers: 1 }, async (server) => {
		server.signal('SIGHUP');
		await server.untilLogged('reloading');
		installation.editWorkflow('Negative: 2', 'Negative: 0');
		server.signal('SIGHUP');
		server.signal('SIGHUP');
		await until('the second reload', () => server.log.filter((line) => line.message?.includes('has taken over')).length >= 2);
		await until('one worker', () => server.workers().length === 1);
		assert.equal((await server.ask('My application keeps crashing when I try to export data')).priority, 5);
	});
});

test('a server that is stopped while it reloads ends with 0 and leaves nothing behind', async () => {
	const server = await start();
	server.signal('SIGHUP');
	await server.untilLogged('reloading');
	server.workers();
	await server.stop();
});

test('conversations go on after a restart on the same database', async () => {
	let first;
	let database;
	await withServer({ installation: new Installation(), workers: 1 }, async (server) => {
		database = server.database;
		first = await server.ask('How do I reset my password?', { user_id: 'returning' });
	});
	await withServer({ installation: new Installation(), workers: 1, database }, async (server) => {
		const second = await server.ask('How do I reset my password?', {
			user_id: 'returning',
			conversation_id: first.conversation_id,
		});
		assert.equal(second.metadata.attempts, 2);
		assert.equal((await server.stats()).total_queries, 2);
	});
});
