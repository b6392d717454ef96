// Taking over a changed configuration: by the commands, over HTTP, and what a reload cannot change.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Installation, plugins, program } from './lib/files.mjs';
import { createKey } from './lib/keys.mjs';
import { keepAsking } from './lib/load.mjs';
import { parseMetrics } from './lib/metrics.mjs';
import { Server, lives, runProgram, withServer } from './lib/server.mjs';
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
		assert.equal((await server.ask(crash)).priority, 6);
		const after = await statusOf(installation, server);
		assert.deepEqual([after.generation, after.reload, after.reloads, after.refused], [2, 'taken_over', 1, 0]);
		assert.equal(after.ended, after.since);
		assert.ok(Date.parse(after.since) >= Date.parse(before.since));
		const detour = path.join(installation.folder, 'config') + '/./../config//smartsupport.yaml';
		assert.equal((await run({ ...installation, config: detour }, server, 'status')).code, 0, 'the same file by another way');
		const text = (await run(installation, server, 'status')).stdout;
		assert.match(text, /^Server {6}process \d+, http:\/\/127\.0\.0\.1:\d+\nGeneration {2}2, since \S+\nReloads {5}1, 0 of them refused\nLast {8}taken over, \S+\n$/);
	});
});

test('reload waits until no old worker takes a connection any more', { timeout: 180000 }, async () => {
	const installation = new Installation();
	for (const name of ['hang_timeout', 'drain_timeout']) installation.edit('config/smartsupport.yaml', new RegExp(`${name}: \\S+`), `${name}: 1h`);
	await withServer({ installation }, async (server) => {
		const [busy, other] = server.workers();
		process.kill(busy, 'SIGSTOP');
		installation.editWorkflow('Negative: 2', 'Negative: 1');
		const reload = run(installation, server, 'reload');
		await until('the end of the other old worker', () => !lives(other));
		assert.equal((await statusOf(installation, server)).reload, 'under_way');
		process.kill(busy, 'SIGCONT');
		assert.deepEqual(await reload, { code: 0, signal: null, stdout: 'The new configuration has taken over: generation 2.\n', stderr: '' });
		assert.equal((await server.ask(crash)).priority, 6);
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

test('a reload cannot change the address, and the commands still find the server', { timeout: 180000 }, async () => {
	const installation = new Installation();
	await withServer({ installation }, async (server) => {
		const away = { ...installation, env: { ...installation.env, PORT: '1', HOST: '127.0.0.3' } };
		const changed = await statusOf(away, server);
		assert.deepEqual([changed.pid, changed.address], [server.pid, server.url], 'named by the variables of another start');
		installation.edit('config/smartsupport.yaml', /^ {2}port: .*$/m, '  port: 1');
		const { code, stderr } = await run(installation, server, 'reload');
		assert.equal(code, 1);
		assert.match(stderr, /smartsupport\.yaml: a reload cannot change the address from 127\.0\.0\.1:\d+ to 127\.0\.0\.1:1; restart the server for it\nThe old configuration still serves\.\n$/);
		assert.equal((await statusOf(installation, server)).reload, 'refused');
		installation.edit('config/smartsupport.yaml', '  port: 1', '  port: ${PORT:-8000}');
		await withServer({ installation, env: { HOST: '127.0.0.2' } }, async () => {
			const two = await run(away, server, 'status');
			assert.equal(two.code, 1);
			assert.match(two.stderr, /no server of this user runs with this configuration on 127\.0\.0\.3:1; 2 run with it elsewhere: say which by HOST and PORT/);
		});
	});
});

test('status tells of a server that is starting', { timeout: 180000 }, async () => {
	const installation = new Installation();
	installation.addFixtures();
	installation.editWorkflow('\nedges:', '\n  making: {agent: making, options: {how: hangs}}\n\nedges:');
	installation.editWorkflow('- {from: gaps, to: END}', '- {from: gaps, to: making}\n  - {from: making, to: END}');
	installation.edit('config/smartsupport.yaml', /hang_timeout: \S+/, 'hang_timeout: 1h');
	const server = new Server({ installation, workers: 1 });
	await until('its file', async () => (await run(installation, server, 'status')).code === 0);
	assert.match((await run(installation, server, 'status')).stdout, /^Server .*\nGeneration {2}none yet: the server is starting\nReloads {5}0, 0 of them refused\n$/);
	const { generation, since } = await statusOf(installation, server);
	assert.deepEqual([generation, since], [0, undefined]);
	server.signal('SIGKILL');
	await server.close();
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
	// The worker that is asked leaves with the first one, and answers after the second, which may take long.
	installation.edit('config/smartsupport.yaml', /drain_timeout: \w+/, 'drain_timeout: 120s');
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

// A change with a mistake in each place that a reload reads, and how it is told: where it is, and what is wrong.
const mistakes = {
	'the configuration': {
		make: (installation) => installation.edit('config/smartsupport.yaml', 'history: 20', 'history: x'),
		told: /^\S+\/config\/smartsupport\.yaml:\d+:\d+: .*history/,
	},
	'the YAML': {
		make: (installation) => installation.edit('config/smartsupport.yaml', 'support:', 'support: ['),
		told: /^\S+\/config\/smartsupport\.yaml:\d+:\d+: .*YAML/,
		unreadable: true,
	},
	'an expression': {
		make: (installation) => installation.editWorkflow(/when: .*$/m, "when: 'priority >'}"),
		told: /^\S+\/workflows\/support\.yaml:\d+:\d+: /,
	},
	'a prompt': {
		make: (installation) => fs.appendFileSync(installation.path('config/prompts/technical.md'), '{{nobody_knows}}'),
		told: /^\S+\/prompts\/technical\.md:\d+:\d+: .*nobody_knows/,
	},
	'a head': {
		make: (installation) => installation.write('kb/heads/category.json', '{'),
		told: /^\S+\/workflows\/support\.yaml:\d+:\d+: .*category\.json/,
	},
	'a plugin that is not there': {
		make: (installation) => fs.rmSync(installation.path('plugins/agents/respond.so')),
		told: /^\S+\/workflows\/support\.yaml:\d+:\d+: .*respond/,
	},
	'a plugin that is cut off': {
		make: (installation) => fs.truncateSync(installation.path('plugins/agents/respond.so'), 5000),
		told: /^\S+\/workflows\/support\.yaml:\d+:\d+: \S+\/agents\/respond\.so: is not whole/,
	},
	'a plugin for another server': {
		make: (installation) => {
			const built = path.join(path.dirname(program), 'tests/fixtures/plugins/agents/abi_too_new.so');
			fs.copyFileSync(built, installation.path('plugins/agents/abi_too_new.so'));
			installation.editWorkflow('agent: priority', 'agent: abi_too_new');
		},
		told: /^\S+\/workflows\/support\.yaml:\d+:\d+: \S+\/agents\/abi_too_new\.so: .*plugin ABI \d+\.999/,
	},
	'an article': {
		make: (installation) => fs.writeFileSync(installation.path('kb/articles/new.md'), '---\ntitle: [\n---\n'),
		told: /^\S+\/articles\/new\.md:\d+/,
	},
	'the model': {
		make: (installation) => fs.truncateSync(installation.path('model/model/model.fp16.safetensors'), 100000),
		told: /^\S+\/config\/smartsupport\.yaml:\d+:\d+: .*model\.fp16\.safetensors/,
	},
	'the certificate': {
		make: (installation) => {
			for (const name of ['tls.pem', 'tls.key']) installation.write(`config/${name}`, 'none');
			installation.edit('config/smartsupport.yaml', '  heartbeat:', '  tls: {certificate: tls.pem, key: tls.key}\n  heartbeat:');
		},
		told: /^\S+\/config\/smartsupport\.yaml:\d+:\d+: .*tls\.(pem|key)/,
	},
};

// Everywhere that a refused reload is told, it is told so: over HTTP, by the commands, in the log, and that it was one in the figures. A file that
// is UNREADABLE does not tell the commands which server it is; they say why.
async function assertRefused(installation, server, { told, unreadable = false }) {
	const refusals = async () => parseMetrics((await server.request('/metrics')).text).get('smartsupport_reloads_total{outcome="refused"}') ?? 0;
	const before = await refusals();
	const reply = await server.request('/api/v1/reload', { method: 'POST' });
	assert.equal(reply.status, 409, reply.text);
	assert.match(reply.json.errors[0].detail, told);
	const { code, stderr } = await run(installation, server, 'reload');
	assert.equal(code, 1);
	assert.match(stderr, told);
	const count = before + (unreadable ? 1 : 2);
	if (!unreadable) {
		assert.match(stderr, /\nThe old configuration still serves\.\n$/);
		const state = await statusOf(installation, server);
		assert.deepEqual([state.reload, state.generation, state.refused], ['refused', 1, count]);
		assert.deepEqual(state.errors, reply.json.errors);
	}
	const line = server.log.findLast(({ message }) => message?.includes('the old one still serves: '));
	assert.match(line.message.slice(line.message.indexOf('serves: ') + 8), told);
	assert.equal((await server.request('/readyz')).json.configuration.state, 'refused');
	assert.equal(await refusals(), count);
}

// What a test changes, to be put back: links stay links.
function keep(installation, names) {
	execFileSync('cp', ['-a', ...names, installation.path('kept')], { cwd: installation.folder });
	return () => {
		for (const name of names) fs.rmSync(installation.path(name), { recursive: true });
		for (const name of names) fs.renameSync(installation.path(`kept/${name}`), installation.path(name));
	};
}

test('a mistake in any file is refused and told while questions are answered, and no question fails', { timeout: 600000 }, async (t) => {
	const installation = new Installation();
	const weights = installation.ownModel('model.fp16.safetensors');
	fs.copyFileSync(weights.source, weights.target);
	const real = path.join(plugins, 'agents/respond.so');
	fs.copyFileSync(real, installation.ownPlugins('agents/respond'));
	const files = ['config', 'kb', 'plugins', 'model'];
	fs.mkdirSync(installation.path('kept'));
	await withServer({ installation, workers: 1 }, async (server) => {
		const asking = keepAsking(server);
		for (const [place, { make, ...mistake }] of Object.entries(mistakes)) {
			await t.test(place, async () => {
				const putBack = keep(installation, files);
				make(installation);
				await assertRefused(installation, server, mistake).finally(putBack);
				await asking.more();
				assert.equal((await server.ask(crash)).priority, 7);
			});
		}
		const reply = await server.request('/api/v1/reload', { method: 'POST' });
		assert.equal(reply.status, 200, reply.text);
		assert.ok((await asking.end()) > 0);
	});
});

// What an agent does while it is made, and how the refusal tells it.
const making = {
	fails: /^\S+\/workflows\/support\.yaml:\d+:\d+: the node making: there is no paper left/,
	crashes: /^a worker was ended by signal 11 \(Segmentation fault\) while it was starting, in create\(\) of the agent making \(\S+\.so\) of the node making of the workflow customer-support$/m,
	hangs: /^a worker hung while it was starting, and was ended when its time was up \(server\.hang_timeout\), in create\(\) of the agent making \(\S+\.so\) of the node making of the workflow customer-support$/m,
};

test('an agent that fails, crashes or hangs while it is made is refused and told while questions are answered', { timeout: 600000 }, async (t) => {
	const installation = new Installation();
	installation.addFixtures();
	installation.edit('config/smartsupport.yaml', /hang_timeout: \S+/, 'hang_timeout: 2s');
	installation.editWorkflow('\nedges:', '\n  making: {agent: making, options: {how: works}}\n\nedges:');
	installation.editWorkflow('- {from: gaps, to: END}', '- {from: gaps, to: making}\n  - {from: making, to: END}');
	await withServer({ installation, workers: 1, dies: true }, async (server) => {
		const asking = keepAsking(server, { rest: 100 });
		let how = 'works';
		for (const [misdeed, told] of Object.entries(making)) {
			await t.test(misdeed, async () => {
				installation.editWorkflow(`how: ${how}`, `how: ${misdeed}`);
				how = misdeed;
				await assertRefused(installation, server, { told });
				await asking.more();
			});
		}
		for (const where of ['make_nothing', 'wait_on'])
			assert.ok(server.log.some(({ message }) => new RegExp(`^#\\d+ ${where}\\+0x[0-9a-f]+ in /.*/making-[0-9a-f]{16}\\.so`).test(message)), where);
		installation.editWorkflow(`how: ${how}`, 'how: works');
		const reply = await server.request('/api/v1/reload', { method: 'POST' });
		assert.equal(reply.status, 200, reply.text);
		assert.equal(reply.json.generation, 2);
		assert.ok((await asking.end()) > 0);
	});
});

// What is never made, of every other kind: the change of the configuration, the setting that ends it and when, who it was, and where.
const stuck = {
	embedder: { change: [/plugin: minilm/, 'plugin: stuck'], limit: 'start_timeout', time: '8s', plugin: 'embedder stuck', where: 'wait_for_nothing' },
	index: { change: [/plugin: faiss/, 'plugin: stuck'], limit: 'hang_timeout', time: '5s', plugin: 'index stuck', where: 'wait_for_nothing' },
	llm: { change: [/plugin: extractive/, 'plugin: stuck'], limit: 'hang_timeout', time: '5s', plugin: 'llm stuck', where: 'wait_for_nothing' },
	storage: { change: [/fault: none/, 'fault: never_opens'], limit: 'start_timeout', time: '8s', plugin: 'storage faulty', where: 'create' },
};

for (const [kind, { change, limit, time, plugin, where }] of Object.entries(stuck)) {
	test(`a plugin of the kind ${kind} that is never made is refused at a reload and at a start, and told`, { timeout: 300000 }, async () => {
		const installation = new Installation();
		const config = 'config/smartsupport.yaml';
		installation.addFixtures();
		installation.edit(config, /url: \$\{DATABASE_URL.*/, `plugin: faulty\n  options: {path: ${installation.path('store.db')}, fault: none}`);
		const told = new RegExp(`^a worker hung while it was starting, and was ended when its time was up \\(server\\.${limit}\\), in create\\(\\) of the ${plugin} \\(\\S+\\.so\\)$`, 'm');
		const frame = new RegExp(`#\\d+ ${where}\\+0x[0-9a-f]+ in /.*/(stuck|faulty)(-[0-9a-f]{16})?\\.so`);
		await withServer({ installation, workers: 1, dies: true }, async (server) => {
			const asking = keepAsking(server, { rest: 100 });
			installation.edit(config, ...change);
			installation.edit(config, new RegExp(`${limit}: \\S+`), `${limit}: ${time}`);
			await assertRefused(installation, server, { told });
			assert.match(server.stderr, frame);
			assert.ok((await asking.end()) > 0);
		});
		const { code, stderr } = await runProgram(['serve', '--config', installation.config], { env: { PORT: '0', WORKERS: '1', ...installation.env } });
		assert.equal(code, 1, stderr);
		assert.match(stderr, told);
		assert.match(stderr, frame);
	});
}

test('a worker that ends tells who waits for a reload that it is under way', { timeout: 180000 }, async () => {
	const installation = new Installation();
	installation.addFixtures();
	installation.edit('config/smartsupport.yaml', /drain_timeout: \w+/, 'drain_timeout: 100ms');
	installation.edit('config/smartsupport.yaml', /hang_timeout: \S+/, 'hang_timeout: 1h');
	installation.editWorkflow('\nedges:', '\n  making: {agent: making, options: {how: works}}\n\nedges:');
	installation.editWorkflow('- {from: gaps, to: END}', '- {from: gaps, to: making}\n  - {from: making, to: END}');
	await withServer({ installation, workers: 1 }, async (server) => {
		const [worker] = server.workers();
		installation.editWorkflow('how: works', 'how: hangs');
		const waiting = server.request('/api/v1/reload', { method: 'POST' });
		await server.untilLogged('reloading');
		process.kill(worker, 'SIGTERM');
		const reply = await waiting;
		assert.deepEqual([reply.status, reply.json.reload], [202, 'under_way'], reply.text);
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

// What the thread NAME of the process PID has computed so far, in ns.
function computed(pid, name) {
	const folder = `/proc/${pid}/task`;
	const thread = fs.readdirSync(folder).find((id) => fs.readFileSync(`${folder}/${id}/comm`, 'utf8').trim() === name);
	return Number(fs.readFileSync(`${folder}/${thread}/schedstat`, 'utf8').split(' ')[0]);
}

test('the model and the index of a worker have worked before it is ready', { timeout: 180000 }, async () => {
	await withServer({ installation: new Installation(), workers: 1 }, async (server) => {
		const reply = await server.request('/api/v1/reload', { method: 'POST' });
		assert.equal(reply.status, 200, reply.text);
		const [pid] = await until('one worker', () => server.workers().length === 1 && server.workers());
		const before = computed(pid, 'compute');
		await server.ask('How do I reset my password?');
		const after = computed(pid, 'compute');
		assert.ok(before > after - before, `${before} ns before, and ${after - before} ns for a question`);
	});
});

const reloads = Number(process.env.SMARTSUPPORT_TEST_RELOADS ?? 6);

test('the same reloads over and over cost no descriptors and no memory, and no question fails', { timeout: 300000 + reloads * 5000 }, async (t) => {
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
		t.diagnostic(`${reloads} reloads: ${before.descriptors} and ${descriptors()} descriptors, ${before.kilobytes} and ${kilobytes()} KiB of the master`);
		// The master may just be collecting the last worker.
		await until('no more descriptors than before', () => descriptors() <= before.descriptors);
		// Sanitizers keep what was freed for a while.
		assert.ok(kilobytes() < before.kilobytes + 16 * 1024 + 32 * reloads, `${before.kilobytes} and ${kilobytes()} KiB`);
	});
});
