// The examples of plugins and the tutorial: they build with what is installed and nothing else, and do what they say.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { before, test } from 'node:test';
import { program, root, temporaryFolder } from './lib/files.mjs';
import { runCommand } from './lib/server.mjs';

const prefix = temporaryFolder();
const env = { PATH: `${prefix}/bin:${process.env.PATH}`, CMAKE_PREFIX_PATH: prefix };
const examples = path.join(root, 'plugins/examples');
const tutorial = fs.readFileSync(path.join(root, 'docs/plugins.md'), 'utf8');

async function command(name, args, cwd) {
	const result = await runCommand(name, args, { cwd, env });
	assert.equal(result.code, 0, `${name} ${args.join(' ')}\n${result.stdout}${result.stderr}`);
	return result.stdout;
}

const build = (folder) => command('sh', ['-c', 'cmake -B build && cmake --build build && ctest --test-dir build --output-on-failure'], folder);

// The pieces of code of a language that the tutorial shows.
const shown = (language) => [...tutorial.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, code]) => code);

before(() => command('cmake', ['--install', path.dirname(program), '--prefix', prefix]));

for (const name of ['business_hours', 'language', 'order_lookup'])
	test(`the example ${name} builds by itself and passes its test`, async () => {
		const folder = path.join(temporaryFolder(), name);
		fs.cpSync(path.join(examples, name), folder, { recursive: true });
		assert.match(await build(folder), /100% tests passed, 0 tests failed out of 1/);
		assert.ok(fs.existsSync(path.join(folder, `build/plugins/agents/${name}.so`)));
	});

test("the example language's table is what its script makes", async () => {
	const folder = path.join(examples, 'language');
	const made = await command('node', ['make_table.mjs'], folder);
	assert.equal(made, fs.readFileSync(path.join(folder, 'trigrams.inc'), 'utf8'));
});

test("the tutorial's code is the example, and looks up an order in a workflow", async (t) => {
	const folder = temporaryFolder();
	await command('smartsupport', ['plugin', 'new', 'order_lookup', '--kind', 'agent'], folder);
	const project = path.join(folder, 'order_lookup');
	const code = shown('c');
	const [unit] = code.splice(-1);
	assert.equal(code.join('\n'), fs.readFileSync(path.join(examples, 'order_lookup/order_lookup.c'), 'utf8'));
	fs.writeFileSync(path.join(project, 'order_lookup.c'), code.join('\n'));
	fs.writeFileSync(path.join(project, 'order_lookup_test.c'), unit);
	assert.match(await build(project), /100% tests passed/);

	const asked = [];
	const shop = http.createServer((request, response) => {
		asked.push(request.url);
		if (request.url === '/orders/17') response.end('{"state": "sent"}');
		else response.writeHead(request.url === '/orders/18' ? 404 : 500).end();
	});
	await new Promise((resolve) => shop.listen(0, '127.0.0.1', resolve));
	t.after(() => shop.close());
	const [workflow] = shown('yaml');
	// The shop is this process, which a busy machine may keep from its turn.
	const patient = workflow.replace(':9000', `:${shop.address().port}`).replace('timeout: 2s', 'timeout: 60s');
	assert.match(patient, /:\d+\/orders\/', timeout: 60s/);
	fs.writeFileSync(path.join(project, 'workflow.yaml'), patient);
	const orderOf = async (message) => {
		const args = ['run', 'workflow.yaml', '--plugins', 'build/plugins', '--input', JSON.stringify({ message }), '--json'];
		const { state, trace } = JSON.parse(await command('smartsupport', args, project));
		return [state.order, trace[0].status];
	};
	assert.deepEqual(await orderOf('Where is #17?'), [{ state: 'sent' }, 'done']);
	assert.deepEqual(await orderOf('Where is #18?'), [{}, 'done']);
	assert.deepEqual(await orderOf('Where is it?'), [{}, 'done']);
	assert.deepEqual(await orderOf('Where is #19?'), [{}, 'degraded']);
	assert.deepEqual(asked, ['/orders/17', '/orders/18', '/orders/19']);
});
