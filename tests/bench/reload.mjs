// How long a reload takes from the request to the takeover, and what customers notice of it:
//     tests/bench/run reload [RELOADS]
// Four customers ask all the time. Their latency and their failures during so many reloads (20) stand beside those of as long without any.
// Then the worker of some new generations is asked by nobody else: its first question stands beside one that it gets when it has answered a
// hundred, on a new connection and after as long a pause as the first one.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { Installation, temporaryFolder } from '../integration/lib/files.mjs';
import { Server } from '../integration/lib/server.mjs';
import { Connection } from '../integration/lib/workers.mjs';

const customers = 4;
const reloads = Number(process.argv[2] ?? 20);

const sorted = (times) => times.toSorted((a, b) => a - b);
const at = (times, share) => sorted(times)[Math.min(times.length - 1, Math.floor(times.length * share))];
const ms = (time) => `${time.toFixed(1)} ms`;

// Asks one question after the other until stop() is called; gives the times of the replies, in ms, and what failed.
function keepAsking(server) {
	const agent = new http.Agent({ keepAlive: true, maxSockets: customers });
	const [times, failures] = [[], []];
	let over = false;
	const loops = Array.from({ length: customers }, async (_, customer) => {
		for (let i = 0; !over; i++) {
			const start = performance.now();
			const body = { message: `How do I reset password number ${i}?`, user_id: `customer ${customer}` };
			try {
				const reply = await server.query(body, { agent });
				if (reply.status !== 200) failures.push(reply.status);
			} catch (error) {
				failures.push(error.message);
			}
			times.push(performance.now() - start);
		}
	});
	return async () => {
		over = true;
		await Promise.all(loops);
		agent.destroy();
		return { times, failures };
	};
}

// The descriptors and the memory, in MiB, that the server's processes have.
function resources(server) {
	const processes = [server.pid, ...server.workers()];
	let [descriptors, kilobytes] = [0, 0];
	for (const pid of processes) {
		descriptors += fs.readdirSync(`/proc/${pid}/fd`).length;
		kilobytes += Number(/^Pss: +(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);
	}
	return { processes: processes.length, descriptors, memory: kilobytes / 1024 };
}

// What the first question of the worker of a new generation takes, in ms, and what one takes when it has answered many.
async function askNewWorkers() {
	const [firsts, laters, asked] = [[], [], 100];
	const server = await Server.start({ installation: new Installation(), database: path.join(temporaryFolder(), 'new.db'), workers: 1 });
	const ask = async (agent, number) => {
		const start = performance.now();
		const reply = await server.query({ message: `Where do I find invoice number ${number}?`, user_id: `new ${number}` }, { agent });
		if (reply.status !== 200) throw new Error(reply.text);
		return performance.now() - start;
	};
	for (let generation = 0; generation < 20; generation++) {
		await reload(server);
		for (const times of [firsts, laters]) {
			await onlyNewWorkers(server, 1);
			await new Promise((resolve) => setTimeout(resolve, 300));
			const agent = new Connection();
			times.push(await ask(agent, `${generation}-${times === firsts ? 0 : asked}`));
			for (let i = 1; times === firsts && i < asked; i++) await ask(agent, `${generation}-${i}`);
			agent.destroy();
		}
	}
	await server.stop();
	return { firsts, laters };
}

async function reload(server) {
	const start = performance.now();
	const reply = await server.request('/api/v1/reload', { method: 'POST' });
	if (reply.status !== 200) throw new Error(reply.text);
	return performance.now() - start;
}

// Old workers leave once they have nothing left to do.
async function onlyNewWorkers(server, count) {
	while (server.workers().length > count) await new Promise((resolve) => setTimeout(resolve, 20));
}

const server = await Server.start({ installation: new Installation(), database: path.join(temporaryFolder(), 'bench.db') });
const count = server.workers().length;
await server.query({ message: 'How do I reset my password?' }); // the store has its files
await reload(server);
await onlyNewWorkers(server, count);
const before = resources(server);
let stop = keepAsking(server);
const took = [];
const start = performance.now();
for (let i = 0; i < reloads; i++) {
	took.push(await reload(server));
	await onlyNewWorkers(server, count);
}
const length = performance.now() - start;
const during = await stop();
stop = keepAsking(server);
await new Promise((resolve) => setTimeout(resolve, length));
const without = await stop();
// Workers that have served nobody yet, as before.
await reload(server);
await onlyNewWorkers(server, count);
const after = resources(server);
for (const [title, { times, failures }] of [
	['with', during],
	['without', without],
])
	console.log(
		`${title} reloads: ${times.length} questions, ${failures.length} failed; latency p50 ${ms(at(times, 0.5))}, p99 ${ms(at(times, 0.99))}, most ${ms(at(times, 1))}`,
	);
console.log(`ratio: p50 ${(at(during.times, 0.5) / at(without.times, 0.5)).toFixed(2)}, p99 ${(at(during.times, 0.99) / at(without.times, 0.99)).toFixed(2)}`);
console.log(`${reloads} reloads: from the request to the takeover ${ms(at(took, 0.5))} (median), ${ms(at(took, 1))} (most)`);
console.log(
	`processes ${before.processes} and ${after.processes}, descriptors ${before.descriptors} and ${after.descriptors}, memory (PSS) ` +
		`${before.memory.toFixed(1)} and ${after.memory.toFixed(1)} MiB, after 1 and ${reloads + 2} reloads`,
);
await server.stop();
const { firsts, laters } = await askNewWorkers();
console.log(
	`${firsts.length} new workers: the first question took ${ms(at(firsts, 0.5))} (median), ${ms(at(firsts, 1))} (most), and as lonely a one behind a hundred ` +
		`${ms(at(laters, 0.5))} and ${ms(at(laters, 1))}; ratio of the medians ${(at(firsts, 0.5) / at(laters, 0.5)).toFixed(2)}`,
);
