// How long it takes until an article that is posted to one of two servers on a PostgreSQL is found on both, and what that costs
// those who ask meanwhile:
//     tests/bench/run articles [ARTICLES…]
// for bases of so many made-up articles (30, 1000 and 10000). The first start embeds them, which takes minutes for many.
import { setTimeout } from 'node:timers/promises';
import { Installation } from '../integration/lib/files.mjs';
import { Postgres } from '../integration/lib/postgres.mjs';
import { Server } from '../integration/lib/server.mjs';
import { connectToWorkers } from '../integration/lib/workers.mjs';

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

async function post(server, route, body, agent) {
	const reply = await server.request(route, { method: 'POST', body, agent });
	if (reply.status >= 300) throw new Error(reply.text);
	return reply.json;
}

const search = (server, query, agent) => post(server, '/api/v1/kb/search', { query, top_k: 1 }, agent);

// How long after SINCE each of the workers at CONNECTIONS finds it, in ms. They are asked every few milliseconds: whoever asks
// without a pause measures the load that this is.
async function untilFound(server, connections, id, query, since) {
	const asked = [...connections].map(async (agent) => {
		while ((await search(server, query, agent)).items[0]?.id !== id) await setTimeout(5);
		return performance.now() - since;
	});
	return Promise.all(asked);
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

// What is posted to the first server, until all workers of each find it.
async function postAndFind(servers) {
	const found = servers.map(() => []);
	const connections = await Promise.all(servers.map(connectToWorkers));
	for (let i = 0; i < 50; i++) {
		const title = `Why does the purple walrus ${i * 37} whistle?`;
		const { id } = await post(servers[0], '/api/v1/kb/articles', {
			title,
			content: `The purple walrus ${i * 37} whistles at noon. It is a reminder that can be switched off under Alarms.`,
		});
		const since = performance.now();
		const times = await Promise.all(servers.map((server, k) => untilFound(server, connections[k].values(), id, title, since)));
		times.forEach((ofWorkers, k) => found[k].push(Math.max(...ofWorkers)));
	}
	for (const each of connections) for (const agent of each.values()) agent.destroy();
	return found;
}

async function measure(count, postgres) {
	const installation = new Installation();
	installation.write('kb/articles.json', JSON.stringify(Array.from({ length: count }, (_, i) => article(i))));
	installation.edit('config/smartsupport.yaml', /articles: .*/, 'articles: ../kb/articles.json');
	const database = postgres.newDatabase();
	const server = await Server.start({ installation, database });
	const other = await Server.start({ installation, database });
	const quiet = await searches(server, 200);
	const [here, there] = await postAndFind([server, other]);
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
		`${count} articles: found by both workers of the server ${at(here, 0.5)} ms after the 201 (median of ${here.length}; worst ${at(here, 1)}), ` +
			`of the other server ${at(there, 0.5)} ms (worst ${at(there, 1)}); 300 imported and served by the server in ${took.toFixed(0)} ms; ` +
			`a search takes ${at(quiet, 0.5)} ms (p99 ${at(quiet, 0.99)}), while articles are taken over ` +
			`${at(busy, 0.5)} ms (p99 ${at(busy, 0.99)}, of ${busy.length}), afterwards ${at(later, 0.5)} ms (p99 ${at(later, 0.99)})`,
	);
	await other.stop();
	await server.stop();
}

const postgres = await Postgres.start();
for (const count of process.argv.slice(2).map(Number).concat(process.argv.length > 2 ? [] : [30, 1000, 10000])) await measure(count, postgres);
