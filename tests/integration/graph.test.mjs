// `smartsupport graph`: the pictures of workflows, read back by the programs that they are made for.
import DOMPurify from 'dompurify';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Installation, temporaryFolder } from './lib/files.mjs';
import { runProgram } from './lib/server.mjs';
import { attribute, elements, parseXml, textOf } from './lib/xml.mjs';

// Outside a browser there is no document to clean labels in; the parser needs none.
Object.assign(DOMPurify, { addHook() {}, removeHook() {}, sanitize: (text) => text });
const { default: mermaid } = await import('mermaid');

const nodes = {
	categorize: 'categorizer',
	sentiment: 'sentiment',
	small_talk: 'assign',
	attempts: 'attempts',
	priority: 'priority',
	retrieve: 'kb_retriever',
	check: 'escalation_check',
	technical: 'technical',
	billing: 'billing',
	account: 'general',
	general: 'general',
	chat: 'assign',
	waiting: 'assign',
	escalate: 'escalation',
	respond: 'respond',
	gaps: 'assign',
};
const conditions = ['conversation_status == "escalated"', 'escalated', 'small_talk != ""', 'category == "Technical"', 'category == "Billing"', 'category == "Account"', 'else'];
// Of START, of the two that lead on to one node, of the two joins, of the choice, of the five and of the two that
// lead on one by one, and of the two last ones.
const edges = 3 + 2 + (3 + 1) + (2 + 1) + 7 + (5 + 1) + (2 + 1) + 2;

async function draw(...args) {
	const { code, stdout, stderr } = await runProgram(['graph', ...args]);
	assert.equal(code, 0, stderr);
	assert.equal(stderr, '');
	return stdout;
}

const number = (element, name) => Number(attribute(element, name));

// The border of a part of the drawing.
function borderOf(element) {
	const [box] = elements(element, (e) => e.name === 'rect' && ['box', 'bar'].includes(attribute(e, 'class')));
	if (box) {
		const [left, top] = [number(box, 'x'), number(box, 'y')];
		return { left, top, right: left + number(box, 'width'), bottom: top + number(box, 'height') };
	}
	const [ring] = elements(element, (e) => e.name === 'circle');
	const [x, y, r] = ['cx', 'cy', 'r'].map((name) => number(ring, name));
	return { left: x - r, right: x + r, top: y - r, bottom: y + r };
}

function classed(svg, name) {
	return elements(svg, (e) => attribute(e, 'class') === name);
}

function overlap(a, b) {
	return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function labelOf(edge) {
	const [ground] = classed(edge, 'ground');
	if (!ground) return null;
	const [left, top] = [number(ground, 'x'), number(ground, 'y')];
	return { left, top, right: left + number(ground, 'width'), bottom: top + number(ground, 'height') };
}

// Nothing lies on anything else, and every edge leads from border to border.
function assertReadable(svg) {
	const parts = ['node', 'pill', 'gate'].flatMap((name) => classed(svg, name));
	const borders = new Map(parts.map((part) => [attribute(part, 'id').replace(/^node-/, ''), borderOf(part)]));
	const labels = classed(svg, 'edge').map(labelOf).filter(Boolean);
	const all = [...borders.values(), ...labels];
	for (const [i, one] of all.entries()) {
		for (const other of all.slice(0, i)) assert.ok(!overlap(one, other), JSON.stringify([one, other]));
		assert.ok(one.left >= 0 && one.top >= 0);
		assert.ok(one.right <= number(svg, 'width') && one.bottom <= number(svg, 'height'));
	}
	for (const edge of classed(svg, 'edge')) {
		const [from, to] = ['data-from', 'data-to'].map((name) => borders.get(attribute(edge, name)));
		const numbers = attribute(classed(edge, 'line')[0], 'd').match(/-?[\d.]+/g).map(Number);
		const [x1, y1, x2, y2] = [...numbers.slice(0, 2), ...numbers.slice(-2)];
		assert.ok(Math.abs(y1 - from.bottom) < 0.2 && x1 >= from.left && x1 <= from.right, 'it begins at its box');
		assert.ok(Math.abs(y2 - to.top) < 0.2 && x2 >= to.left && x2 <= to.right, 'it ends at its box');
	}
}

test('the SVG of the support workflow is complete, and nothing in it overlaps', async () => {
	const text = await draw('--format', 'svg');
	const svg = parseXml(text);
	assert.equal(svg.name, 'svg');
	assert.equal(attribute(svg, 'role'), 'img');
	assert.equal(textOf(elements(svg, (e) => e.name === 'title')[0]), 'customer-support');
	assert.equal(elements(svg, (e) => e.name === 'script').length, 0);
	assert.doesNotMatch(text.replace('http://www.w3.org/2000/svg', ''), /https?:|@import|url\(/);
	const drawn = classed(svg, 'node').map((node) => [attribute(node, 'id'), ...['name', 'detail'].map((part) => textOf(classed(node, part)[0]))]);
	assert.deepEqual(drawn.sort(), Object.entries(nodes).map(([name, agent]) => [`node-${name}`, name, agent]).sort());
	const labelled = classed(svg, 'edge').filter((edge) => attribute(edge, 'data-when') !== undefined);
	assert.deepEqual(labelled.map((edge) => attribute(edge, 'data-when')), conditions);
	for (const edge of labelled) {
		const whole = attribute(edge, 'data-when');
		assert.equal(textOf(elements(edge, (e) => e.name === 'title')[0]), whole);
		assert.equal(classed(edge, 'when').map(textOf).join(' '), whole);
	}
	assert.equal(classed(svg, 'edge').length, edges);
	assert.equal(classed(svg, 'bar').length, 2);
	assert.equal(classed(svg, 'ring').length, 2);
	assertReadable(svg);
});

test('Graphviz reads the DOT text', async () => {
	const svg = parseXml(execFileSync('dot', ['-Tsvg'], { input: await draw('--format', 'dot'), encoding: 'utf8' }));
	const texts = elements(svg, (e) => e.name === 'text').map(textOf);
	for (const text of [...Object.entries(nodes).flat(), ...conditions, 'START', 'END', 'all', 'any']) assert.ok(texts.includes(text), text);
	assert.equal(classed(svg, 'edge').length, edges);
});

// What Mermaid has read: it keeps references to characters in a form of its own until it draws.
async function readMermaid(text) {
	assert.equal((await mermaid.parse(text)).diagramType, 'flowchart-v2');
	const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
	const plain = (label) => label.replace(/ﬂ°°(\d+)¶ß/g, (_, code) => String.fromCodePoint(code));
	return {
		nodes: [...db.getVertices().values()].map((vertex) => plain(vertex.text)),
		labels: db.getEdges().map((edge) => plain(edge.text)),
	};
}

test('Mermaid reads its text, which is the default', async () => {
	const text = await draw();
	assert.equal(await draw('--format', 'mermaid'), text);
	const read = await readMermaid(text);
	const expected = [...Object.entries(nodes).map((pair) => pair.join('<br/>')), 'START', 'END', 'all', 'all', 'any', 'any'];
	assert.deepEqual(read.nodes.sort(), expected.sort());
	assert.equal(read.labels.length, edges);
	assert.deepEqual(read.labels.filter(Boolean), conditions);
});

// A workflow file with awkward names, loops, and fields that only its caller gives.
function awkwardWorkflow(name, condition) {
	const file = path.join(temporaryFolder(), 'awkward.yaml');
	const quoted = JSON.stringify(name);
	const workflow = `version: 1
name: "<awkward> & \\"quoted\\""
state:
  text: {type: string}
  count: {type: int}
nodes:
  ${quoted}: {agent: assign, options: {set: {count: count + 1}}}
  again: {agent: assign, options: {set: {count: count + 2}}}
edges:
  - {from: START, to: ${quoted}}
  - from: ${quoted}
    choose:
      - {when: ${JSON.stringify(condition)}, to: again}
      - {when: count < 3, to: ${quoted}}
      - {else: END}
  - {from: again, to: ${quoted}}
`;
	fs.writeFileSync(file, workflow);
	return file;
}

test('awkward names, long conditions and loops survive in every format', async () => {
	const name = `a<b>&"c" 'd' ]] --> %% \\n #quot; {x} _y_ 1. [z](u) é日`;
	const condition = `text == "</title>]]>&amp; \\"quoted\\" and so long that no label holds all of it" && count < 10`;
	const file = awkwardWorkflow(name, condition);
	const svg = parseXml(await draw(file, '--format', 'svg'));
	assert.deepEqual(classed(svg, 'node').map((node) => attribute(node, 'id')), [`node-${name}`, 'node-again']);
	const [edge] = classed(svg, 'edge').filter((e) => attribute(e, 'data-kind') === 'when');
	assert.equal(attribute(edge, 'data-when'), condition);
	assert.equal(textOf(elements(edge, (e) => e.name === 'title')[0]), condition);
	assert.match(classed(edge, 'when').map(textOf).join(' '), /^text == .{30,39}…$/);
	assertReadable(svg);
	const read = await readMermaid(await draw(file));
	assert.deepEqual(read.nodes.sort(), [`${name}<br/>assign`, 'again<br/>assign', 'START', 'END'].sort());
	assert.ok(read.labels.includes(condition));
	const dot = execFileSync('dot', ['-Tsvg'], { input: await draw(file, '--format', 'dot'), encoding: 'utf8' });
	assert.ok(elements(parseXml(dot), (e) => e.name === 'text').map(textOf).includes(name));
});

test('graph writes to a file, the same bytes every time', async () => {
	const file = path.join(temporaryFolder(), 'graph.svg');
	assert.equal(await draw('--format', 'svg', '--output', file), '');
	const first = fs.readFileSync(file, 'utf8');
	assert.equal(await draw('--format', 'svg'), first);
	const { code, stderr } = await runProgram(['graph', '--output', path.join(temporaryFolder(), 'none/graph.svg')]);
	assert.equal(code, 1);
	assert.match(stderr, /none\/graph\.svg/);
});

test('graph lists every mistake of the workflow and draws nothing', async () => {
	const installation = new Installation();
	const lines = [
		installation.editWorkflow('agent: technical', 'agent: technicle'),
		installation.editWorkflow(`'category == "Billing"'`, `'categry == "Billing"'`),
	];
	const file = path.join(installation.folder, 'graph.svg');
	for (const args of [['--config', installation.config], [installation.workflow]]) {
		const { code, stdout, stderr } = await runProgram(['graph', ...args, '--output', file]);
		assert.equal(code, 1);
		assert.equal(stdout, '');
		for (const [i, word] of ['technicle', 'categry'].entries())
			assert.match(stderr, new RegExp(`support\\.yaml:${lines[i]}:\\d+: .*${word}`));
		assert.equal(fs.existsSync(file), false);
	}
	const missing = await runProgram(['graph', '/nowhere/workflow.yaml']);
	assert.equal(missing.code, 1);
	assert.match(missing.stderr, /nowhere\/workflow\.yaml/);
});

test('graph --help prints help, and wrong arguments are refused with 2', async () => {
	const help = await runProgram(['graph', '--help']);
	assert.equal(help.code, 0);
	assert.match(help.stdout, /^Usage: smartsupport graph/);
	for (const args of [['--format', 'png'], ['--format'], ['--colour'], ['one.yaml', 'two.yaml']]) {
		const { code, stdout, stderr } = await runProgram(['graph', ...args]);
		assert.equal(code, 2, args.join(' '));
		assert.equal(stdout, '');
		assert.match(stderr, /format|Usage/);
	}
});
