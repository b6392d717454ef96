// A client that openapi-typescript and openapi-fetch make of the document, in TypeScript that is checked strictly: what it
// is used for in client/ is compiled and does its work.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Installation, root, temporaryFolder } from './lib/files.mjs';
import { Server, runCommand } from './lib/server.mjs';

const folder = temporaryFolder();
const bin = (name) => path.join(root, 'node_modules/.bin', name);
const tasks = [
	{ what: 'asks and goes on', name: 'ask', expected: /Forgot password.* true true$/s },
	{ what: 'lists conversations', name: 'list', expected: /^Where can I find my invoices\? How do I reset my password\?$/, needs: 'listConversations' },
	{ what: 'exports a conversation', name: 'export', expected: /^true user assistant$/, needs: 'exportConversation' },
	{ what: 'rates an answer', name: 'rate', expected: /reset-password 1/ },
	{ what: 'makes a user a VIP', name: 'vip', expected: /^true team true$/, needs: 'updateUser' },
	{ what: 'adds an article and gets it in an answer', name: 'article', expected: /^true .*click its name/s },
	{ what: 'reads the statistics', name: 'stats', expected: /^true true true$/ },
	{ what: 'resolves a conversation', name: 'resolve', expected: /^resolved$/, needs: 'resolveConversation' },
	{ what: 'replies as a human', name: 'reply', expected: /^human: It is on its way\.$/m, needs: 'replyToConversation' },
];

let server;
let text; // of the document
let api;

async function run(command, args) {
	const { code, stdout, stderr } = await runCommand(bin(command), args, { cwd: folder });
	assert.equal(code, 0, `${stdout}${stderr}`);
}

// Whether the document has the operation that a task NEEDS.
function isThere({ needs }) {
	return needs === undefined || text.includes(`"${needs}"`);
}

function compile(files) {
	const options = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--noImplicitReturns'];
	return run('tsc', [...options, '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2022,dom', ...files]);
}

before(async () => {
	server = await Server.start({ installation: new Installation() });
	fs.symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
	fs.writeFileSync(path.join(folder, 'package.json'), '{"type": "module"}');
	({ text } = await server.request('/openapi.json'));
	fs.writeFileSync(path.join(folder, 'openapi.json'), text);
	const source = path.join(root, 'tests/integration/client');
	for (const name of ['tasks', ...tasks.filter(isThere).map((task) => task.name)])
		fs.copyFileSync(path.join(source, `${name}.ts`), path.join(folder, `${name}.ts`));
	await run('openapi-typescript', ['openapi.json', '--output', 'api.ts']);
	await compile(fs.readdirSync(folder).filter((name) => name.endsWith('.ts')));
	const { default: createClient } = await import(pathToFileURL(path.join(root, 'node_modules/openapi-fetch/dist/index.mjs')));
	api = createClient({ baseUrl: server.url });
});
after(() => server.stop());

async function result(name) {
	const task = await import(pathToFileURL(path.join(folder, `${name}.js`)));
	return task.default(api);
}

for (const task of tasks) {
	test(`the client ${task.what}`, async (t) => {
		if (isThere(task)) assert.match(await result(task.name), task.expected);
		else t.skip(`there is no operation ${task.needs}`);
	});
}

test('what may have any members is given and read', async () => {
	const uses = [
		"api.POST('/api/v1/turns/{id}/resume', { params: { path: { id: 'turn_1' } }, body: { answers: { '5f0a': true } } })",
		"api.POST('/api/v1/users', { body: { id: 'ann', vip: false, metadata: { plan: 'team' } } })",
		"api.GET('/api/v1/turns/{id}', { params: { path: { id: 'turn_1' } } }).then(({ data }) => `${data?.trace?.[0]?.taken[0]?.when} ${data?.state?.['category']}`)",
		"api.GET('/api/v1/workflow').then(({ data }) => data?.nodes.map(({ name, agent }) => `${name} ${agent}`))",
		"api.GET('/api/v1/events').then(({ data }) => data?.items[0]?.data['message'])",
	];
	for (const [i, use] of uses.entries())
		fs.writeFileSync(path.join(folder, `free_${i}.ts`), `import type { Api } from './tasks.js';\nexport default (api: Api) => ${use};\n`);
	await compile(uses.map((_, i) => `free_${i}.ts`));
});

test('what the document does not have is not compiled', async () => {
	const uses = [
		["api.GET('/api/v1/none')", /arguments/],
		["api.POST('/api/v1/query', { body: { message: 1 } })", /number/],
		["api.POST('/api/v1/query', { body: {} })", /message/],
		["api.GET('/api/v1/kb/articles', { params: { query: { limit: 'x' } } })", /limit|string/],
	];
	for (const [i, [use]] of uses.entries())
		fs.writeFileSync(path.join(folder, `wrong_${i}.ts`), `import type { Api } from './tasks.js';\nexport default (api: Api) => ${use};\n`);
	await assert.rejects(compile(uses.map((_, i) => `wrong_${i}.ts`)), ({ message }) => {
		for (const [i, [use, complaint]] of uses.entries()) {
			// What follows the place, up to the next one.
			const told = message.split(/^(?=\w+\.ts\()/m).filter((part) => part.startsWith(`wrong_${i}.ts(2,`)).join('');
			assert.match(told.slice(told.indexOf(': error')), complaint, use);
		}
		return true;
	});
});
