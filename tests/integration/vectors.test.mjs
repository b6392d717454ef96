// The vectors of the articles are kept from one start to the next.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Installation, temporaryFolder } from './lib/files.mjs';
import { Server } from './lib/server.mjs';

// Starts and stops a server; how many texts each of its workers embedded, what was done with the index, and what it
// warned of.
async function start(installation, { cache, workers = 1, during = async () => {} }) {
	const server = await Server.start({ installation, workers, env: { XDG_CACHE_HOME: cache } });
	await during(server);
	await server.stop();
	const told = server.log.filter((line) => line.message?.includes('texts were embedded'));
	return {
		embedded: told.map((line) => Number(/; (\d+) texts were embedded/.exec(line.message)[1])),
		index: told.map((line) => /the index was (\w+)/.exec(line.message)[1]),
		warnings: server.log.filter((line) => line.level === 'warning').map((line) => line.message),
	};
}

function cacheFile(cache) {
	const folder = path.join(cache, 'smartsupport');
	const files = fs.readdirSync(folder).filter((name) => name.endsWith('.vectors'));
	assert.equal(files.length, 1, `one file in ${fs.readdirSync(folder)}`);
	return path.join(folder, files[0]);
}

test('a start with unchanged articles embeds nothing, and one with a new text only that', async () => {
	const cache = temporaryFolder();
	const installation = new Installation();
	const first = await start(installation, { cache });
	assert.equal(first.embedded.length, 1);
	assert.ok(first.embedded[0] > 4, `${first.embedded}`);
	assert.deepEqual((await start(installation, { cache })).embedded, [0]);
	installation.edit('kb/articles/find-invoices.md', 'questions:', 'questions:\n  - Where is the bill for last March?');
	assert.deepEqual((await start(installation, { cache })).embedded, [1]);
	assert.deepEqual((await start(installation, { cache })).embedded, [0]);
});

test('workers that start at once embed the articles once', async () => {
	const { embedded } = await start(new Installation(), { cache: temporaryFolder(), workers: 3 });
	assert.equal(embedded.length, 3);
	assert.equal(embedded.filter((count) => count > 0).length, 1, `${embedded}`);
});

test('a graph is loaded and not built again, until its settings change', async () => {
	const cache = temporaryFolder();
	const installation = new Installation();
	installation.edit('config/smartsupport.yaml', 'plugin: faiss', 'plugin: faiss\n  options: {kind: hnsw}');
	assert.deepEqual((await start(installation, { cache })).index, ['built']);
	const second = await start(installation, {
		cache,
		during: async (server) => {
			const reply = await server.ask('How do I reset my password?');
			assert.equal(reply.metadata.kb_results[0].id, 'reset-password');
		},
	});
	assert.deepEqual(second.index, ['loaded']);
	installation.edit('config/smartsupport.yaml', 'kind: hnsw', 'kind: hnsw, ef_construction: 99');
	const third = await start(installation, { cache });
	assert.deepEqual([third.index, third.embedded], [['built'], [0]]);
	assert.deepEqual((await start(installation, { cache })).index, ['loaded']);
});

test('a damaged, cut off or foreign file is made anew with one line in the log', async () => {
	const cache = temporaryFolder();
	const installation = new Installation();
	const { embedded } = await start(installation, { cache });
	const file = cacheFile(cache);
	const good = fs.readFileSync(file);
	const flipped = Buffer.from(good);
	flipped[good.length >> 1] ^= 1;
	for (const [bytes, why] of [
		[flipped, 'its checksum is wrong'],
		[good.subarray(0, good.length - 100), 'has not the length that it tells'],
		[Buffer.from('hello'), 'is cut off'],
		[Buffer.alloc(good.length), 'is no file of vectors that this server knows'],
	]) {
		fs.writeFileSync(file, bytes);
		const again = await start(installation, {
			cache,
			during: async (server) => {
				const reply = await server.ask('How do I reset my password?');
				assert.equal(reply.metadata.kb_results[0].id, 'reset-password');
			},
		});
		assert.deepEqual(again.embedded, embedded);
		assert.deepEqual(again.warnings, [`${file}: ${why}; the vectors are made anew`]);
		assert.ok(fs.readFileSync(file).equals(good), 'the file is as it was');
	}
});

test('a server that may not keep vectors says so and works', async () => {
	const folder = temporaryFolder();
	const cache = path.join(folder, 'file');
	fs.writeFileSync(cache, 'in the way');
	const { embedded, warnings } = await start(new Installation(), {
		cache,
		during: async (server) => {
			const reply = await server.ask('How do I reset my password?');
			assert.equal(reply.metadata.kb_results[0].id, 'reset-password');
		},
	});
	assert.deepEqual(embedded, []);
	assert.equal(warnings.length, 2, warnings.join('\n'));
	assert.match(warnings[0], /the vectors are not kept: .*cannot be locked: Not a directory/);
	assert.match(warnings[1], /plugins run from their files and not from copies: .*cannot be written: Not a directory; install a new one/);
});
