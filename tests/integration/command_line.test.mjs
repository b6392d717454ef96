// The commands of the program, as somebody at a terminal uses them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { Installation, temporaryFolder } from './lib/files.mjs';
import { runProgram } from './lib/server.mjs';

const crash = 'My application keeps crashing when I try to export data';

// Runs a command with the configuration of INSTALLATION.
function run(args, installation = new Installation(), env = {}) {
	return runProgram([args[0], '--config', installation.config, ...args.slice(1)], {
		cwd: installation.folder,
		env: { ...installation.env, ...env },
	});
}

test('ask answers and shows how it came to the answer', async () => {
	const { code, stdout, stderr } = await runProgram(['ask', crash]);
	assert.equal(code, 0, stderr);
	assert.match(stdout, /^Category +Technical/m);
	assert.match(stdout, /^Sentiment +Negative/m);
	assert.match(stdout, /^Priority +7 = base.*5.*Negative.*\+2/m);
	assert.match(stdout, /^Escalated +no/m);
	assert.match(stdout, /^Articles +0\.\d+ /m);
	assert.match(stdout, /^Route +.*categorize.*priority.*respond/m);
	assert.match(stdout, /export/i);
});

test('ask --json prints the reply and the trace as JSON', async () => {
	const { code, stdout, stderr } = await run(['ask', '--json', crash]);
	assert.equal(code, 0, stderr);
	const { reply, trace } = JSON.parse(stdout);
	assert.deepEqual([reply.category, reply.sentiment, reply.priority], ['Technical', 'Negative', 7]);
	const nodes = trace.map((entry) => entry.node);
	for (const node of ['categorize', 'sentiment', 'priority', 'retrieve', 'technical', 'respond']) assert.ok(nodes.includes(node), node);
	for (const entry of trace) assert.equal(entry.status, 'done', JSON.stringify(entry));
});

test('ask takes a question without quotes, and stores nothing', async () => {
	const folder = temporaryFolder();
	const database = path.join(folder, 'support.db');
	const { code, stdout } = await run(['ask', 'How', 'do', 'I', 'reset', 'my', 'password?'], undefined, {
		DATABASE_URL: `sqlite:///${database}`,
	});
	assert.equal(code, 0);
	assert.match(stdout, /^Category +Account/m);
	assert.equal(fs.existsSync(database), false);
});

test('ask refuses a question that is blank, too long or not UTF-8', async () => {
	for (const question of ['', '  \t ', 'a'.repeat(4001)]) {
		const { code, stdout, stderr } = await run(['ask', question]);
		assert.equal(code, 1, stderr);
		assert.equal(stdout, '');
		assert.match(stderr, /question/);
	}
});

test('check finds the configuration right', async () => {
	const { code, stdout, stderr } = await runProgram(['check']);
	assert.equal(code, 0, stderr);
	assert.match(stdout, /right/);
	assert.equal(stderr, '');
});

test('check lists every mistake with file, line and column', async () => {
	const installation = new Installation();
	const lines = [
		installation.editWorkflow('agent: technical', 'agent: technicle'),
		installation.editWorkflow(`'category == "Billing"'`, `'categry == "Billing"'`),
		installation.editWorkflow('repeat_weight: 2', 'repeat_wieght: 2'),
		installation.editWorkflow('top_k: 3', 'top_k: three'),
	];
	const { code, stderr } = await run(['check'], installation);
	assert.equal(code, 1);
	for (const [i, word] of ['technicle', 'categry', 'repeat_wieght', 'three'].entries())
		assert.match(stderr, new RegExp(`support\\.yaml:${lines[i]}:[1-9]\\d*: .*${word}`), `mistake ${word}`);
});

test('check lists mistakes of the configuration and hints at the right word', async () => {
	const installation = new Installation();
	const lines = [
		installation.edit('config/smartsupport.yaml', 'drain_timeout:', 'drain_timeot:'),
		installation.edit('config/smartsupport.yaml', 'history: 20', 'history: -1'),
	];
	const { code, stderr } = await run(['check'], installation);
	assert.equal(code, 1);
	assert.match(stderr, new RegExp(`smartsupport\\.yaml:${lines[0]}:\\d+: .*drain_timeot.*drain_timeout`));
	assert.match(stderr, new RegExp(`smartsupport\\.yaml:${lines[1]}:\\d+: .*-1`));
});

test('check goes on from mistakes of the configuration to the workflow and the articles', async () => {
	const installation = new Installation();
	const lines = [
		installation.edit('config/smartsupport.yaml', 'drain_timeout:', 'drain_timeot:'),
		installation.edit('config/smartsupport.yaml', 'plugin: extractive', 'plugin: extractiv'),
		installation.editWorkflow('agent: technical', 'agent: technicle'),
	];
	installation.write('kb/articles/reset-password.md', '');
	installation.write('.env', 'PORT=80a\nno variable\n');
	const { code, stderr } = await run(['check'], installation);
	assert.equal(code, 1);
	const told = stderr.trimEnd().split('\n');
	assert.equal(told.pop(), '6 mistakes', stderr);
	const files = told.map((line) => line.slice(0, line.indexOf(':')));
	assert.deepEqual(files, [...files].sort(), 'sorted by file');
	for (const [i, word] of ['drain_timeot', 'extractiv', 'technicle'].entries())
		assert.match(stderr, new RegExp(`\\.yaml:${lines[i]}:[1-9]\\d*: .*${word}`), `mistake ${word}`);
	assert.match(stderr, /^\.env:2:1: /m);
	assert.match(stderr, /reset-password\.md/);
	assert.match(stderr, /80a/);
});

test('check tells of a mistake of the configuration once, and not of what follows from it', async () => {
	for (const [before, after] of [
		['workflow: workflows/support.yaml', 'workflow:'],
		['articles: ../kb/articles', 'articles:'],
		['plugin: faiss', 'plugin:'],
		['log:', 'plugins: none\nlog:'],
		['host: ${HOST:-127.0.0.1}', 'host: [a]'],
		['history: 20', 'history: x'],
		['sqlite:///./', 'sqlit:///./'],
	]) {
		const installation = new Installation();
		installation.edit('config/smartsupport.yaml', before, after);
		const { code, stderr } = await run(['check'], installation);
		assert.equal(code, 1);
		assert.match(stderr, /^.*smartsupport\.yaml:\d+:\d+: .*\n1 mistake\n$/, after);
	}
});

test('check counts the mistakes also where nothing can be read', async () => {
	const installation = new Installation();
	installation.write('config/smartsupport.yaml', 'server: [\n');
	const broken = await run(['check'], installation);
	assert.match(broken.stderr, /^.*smartsupport\.yaml:\d+:\d+: .*\n1 mistake\n$/);
	fs.rmSync(installation.config);
	const missing = await run(['check'], installation);
	assert.match(missing.stderr, /^.*smartsupport\.yaml: .*No such file.*\n1 mistake\n$/);
	assert.deepEqual([broken.code, missing.code], [1, 1]);
});

for (const [what, env, word] of [
	['a database in a folder that is missing', { DATABASE_URL: 'sqlite:///./no-such-folder/support.db' }, 'no-such-folder'],
	['a folder for the database', { DATABASE_URL: 'sqlite:///./kb' }, 'kb'],
	['a host that is no address', { HOST: '127.0.0.256' }, '127\\.0\\.0\\.256'],
	['a host that is the address of another machine', { HOST: '192.0.2.1' }, '192\\.0\\.2\\.1'],
]) {
	test(`check finds ${what}, as serve does`, async () => {
		const { code, stderr } = await run(['check'], undefined, env);
		assert.equal(code, 1);
		assert.match(stderr, new RegExp(`^.*smartsupport\\.yaml:\\d+:\\d+: .*${word}.*\\n1 mistake\\n$`));
		const serve = await run(['serve'], undefined, { PORT: '0', WORKERS: '1', ...env });
		assert.equal(serve.code, 1, 'serve refuses it');
	});
}

test('check opens no port', async () => {
	const server = net.createServer();
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { code, stderr } = await run(['check'], undefined, { PORT: String(server.address().port) });
	server.close();
	assert.equal(code, 0, stderr);
});

test('check finds damage in articles, heads and model at once', async () => {
	const installation = new Installation();
	fs.writeFileSync(installation.ownModel('tokenizer.json').target, '{');
	installation.write('kb/heads/category.json', '{');
	const { code, stderr } = await run(['check'], installation);
	assert.equal(code, 1);
	assert.match(stderr, /tokenizer\.json/);
	assert.match(stderr, /category\.json/);
});

test('check makes no database', async () => {
	const database = path.join(temporaryFolder(), 'support.db');
	const { code } = await run(['check'], undefined, { DATABASE_URL: `sqlite:///${database}` });
	assert.equal(code, 0);
	assert.equal(fs.existsSync(database), false);
});

test('version prints the version and the plugin ABI', async () => {
	for (const word of ['version', '--version']) {
		const { code, stdout } = await runProgram([word]);
		assert.equal(code, 0);
		assert.match(stdout, /^smartsupport \d+\.\d+\.\d+, plugin ABI \d+\.\d+\n$/);
	}
});

for (const args of [['--help'], ['-h'], ['help'], ['serve', '--help'], ['ask', '--help'], ['check', '--help'], ['version', '--help'], ['migrate', '--help'], ['backup', '--help'], ['verify', '-h'], ['user', '--help']]) {
	test(`smartsupport ${args.join(' ')} prints help`, async () => {
		const { code, stdout, stderr } = await runProgram(args);
		assert.equal(code, 0);
		assert.match(stdout, /^.*Usage: smartsupport/m);
		assert.equal(stderr, '');
	});
}

for (const args of [[], ['answer'], ['ask'], ['ask', '--colour', 'red', 'Hello'], ['serve', 'now'], ['check', '--config'], ['version', 'please'], ['migrate', 'now'], ['backup'], ['backup', 'a.db', 'b.db'], ['verify', '--deep'], ['user', 'export']]) {
	test(`smartsupport ${args.join(' ') || '(without a command)'} is refused with 2`, async () => {
		const { code, stdout, stderr } = await runProgram(args);
		assert.equal(code, 2);
		assert.equal(stdout, '');
		assert.match(stderr, /Usage|answer/);
	});
}

test('the commands work from any folder', async () => {
	const installation = new Installation();
	const { code, stdout, stderr } = await runProgram(['ask', 'How do I reset my password?', '--config', installation.config], {
		cwd: temporaryFolder(),
		env: installation.env,
	});
	assert.equal(code, 0, stderr);
	assert.match(stdout, /^Category +Account/m);
});

test('a .env file of the working folder is read', async () => {
	const installation = new Installation();
	installation.write('.env', `# local settings\nMODEL_DIR=${installation.env.MODEL_DIR}\nLOG_LEVEL="loud"\n`);
	const { code, stderr } = await runProgram(['check', '--config', installation.config], { cwd: installation.folder });
	assert.equal(code, 1);
	assert.match(stderr, /loud/);
});

test('a mistake names the variable that it came from, and .env where that set it', async () => {
	const installation = new Installation();
	const outside = await run(['check'], installation, { PORT: '80a' });
	assert.match(outside.stderr, /"80a" \(from the environment variable PORT\)$/m);
	installation.write('.env', 'PORT=80a\nLOG_LEVEL=loud\n');
	const { stderr } = await run(['check'], installation, { LOG_LEVEL: 'quiet' });
	assert.match(stderr, /"80a" \(from the environment variable PORT, set in \.env\)$/m);
	assert.match(stderr, /"quiet" \(from the environment variable LOG_LEVEL\)$/m);
});

test('ask without a question says what is missing', async () => {
	const { stderr } = await runProgram(['ask', '--json']);
	assert.match(stderr, /^smartsupport: ask needs a question, .*\n\nUsage: /);
});

test('output that cannot be written is an error', async () => {
	for (const args of ['version', '--help', 'check', 'ask hello', 'ask --json hello', 'graph']) {
		const { code, stderr } = await runProgram(args.split(' '), { stdout: fs.openSync('/dev/full', 'w') });
		assert.equal(code, 1, args);
		assert.match(stderr, /^smartsupport: the output could not be written: No space left on device\n$/, args);
	}
});
