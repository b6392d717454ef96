// The graphs of tests/bench/engine.c, run by LangGraph.js in the same run as by this engine, with nodes that
// do nothing. Prints the median time of a run of both and the ratio; of runs that are kept in SQLite, with each
// node stored before the next one starts, also what the database grew by.
import { Annotation, END, START, StateGraph } from '@langchain/langgraph';
import { SqliteSaver } from '@langchain/langgraph-checkpoint-sqlite';
import Database from 'better-sqlite3';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';

const ours = new Map(
	execFileSync(process.argv[2], { encoding: 'utf8' })
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line))
		.map((row) => [row.graph, row]),
);

const nothing = () => ({});
const oneField = Annotation.Root({ message: Annotation() });

function chain(count, state = oneField) {
	const graph = new StateGraph(state);
	for (let i = 0; i < count; i++) graph.addNode(`n${i}`, nothing);
	graph.addEdge(START, 'n0');
	for (let i = 0; i + 1 < count; i++) graph.addEdge(`n${i}`, `n${i + 1}`);
	return graph.addEdge(`n${count - 1}`, END);
}

// A chain of 10 that hands on 300 messages in a state of 15 fields.
function wideChain() {
	const fields = { message: Annotation() };
	for (const name of 'abcdefghijklmn') fields[name] = Annotation();
	return chain(10, Annotation.Root(fields));
}

function fanOut() {
	const graph = new StateGraph(oneField);
	const branches = ['a', 'b', 'c', 'd', 'e'];
	for (const name of [...branches, 'f']) graph.addNode(name, nothing);
	for (const name of branches) graph.addEdge(START, name);
	return graph.addEdge(branches, 'f').addEdge('f', END);
}

function wide() {
	const fields = { messages: Annotation({ reducer: (a, b) => a.concat(b), default: () => [] }), n: Annotation({ reducer: (_, b) => b, default: () => 0 }) };
	for (const name of 'abcdefghijklm') fields[name] = Annotation();
	const graph = new StateGraph(Annotation.Root(fields));
	graph.addNode('add', ({ n }) => ({ messages: ['a message'], n: n + 1 }));
	return graph.addEdge(START, 'add').addConditionalEdges('add', ({ n }) => (n < 300 ? 'add' : END), ['add', END]);
}

const now = () => Number(process.hrtime.bigint()) / 1e3;
const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];

// The median of COUNT single runs after some to warm up, in microseconds.
async function runs(graph, input, count) {
	const compiled = graph.compile();
	const times = [];
	for (let i = -Math.ceil(count / 5); i < count; i++) {
		const start = now();
		await compiled.invoke(input, { recursionLimit: 2000 });
		if (i >= 0) times.push(now() - start);
	}
	return median(times);
}

// The same with a saver on a file of its own: the time, and the bytes that each run adds to the file.
async function kept(graph, input, count, synchronous) {
	const file = `bench-${process.pid}-peer.db`;
	const open = () => {
		const saver = new SqliteSaver(new Database(file));
		saver.setup();
		saver.db.pragma(`synchronous = ${synchronous}`);
		return saver;
	};
	open().db.close();
	const before = fs.statSync(file).size;
	const saver = open();
	const compiled = graph.compile({ checkpointer: saver });
	const times = [];
	for (let i = 0; i < count; i++) {
		const id = `00000000-0000-7000-8000-${String(i).padStart(12, '0')}`;
		const start = now();
		await compiled.invoke(input, { recursionLimit: 2000, durability: 'sync', configurable: { thread_id: id } });
		times.push(now() - start);
	}
	saver.db.close();
	const bytes = Math.round((fs.statSync(file).size - before) / count);
	fs.rmSync(file);
	return { us: median(times), bytes };
}

function compiles(count) {
	const times = [];
	for (let i = -2; i < count; i++) {
		const start = now();
		chain(1000).compile();
		if (i >= 0) times.push(now() - start);
	}
	return median(times);
}

const theirs = new Map([
	['chain of 3', await runs(chain(3), { message: 'x' }, 500)],
	['chain of 10', await runs(chain(10), { message: 'x' }, 200)],
	['chain of 1000', await runs(chain(1000), { message: 'x' }, 5)],
	['fan-out of 5 and join', await runs(fanOut(), { message: 'x' }, 300)],
	['wide state, loop of 300', await runs(wide(), { a: 'x' }, 7)],
	['chain of 10, wide state', await runs(wideChain(), { message: Array(300).fill('a message') }, 200)],
	['compile 1000 nodes', compiles(15)],
]);

const durable = [
	['chain of 3', chain(3), { message: 'x' }, 100],
	['chain of 10', chain(10), { message: 'x' }, 50],
	['chain of 1000', chain(1000), { message: 'x' }, 1],
	['fan-out of 5 and join', fanOut(), { message: 'x' }, 50],
	['wide state, loop of 300', wide(), { a: 'x' }, 2],
];
for (const [name, graph, input, count] of durable) {
	for (const synchronous of ['normal', 'full'])
		theirs.set(`${name}, kept, ${synchronous}`, await kept(graph, input, count, synchronous));
}

const row = (...cells) => console.log(cells.map((cell, i) => (i === 0 ? String(cell).padEnd(38) : String(cell).padStart(11))).join(' '));
row('in memory', 'us', 'peer us', 'ratio', 'grown');
for (const [name, { us, grown, bytes }] of ours) {
	if (bytes === undefined) row(name, us.toFixed(2), theirs.get(name).toFixed(0), (theirs.get(name) / us).toFixed(0), grown ?? '');
}
row('\nkept in SQLite', 'us', 'peer us', 'ratio', 'bytes', 'peer bytes', 'ratio');
for (const [name, { us, bytes }] of ours) {
	if (bytes === undefined) continue;
	const peer = theirs.get(name);
	row(name, us.toFixed(0), peer.us.toFixed(0), (peer.us / us).toFixed(1), bytes, peer.bytes, (peer.bytes / bytes).toFixed(1));
}
