// What `cmake --install` puts in place: a server that runs from there, and all that a plugin's author needs who has not the source tree.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { program, root, temporaryFolder } from './lib/files.mjs';
import { runCommand } from './lib/server.mjs';

const prefix = temporaryFolder();
const installed = path.join(prefix, 'bin/smartsupport');
const config = path.join(prefix, 'lib/smartsupport/config');

async function command(name, args, options = {}) {
	const result = await runCommand(name, args, { cwd: prefix, ...options });
	assert.equal(result.code, 0, `${name} ${args.join(' ')}\n${result.stdout}${result.stderr}`);
	return result.stdout;
}

before(() => command('cmake', ['--install', path.dirname(program), '--prefix', prefix]));

const workflow = `
version: 1
name: outside
state:
  count: {type: int, default: 0}
nodes:
  set: {agent: set, options: {count: 7}}
edges: [{from: START, to: set}, {from: set, to: END}]
`;

// Runs the workflow with the plugins of FOLDER, and gives the count that the agent has set.
async function countBy(folder) {
	fs.writeFileSync(path.join(folder, 'workflow.yaml'), workflow);
	const usual = fs.readFileSync(path.join(config, 'smartsupport.yaml'), 'utf8');
	fs.writeFileSync(path.join(config, 'outside.yaml'), `${usual}\nplugins: [../bin/plugins, ${folder}/plugins]\n`);
	const output = await command(installed, ['run', 'workflow.yaml', '--config', path.join(config, 'outside.yaml'), '--json'], { cwd: folder });
	return JSON.parse(output).state.count;
}

// A folder with the source of one plugin.
function project() {
	const folder = temporaryFolder();
	fs.copyFileSync(path.join(root, 'tests/fixtures/agents/set.c'), path.join(folder, 'set.c'));
	return folder;
}

test('a plugin is built with the CMake package and runs in a workflow', async () => {
	const folder = project();
	fs.writeFileSync(
		path.join(folder, 'CMakeLists.txt'),
		'cmake_minimum_required(VERSION 3.25)\nproject(outside LANGUAGES C)\nfind_package(SmartSupport 0.1 REQUIRED)\n' +
			'smartsupport_add_plugin(set KIND agents SOURCES set.c)\n',
	);
	await command('cmake', ['-S', '.', '-B', '.', `-DCMAKE_PREFIX_PATH=${prefix}`], { cwd: folder });
	await command('cmake', ['--build', '.'], { cwd: folder });
	assert.equal(await countBy(folder), 7);
	const symbols = await command('nm', ['-D', '--defined-only', '--format=posix', 'plugins/agents/set.so'], { cwd: folder });
	assert.match(symbols, /^smartsupport_plugin [DR] [0-9a-f]+ [0-9a-f]+\n$/, 'it exports nothing else');
});

test('a plugin is built with pkg-config and runs in a workflow', async () => {
	const folder = project();
	const env = { PKG_CONFIG_PATH: path.join(prefix, 'lib/pkgconfig') };
	const flags = (await command('pkg-config', ['--cflags', 'smartsupport'], { env })).trim().split(' ');
	fs.mkdirSync(path.join(folder, 'plugins/agents'), { recursive: true });
	await command('cc', ['-shared', '-fPIC', ...flags, 'set.c', '-o', 'plugins/agents/set.so'], { cwd: folder });
	assert.equal(await countBy(folder), 7);
	const folderOf = await command('pkg-config', ['--variable=plugindir', 'smartsupport'], { env });
	assert.ok(fs.existsSync(path.join(folderOf.trim(), 'agents/categorizer.so')));
});

test('an agent is tried with the test kit and without a server', async () => {
	const folder = project();
	const env = { PKG_CONFIG_PATH: path.join(prefix, 'lib/pkgconfig') };
	const flags = (await command('pkg-config', ['--cflags', '--libs', 'smartsupport-testing'], { env })).trim().split(/ +/);
	fs.writeFileSync(
		path.join(folder, 'test.c'),
		`#include <smartsupport/testing.h>
		#include <stdlib.h>
		int main(int argc, char **argv)
		{
			struct ss_error err = {0};
			struct ss_test_host *host = ss_test_host_new(&smartsupport_plugin);
			if (ss_test_create(host, argv[argc - 1], &err) < 0 || ss_test_run(host, &err) != SS_DONE)
				puts(err.text);
			else
				puts(ss_test_written_json(host, "count"));
			ss_test_host_free(host);
		}`,
	);
	await command('cc', ['set.c', 'test.c', '-o', 'try', ...flags], { cwd: folder });
	assert.equal(await command('./try', ['{count: 7}'], { cwd: folder }), '7\n');
	assert.match(await command('./try', ['{cuont: 7}'], { cwd: folder }), /cuont/);
	const library = path.join(prefix, 'lib/libsmartsupport-testing.so');
	const symbols = await command('nm', ['-D', '--defined-only', '--format=posix', library]);
	for (const line of symbols.trim().split('\n')) assert.match(line, /^(ss_test_|__odr_asan)/, 'it shows nothing else');
});

test('the installed program checks its own configuration, model and articles', async () => {
	const output = await command(installed, ['check']);
	assert.match(output, new RegExp(`${prefix}/lib/smartsupport/`));
});

test('plugin list tells what the configuration loads', async () => {
	const { plugins } = JSON.parse(await command(installed, ['plugin', 'list', '--json']));
	assert.deepEqual(
		plugins.filter(({ kind }) => kind !== 'agent').map(({ kind, name }) => `${kind} ${name}`),
		['storage sqlite', 'embedder minilm', 'index faiss', 'llm openai', 'llm extractive'],
	);
	for (const { file, sha256, licence, version } of plugins) {
		assert.equal((await command('sha256sum', [file])).split(' ')[0], sha256);
		assert.deepEqual([licence, version], ['MIT', '1.0.0']);
	}
	const categorizer = plugins.find(({ name }) => name === 'categorizer');
	assert.ok(categorizer.reads.includes('message') && categorizer.writes.includes('category'));
	const text = await command(installed, ['plugin', 'list']);
	assert.match(text, /^agent categorizer 1\.0\.0 \(ABI 1\.\d+, MIT\)\n {4}\S.*\n {4}file {4}\S+\/categorizer\.so\n {4}sha256 {2}[0-9a-f]{64}\n {4}reads {3}message.*\n {4}writes {2}category/m);
});

test('plugin list lists the others when one cannot be loaded, and tells which', async () => {
	const folder = temporaryFolder();
	fs.cpSync(config, folder, { recursive: true });
	const file = path.join(folder, 'smartsupport.yaml');
	fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('plugin: faiss', 'plugin: nowhere'));
	const { code, stdout, stderr } = await runCommand(installed, ['plugin', 'list', '--config', file]);
	assert.equal(code, 1);
	assert.match(stdout, /^storage sqlite /m);
	assert.match(stderr, /smartsupport\.yaml:\d+:\d+: there is no index plugin "nowhere"/);
});
