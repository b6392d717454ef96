// What stops a start: one clear sentence that names the file, exit code 1, and the port was never open.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { Installation, plugins } from './lib/files.mjs';
import { parseLine } from './lib/logfmt.mjs';
import { runProgram, withServer } from './lib/server.mjs';
import { pause } from './lib/wait.mjs';

const weightsFile = 'model.fp16.safetensors';

// An address of this machine that no other test uses, so that nobody else opens a port of it.
const host = '127.0.0.9';

async function freePort() {
	const server = net.createServer();
	await new Promise((resolve) => server.listen(0, host, resolve));
	const { port } = server.address();
	await new Promise((resolve) => server.close(resolve));
	return port;
}

function connects(port) {
	return new Promise((resolve) => {
		const socket = net.connect(port, host);
		socket.on('connect', () => {
			socket.destroy();
			resolve(true);
		});
		socket.on('error', () => resolve(false));
	});
}

// Starts the server and expects it to give up. Gives what it said.
async function failedStart(installation, env = {}) {
	const port = await freePort();
	let over = false;
	let opened = false;
	const watch = (async () => {
		while (!over) {
			opened ||= await connects(port);
			await pause(5);
		}
	})();
	const result = await runProgram(['serve', '--config', installation.config], {
		cwd: installation.folder,
		env: {
			HOST: host,
			PORT: String(port),
			WORKERS: '2',
			DATABASE_URL: `sqlite:///${installation.path('support.db')}`,
			...installation.env,
			...env,
		},
	});
	over = true;
	await watch;
	assert.equal(result.code, 1, `exit code 1\n${result.stderr}`);
	assert.equal(opened, false, 'the port was never open');
	assert.doesNotMatch(result.stderr, /listening/);
	return result.stderr.trim();
}

// The server gives up with one line that names NAME.
async function assertFails(installation, name, env) {
	const lines = (await failedStart(installation, env)).split('\n');
	const said = lines.filter((line) => parseLine(line) === null).join('\n');
	assert.equal(said.split('\n').length, 1, `one line: ${said}`);
	assert.ok(said.includes(name), `"${name}" in: ${said}`);
	return said;
}

test('a model folder that is missing stops the start', async () => {
	const installation = new Installation();
	installation.env.MODEL_DIR = installation.path('no-such-model');
	await assertFails(installation, 'no-such-model');
});

test('model weights that are cut off stop the start', async () => {
	const installation = new Installation();
	const weights = installation.ownModel(weightsFile);
	const whole = fs.readFileSync(weights.source);
	fs.writeFileSync(weights.target, whole.subarray(0, whole.length / 2));
	await assertFails(installation, weightsFile);
});

test('model weights with a damaged header stop the start', async () => {
	const installation = new Installation();
	const weights = installation.ownModel(weightsFile);
	const damaged = fs.readFileSync(weights.source);
	damaged.fill(0xff, 0, 8);
	fs.writeFileSync(weights.target, damaged);
	await assertFails(installation, weightsFile);
});

test('empty model weights stop the start', async () => {
	const installation = new Installation();
	fs.writeFileSync(installation.ownModel(weightsFile).target, '');
	await assertFails(installation, weightsFile);
});

test('a damaged tokenizer stops the start', async () => {
	const installation = new Installation();
	const tokenizer = installation.ownModel('tokenizer.json');
	const whole = fs.readFileSync(tokenizer.source);
	fs.writeFileSync(tokenizer.target, whole.subarray(0, 1000));
	await assertFails(installation, 'tokenizer.json');
});

test('a missing tokenizer stops the start', async () => {
	const installation = new Installation();
	installation.ownModel('tokenizer.json');
	await assertFails(installation, 'tokenizer.json');
});

test('an article folder that is missing stops the start', async () => {
	const installation = new Installation();
	fs.renameSync(installation.path('kb/articles'), installation.path('kb/elsewhere'));
	await assertFails(installation, path.join('kb', 'articles'));
});

test('an article folder without articles stops the start', async () => {
	const installation = new Installation();
	fs.rmSync(installation.path('kb/articles'), { recursive: true });
	fs.mkdirSync(installation.path('kb/articles'));
	await assertFails(installation, path.join('kb', 'articles'));
});

test('an article with damaged front matter stops the start', async () => {
	const installation = new Installation();
	installation.write('kb/articles/reset-password.md', '---\nid: reset-password\ntitle: [unclosed\n---\nText\n');
	const said = await assertFails(installation, 'reset-password.md');
	assert.match(said, /reset-password\.md:\d+/);
});

test('an article without text stops the start', async () => {
	const installation = new Installation();
	installation.write('kb/articles/reset-password.md', '');
	await assertFails(installation, 'reset-password.md');
});

test('an article that is not UTF-8 stops the start', async () => {
	const installation = new Installation();
	const text = Buffer.concat([fs.readFileSync(installation.path('kb/articles/reset-password.md')), Buffer.from([0xff, 0xfe])]);
	installation.write('kb/articles/reset-password.md', text);
	await assertFails(installation, 'reset-password.md');
});

test('a plugin that is missing stops the start', async () => {
	const installation = new Installation();
	installation.ownPlugins('llm/extractive');
	await assertFails(installation, 'extractive');
});

test('a plugin that is a text file stops the start', async () => {
	const installation = new Installation();
	fs.writeFileSync(installation.ownPlugins('index/faiss'), 'This is no shared object.\n');
	await assertFails(installation, 'faiss.so');
});

test('a plugin that was cut off stops the start', async () => {
	const installation = new Installation();
	const whole = fs.readFileSync(path.join(plugins, 'agents/priority.so'));
	fs.writeFileSync(installation.ownPlugins('agents/priority'), whole.subarray(0, 12000));
	const said = await assertFails(installation, 'priority.so');
	assert.match(said, /is not whole, it ends after 12000 bytes; install the plugin again/);
});

test('an agent that is missing stops the start', async () => {
	const installation = new Installation();
	installation.ownPlugins('agents/sentiment');
	const said = await assertFails(installation, 'sentiment');
	assert.match(said, /support\.yaml:\d+:\d+/);
});

test('a database file that is none stops the start and stays as it is', async () => {
	const installation = new Installation();
	const text = 'This is no database. '.repeat(1000);
	installation.write('support.db', text);
	await assertFails(installation, 'support.db');
	assert.equal(installation.read('support.db'), text);
});

test('a database of a later version stops the start', async () => {
	const installation = new Installation();
	execFileSync('sqlite3', [installation.path('support.db'), 'PRAGMA user_version = 9999; CREATE TABLE later (x);']);
	await assertFails(installation, 'support.db');
});

test('a database in a folder that is missing stops the start', async () => {
	const installation = new Installation();
	const file = installation.path('no-such-folder/support.db');
	await assertFails(installation, 'no-such-folder', { DATABASE_URL: `sqlite:///${file}` });
});

test('a database that this server does not know stops the start without showing its password', async () => {
	const installation = new Installation();
	const said = await failedStart(installation, { DATABASE_URL: 'mysql://me:secret@localhost/db' });
	assert.match(said, /mysql/);
	assert.doesNotMatch(said, /secret/);
});

test('a configuration that is missing stops the start', async () => {
	const installation = new Installation();
	installation.config = installation.path('config/nowhere.yaml');
	await assertFails(installation, 'nowhere.yaml');
});

test('a configuration that is no YAML stops the start and names the place', async () => {
	const installation = new Installation();
	installation.write('config/smartsupport.yaml', 'server:\n  host: [127.0.0.1\n');
	const said = await assertFails(installation, 'smartsupport.yaml');
	assert.match(said, /smartsupport\.yaml:\d+:\d+/);
});

test('a workflow that is no YAML stops the start and names the place', async () => {
	const installation = new Installation();
	const line = installation.editWorkflow('\nnodes:', '\nnodes: }') + 1;
	const said = await assertFails(installation, 'support.yaml');
	assert.match(said, new RegExp(`support\\.yaml:${line}:\\d+`));
});

test('a workflow that is missing stops the start', async () => {
	const installation = new Installation();
	fs.rmSync(installation.workflow);
	await assertFails(installation, 'support.yaml');
});

for (const [what, damage] of [
	['cut off', (text) => text.slice(0, text.length / 2)],
	['empty', () => ''],
	['of another form', () => '{"labels": 5}'],
	['full of text for numbers', (text) => text.replace(/-?\d+\.\d+(e[-+]?\d+)?/g, '"x"')],
]) {
	test(`a head file that is ${what} stops the start`, async () => {
		const installation = new Installation();
		installation.write('kb/heads/category.json', damage(installation.read('kb/heads/category.json')));
		await assertFails(installation, 'category.json');
	});
}

test('a head file that is missing stops the start', async () => {
	const installation = new Installation();
	fs.rmSync(installation.path('kb/heads/sentiment.json'));
	await assertFails(installation, 'sentiment.json');
});

test('a port that is in use stops the start', async () => {
	const installation = new Installation();
	const other = net.createServer();
	await new Promise((resolve) => other.listen(0, '127.0.0.1', resolve));
	const { port } = other.address();
	const result = await runProgram(['serve', '--config', installation.config], {
		cwd: installation.folder,
		env: { ...installation.env, PORT: String(port), WORKERS: '1', DATABASE_URL: `sqlite:///${installation.path('support.db')}` },
	});
	other.close();
	assert.equal(result.code, 1, result.stderr);
	assert.equal(result.stderr.trim().split('\n').length, 1, result.stderr);
	assert.ok(result.stderr.includes(String(port)), result.stderr);
});

test('a port that is no number stops the start', async () => {
	const installation = new Installation();
	const said = await failedStart(installation, { PORT: '80a' });
	assert.match(said, /80a/);
	assert.match(said, /smartsupport\.yaml:\d+:\d+/);
});

test('production does not start without a key for the secrets it stores, nor with one that is short', async () => {
	const installation = new Installation();
	const advice = 'make one with: openssl rand -base64 32';
	const key = execFileSync('openssl', ['rand', '-base64', '32']).toString().trim();
	const missing = { ENVIRONMENT: 'production' };
	const said = await failedStart(installation, missing);
	assert.equal(said, `environment: ENVIRONMENT is production, and SECRET_KEY, by which stored secrets are encrypted, is not set; ${advice}`);
	const short = { ENVIRONMENT: 'production', SECRET_KEY: key.slice(0, 20) };
	assert.equal(await failedStart(installation, short), `environment: SECRET_KEY has a key of 20 characters and needs at least 32; ${advice}`);
	const check = (env) => runProgram(['check', '--config', installation.config], { cwd: installation.folder, env: { ...installation.env, ...env } });
	for (const env of [missing, short]) {
		const { code, stderr } = await check(env);
		assert.equal(code, 1);
		assert.match(stderr, /openssl rand -base64 32/);
		assert.ok(!stderr.includes(key.slice(0, 20)));
	}
	assert.equal((await check({ ENVIRONMENT: 'production', SECRET_KEY: key })).code, 0);
	await withServer({ installation, workers: 1, env: { ENVIRONMENT: 'production', SECRET_KEY: key } }, async (server) => {
		await server.ask('How do I reset my password?');
	});
});
