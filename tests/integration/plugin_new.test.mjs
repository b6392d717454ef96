// Who begins a plugin with `smartsupport plugin new` has one that builds against what is installed, passes its test and runs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { program, temporaryFolder } from './lib/files.mjs';
import { runCommand, Server } from './lib/server.mjs';

const prefix = temporaryFolder();
const env = { PATH: `${prefix}/bin:${process.env.PATH}`, CMAKE_PREFIX_PATH: prefix };

async function command(name, args, cwd) {
	const result = await runCommand(name, args, { cwd, env });
	assert.equal(result.code, 0, `${name} ${args.join(' ')}\n${result.stdout}${result.stderr}`);
	return result.stdout;
}

before(() => command('cmake', ['--install', path.dirname(program), '--prefix', prefix]));

// The commands that a README shows, in their order.
function steps(folder) {
	const text = fs.readFileSync(path.join(folder, 'README.md'), 'utf8');
	return [...text.matchAll(/^ {7}(\S.*)$/gm)].map(([, line]) => line);
}

async function begin(kind, name) {
	const folder = temporaryFolder();
	const output = await command('smartsupport', ['plugin', 'new', name, '--kind', kind], folder);
	assert.match(output, new RegExp(`^${name}/CMakeLists.txt\n`));
	return path.join(folder, name);
}

for (const kind of ['agent', 'llm', 'storage', 'embedder', 'index']) {
	test(`a new ${kind} is built, tested and run by the steps of its README`, async () => {
		const folder = await begin(kind, 'sla_check');
		const [build, check, run] = steps(folder);
		for (const step of [build, check]) await command('sh', ['-c', step], folder);
		const kindFolder = kind === 'agent' ? 'agents' : kind;
		assert.ok(fs.existsSync(path.join(folder, `build/plugins/${kindFolder}/sla_check.so`)));
		assert.deepEqual(
			fs.readdirSync(folder).filter((name) => /my_plugin/.test(name) || /my_plugin/.test(name !== 'build' && fs.readFileSync(path.join(folder, name), 'utf8'))),
			[],
			'nothing has the name of the template',
		);
		const tried = `smartsupport plugin check --json build/plugins/${kindFolder}/sla_check.so`;
		if (kind !== 'storage') assert.equal(JSON.parse(await command('sh', ['-c', tried], folder)).failed, 0);
		if (kind !== 'agent') return;
		const output = await command('sh', ['-c', `${run} --json`], folder);
		assert.equal(JSON.parse(output).state.found, 'urgent');
	});
}

// What the server's own configuration becomes with the new plugin.
async function checkWith(folder, from, to) {
	const home = path.join(prefix, 'lib/smartsupport/config');
	const file = path.join(home, 'with_new.yaml');
	const usual = fs.readFileSync(path.join(home, 'smartsupport.yaml'), 'utf8');
	const changed = usual.replace(from, to);
	assert.notEqual(changed, usual);
	fs.writeFileSync(file, `${changed}\nplugins: [../bin/plugins, ${folder}/build/plugins]\n`);
	await command('smartsupport', ['check', '--config', file], folder);
	return command('smartsupport', ['ask', '--config', file, 'How do I reset my password?'], folder);
}

for (const [kind, from, to] of [
	['embedder', /plugin: minilm\n {2}options:\n {4}model: .*\n/, 'plugin: nearest\n'],
	['index', 'plugin: faiss', 'plugin: nearest'],
	['llm', '- plugin: extractive', '- plugin: nearest'],
]) {
	test(`the server answers with a new ${kind}`, async () => {
		const folder = await begin(kind, 'nearest');
		await command('sh', ['-c', steps(folder)[0]], folder);
		assert.match(await checkWith(folder, from, to), /Forgot password/);
	});
}

test('a server keeps conversations in a new storage, and plugin check tells what of it is still to be written', async () => {
	const folder = await begin('storage', 'shelf');
	await command('sh', ['-c', steps(folder)[0]], folder);
	const home = path.join(prefix, 'lib/smartsupport/config');
	const config = path.join(home, 'with_shelf.yaml');
	const usual = fs.readFileSync(path.join(home, 'smartsupport.yaml'), 'utf8');
	const [plugins, storage] = steps(folder).slice(2);
	const changed = usual.replace(/storage:\n {2}url: .*\n/, `${storage.replace('smartsupport.store', path.join(folder, 'kept.store'))}\n`);
	assert.notEqual(changed, usual);
	fs.writeFileSync(config, `${changed}\n${plugins.replace('FOLDER', folder)}\n`);
	const start = () => Server.start({ config, executable: path.join(prefix, 'bin/smartsupport') });
	const ask = (server, more) => server.ask('How do I reset my password?', { user_id: 'kim', ...more });
	let server = await start();
	const { conversation_id } = await ask(server);
	await server.stop();
	server = await start();
	const next = await ask(server, { conversation_id });
	assert.deepEqual([next.conversation_id, next.metadata.attempts], [conversation_id, 2]);
	assert.equal((await server.request('/api/v1/query', { method: 'POST', body: { message: 'And now?', user_id: 'lee', conversation_id } })).status, 404);
	await server.stop();
	const tried = `smartsupport plugin check --storage build/plugins/storage/shelf.so --options '{path: try.store}'`;
	const context = await runCommand('sh', ['-c', `${tried} --case 'a history is the last'`], { cwd: folder, env });
	assert.match(context.stdout, /^ok +context: a history is the last messages/m);
	const result = await runCommand('sh', ['-c', `${tried} --case 'rates and averages'`], { cwd: folder, env });
	assert.equal(result.code, 1);
	assert.match(result.stdout, /FAILED .*rates.*\n(.*\n)*.*stats\(\) is not written yet/);
});

test('a name that is none, a kind that is none and a folder that exists are refused', async () => {
	const folder = temporaryFolder();
	fs.mkdirSync(path.join(folder, 'there'));
	for (const [args, message] of [
		[['Sla-Check', '--kind', 'agent'], /"Sla-Check" is no name for a plugin/],
		[['../x', '--kind', 'agent'], /is no name/],
		[['int', '--kind', 'agent'], /cannot be called "int"/],
		[['sla_check', '--kind', 'robot'], /no kind "robot"/],
		[['there', '--kind', 'agent'], /there is there already; name another folder/],
		[['fine', '--kind', 'agent', '--folder', 'no/where'], /cannot make the folder no\/where/],
	]) {
		const result = await runCommand('smartsupport', ['plugin', 'new', ...args], { cwd: folder, env });
		assert.equal(result.code, 1);
		assert.match(result.stderr, message);
	}
	assert.deepEqual(fs.readdirSync(folder), ['there']);
	assert.equal((await runCommand('smartsupport', ['plugin', 'new', 'x'], { cwd: folder, env })).code, 2);
});
