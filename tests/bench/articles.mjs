// How long it takes until an article that is posted is found, and what that costs those who ask meanwhile:
//     tests/bench/run articles [ARTICLES…]
// for bases of so many made-up articles (30, 1000 and 10000). The first start embeds them, which takes minutes for many.
import path from 'node:path';
import { Installation, temporaryFolder } from '../integration/lib/files.mjs';
import { Server } from '../integration/lib/server.mjs';

const words = 'sheet board invoice seat member export filter column chart alarm team plan card folder label region timer widget robot garden'.split(' ');
const word = (i, k) => words[(i * 7 + k * 13 + Math.floor(i / 20) * 3) % words.length];

function article(i) {
	return {
		id: `made-up-${String(i).padStart(6, '0')}`,
		title: `How do I move the ${word(i, 1)} number ${i} to another ${word(i, 2)}?`,
		content: `Open the ${word(i, 3)} menu, choose the ${word(i, 1)} ${i} and drop it on the ${word(i, 2)}. The ${word(i, 4)} keeps its ${word(i, 5)} and its history.`,
		category: 'General',
	};
}

const sorted = (times) => times.toSorted((a, b) => a - b);
const at = (times, share) => sorted(times)[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(1);

async function post(server, route, body) {
	const reply = await server.request(route, { method: 'POST', body });
	if (reply.status >= 300) throw new Error(reply.text);
	return reply.json;
}

const search = (server, query) => post(server, '/api/v1/kb/search', { query, top_k: 1 });

// Until 8 connections on end find it, so that it is both workers that do. Gives when the first and when all did, in ms.
async function untilFound(server, id, query) {
	const start = performance.now();
	let first;
	for (let agreed = 0; agreed < 8; ) {
		const found = (await search(server, query)).items[0]?.id === id;
		agreed = found ? agreed + 1 : 0;
		if (found) first ??= performance.now() - start;
	}
	return { first, all: performance.now() - start };
}

async function searches(server, count) {
	const times = [];
	for (let i = 0; i < count; i++) {
		const start = performance.now();
		await search(server, `How do I move the ${word(i, 1)} number ${i}, the ${i}th?`);
		times.push(performance.now() - start);
	}
	return times;
}

async function measure(count) {
	const installation = new Installation();
	installation.write('kb/articles.json', JSON.stringify(Array.from({ length: count }, (_, i) => article(i))));
	installation.edit('config/smartsupport.yaml', /articles: .*/, 'articles: ../kb/articles.json');
	const server = await Server.start({ installation, database: path.join(temporaryFolder(), 'bench.db') });
	const quiet = await searches(server, 200);
	const [first, all] = [[], []];
	for (let i = 0; i < 15; i++) {
		const { id } = await post(server, '/api/v1/kb/articles', {
			title: `Why does the purple walrus ${i * 37} whistle?`,
			content: `The purple walrus ${i * 37} whistles at noon. It is a reminder that can be switched off under Alarms.`,
		});
		const times = await untilFound(server, id, `Why does the purple walrus ${i * 37} whistle?`);
		first.push(times.first);
		all.push(times.all);
	}
	const imported = Array.from({ length: 300 }, (_, i) => article(200000 + i));
	const start = performance.now();
	await post(server, '/api/v1/kb/import', imported);
	let over = false;
	const reindexed = (async () => {
		while ((await server.request('/api/v1/kb/reindex', { method: 'POST' })).status !== 200);
		over = true;
	})();
	const busy = [];
	while (!over) busy.push(...(await searches(server, 5)));
	await reindexed;
	const took = performance.now() - start;
	const later = await searches(server, 200);
	console.log(
		`${count} articles: found on a worker ${at(first, 0.5)} ms after the 201 (median of 15; worst ${at(first, 1)}), on both ${at(all, 0.5)} ms (worst ${at(all, 1)}); ` +
			`300 imported and served by both in ${took.toFixed(0)} ms; a search takes ${at(quiet, 0.5)} ms (p99 ${at(quiet, 0.99)}), while articles are taken over ` +
			`${at(busy, 0.5)} ms (p99 ${at(busy, 0.99)}, of ${busy.length}), afterwards ${at(later, 0.5)} ms (p99 ${at(later, 0.99)})`,
	);
	await server.stop();
}

for (const count of process.argv.slice(2).map(Number).concat(process.argv.length > 2 ? [] : [30, 1000, 10000])) await measure(count);
