// Taking over a changed configuration: by the commands, over HTTP, and what a reload cannot change.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Installation, plugins, program } from './lib/files.mjs';
import { createKey } from './lib/keys.mjs';
import { parseMetrics } from './lib/metrics.mjs';
import { Server, runProgram, withServer } from './lib/server.mjs';
import { newDatabase, urlOf } from './lib/store.mjs';
import { until } from './lib/wait.mjs';
import { eachWorker } from './lib/workers.mjs';

const crash = 'My application keeps crashing when I try to export data'; // has priority 7

// Runs a command about the server that SERVER and INSTALLATION are of.
function run(installation, server, ...args) {
	return runProgram([...args, '--config', installation.config], {
		env: { PORT: '0', ...installation.env, DATABASE_URL: urlOf(server.database) },
	});
}

async function statusOf(installation, server) {
	const { code, stdout, stderr } = await run(installation, server, 'status', '--json');
	assert.equal(code, 0, stderr);
	return JSON.parse(stdout);
}

test('reload waits until the new configuration has taken over', { timeout: 180000 }, async () => {
	const installation = new Installation();
	await withServer({ installation }, async (server) => {
		const before = await statusOf(installation, server);
		assert.deepEqual([before.pid, before.generation, before.reload, before.reloads, before.errors], [server.pid, 1, 'none', 0, []]);
		installation.editWorkflow('Negative: 2', 'Negative: 1');
		const { code, stdout, stderr } = await run(installation, server, 'reload');
		assert.deepEqual([code, stdout, stderr], [0, 'The new configuration has taken over: generation 2.\n', '']);
		await until('the answers of the new workers', async () => (await server.ask(crash)).priority === 6);
		const after = await statusOf(installation, server);
		assert.deepEqual([after.generation, after.reload, after.reloads, after.refused], [2, 'taken_over', 1, 0]);
		assert.equal(after.ended, after.since);
		assert.ok(Date.parse(after.since) >= Date.parse(before.since));
		const detour = path.join(installation.folder, 'config') + '/./../config//smartsupport.yaml';
		assert.equal((await run({ ...installation, config: detour }, server, 'status')).code, 0, 'the same file by another way');
		const text = (await run(installation, server, 'status')).stdout;
		assert.match(text, /^Server {6}process \d+, 127\.0\.0\.1:0\nGeneration {2}2, since \S+\nReloads {5}1, 0 of them refused\nLast {8}taken over, \S+\n$/);
	});
});

test('reload tells every mistake, and nothing has changed', { timeout: 180000 }, async () => {
	const installation = new Installation();
	await withServer({ installation }, async (server) => {
		const line = installation.editWorkflow('agent: priority', 'agent: priorty');
		installation.editWorkflow('agent: technical', 'agent: technicle');
		const { code, stdout, stderr } = await run(installation, server, 'reload');
		assert.deepEqual([code, stdout], [1, '']);
		assert.match(stderr, new RegExp(`^\\S+support\\.yaml:${line}:\\d+: .*priorty.*\\n\\S+support\\.yaml:\\d+:\\d+: .*technicle.*\\nThe old configuration still serves\\.\\n$`));
		const state = await statusOf(installation, server);
		assert.deepEqual([state.generation, state.reload, state.reloads, state.refused], [1, 'refused', 1, 1]);
		assert.equal(state.errors.length, 2);
		assert.match((await run(installation, server, 'status')).stdout, /^Last {8}refused, \S+\n\S+support\.yaml:\d+:\d+: .*priorty/m);
		assert.equal((await server.ask(crash)).priority, 7);
	});
});

test('a reload cannot change the storage, and says no password', { timeout: 180000 }, async () => {
	const installation = new Installation();
	await withServer({ installation }, async (server) => {
		installation.edit('config/smartsupport.yaml', /^(\s*)url:.*$/m, '  url: postgresql://support:s3cret@127.0.0.1/support');
		const { code, stderr } = await run(installation, server, 'reload');
		assert.equal(code, 1);
		assert.match(stderr, /smartsupport\.yaml: a reload cannot change the storage, its plugin or its url; restart the server for it\n/);
		assert.ok(!stderr.includes('s3cret') && !server.stderr.includes('s3cret'));
		await server.ask('How do I reset my password?');
	});
});

test('the commands say so when no server runs', async () => {
	const installation = new Installation();
	const server = { database: newDatabase(installation.path('none.db')) };
	for (const command of ['reload', 'status']) {
		const { code, stderr } = await run(installation, server, command);
		assert.equal(code, 1);
		assert.match(stderr, /no server of this user runs with this configuration on 127\.0\.0\.1:0/);
	}
	const killed = await Server.start({ installation });
	assert.equal((await run(installation, killed, 'status')).code, 0);
	await killed.close();
	assert.equal((await run(installation, killed, 'status')).code, 1);
});

test('POST /api/v1/reload waits for the end of the reload, for admins', { timeout: 180000 }, async () => {
	const installation = new Installation();
	await withServer({ installation }, async (server) => {
		const admin = await createKey(installation, server.database, 'admin');
		const operator = await createKey(installation, server.database, 'operator');
		const reload = (key, method = 'POST', agent = undefined) => server.request('/api/v1/reload', { method, headers: key.headers, agent });
		// Who knows the operator's knows the admin's, which was made before.
		await eachWorker(server, (agent) => until('both keys to be known', async () => (await reload(operator, 'GET', agent)).status === 403));
		assert.equal((await reload(operator)).status, 403);
		assert.equal((await reload(admin, 'GET')).json.generation, 1);

		installation.editWorkflow('Negative: 2', 'Negative: 0');
		const taken = await reload(admin);
		assert.equal(taken.status, 200, taken.text);
		assert.deepEqual([taken.json.generation, taken.json.reload, taken.json.errors], [2, 'taken_over', []]);

		const line = installation.editWorkflow('agent: priority', 'agent: priorty');
		const refused = await reload(admin);
		assert.equal(refused.status, 409, refused.text);
		assert.equal(refused.json.detail, 'the configuration was not taken over, the old one still serves');
		assert.match(refused.json.errors[0].detail, new RegExp(`support\\.yaml:${line}:\\d+: .*priorty`));
		const state = await reload(admin, 'GET');
		assert.deepEqual([state.json.generation, state.json.reload, state.json.errors], [2, 'refused', refused.json.errors]);
		const metrics = parseMetrics((await server.request('/metrics', { headers: admin.headers })).text);
		const figures = ['smartsupport_generation', 'smartsupport_reloads_total{outcome="taken_over"}', 'smartsupport_reloads_total{outcome="refused"}'];
		assert.deepEqual(figures.map((name) => metrics.get(name)), [2, 1, 1]);
		const ready = await server.request('/readyz');
		assert.deepEqual([ready.json.status, ready.json.configuration.state, ready.json.configuration.generation], ['ready', 'refused', 2]);
		assert.ok(!ready.text.includes('/'), 'no path is told');
	});
});

test('a reload that is asked for during another one has the files as they are then', { timeout: 180000 }, async () => {
	const installation = new Installation();
	await withServer({ installation, workers: 1 }, async (server) => {
		server.signal('SIGHUP');
		await server.untilLogged('reloading');
		installation.editWorkflow('Negative: 2', 'Negative: 0');
		const reply = await server.request('/api/v1/reload', { method: 'POST' });
		assert.equal(reply.status, 200, reply.text);
		await until('the answers of the new worker', async () => (await server.ask(crash)).priority === 5);
		assert.equal(reply.json.generation, 3);
	});
});

// A change with a mistake in each place that a reload reads.
const mistakes = {
	'the configuration': (installation) => installation.edit('config/smartsupport.yaml', 'history: 20', 'history: x'),
	'an expression': (installation) => installation.editWorkflow(/when: .*$/m, "when: 'priority >'}"),
	'a prompt': (installation) => fs.appendFileSync(installation.path('config/prompts/technical.md'), '{{nobody_knows}}'),
	'a plugin that is not there': (installation) => fs.rmSync(installation.path('plugins/agents/respond.so')),
	'a plugin that is cut off': (installation) => fs.truncateSync(installation.path('plugins/agents/respond.so'), 5000),
	'an article': (installation) => fs.writeFileSync(installation.path('kb/articles/new.md'), '---\ntitle: [\n---\n'),
};

test('a mistake in any file is refused while questions are answered', { timeout: 300000 }, async (t) => {
	const installation = new Installation();
	const real = path.join(plugins, 'agents/respond.so');
	fs.copyFileSync(real, installation.ownPlugins('agents/respond'));
	const files = ['config', 'kb', 'plugins'];
	await withServer({ installation, workers: 1 }, async (server) => {
		for (const [place, make] of Object.entries(mistakes)) {
			await t.test(place, async () => {
				const kept = installation.path('kept');
				for (const name of files) fs.cpSync(installation.path(name), path.join(kept, name), { recursive: true, verbatimSymlinks: true });
				make(installation);
				const reply = await server.request('/api/v1/reload', { method: 'POST' });
				assert.equal(reply.status, 409, reply.text);
				assert.ok(reply.json.errors.length > 0);
				assert.equal((await server.ask(crash)).priority, 7);
				for (const name of files) {
					fs.rmSync(installation.path(name), { recursive: true });
					fs.renameSync(path.join(kept, name), installation.path(name));
				}
			});
		}
		const reply = await server.request('/api/v1/reload', { method: 'POST' });
		assert.equal(reply.status, 200, reply.text);
		assert.equal(reply.json.refused, Object.keys(mistakes).length);
	});
});

// What an agent does while it is made, and how the refusal tells it.
const making = {
	fails: /workflows\/support\.yaml:\d+:\d+: the node making: there is no paper left/,
	crashes: /a worker was ended by signal 11 \(Segmentation fault\) while it was starting.* of the agent making .* of the node making /,
	hangs: /a worker was ended by signal 6 \(Aborted\) while it was starting.* of the agent making .* of the node making /,
};

test('an agent that fails, crashes or hangs while it is made is refused while questions are answered', { timeout: 300000 }, async (t) => {
	const installation = new Installation();
	installation.addFixtures();
	installation.edit('config/smartsupport.yaml', /hang_timeout: \S+/, 'hang_timeout: 2s');
	installation.editWorkflow('\nedges:', '\n  making: {agent: making, options: {how: works}}\n\nedges:');
	installation.editWorkflow('- {from: gaps, to: END}', '- {from: gaps, to: making}\n  - {from: making, to: END}');
	await withServer({ installation, workers: 1, dies: true }, async (server) => {
		let [how, generation] = ['works', 1];
		for (const [misdeed, told] of Object.entries(making)) {
			await t.test(misdeed, async () => {
				installation.editWorkflow(`how: ${how}`, `how: ${misdeed}`);
				how = misdeed;
				const reply = await server.request('/api/v1/reload', { method: 'POST' });
				assert.equal(reply.status, 409, reply.text);
				assert.match(reply.json.errors[0].detail, told);
				assert.equal((await server.ask(crash)).priority, 7);
			});
		}
		installation.editWorkflow(`how: ${how}`, 'how: works');
		const reply = await server.request('/api/v1/reload', { method: 'POST' });
		assert.equal(reply.status, 200, reply.text);
		assert.equal(reply.json.generation, ++generation);
	});
});

test('no answer mixes two versions of a plugin and its workflow, which are changed at once', { timeout: 300000 }, async () => {
	const installation = new Installation();
	const file = installation.ownPlugins('agents/stamp');
	const built = (version) => fs.readFileSync(path.join(path.dirname(program), `tests/stamps/${version}/stamp.so`));
	fs.writeFileSync(file, built(1));
	installation.editWorkflow('\nedges:', '\n  stamp: {agent: stamp, options: {stamp: 1}}\n\nedges:');
	installation.editWorkflow('{from: [respond, chat], any: true, to: gaps}', '{from: [respond, chat], any: true, to: stamp}');
	installation.editWorkflow('- {from: gaps, to: END}', '- {from: stamp, to: gaps}\n  - {from: gaps, to: END}');
	await withServer({ installation }, async (server) => {
		const answers = new Map();
		let ends = false;
		const asking = Promise.all(
			Array.from({ length: 4 }, async (_, customer) => {
				for (let i = 0; !ends; i++) {
					const { response } = await server.ask(`How do I reset my password? ${i}`, { user_id: `customer ${customer}` });
					answers.set(response, (answers.get(response) ?? 0) + 1);
				}
			}),
		);
		for (let i = 1; i <= 4; i++) {
			const [old, next] = i % 2 === 1 ? [1, 2] : [2, 1];
			const before = answers.get(`plugin ${old}, workflow ${old}`) ?? 0;
			await until('answers', () => (answers.get(`plugin ${old}, workflow ${old}`) ?? 0) > before + 4);
			fs.writeFileSync(file, built(next));
			installation.editWorkflow(`stamp: ${old}}`, `stamp: ${next}}`);
			const reply = await server.request('/api/v1/reload', { method: 'POST' });
			assert.equal(reply.status, 200, reply.text);
		}
		ends = true;
		await asking;
		assert.deepEqual([...answers.keys()].sort(), ['plugin 1, workflow 1', 'plugin 2, workflow 2']);
	});
});

const reloads = Number(process.env.SMARTSUPPORT_TEST_RELOADS ?? 6);

test('the same reloads over and over cost no descriptors and no memory, and no question fails', { timeout: 300000 + reloads * 5000 }, async () => {
	const installation = new Installation();
	await withServer({ installation, workers: 1 }, async (server) => {
		const descriptors = () => fs.readdirSync(`/proc/${server.pid}/fd`).length;
		const kilobytes = () => Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]);
		let [before, ends] = [undefined, false];
		const asking = (async () => {
			for (let i = 0; !ends; i++) assert.equal((await server.ask(`How do I reset my password? ${i}`)).category, 'Account');
		})();
		for (let i = 0; i < reloads; i++) {
			const reply = await server.request('/api/v1/reload', { method: 'POST' });
			assert.equal(reply.status, 200, reply.text);
			await until('one worker', () => server.workers().length === 1);
			before ??= { descriptors: descriptors(), kilobytes: kilobytes() };
		}
		ends = true;
		await asking;
		assert.equal(descriptors(), before.descriptors);
		// Sanitizers keep what was freed for a while.
		assert.ok(kilobytes() < before.kilobytes + 16 * 1024 + 32 * reloads, `${before.kilobytes} and ${kilobytes()} KiB`);
	});
});
