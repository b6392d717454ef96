// The graphs of tests/bench/engine.c, run by LangGraph.js in the same run as by this engine, with nodes that
// do nothing. Prints the median time of a run of both and the ratio.
import { Annotation, END, START, StateGraph } from '@langchain/langgraph';
import { execFileSync } from 'node:child_process';

const ours = new Map(
	execFileSync(process.argv[2], { encoding: 'utf8' })
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line))
		.map((row) => [row.graph, row]),
);

const nothing = () => ({});
const oneField = Annotation.Root({ message: Annotation() });

function chain(count) {
	const graph = new StateGraph(oneField);
	for (let i = 0; i < count; i++) graph.addNode(`n${i}`, nothing);
	graph.addEdge(START, 'n0');
	for (let i = 0; i + 1 < count; i++) graph.addEdge(`n${i}`, `n${i + 1}`);
	return graph.addEdge(`n${count - 1}`, END);
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
	['compile 1000 nodes', compiles(15)],
]);

console.log('graph                        ours us   LangGraph.js us    ratio   grown bytes');
for (const [name, { us, grown }] of ours) {
	const other = theirs.get(name);
	console.log(`${name.padEnd(25)} ${us.toFixed(2).padStart(10)} ${other.toFixed(0).padStart(17)} ${(other / us).toFixed(0).padStart(8)} ${String(grown ?? '').padStart(13)}`);
}
