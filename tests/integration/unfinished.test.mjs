// Questions whose process dies before the answer: another one goes on with them, and stores the answer once.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { assertConversationsWhole } from './lib/customers.mjs';
import { Installation } from './lib/files.mjs';
import { Server, runProgram, withServer } from './lib/server.mjs';
import { execute, executeAndHold, isPostgres, urlOf } from './lib/store.mjs';
import { until } from './lib/wait.mjs';

const limit = { timeout: 900000 };

// Its questions have everything but a node that waits, for WAIT or until the installation is opened, and are kept.
function slow(wait) {
	const installation = new Installation().dawdle({ wait });
	installation.editWorkflow('max_steps: 50\ntimeout: 300s', 'max_steps: 50\ntimeout: 300s\ndurability: node');
	return installation;
}

// Asks COUNT questions and waits until each has come to the slow node. Gives a promise that all of them are cut off.
async function askInVain(server, count) {
	const questions = Array.from({ length: count }, (_, i) =>
		assert.rejects(server.query({ message: `How do I reset my password? ${i}`, user_id: `customer_${i}` })),
	);
	const waiting = `SELECT count(*) FROM turns WHERE status = 'running' AND EXISTS
		(SELECT 1 FROM turn_entries WHERE turn = turns.number AND data LIKE '%"answered_by"%')`;
	await until('all are at the slow node', async () => (await server.value(waiting)) === count);
	return { cutOff: Promise.all(questions) };
}

const answers = "SELECT count(*) FROM messages WHERE role = 'assistant'";
const done = "SELECT count(*) FROM turns WHERE status = 'done'";

async function assertAnsweredOnce(server, count) {
	await until('all answers', async () => (await server.value(answers)) === count);
	await until('all are done', async () => (await server.value(done)) === count);
	assert.equal(await server.value('SELECT count(DISTINCT turn_id) FROM messages'), count);
	assert.equal(await server.value("SELECT count(DISTINCT content) FROM messages WHERE role = 'user'"), count);
	assert.deepEqual(await server.rows('SELECT id, fence FROM turns WHERE fence <> 2'), [], 'each was taken once');
	assert.equal((await server.stats()).total_queries, count);
	await assertConversationsWhole(server);
}

test('a server that is killed in the middle of turns leaves them to another, which answers each once', limit, async () => {
	const installation = slow();
	await withServer({ installation }, async (second) => {
		const first = await Server.start({ installation, database: second.database });
		try {
			const { cutOff } = await askInVain(first, 6);
			first.killAll();
			await cutOff;
			// As if it had been on another machine: nobody knows that it is gone, so its leases must run out.
			await execute(second.database, "UPDATE turns SET owner = 'elsewhere' WHERE id <> (SELECT min(id) FROM turns)");
			installation.open();
			await assertAnsweredOnce(second, 6);
			await first.close();
		} finally {
			first.killAll();
		}
	});
});

test('what a worker leaves that dies is answered by those of its server', limit, async () => {
	const installation = slow();
	await withServer({ installation }, async (server) => {
		const { cutOff } = await askInVain(server, 4);
		for (const pid of server.workers()) process.kill(pid, 'SIGKILL');
		await cutOff;
		installation.open();
		await assertAnsweredOnce(server, 4);
	});
});

// INSTALLATION's workflow without the slow node.
function removeSlowNode(installation) {
	installation.editWorkflow('{from: [respond, chat], any: true, to: dawdle}', '{from: [respond, chat], any: true, to: gaps}');
	installation.editWorkflow('  - {from: dawdle, to: gaps}\n', '');
	installation.editWorkflow(/\n {2}dawdle: .*\n/, '\n');
}

test('a question whose lease takes long to be had still finds the workflow that it began with', limit, async () => {
	const installation = slow();
	const first = await Server.start({ installation });
	try {
		const { cutOff } = await askInVain(first, 1);
		first.killAll();
		await cutOff;
		await execute(first.database, "UPDATE turns SET owner = 'elsewhere', lease_until = lease_until + 3600000000");
		removeSlowNode(installation);
		installation.open();
		await withServer({ installation, database: first.database }, async (second) => {
			// While it waits for the lock nothing else is done with that workflow, and its worker tidies up.
			await executeAndHold(
				first.database,
				'UPDATE turns SET owner = NULL, lease_until = NULL',
				'UPDATE turns SET fence = fence',
				isPostgres(first.database) ? 7 : 4.5,
			);
			await until('the answer', async () => (await second.value(answers)) === 1);
			await until('it is done', async () => (await second.value(done)) === 1);
		});
		await first.close();
	} finally {
		first.killAll();
	}
});

test('a question is gone on with by the workflow that it began with', limit, async () => {
	const installation = slow();
	const first = await Server.start({ installation });
	try {
		const { cutOff } = await askInVain(first, 2);
		first.killAll();
		await cutOff;
		removeSlowNode(installation);
		installation.open();
		await withServer({ installation, database: first.database }, async (second) => {
			await assertAnsweredOnce(second, 2);
			const now = await second.ask('How do I reset my password?');
			const routes = (await second.rows('SELECT turn_id, metadata FROM messages WHERE metadata IS NOT NULL')).map(
				({ turn_id, metadata }) => [turn_id, JSON.parse(metadata).route.includes('dawdle')],
			);
			assert.equal(routes.length, 3);
			for (const [turn, dawdled] of routes) assert.equal(dawdled, turn !== now.metadata.turn_id);
		});
		await first.close();
	} finally {
		first.killAll();
	}
});

test('a question that was stored before its process died is not stored again', limit, async () => {
	await withServer({ installation: slow('10ms') }, async (server) => {
		for (const user_id of ['ann', 'bob']) await server.ask('How do I reset my password?', { user_id });
		await until('both are done', async () => (await server.value(done)) === 2);
		// As if the processes had died before they could say that they were done; one would answer otherwise now.
		await execute(server.database, "UPDATE messages SET content = 'Otherwise.' WHERE role = 'assistant' AND turn_id = (SELECT min(turn_id) FROM messages)");
		await execute(server.database, "UPDATE turns SET status = 'running', owner = NULL, lease_until = NULL");
		await until('done again', async () => (await server.value(done)) === 2);
		assert.equal(await server.value(answers), 2);
		assert.equal(await server.value("SELECT count(*) FROM messages WHERE content = 'Otherwise.'"), 1);
		assert.equal((await server.stats()).total_queries, 2);
	});
});

test('turns that are no questions are left alone', limit, async () => {
	await withServer({ installation: slow('10ms') }, async (server) => {
		const workflow = server.folder + '/w.yaml';
		fs.writeFileSync(workflow, 'version: 1\nname: w\ndurability: node\nstate: {n: {type: int}}\nnodes: {a: {agent: assign, options: {set: {n: "1"}}}}\nedges: [{from: START, to: a}, {from: a, to: END}]\n');
		const run = await runProgram(['run', workflow, '--keep=mine'], { env: { DATABASE_URL: urlOf(server.database) } });
		assert.equal(run.code, 0, run.stderr);
		await server.ask('How do I reset my password?');
		await until('both are done', async () => (await server.value(done)) === 2);
		await execute(server.database, "UPDATE turns SET status = 'running', owner = NULL, lease_until = NULL");
		await until('the question is done again', async () => (await server.value(done)) === 1);
		assert.deepEqual(await server.rows("SELECT status, fence FROM turns WHERE id = 'mine'"), [{ status: 'running', fence: 1 }]);
	});
});

test('a server that stops gives back what it goes on with', limit, async () => {
	await withServer({ installation: slow(), workers: 1 }, async (server) => {
		const { cutOff } = await askInVain(server, 2);
		for (const pid of server.workers()) process.kill(pid, 'SIGKILL');
		await cutOff;
		await until('both are taken', async () => (await server.value('SELECT count(*) FROM turns WHERE fence = 2')) === 2);
		server.signal('SIGTERM');
		assert.deepEqual(await server.ended(), { code: 0, signal: null });
		assert.deepEqual(await server.rows('SELECT DISTINCT status, owner, error FROM turns'), [{ status: 'running', owner: null, error: null }]);
	});
});

test('a question that its processes die of goes to a human', limit, async () => {
	await withServer({ installation: slow(), workers: 1 }, async (server) => {
		const { cutOff } = await askInVain(server, 1);
		for (let taken = 0; taken <= 3; taken++) {
			await until(`taken ${taken} times`, async () => (await server.value('SELECT fence FROM turns')) === taken + 1);
			const pid = await until('a worker', () => server.workers()[0]);
			process.kill(pid, 'SIGKILL');
			await until('its death', () => server.log.filter((line) => line.message?.includes('by signal 9')).length === taken + 1);
		}
		await cutOff;
		await until('given up', async () => (await server.value("SELECT count(*) FROM turns WHERE status = 'failed'")) === 1);
		assert.match(await server.value('SELECT error FROM turns'), /^it was gone on with 3 times, and each time the process/);
		await server.untilLogged('the question goes to a human: it was gone on with 3 times');
		assert.equal(await server.value(answers), 1);
		assert.match(await server.value("SELECT content FROM messages WHERE role = 'assistant'"), /A person of our team has it now/);
		assert.equal(await server.value('SELECT status FROM conversations'), 'escalated');
	});
});
