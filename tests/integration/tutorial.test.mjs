// Who has what is installed, and docs/plugins.md, and nothing else, writes an agent that a running server answers with after a
// reload. All that is done here is taken from the page as it is.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { program, root, temporaryFolder } from './lib/files.mjs';
import { runCommand, withServer } from './lib/server.mjs';
import { urlOf } from './lib/store.mjs';
import { until } from './lib/wait.mjs';

// The pieces of a language that the page shows, and its commands.
function read(page) {
	const text = fs.readFileSync(page, 'utf8');
	const shown = (language) => [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, piece]) => piece);
	const command = (beginning) => {
		const line = text.split('\n').find((one) => one.startsWith(`    ${beginning}`));
		assert.ok(line, `the page has the command ${beginning}`);
		return line.trim();
	};
	return { shown, command };
}

// Changes files of FOLDER as CHANGES say, which have what stays, what goes and what comes, in the order of the file.
function change(folder, changes) {
	let file, lines, at;
	const save = () => file && fs.writeFileSync(file, lines.join('\n'));
	for (const line of changes.trimEnd().split('\n')) {
		const [sign, rest] = [line[0], line.slice(1)];
		if (line.startsWith('--- ')) {
			save();
			file = path.join(folder, line.slice(4));
			lines = fs.readFileSync(file, 'utf8').split('\n');
			at = 0;
		} else if (!line.startsWith('+++ ')) {
			if (sign !== '+') {
				at = lines.indexOf(rest, at);
				assert.notEqual(at, -1, `${file} has the line ${rest}`);
			}
			if (sign === '-') lines.splice(at, 1);
			else if (sign === '+') lines.splice(at, 0, rest);
			if (sign !== '-') at++;
		}
	}
	save();
}

// A shop that knows the order 17.
async function openShop(t) {
	const shop = http.createServer((request, response) => {
		if (request.url === '/orders/17') response.end('{"state": "sent"}');
		else response.writeHead(404).end();
	});
	await new Promise((resolve) => shop.listen(0, '127.0.0.1', resolve));
	t.after(() => shop.close());
	return shop.address().port;
}

// The files below FOLDER that name the source tree.
function thoseThatNameTheSource(folder) {
	return fs
		.readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile() && fs.readFileSync(path.join(entry.parentPath ?? entry.path, entry.name)).includes(`${root}/`))
		.map((entry) => entry.name);
}

test('the tutorial ends with an answer over HTTP, after a reload, of a server that ran before it', { timeout: 600000 }, async (t) => {
	const prefix = temporaryFolder();
	const folder = temporaryFolder();
	const config = path.join(prefix, 'lib/smartsupport/config');
	const env = { PATH: `${prefix}/bin:${process.env.PATH}`, CMAKE_PREFIX_PATH: prefix, PORT: '0' };
	const shell = async (line, cwd, more = {}) => {
		const result = await runCommand('sh', ['-c', line], { cwd, env: { ...env, ...more } });
		assert.equal(result.code, 0, `${line}\n${result.stdout}${result.stderr}`);
		return result.stdout;
	};
	await shell(`cmake --install ${path.dirname(program)} --prefix ${prefix}`, folder);
	const page = read(path.join(prefix, 'share/doc/smartsupport/plugins.md'));
	const port = await openShop(t);
	const placed = (text) => text.replaceAll('127.0.0.1:9000', `127.0.0.1:${port}`).replaceAll('/home/you/order_lookup', path.join(folder, 'order_lookup'));

	const server = { executable: path.join(prefix, 'bin/smartsupport'), config: path.join(config, 'smartsupport.yaml') };
	await withServer(server, async (running) => {
		const question = JSON.parse(/-d '(.*)'/.exec(page.command('curl'))[1]);
		const ask = async () => (await running.query(question)).json.response;
		assert.doesNotMatch(await ask(), /sent/);
		const before = running.workers();

		await shell(page.command('smartsupport plugin new'), folder);
		const project = path.join(folder, 'order_lookup');
		const code = page.shown('c');
		const [unit] = code.splice(-1);
		fs.writeFileSync(path.join(project, 'order_lookup.c'), code.join('\n'));
		fs.writeFileSync(path.join(project, 'order_lookup_test.c'), unit);
		assert.match(await shell(page.command('cmake -B build'), project), /100% tests passed, 0 tests failed out of 1/);
		if (!prefix.startsWith(root)) assert.deepEqual(thoseThatNameTheSource(path.join(project, 'build')), []);
		fs.writeFileSync(path.join(project, 'workflow.yaml'), placed(page.shown('yaml')[0]));
		assert.match(await shell(page.command('smartsupport run'), project), /order +\{"state":"sent"\}/);
		assert.match(await shell(page.command('smartsupport plugin check'), project), /^(\d+) cases: \1 ok, 0 failed$/m);

		change(config, placed(page.shown('diff')[0]));
		const here = { DATABASE_URL: urlOf(running.database) };
		await shell(page.command('smartsupport check'), folder, here);
		assert.equal(await shell(page.command('smartsupport reload'), folder, here), 'The new configuration has taken over: generation 2.\n');
		assert.equal(await ask(), 'Your order is sent.');

		// Another build of the agent.
		const source = path.join(project, 'order_lookup.c');
		fs.writeFileSync(source, fs.readFileSync(source, 'utf8').replace('values->from_json(lookup->body, lookup->length, err)', 'values->from_json("{\\"state\\": \\"back\\"}", 17, err)'));
		await shell('cmake --build build', project);
		assert.equal(await ask(), 'Your order is sent.', 'what runs stays as it is');
		await shell(page.command('smartsupport reload'), folder, here);
		assert.equal(await ask(), 'Your order is back.');

		const status = JSON.parse(await shell('smartsupport status --json', folder, here));
		assert.deepEqual([status.pid, status.generation, running.exit], [running.pid, 3, undefined]);
		await until('new workers alone', () => !running.workers().some((pid) => before.includes(pid)));
	});
});
